// On every page of the visitor: keeps today's cases for when there is no network, sends what waits, asks for the
// position at the door, and clears the telephone at sign-out.
import { all, clear, put, signedIn } from "./db.js";
import { flush, show, unsent, watch } from "./outbox.js";
import { position } from "./position.js";
import { unseal } from "./seal.js";

const PAGES = "xunfang-pages-v1";
const ASSETS = "xunfang-static-v1";
const MODULES = ["app", "db", "form", "outbox", "photo", "position", "seal"].map((name) => `/static/js/visitor/${name}.js`);
const WARM_MS = 5 * 60 * 1000; // the list keeps its cases at once, other pages only when that is long ago
const root = document.documentElement;
const canKeep = window.isSecureContext && "indexedDB" in window;
let worker = null; // none in a private window: everything works while there is network

network();
window.addEventListener("online", network);
window.addEventListener("offline", network);
maps();
document.querySelectorAll("form[data-locate]").forEach(locate);
document.querySelectorAll("[data-needs-network] form").forEach((form) =>
  form.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    tell("接受、出发、推辞须联网。现在没有网络，签到和填表不受影响。");
  }),
);
if (canKeep) {
  leaving();
  await begin();
}

async function begin() {
  await show();
  watch();
  if (location.pathname.startsWith("/v/") && document.querySelector("[data-cases]")) await scannedOffline();
  worker = await navigator.serviceWorker?.register("/static/sw.js", { scope: "/v" }).catch(() => null);
  document.addEventListener("outbox:sent", () => void warm(true));
  window.addEventListener("online", () => void warm(true));
  await warm(location.pathname === "/visit");
  await flush();
}

function tell(text) {
  const line = document.querySelector("[data-net]");
  line.hidden = !text;
  line.textContent = text;
}

function network() {
  tell(navigator.onLine ? "" : "现在没有网络。任务和表格照常可以打开、填写，联网后自动发送。");
}

// ---- kept for later ----

async function warm(now) {
  if (!navigator.onLine) return;
  try {
    const answer = await fetch("/visit/key");
    if (!answer.ok) return tell(answer.status >= 500 ? "" : "登录已过期，请重新登录；填好的内容都在本机。");
    const { user, key } = await answer.json();
    if (await signedIn(user, key)) await forget();
    if (!worker) return;
    const kept = Number(sessionStorage.getItem("kept-at"));
    if (now || Date.now() - kept > WARM_MS) {
      await keepPages();
      sessionStorage.setItem("kept-at", String(Date.now()));
    }
    if (await controlled()) root.dataset.offline = "ready";
  } catch {
    // no network after all: what was kept stays
  }
}

function controlled() {
  const { serviceWorker } = navigator;
  if (serviceWorker.controller) return true;
  const begins = (resolve) => serviceWorker.addEventListener("controllerchange", () => resolve(true), { once: true });
  return new Promise(begins);
}

async function keepPages() {
  const cache = await caches.open(PAGES);
  const list = await page(cache, "/visit");
  const ids = [...list.querySelectorAll("[data-case]")].map((each) => Number(each.dataset.case));
  const wanted = new Set(ids.map((id) => `/visit/cases/${id}`));
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/visit/cases/") && !wanted.has(path)) await cache.delete(request);
  }
  await clear("sealed");
  const assets = new Set([...MODULES, ...linked(list)]);
  for (const id of ids) {
    const shown = await page(cache, `/visit/cases/${id}`);
    linked(shown).forEach((each) => assets.add(each));
    const sealed = shown.querySelector("[data-sealed]")?.dataset.sealed;
    if (sealed) await put("sealed", { caseId: id, sealed });
  }
  const kept = await caches.open(ASSETS);
  for (const path of assets) if (!(await kept.match(path))) await kept.add(path);
}

async function page(cache, path) {
  const answer = await fetch(path);
  if (!answer.ok || answer.redirected) throw new Error("not signed in");
  const headers = new Headers(answer.headers);
  headers.set("x-kept-at", String(Date.now()));
  const html = await answer.text();
  await cache.put(path, new Response(html, { headers }));
  return new DOMParser().parseFromString(html, "text/html");
}

function linked(shown) {
  const found = [...shown.querySelectorAll("script[src], link[rel=stylesheet], link[rel=icon]")];
  return found.map((each) => each.getAttribute("src") ?? each.getAttribute("href"));
}

async function forget() {
  sessionStorage.clear();
  if ("caches" in window) await caches.delete(PAGES);
  await clear("sealed");
}

// Unsent forms stay, encrypted: without the key, which goes now, they are of no use to anybody.
function leaving() {
  document.querySelectorAll('form[action="/logout"]').forEach((form) =>
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const left = await unsent();
      const asks = `还有 ${left} 份表单没有发送。退出后它们加密留在本机，须用同一账号登录后才能发送。现在退出吗？`;
      if (left && !window.confirm(asks)) return;
      await forget();
      await clear("meta");
      form.submit();
    }),
  );
}

// ---- at the door ----

// The list, shown in place of /v/CODE because there is no network: the code opens what was sealed for its door.
async function scannedOffline() {
  const code = decodeURIComponent(location.pathname.slice("/v/".length));
  for (const { caseId, sealed } of await all("sealed")) {
    if (await unseal(code, sealed)) {
      sessionStorage.setItem(`door:${caseId}`, code);
      location.replace(`/visit/cases/${caseId}`);
      return;
    }
  }
  tell("没有网络，本机没有这块门牌对应的任务。请从任务里打开，写明原因后填写。");
}

function locate(form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const waiting = form.querySelector("[data-locating]");
    button.disabled = true;
    if (waiting) waiting.hidden = false;
    const found = await position();
    if (found) {
      form.elements.latitude.value = found.latitude;
      form.elements.longitude.value = found.longitude;
      form.elements.accuracy.value = found.accuracy;
    }
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      if (answer.ok) return location.assign(answer.url);
      form.submit(); // the page says what is wrong
    } catch {
      button.disabled = false;
      if (waiting) waiting.hidden = true;
      const detail = Object.fromEntries(new FormData(form));
      document.dispatchEvent(new CustomEvent("door:offline", { detail }));
    }
  });
}

// iPhones know maps:, others geo:. The address goes to the map on this telephone and to nobody else.
function maps() {
  if (!/iPhone|iPad/.test(navigator.userAgent)) return;
  document.querySelectorAll("[data-map]").forEach((each) => {
    each.href = `maps:?q=${encodeURIComponent(each.dataset.map)}`;
  });
}

