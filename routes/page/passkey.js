/**
 * Passkeys in this browser (W3C WebAuthn Level 3), with options and responses as JSON. They need HTTPS.
 *
 * Each failure is a `Problem`, as the one of a request is.
 */

import { Problem, send } from "./api.js";

/** A challenge is good for 5 minutes: the offer takes a new one before. */
const renewMs = 4 * 60 * 1_000;

/** Whether the browser has passkeys, and all functions used here. They belong to names, not to IP addresses. */
export const hasPasskeys = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined &&
  !/^[\d.]+$|:/.test(location.hostname);

/** Creates a passkey. @param options the service's response @returns the registration */
export async function createPasskey({ publicKey: options }) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return jsonOf(await ask(() => navigator.credentials.create({ publicKey })));
}

/** Gets options for `usePasskey`. */
export async function passkeyOptions() {
  return (await send("POST", "session/passkey/options/")).value;
}

/** Asks for a passkey. @param options the service's response @returns the assertion */
export async function usePasskey({ publicKey: options }, { signal, mediation } = {}) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return jsonOf(await ask(() => navigator.credentials.get({ publicKey, signal, mediation })));
}

/**
 * The offer of passkeys in the list of a field with `autocomplete="… webauthn"`. Browsers serve one request at a time,
 * so the offer is stopped before another one.
 */
export class PasskeyOffer {
  #options;
  #controller = new AbortController();

  /** @param options `getOptions` gets new options; `onChosen` gets the assertion */
  constructor(options) {
    this.#options = options;
  }

  /** Starts the offer. Without it the user can log in by the other ways, so a failure is not shown. */
  async start() {
    this.stop();
    const { signal: stopped } = this.#controller = new AbortController();
    try {
      if (!hasPasskeys || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
      while (!stopped.aborted) {
        const assertion = await this.#wait(stopped);
        if (assertion !== undefined && !stopped.aborted) return this.#options.onChosen(assertion);
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  stop() {
    this.#controller.abort();
  }

  /** Waits for a passkey. @returns `undefined` when the options are too old, or the offer is stopped */
  async #wait(stopped) {
    const options = await this.#options.getOptions();
    if (stopped.aborted) return;
    // The function `any` of signals is missing in Firefox 119 to 123, which have passkeys.
    const ended = new AbortController();
    for (const signal of [stopped, AbortSignal.timeout(renewMs)]) {
      signal.addEventListener("abort", () => ended.abort());
    }
    try {
      return await usePasskey(options, { signal: ended.signal, mediation: "conditional" });
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    }
  }
}

const codes = {
  // The user has cancelled, waited too long, or has no passkey here: browsers do not say which.
  NotAllowedError: "passkey-not-used",
  InvalidStateError: "passkey-exists",
  // Passkeys belong to names of hosts: an IP address has none.
  SecurityError: "passkey-address",
};

async function ask(act) {
  try {
    return await act();
  } catch (error) {
    throw new Problem({ code: codes[error.name] ?? "passkey-failed" });
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
  const { clientDataJSON, authenticatorData = response.getAuthenticatorData(), signature, userHandle } = response;
  const bytes = { clientDataJSON, authenticatorData, signature, userHandle, publicKey: response.getPublicKey?.() };
  const texts = Object.entries(bytes).map(([name, buffer]) => [name, buffer ? encode(buffer) : undefined]);
  const publicKeyAlgorithm = response.getPublicKeyAlgorithm?.();
  return { id, rawId: encode(rawId), type, response: { ...Object.fromEntries(texts), publicKeyAlgorithm } };
}

function encode(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
