// Service worker of the visitor's pages (scope /v: /visit and /v/CODE). Network first; without network, or when
// it is slow, what app.js has kept. Pages hold personal data: they are thrown away after KEEP_MS and at sign-out.
const PAGES = "xunfang-pages-v1";
const ASSETS = "xunfang-static-v1";
const KEPT_AT = "x-kept-at";
const KEEP_MS = 12 * 3600 * 1000; // as long as a session may last
const PATIENCE_MS = 6000; // a page that takes longer is shown from here meanwhile

const KEEPS = /^\/visit(\/points|\/cases\/\d+)?$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && /^\/(visit|v)(\/|$)/.test(url.pathname)) {
    event.respondWith(page(event, url.pathname));
  } else if (url.pathname.startsWith("/static/")) {
    event.respondWith(asset(event.request, url));
  }
});

async function page(event, path) {
  const fresh = fetch(event.request).then(async (response) => {
    if (response.ok && KEEPS.test(path) && !new URL(event.request.url).search) await keep(path, response.clone());
    return response;
  });
  const old = await kept(path.startsWith("/v/") ? "/visit" : path);
  try {
    if (!old) return await fresh;
    fresh.catch(() => {});
    return await Promise.race([fresh, new Promise((resolve) => setTimeout(() => resolve(old), PATIENCE_MS))]);
  } catch {
    return old ?? nothing();
  }
}

async function keep(path, response) {
  const headers = new Headers(response.headers);
  headers.set(KEPT_AT, String(Date.now()));
  const cache = await caches.open(PAGES);
  await cache.put(path, new Response(await response.blob(), { headers }));
}

async function kept(path) {
  const cache = await caches.open(PAGES);
  const found = await cache.match(path);
  if (!found) return null;
  if (Date.now() - Number(found.headers.get(KEPT_AT)) < KEEP_MS) return found;
  await cache.delete(path);
  return null;
}

async function asset(request, url) {
  const cache = await caches.open(ASSETS);
  const versioned = url.searchParams.has("v"); // the hash of its content: never changes
  const found = await cache.match(request);
  if (found && versioned) return found;
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    if (found) return found;
    throw error;
  }
}

function nothing() {
  const words = "现在没有网络，这一页没有存在本机。请到有网络的地方再打开。";
  const html = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>没有网络</title><h1>没有网络</h1><p>${words}</p><p><a href="/visit">我的任务</a></p>`;
  return new Response(html, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
