/** Fields of a record on disk: how a column of their values is checked and stored. `change.ts` has the records. */

/** How the values of a field are checked and stored, as a column of them. */
export interface Field<Stored = unknown> {
  /** Returns the first row with an invalid value, or -1. A loop: a call for each value takes twice as long. */
  findInvalid(column: readonly unknown[]): number;
  /** Converts a value of another type than the stored one. */
  encode?(value: unknown): Stored;
}

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
  return { findInvalid: (column) => column.findIndex((value) => !values.includes(value)) };
}
