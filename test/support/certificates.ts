/** Certificates for tests: an authority of their own, and what it vouches for. Takes the program `openssl`. */

/** In PEM. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority, and a certificate of it for those names. */
export async function createCertificates(...hostnames: readonly string[]): Promise<Certificates> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-certificates-" });
  try {
    const create = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    await openssl(`${create} -x509 -subj /CN=Gatehouse-tests -keyout authority.key -out authority.crt`, folder);
    await openssl(
      `${create} -x509 -CA authority.crt -CAkey authority.key -subj /CN=${hostnames[0]} ` +
        `-addext subjectAltName=${hostnames.map((name) => `DNS:${name}`).join()} ` +
        "-addext basicConstraints=critical,CA:FALSE -keyout server.key -out server.crt",
      folder,
    );
    const [authority = "", certificate = "", key = ""] = await Promise.all(
      ["authority.crt", "server.crt", "server.key"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
    );
    return { authority, certificate, key };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function openssl(command: string, cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args: command.split(" "), cwd }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
