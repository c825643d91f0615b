/** The document matches every route and every example, and the tests find every lie in it. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
// @redocly/openapi-core: the public linter of OpenAPI documents, whose rules also know what readers stumble over.
import { createConfig, lintFromString } from "npm:@redocly/openapi-core@2.64.0";
import type { OpenApiDocument } from "../../routes/openapi/document.ts";
import { exampleCode, examplePassword } from "../../lib/accounts/request_schemas.ts";
import { exampleRecoveryCode, exampleSetupToken, exampleTotp } from "../../lib/factors/factor_bodies.ts";
import { exampleCredentialId } from "../../routes/credential.ts";
import { exampleTicketId } from "../../routes/ticket.ts";
import { exampleSessionId } from "../../routes/user_session.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";
import { operations, routes } from "../../routes/mod.ts";
import { homeSettings } from "../support/home.ts";
import { insertSetupTicket } from "../support/accounts.ts";
import { openAppOfAlice, openTestApp, type Reply, type TestApp } from "../support/app.ts";
import { createContract } from "../support/contract.ts";
import { beginLogin, beginTotp, page, setUpTotp } from "../support/factors/set_up.ts";

const document = openApiDocument(operations, { passwordMinLength: 15 });
const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
);

Deno.test("the document has all routes and no others", () => {
  const expected = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)\*?/g, "{$1}")}`);
  assertEquals(documented.map(({ method, path }) => `${method} ${path}`).sort(), expected.sort());
});

Deno.test("the document has all parameters of each path", () => {
  for (const { path, operation } of documented) {
    const named = operation.parameters.filter((one) => one.in === "path").map(({ name }) => name);
    assertEquals(named, path.matchAll(/\{(\w+)\}/g).map(([, name = ""]) => name).toArray(), path);
  }
});

Deno.test("Redocly's linter finds no error in the document", async () => {
  const rules = {
    // "/user/" is a collection, and "/user" redirects to it.
    "no-path-trailing-slash": "off",
    // Health and the documents have nothing to refuse.
    "operation-4xx-response": "off",
    // A browser is only led on by a login at a site.
    "operation-2xx-response": "off",
  } as const;
  const config = await createConfig({ extends: ["recommended"], rules });
  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: "openapi.json", config });
  assertEquals(found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]), []);
});

Deno.test("GET /openapi.json returns the document with the settings of the service", async () => {
  const { send } = await openTestApp({ settings: { GATEHOUSE_PASSWORD_MIN_LENGTH: "20" } });
  const { json } = await send("GET", "/openapi.json");
  assertEquals(json, JSON.parse(JSON.stringify(openApiDocument(operations, { passwordMinLength: 20 }))));
  assertStringIncludes(JSON.stringify(json), '"minLength":20');
});

const alice = { login: "alice", password: examplePassword };
/** Of a browser whose login at a site goes on. */
const atSite = {
  "x-forwarded-host": "wiki.example.org",
  "cookie": `__Host-gatehouse-ceremony=${"a".repeat(22)}`,
};

/** An app, and the tokens of its two users. */
interface Scene {
  readonly opened: TestApp;
  readonly tokens: Readonly<Record<"admin" | "alice", string>>;
}

/** Opens an app with an administrator, and with alice unless she is to register. */
async function openScene(operationId: string): Promise<Scene> {
  const opened = await openTestApp(operationId === "openSiteSession" ? { settings: homeSettings } : {});
  const { send, logIn } = opened;
  const root = { login: "root", password: examplePassword };
  await send("POST", "/user/", { json: { ...root, ticket: await insertSetupTicket(opened) } });
  const admin = await logIn(root);
  if (operationId === "register") return { opened, tokens: { admin, alice: "" } };
  await send("POST", "/user/", { json: alice });
  return { opened, tokens: { admin, alice: await logIn(alice) } };
}

/** The text with what is real in place of the examples. */
async function withRealOnes(text: string, scene: Scene): Promise<string> {
  const { opened, tokens } = scene;
  const isOfFactor = [exampleTotp, exampleRecoveryCode, exampleCredentialId, "login_token"].some((one) => {
    return text.includes(one);
  });
  if (isOfFactor) return await withRealFactors(text, scene);
  const purpose = text.includes("/password") ? { purpose: "reset", login: "alice" } : { purpose: "register" };
  const { json } = await opened.send("POST", "/ticket/", { token: tokens.admin, json: purpose });
  return text.replaceAll(exampleCode, String(json.ticket)).replaceAll(exampleTicketId, String(json.id)).replaceAll(
    exampleSessionId,
    tokens.alice.slice(0, 26),
  );
}

/** The same for an example that needs a second factor: alice sets up TOTP, or begins to. */
async function withRealFactors(text: string, { opened, tokens: { alice: token } }: Scene): Promise<string> {
  if (text.includes(exampleSetupToken)) {
    const { setup_token, code } = await beginTotp(opened, { token });
    return text.replace(exampleSetupToken, setup_token).replace(exampleTotp, code());
  }
  const { code, codes: [recoveryCode = ""] } = await setUpTotp(opened, { token });
  const { json } = await opened.send("GET", "/user/alice/credential/", { token });
  const [credential] = json.credentials as { id: string }[];
  const loginToken = text.includes("login_token") ? await beginLogin(opened, alice) : "";
  return text.replace(exampleTotp, code(1)).replace(exampleRecoveryCode, recoveryCode)
    .replace(exampleCredentialId, credential?.id ?? "").replace(exampleCode, loginToken);
}

