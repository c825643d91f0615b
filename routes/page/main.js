/**
 * Logging in and out. After a login the page is loaded again: the service then leads on to where `next` says, or shows
 * this page, which shows the session.
 */

const login = document.querySelector("#login");
const logout = document.querySelector("#logout");
const message = document.querySelector("#message");

login.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { login: name, password } = Object.fromEntries(new FormData(login));
  const reply = await send("POST", { login: name, password, cookie: true });
  if (reply.ok) return location.reload();
  const { title } = await reply.json();
  message.textContent = title;
  login.password.select();
});

logout.addEventListener("submit", async (event) => {
  event.preventDefault();
  await send("DELETE");
  location.reload();
});

const session = await send("GET");
if (session.ok) document.querySelector("#who").textContent = (await session.json()).login;
login.hidden = session.ok;
logout.hidden = !session.ok;

function send(method, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return fetch("session/", { method, headers, body: JSON.stringify(body) });
}
