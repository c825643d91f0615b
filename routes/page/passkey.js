/**
 * Passkeys in this browser (W3C WebAuthn Level 3), with options and responses as JSON. They need HTTPS.
 *
 * Each failure is a `Problem`, as the one of a request is.
 */

import { Problem } from "./api.js";

/** A challenge is good for 5 minutes: the offer takes a new one before. */
const renewMs = 4 * 60 * 1_000;

/** Whether the browser has passkeys, and all functions that are used here. */
export const hasPasskeys = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined;

/** Creates a passkey. @param options the service's response @returns the registration */
export async function createPasskey({ publicKey: options }) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return jsonOf(await ask(() => navigator.credentials.create({ publicKey }), "passkey-not-made"));
}

/** Asks for a passkey. @param options the service's response @returns the assertion */
export async function usePasskey({ publicKey: options }, { signal, mediation } = {}) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return jsonOf(await ask(() => navigator.credentials.get({ publicKey, signal, mediation }), "passkey-not-used"));
}

/**
 * The offer of passkeys in the list of a field with `autocomplete="… webauthn"`. Browsers serve one request at a time,
 * so the offer is stopped before another one.
 */
export class PasskeyOffer {
  #getOptions;
  #onChosen;
  #controller = new AbortController();

  /** @param options `getOptions` gets new options; `onChosen` gets the assertion */
  constructor({ getOptions, onChosen }) {
    this.#getOptions = getOptions;
    this.#onChosen = onChosen;
  }

  /** Starts the offer. Without it the user can log in by the other ways, so a failure is not shown. */
  async start() {
    this.stop();
    const controller = this.#controller = new AbortController();
    try {
      if (!hasPasskeys || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
      while (!controller.signal.aborted) {
        const assertion = await this.#wait(await this.#getOptions(), controller.signal);
        if (assertion !== undefined && !controller.signal.aborted) return this.#onChosen(assertion);
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  stop() {
    this.#controller.abort();
  }

  /** Waits for a passkey. @returns the assertion; `undefined` when the options are too old, or the offer stopped */
  async #wait(options, stopped) {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, renewMs);
    stopped.addEventListener("abort", abort);
    try {
      return await usePasskey(options, { signal: controller.signal, mediation: "conditional" });
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener("abort", abort);
    }
  }
}

const codes = {
  InvalidStateError: "passkey-exists",
  // Passkeys belong to names of hosts: an IP address has none.
  SecurityError: "passkey-address",
};

/** @param refused the code if the user cancels, waits too long, or has no passkey here: browsers do not say which */
async function ask(act, refused) {
  try {
    return await act();
  } catch ({ name }) {
    throw new Problem({ code: { ...codes, NotAllowedError: refused }[name] ?? "passkey-failed" });
  }
}

/** The credential as JSON. The objects of some password managers have no `toJSON`, or one that throws. */
function jsonOf(credential) {
  try {
    return credential.toJSON();
  } catch {
    return copyOf(credential);
  }
}

function copyOf({ id, rawId, type, response }) {
  const members = {
    clientDataJSON: response.clientDataJSON,
    authenticatorData: response.authenticatorData ?? response.getAuthenticatorData(),
    signature: response.signature,
    userHandle: response.userHandle,
    publicKey: response.getPublicKey?.(),
  };
  const present = Object.entries(members).filter(([, bytes]) => bytes);
  const texts = Object.fromEntries(present.map(([name, bytes]) => [name, encode(bytes)]));
  const publicKeyAlgorithm = response.getPublicKeyAlgorithm?.();
  return { id, rawId: encode(rawId), type, response: { ...texts, publicKeyAlgorithm } };
}

function encode(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
