// In place of the service worker of a site that is closed for this browser: it goes, and reloads the site's windows.
if (!registration.active) throw new Error("No worker of this site is allowed now");
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(exit()));

async function exit() {
  await registration.unregister();
  for (const client of await clients.matchAll({ type: "window" })) client.navigate(addressOf(client));
}

// To the same address with a fragment Firefox would only scroll, so the login page leads there, or to the guard.
function addressOf({ url }) {
  const { pathname, search, hash } = new URL(url);
  return url.includes("#") ? `/auth/?why=ended&next=${encodeURIComponent(pathname + search)}${hash}` : url;
}
