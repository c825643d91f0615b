/**
 * Reads pickles of Python, protocols 1 to 5, and runs nothing.
 *
 * A pickle is a program for a stack machine that makes values. It may name any function for Python to call, so a
 * hostile one runs commands. To this machine a name is a text: it refuses each call but those of `pickle_value.ts`.
 * Protocol 0 is refused: it is text without a mark, and any other text file might begin like it.
 *
 * Memory stays small for any number of users. Python gives every value a number, in case the pickle refers to it
 * again; so each pickle is read twice, first to learn which values those are, as all others can be forgotten. And the
 * items of the outermost dict or list leave the machine as soon as they are there.
 */

import type { PickleFile } from "./pickle_file.ts";
import { type Divided, PickleMachine } from "./pickle_machine.ts";
import { gets, operations, reasonAgainst, stop } from "./pickle_opcodes.ts";
import type { PickleValue } from "./pickle_value.ts";

/** Of a file: one for each user, if they were appended one by one. */
const maxPickles = 1_000_000;
/** Values of one pickle that it refers to again. */
const maxRecalled = 500_000;

/**
 * Reads the values of a file, one for each pickle in it.
 *
 * @param divided values of this type come in any number of parts
 * @throws {ForeignFileError}
 */
export function* readPickles(file: PickleFile, divided: Divided): Generator<PickleValue> {
  for (let count = 0; count === 0 || file.rest > 0; count++) {
    if (count === maxPickles) file.fail(`it has more than ${maxPickles} pickles: write its users to several files`);
    const start = file.position;
    const recalled = findRecalled(file);
    file.seek(start);
    yield* readPickle(new PickleMachine(file, recalled), divided);
  }
}

/** Reads to the end of a pickle. @returns the numbers of the values that it refers to again */
function findRecalled(file: PickleFile): ReadonlySet<number> {
  const recalled = new Set<number>();
  for (let opcode; (opcode = file.byte()) !== stop;) {
    const operand = operationOf(opcode, file).read(file);
    if (gets.includes(opcode)) recalled.add(Number(operand));
    if (recalled.size > maxRecalled) file.fail(`it refers to more than ${maxRecalled} values again`);
  }
  return recalled;
}

function* readPickle(machine: PickleMachine, divided: Divided): Generator<PickleValue> {
  for (let opcode; (opcode = machine.file.byte()) !== stop;) {
    operationOf(opcode, machine.file).run(machine);
    const part = machine.takePart(divided);
    if (part !== undefined) yield part;
  }
  yield machine.result();
}

function operationOf(opcode: number, file: PickleFile) {
  return operations[opcode] ?? file.fail(reasonAgainst(opcode));
}
