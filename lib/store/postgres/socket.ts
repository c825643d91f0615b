/**
 * The way to a PostgreSQL: TCP or a unix socket, encrypted when the address says so.
 *
 * The client would find it by itself, but then again and again: see `postgres_connection.ts`.
 */

import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { PostgresAddress } from "../../config/postgres_address.ts";
import { codeOf, DatabaseRefusedError, refusedBy, toConnectionError } from "./error.ts";

/** The first message of a connection that is to be encrypted: length 8, code 80877103. */
const sslRequest = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Opens a socket that nobody has written to.
 *
 * @throws {DatabaseRefusedError} it is not as the address wants it
 * @throws {ConnectionError} there is none to be had
 * @throws the signal's reason when it is aborted
 */
export async function openSocket(address: PostgresAddress, signal: AbortSignal): Promise<Socket> {
  const { target } = address;
  signal.throwIfAborted();
  const socket = connect(
    "socketPath" in target ? { path: target.socketPath } : { host: target.hostname, port: target.port },
  );
  // Whoever waits for something is told; an error while nobody does is followed by the end, which is seen.
  socket.on("error", () => {});
  try {
    await once(socket, "connect", { signal });
    return address.encryption === "disable" ? socket : await encrypt(socket, address, signal);
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error instanceof DatabaseRefusedError ? error : toConnectionError(error);
  }
}

async function encrypt(socket: Socket, address: PostgresAddress, signal: AbortSignal): Promise<Socket> {
  const { target, encryption, rootCertificates } = address;
  const host = "hostname" in target ? target.hostname : "";
  socket.write(sslRequest);
  const [answer] = await once(socket, "data", { signal });
  // One byte alone: what somebody sent behind it in plain text must not pass for encrypted (CVE-2021-23222).
  if (String(answer) !== "S") throw refusedBy(address, new Error("it does not offer encryption"));
  try {
    const secured = connectTls({
      socket,
      host,
      // RFC 6066, 3: addresses are no names of servers.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: encryption === "verify-full",
      ...(rootCertificates === undefined ? {} : { ca: await Deno.readTextFile(rootCertificates) }),
    });
    secured.on("error", () => {});
    await once(secured, "secureConnect", { signal });
    return secured;
  } catch (error) {
    signal.throwIfAborted();
    // It broke, as it does when a server restarts.
    if (codeOf(error) === "ECONNRESET") throw error;
    throw refusedBy(address, error);
  }
}
