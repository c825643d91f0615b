/** The contract of a file format that users are imported from. `formats.ts` has the table of all formats. */

/** A user of a foreign file, as it is written there. `map_user.ts` checks every field. */
export interface ForeignUser {
  /** Where it stands in the file: a line from 1, or the number of the record, see `ForeignFormat.unit`. */
  readonly line: number;
  readonly login: string;
  /** The hash in the text of its kind, see `lib/passwords/stored_hash.ts`. */
  readonly passwordHash: string;
  /** Milliseconds since the epoch; absent if the file does not say. */
  readonly registeredAt?: number | undefined;
  /** Empty if the file does not say. */
  readonly groups: readonly string[];
  readonly disabled: boolean;
  /** The ULID of a user that Gatehouse exported; absent otherwise. */
  readonly id?: string | undefined;
}

/** A record of a foreign file that has no user that can be imported. */
export interface RefusedRecord {
  readonly line: number;
  /** The login, if it could be read. */
  readonly login?: string | undefined;
  /** Why, and what to do: a clause for a person. */
  readonly reason: string;
  /** It is complete but has no password, as a system account: it is counted apart, and the import still succeeds. */
  readonly isWithoutPassword?: boolean;
}

/** The names of the fields of a user, which options such as `--login-field` set. "" stands for no field. */
export interface FieldNames {
  readonly login: string;
  readonly password: string;
  readonly date: string;
  readonly groups: string;
  readonly disabled: string;
  readonly id: string;
}

/** A file format. */
export interface ForeignFormat {
  /** Of `deno task import FORMAT FILE`. */
  readonly name: string;
  /** What it is, for `--help`: a line. */
  readonly help: string;
  /** What the numbers of `ForeignUser.line` count. */
  readonly unit: "line" | "record";
  /** The names of its fields by default. A format without it takes no options for them. */
  readonly fields?: FieldNames;
  /**
   * Reads the users of a file, in the order of the file and in constant memory where the format allows it.
   *
   * The file may be hostile: readers bound the length of a line or record, the depth and the number of values.
   *
   * @throws {ForeignFileError} the file is not of this format at all
   */
  read(file: ForeignFile): AsyncIterable<ForeignUser | RefusedRecord>;
}

/** The file, and what the command line says of its fields. */
export interface ForeignFile {
  readonly path: string;
  /** The defaults of the format, replaced by those of the command line; for a format without fields unused. */
  readonly fields: FieldNames;
}

/** The file cannot be read as the format. The message says where, why and what to do. */
export class ForeignFileError extends Error {
  override name = "ForeignFileError";
}
