/**
 * The types of the fields of a record, as columns of values: how they are checked and stored.
 *
 * The checks are loops by index, as methods skip holes. They must not read lists that are serialized later: V8 marks a
 * list that is read where lists with holes are read as one with holes, and serializes each index of it.
 */

/** How the values of a field are stored. */
export interface Field<Stored = unknown> {
  /** Returns the first row with an invalid value, or -1. One loop a type: a call for each value takes twice as long. */
  findInvalid(column: readonly unknown[]): number;
  /** Converts a value of another type than the stored one. */
  encode?(value: unknown): Stored;
}

/** The values of a field, after the check that every row has one. */
interface Column<Stored> {
  at(row: number): Stored;
}

/** The columns of fields, by name. */
export type Columns<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends Field<infer Stored> ? Column<Stored> : never;
};

/** A text of `min` to `max` characters that does not match `refused`. */
export function text({ min = 0, max, refused }: { min?: number; max: number; refused?: RegExp }): Field<string> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "string" || value.length < min || value.length > max) return row;
        if (refused !== undefined && value !== "" && refused.test(value)) return row;
      }
      return -1;
    },
  };
}

/** An integer from 0 to `max`. */
export function wholeNumber(max: number): Field<number> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) return row;
      }
      return -1;
    },
  };
}

/** One of a few values. */
export function oneOf<const Value>(...allowed: readonly Value[]): Field<Value> {
  const values: readonly unknown[] = allowed;
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) if (!values.includes(column[row])) return row;
      return -1;
    },
  };
}
