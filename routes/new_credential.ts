/** What adds credentials to the user of a session: a passkey, TOTP, recovery codes, an app password. */

import type { Context } from "../lib/app.ts";
import { audit } from "../lib/audit.ts";
import { groupsSchema } from "../lib/accounts/request_schemas.ts";
import type { ChallengeScope } from "../lib/factors/challenge.ts";
import { appPasswordBody, newPasskeyBody, newTotpBody } from "../lib/factors/factor_bodies.ts";
import { creationOptions, verifyRegistration } from "../lib/factors/passkey.ts";
import {
  appPasswordPattern,
  createAppPassword,
  createRecoveryCodes,
  newCredential,
  recoveryCodePattern,
} from "../lib/factors/random_secret.ts";
import { provableFactors } from "../lib/factors/second_factor.ts";
import { acceptedStep, createTotpSecret, shownTotpSecret } from "../lib/factors/totp.ts";
import { HttpError, jsonResponse } from "../lib/http/http_error.ts";
import { readJson } from "../lib/http/request_body.ts";
import { type JsonBody, objectSchema, type Schema } from "../lib/http/schema.ts";
import { type Access, type Operation, route } from "../lib/router.ts";
import { type Credential, isSecondFactor, type UserSession } from "../lib/store.ts";
import { refuseActor, requireRecentLogin, requireSelf } from "./auth/authorization.ts";
import { ceremonyOf } from "./auth/proof.ts";
import { credentialMembers, publicCredential } from "./credential.ts";
import { passkeyOptionsSchema } from "./second_factor.ts";

const codes = { recovery_codes: { type: "array", items: { type: "string", pattern: recoveryCodePattern.source } } };
const recoveryCodesSchema: Schema = { $id: "RecoveryCodes", ...objectSchema(codes) };
const newCredentialSchema: Schema = {
  $id: "NewCredential",
  ...objectSchema(credentialMembers, {
    ...codes,
    password: { type: "string", pattern: appPasswordPattern.source, description: "Only this response has it." },
    groups: groupsSchema,
  }),
};
const totpSetupSchema: Schema = {
  $id: "TotpSetup",
  ...objectSchema({
    secret: { type: "string", pattern: "^[A-Z2-7]{32}$", description: "In Base32, to type into an app." },
    uri: { type: "string", pattern: "^otpauth://totp/", description: "For a QR code." },
    setup_token: { type: "string", description: "Holds the secret until a code confirms it, for 5 minutes." },
  }),
};

/** An operation that adds credentials. */
interface Addition<T> extends Pick<Operation, "access" | "summary" | "description" | "problems"> {
  readonly body?: JsonBody<T>;
  /** By default `newCredentialSchema`. */
  readonly schema?: Schema;
  readonly make: (values: T, request: OwnRequest) => Made | Promise<Made>;
}

interface Made {
  /** Without one, only recovery codes are made. */
  readonly credential?: Credential;
  /** What the response has besides. */
  readonly shown?: object;
}

interface OwnRequest {
  readonly found: UserSession;
  readonly context: Context;
}

const settingUp = "user without second factor";
const factorProblems = ["login-again", "too-many-credentials", "wrong-factor"] as const;

export const showRegistrationOptions = route("POST /user/:login/passkey/options/", {
  access: settingUp,
  summary: "Begin to register a passkey",
  responses: { 200: { schema: passkeyOptionsSchema } },
  problems: ["login-again"],
  async handler(context) {
    const { config: { title }, store } = context.app;
    const found = await requireOwner(context, settingUp);
    const ceremony = ceremonyOf(scopeOf("passkey-registration", found), context);
    const passkeys = (await store.listCredentials(found.user.login)).filter(({ kind }) => kind === "passkey");
    return jsonResponse({ publicKey: creationOptions(ceremony, { user: found.user, title, passkeys }) });
  },
});

export const registerPasskey = addition("passkey", {
  access: settingUp,
  summary: "Register a passkey",
  description: "The session gets the factor. Ten recovery codes come with it if it is the first, or none is left.",
  problems: factorProblems,
  body: newPasskeyBody,
  async make({ name, passkey }, { found, context }) {
    const { app: { log, now }, requestId } = context;
    const { login } = found.user;
    const outcome = await verifyRegistration(passkey, ceremonyOf(scopeOf("passkey-registration", found), context));
    if (!("refused" in outcome)) {
      return { credential: newCredential({ login, kind: "passkey", name, now: now(), ...outcome }) };
    }
    log.info("passkey-refused", { refused: outcome.refused, requestId });
    throw new HttpError("wrong-factor");
  },
});