for (const { method, path, operation } of documented) {
  const { operationId, security, description, requestBody, parameters } = operation;
  const bodies = Object.entries(requestBody?.content["application/json"]?.examples ?? { "without a body": undefined });
  for (const [name, example] of bodies) {
    Deno.test(`${operationId} takes the example that the document gives of it: ${name}`, async () => {
      const scene = await openScene(operationId);
      const target = parameters.reduce((all, { name, example }) => all.replace(`{${name}}`, String(example)), path);
      const sent = await withRealOnes(JSON.stringify({ target, json: example?.value }), scene);
      const token = description.startsWith("Access: administrators.") ? scene.tokens.admin : scene.tokens.alice;
      const { target: realTarget, json } = JSON.parse(sent);
      // `send` checks the reply against the document.
      const headers = operationId === "openSiteSession" ? atSite : method === "POST" ? page : {};
      const options = { json, headers, ...security.length > 0 && { token } };
      const reply = await scene.opened.send(method, realTarget, options);
      assertEquals(String(reply.status), Object.keys(operation.responses)[0], reply.text);
    });
  }
}

Deno.test("the document tells which operations require a session", async () => {
  for (const { method, path, operation } of documented) {
    const { opened } = await openScene(operation.operationId);
    const target = path.replaceAll(/\{login\}/g, "alice").replaceAll(/\{\w+\}/g, "login-taken");
    const examples = Object.values(operation.requestBody?.content["application/json"]?.examples ?? {});
    // Of a passkey there is no example.
    const body = examples[0]?.value ?? (operation.requestBody && {});
    const { status } = await opened.send(method, target, { json: body });
    assertEquals(status === 401, operation.security.length > 0, `${method} ${path}`);
  }
});

/** A change that makes the document lie, and the exchange that shows it. */
interface Lie {
  readonly what: string;
  /** In the text of the document. */
  readonly from: string | RegExp;
  readonly to: string;
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
  readonly message: string;
}

const register = { method: "POST", path: "/user/", json: alice };
const refuse = { method: "POST", path: "/user/", json: { login: "alice" } };
const look = { method: "GET", path: "/health/live" };

const lies: readonly Lie[] = [
  { what: "no such status", from: /"201"/g, to: '"200"', ...register, message: "no such status" },
  { what: "no such path", from: "/health/live", to: "/health/alive", ...look, message: "no such path" },
  { what: "no such method", from: '"/user/":{"post"', to: '"/user/":{"put"', ...register, message: "no such method" },
  {
    what: "a member less",
    from: /,"disabled":\{"type":"boolean","description"[^}]*\}/,
    to: "",
    ...register,
    message: "additional properties",
  },
  {
    what: "a member more",
    from: /"login","registered_at"/,
    to: '"login","name","registered_at"',
    ...register,
    message: "name",
  },
  {
    what: "another type",
    from: '"registered_at":{"type":"string"',
    to: '"registered_at":{"type":"integer"',
    ...register,
    message: "registered_at",
  },
  {
    what: "another pattern",
    from: /"id":\{"type":"string","pattern":"[^"]*"/,
    to: '"id":{"type":"string","pattern":"^x$"',
    ...register,
    message: "id",
  },
  {
    what: "a header more",
    from: /"Location":\{/g,
    to: '"Content-Location":{',
    ...register,
    message: "no Content-Location",
  },
  { what: "a header less", from: /"X-Request-Id":\{.*?\}\},?/g, to: "", ...look, message: "undocumented headers" },
  {
    what: "another value of a header",
    from: /"const":"no-store"/g,
    to: '"const":"no-cache"',
    ...look,
    message: "Cache-Control",
  },
  {
    what: "another type of body",
    from: /"application\/json"/g,
    to: '"text/plain"',
    ...look,
    message: "type of the body",
  },
  { what: "a problem less", from: /"\/problem\/invalid-user"/g, to: '"/problem/other"', ...refuse, message: "type" },
  {
    what: "a stricter request",
    from: '"minLength":15',
    to: '"minLength":50',
    ...register,
    message: "refuses the request",
  },
  {
    what: "a laxer request",
    from: '"required":["login","password"]',
    to: '"required":["login"]',
    ...refuse,
    message: "takes the request",
  },
];

for (const { what, from, to, method, path, json, message } of lies) {
  Deno.test(`the contract finds a document that lies: ${what}`, async () => {
    const { send } = await openTestApp();
    const request = { method, path, json };
    const reply: Reply = await send(method, path, { json });
    createContract(document)(request, reply);
    const text = JSON.stringify(document);
    const lying: OpenApiDocument = JSON.parse(text.replace(from, to));
    assertThrows(() => createContract(lying)(request, reply), Error, message);
  });
}

Deno.test("every response in the tests is checked against the document", async () => {
  const { app, send, token } = await openAppOfAlice();
  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  await app.store.replaceUser(user, { ...user, groups: ["no, group"] });
  await assertRejects(() => send("GET", "/user/alice", { token }), Error, "must match pattern");
});
