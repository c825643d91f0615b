/**
 * The values of a pickle, as inert data: an object is the name of its class and its values, a function is its name.
 *
 * Pickles also call functions to make values. The few of plain data are here; there is no way to call another.
 */

/** A value. Lists, tuples and sets are arrays. */
export type PickleValue = null | boolean | number | string | Bytes | PickleValue[] | Dict | Instance | Name;

/** Bytes, and a text of Python 2. */
export class Bytes {
  /** Each byte as the character of its number. */
  readonly latin1: string;

  constructor(latin1: string) {
    this.latin1 = latin1;
  }
}

/** A dict. */
export class Dict {
  /** Keys and values in turns. */
  readonly entries: PickleValue[];

  constructor(entries: PickleValue[] = []) {
    this.entries = entries;
  }
}

/** A class or a function, as in "datetime.datetime". */
export class Name {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object. */
export class Instance {
  readonly className: string;
  readonly args: readonly PickleValue[];
  /** Attributes, and items if it is a dict too. */
  state: Dict | undefined;

  constructor(className: string, args: readonly PickleValue[]) {
    this.className = className;
    this.args = args;
  }
}

/** Makes a value of arguments; `undefined` if they are wrong. */
type Call = (args: readonly PickleValue[]) => PickleValue | undefined;

/** Python 3 before and after protocol 3; Python 2 has the names of the former. */
const builtins = ["__builtin__", "builtins"];

/** What pickles of plain data call, by name. */
const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ...["datetime", "date", "timedelta", "timezone"].map((name) => instanceOf(`datetime.${name}`)),
  ...["pytz._UTC", "pytz._p", "zoneinfo.ZoneInfo._unpickle"].map(instanceOf),
  // Bytes in protocols 1 and 2: a text of Latin-1.
  ["_codecs.encode", ([text]) => typeof text === "string" ? new Bytes(text) : undefined],
  ...builtins.map((module) => [`${module}.bytes`, () => new Bytes("")] as const),
  // Items follow the call.
  ["collections.OrderedDict", () => new Dict()],
  ["collections.defaultdict", () => new Dict()],
  ...builtins.flatMap((module) => [[`${module}.set`, toArray], [`${module}.frozenset`, toArray]] as const),
  // The one method that is a value: it makes a time zone.
  ...builtins.map((module) => [`${module}.getattr`, zoneMethod] as const),
  // Objects in protocol 1.
  ["copyreg._reconstructor", reconstruct],
  ["copy_reg._reconstructor", reconstruct],
]);

/** @returns `undefined` if the function does not make plain data of these arguments */
export function callByName(name: string, args: readonly PickleValue[]): PickleValue | undefined {
  return calls.get(name)?.(args);
}

function instanceOf(name: string): readonly [string, Call] {
  return [name, (args) => new Instance(name, args)];
}

function toArray([items]: readonly PickleValue[]): PickleValue | undefined {
  return items === undefined ? [] : Array.isArray(items) ? items : undefined;
}

function zoneMethod([owner, name]: readonly PickleValue[]): PickleValue | undefined {
  const isZone = owner instanceof Name && owner.text === "zoneinfo.ZoneInfo" && name === "_unpickle";
  return isZone ? new Name(`${owner.text}.${name}`) : undefined;
}

function reconstruct([type]: readonly PickleValue[]): PickleValue | undefined {
  return type instanceof Name ? new Instance(type.text, []) : undefined;
}
