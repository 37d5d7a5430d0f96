// News of the server (web/live.py): one stream per page; each event becomes `live:TOPIC` on <body>, for
//   hx-trigger="live:cases from:body"
// The version in the page's body tells the server what this page has seen. The browser reconnects by itself,
// with the same version, and is then told of everything that may have changed meanwhile.
const TOPICS = ["calls", "turns", "cases", "fleet", "callers"];

export function listen() {
  const body = document.body;
  const source = new EventSource(`/live?since=${encodeURIComponent(body.dataset.liveVersion ?? "")}`);
  source.addEventListener("open", () => body.setAttribute("data-live-state", "open"));
  source.addEventListener("error", () => body.setAttribute("data-live-state", "broken"));
  TOPICS.forEach((topic) =>
    source.addEventListener(topic, () => body.dispatchEvent(new CustomEvent(`live:${topic}`))),
  );
  window.addEventListener("pagehide", () => source.close());
}