export const setUpTotp = route("POST /user/:login/totp/setup/", {
  access: settingUp,
  summary: "Begin to set up TOTP",
  description: "Nothing is stored before a code confirms that the app has the secret.",
  responses: { 200: { schema: totpSetupSchema } },
  problems: ["login-again"],
  async handler(context) {
    const { config: { title }, challenges } = context.app;
    const found = await requireOwner(context, settingUp);
    const payload = createTotpSecret();
    const setup_token = challenges.issue(scopeOf("totp-setup", found), payload);
    return jsonResponse({ ...shownTotpSecret(payload, { login: found.user.login, title }), setup_token });
  },
});

export const confirmTotp = addition("totp", {
  access: settingUp,
  summary: "Confirm TOTP",
  description: "It replaces the TOTP that the user has, and is otherwise as a passkey.",
  problems: factorProblems,
  body: newTotpBody,
  make({ setup_token, code }, { found, context: { app: { challenges, now } } }) {
    const setup = challenges.open(setup_token, scopeOf("totp-setup", found));
    const counter = setup && acceptedStep(setup.payload, { code, lastStep: 0, now: now() });
    if (setup === undefined || counter === undefined) throw new HttpError("wrong-factor");
    const { id: key, login } = found.user;
    const secret = setup.payload.toString("base64url");
    return { credential: newCredential({ login, kind: "totp", name: "", key, secret, counter, now: now() }) };
  },
});

export const makeRecoveryCodes = addition("recovery-code", {
  access: settingUp,
  summary: "Make recovery codes",
  description: "Ten codes, each for one use instead of another second factor. Earlier ones are void.",
  problems: ["login-again"],
  schema: recoveryCodesSchema,
  make: () => ({}),
});

export const makeAppPassword = addition("app-password", {
  access: "user",
  summary: "Make an app password",
  description: "For a program that sends login and password by HTTP Basic to guarded sites; it opens nothing else.",
  problems: ["login-again", "too-many-credentials"],
  body: appPasswordBody,
  make({ name, groups }, { found: { user: { login } }, context: { app: { now } } }) {
    const { credential, password } = createAppPassword({ login, name, groups, now: now() });
    return { credential, shown: { password, groups } };
  },
});

/** Declares an operation that adds credentials to the user of the session. */
function addition<T>(
  path: string,
  { schema = newCredentialSchema, make, ...declaration }: Addition<T>,
): Operation {
  return route(`POST /user/:login/${path}/`, {
    ...declaration,
    responses: { 201: { schema } },
    async handler(context) {
      const { access, body } = declaration;
      const { store, stopping } = context.app;
      const json = body && await readJson(context.request, { stopping });
      let found = await requireOwner(context, access);
      const { credential, shown } = await make(body?.parse(json) as T, { found, context });
      // Reads the user again after each round: another request has changed it.
      for (;; found = await requireOwner(context, access)) {
        const { credentials, codes } = await recoveryCodesWith(credential, { found, context });
        const all = credential === undefined ? credentials : [credential, ...credentials];
        const actor = { session: found.session, asAdmin: false };
        const outcome = await store.insertCredentials(found.user, all, { actor });
        if (outcome === "forbidden") return await refuseActor(context);
        if (outcome === "full") throw new HttpError("too-many-credentials");
        // What was set up is used, or a user has copied the passkey of another.
        if (outcome === "taken") throw new HttpError("wrong-factor");
        if (outcome !== "done") continue;
        await noteAdded(credential, { found, context });
        const added = credential && publicCredential(credential);
        return jsonResponse({ ...added, ...shown, recovery_codes: codes }, { status: 201 });
      }
    },
  });
}

/** Returns new recovery codes if they are asked for, or come with a second factor. */
async function recoveryCodesWith(credential: Credential | undefined, { found, context }: OwnRequest) {
  const { app: { store, now } } = context;
  const { login } = found.user;
  // Codes of before the first second factor may be in wrong hands: a password sufficed to make them.
  const lacksCodes = async () => !provableFactors(await store.listCredentials(login)).includes("recovery");
  const isWanted = credential === undefined || isSecondFactor(credential) && await lacksCodes();
  return isWanted ? createRecoveryCodes(login, now()) : { credentials: [], codes: undefined };
}

/** Audits what was added, and adds a factor to the session too, as the user has it at hand. */
async function noteAdded(credential: Credential | undefined, { found: { session, user }, context }: OwnRequest) {
  const { id, kind = "recovery" } = credential ?? {};
  audit(context, "credential-added", { by: user.login, user: user.login, ...id && { credential: id }, kind });
  if (kind !== "passkey" && kind !== "totp") return;
  const { authenticatedAt } = session;
  await context.app.store.updateSession(session.id, user, { factors: [kind], authenticatedAt });
}

/** Returns the session of a request of its own user, with a recent login. */
async function requireOwner(context: Context, access: Access): Promise<UserSession> {
  return await requireRecentLogin(await requireSelf(context, { withoutSecondFactor: access === settingUp }), context);
}

function scopeOf(purpose: ChallengeScope["purpose"], { session, user }: UserSession): ChallengeScope {
  return { purpose, login: user.login, binding: session.id };
}
