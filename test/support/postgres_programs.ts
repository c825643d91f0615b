/** The programs of PostgreSQL, the data folder that they make, and the user they run as. */
import { TestProcess } from "./process.ts";

/** How to run a server. */
export interface PostgresOptions {
  /** Configuration parameters. With `fsync` "on" it is as slow and safe as in production. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The text of `pg_hba.conf`; by default every client is trusted. */
  readonly access?: string;
  /** Files to write next to the data, readable only by the server: keys, certificates. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it also listens on a port of 127.0.0.1, which is then in its URLs. */
  readonly tcp?: boolean;
}

/** The user of the server's process, if not the user of the tests. */
export type User = { readonly uid: number; readonly gid: number } | undefined;

/** Debian keeps them off the PATH, as several versions can be installed. */
export const programs = "/usr/lib/postgresql/15/bin";
/** For the tests' own statements. */
export const superuser = "postgres";

/** The folder of the data. */
export function dataOf(folder: string): string {
  return `${folder}/data`;
}

/** Runs in the server's folder, as the server's user may lack access to that of the tests. */
export function processOptions(args: string[], folder: string, user: User) {
  return { args, env: { LC_ALL: "C.UTF-8" }, cwd: folder, ...(user === undefined ? {} : { user }) };
}

export async function initialize(folder: string, user: User, { access, files = {} }: PostgresOptions): Promise<void> {
  if (user !== undefined) await Deno.chown(folder, user.uid, user.gid);
  const args = ["-D", dataOf(folder), "-U", superuser, "-A", "trust", "--encoding", "UTF8", "--no-sync"];
  const order = ["--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"];
  await using program = new TestProcess(`${programs}/initdb`, processOptions([...args, ...order], folder, user));
  if (!(await program.status).success) throw new Error(`Cannot make a PostgreSQL for tests:\n${program.output}`);

  const texts = access === undefined ? files : { ...files, "pg_hba.conf": access };
  for (const [name, text] of Object.entries(texts)) {
    const path = `${dataOf(folder)}/${name}`;
    await Deno.writeTextFile(path, text);
    // PostgreSQL rejects a key that others can read.
    await Deno.chmod(path, 0o600);
    if (user !== undefined) await Deno.chown(path, user.uid, user.gid);
  }
}

/** An id of the user that the package creates. @param flag of `id` */
export async function idOf(flag: "-u" | "-g"): Promise<number> {
  const { stdout } = await new Deno.Command("id", { args: [flag, "postgres"] }).output();
  return Number(new TextDecoder().decode(stdout));
}

/** Prevents the package from creating and starting a server at its installation. */
export async function preventCluster(): Promise<void> {
  const folder = "/etc/postgresql-common";
  const text = "# Written before the installation by the tests of Gatehouse, which start servers of their own.\n" +
    "create_main_cluster = false\n";
  try {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/createcluster.conf`, text, { createNew: true });
  } catch (error) {
    // The package is installed, or the operator has configured it.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
