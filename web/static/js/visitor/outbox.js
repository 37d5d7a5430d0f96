// Forms that wait to be sent. Each has a key of its own, made when it was begun: however often it is sent, the
// server takes it once and answers the same (visits/door_forms.py). Nothing leaves the outbox before that answer.
import { account, all, decrypt, encrypt, get, put, remove } from "./db.js";
import { toBlob } from "./photo.js";

const AGAIN_MS = 30000;
const SHOWN_MS = 24 * 3600 * 1000; // what was sent is shown for so long, or until it was read
const WORDS = {
  waiting: "等待发送",
  signin: "登录已过期：重新登录后自动发送",
  refused: "没有被接收",
  sent: "已发送",
};

// payload: { fields: [[name, value]], files: [[name, data URL]] }
export async function enqueue({ key, caseId, title, payload }) {
  const { user } = await account();
  const sealed = await encrypt(payload);
  await put("outbox", { key, user, caseId, title, at: Date.now(), state: "waiting", said: "", ...sealed });
  await show();
  void flush();
}

export async function ofCase(caseId) {
  const me = await account();
  return (await mine(me)).find((each) => each.caseId === caseId && each.state !== "sent") ?? null;
}

export async function unsent() {
  return (await mine(await account())).filter((each) => each.state !== "sent").length;
}

async function mine(me) {
  return me ? (await all("outbox")).filter((each) => each.user === me.user).sort((a, b) => a.at - b.at) : [];
}

// One tab at a time: the others find it sent.
export function flush() {
  if (!navigator.onLine) return show();
  return navigator.locks.request("xunfang-outbox", async () => {
    for (const each of await mine(await account())) {
      if (each.state === "waiting" || each.state === "signin") {
        if (!(await send(each))) break;
      }
    }
    await show();
  });
}

async function send(entry) {
  const payload = await decrypt(entry);
  if (!payload) {
    await put("outbox", { ...entry, state: "refused", said: "本机的密钥已更换，这份表单无法读取，请重新填写" });
    return true;
  }
  const form = new FormData();
  payload.fields.forEach(([name, value]) => form.append(name, value));
  payload.files.forEach(([name, url], at) => form.append(name, toBlob(url), `${name}-${at}`));
  let answer;
  try {
    answer = await fetch("/visit/forms", { method: "POST", body: form, headers: { Accept: "application/json" } });
  } catch {
    return false; // no network: it stays
  }
  if (answer.status === 401 || answer.status === 404 || answer.status === 403) {
    if (!(answer.headers.get("content-type") ?? "").includes("json")) {
      await put("outbox", { ...entry, state: "signin", said: "" });
      return false;
    }
  }
  if (answer.status >= 500 || answer.status === 429) return false;
  const body = await answer.json().catch(() => ({ said: answer.status === 413 ? "照片太大，请减少照片后再提交" : "请检查后再提交" }));
  if (answer.ok) {
    // What was written goes; what the server answered stays until it was read.
    const { key, user, caseId, title, at } = entry;
    await put("outbox", { key, user, caseId, title, at, state: "sent", said: body.said, outcome: body.outcome });
    await remove("drafts", `${user}:${caseId}`);
    if (body.outcome !== "visited") document.querySelector(`[data-case="${caseId}"]`)?.remove();
    document.dispatchEvent(new CustomEvent("outbox:sent", { detail: { caseId } }));
  } else {
    await put("outbox", { ...entry, state: "refused", said: body.said });
  }
  await show();
  return true;
}

export async function show() {
  const panel = document.querySelector("[data-outbox]");
  if (!panel) return;
  const me = await account();
  const every = await mine(me);
  const others = (await all("outbox")).length - every.length;
  const entries = every.filter((each) => each.state !== "sent" || Date.now() - each.at < SHOWN_MS);
  entries.forEach(mark);
  const waiting = entries.filter((each) => each.state !== "sent").length;
  panel.hidden = entries.length === 0 && others === 0;
  panel.dataset.waiting = String(waiting);
  const heading = document.createElement("h2");
  heading.textContent = waiting ? `待发送 ${waiting} 份` : "已全部发送";
  panel.replaceChildren(heading, ...entries.map(item));
  if (others) panel.append(line(`另有 ${others} 份其他账号未发送的表单，须用原账号登录后发送。`));
}

// On the list: what waits says so.
function mark(entry) {
  const card = document.querySelector(`[data-case="${entry.caseId}"]`);
  if (!card || entry.state === "sent" || card.querySelector("[data-waits]")) return;
  const waits = document.createElement("strong");
  waits.dataset.waits = "";
  waits.textContent = "已填写，待发送";
  card.append(waits);
}

function line(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function item(entry) {
  const made = document.createElement("div");
  made.className = "outbox-item";
  made.dataset.state = entry.state;
  const when = new Date(entry.at).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
  made.append(line(`${entry.title}（${when} 填写）：${WORDS[entry.state]}`));
  if (entry.said) made.append(line(entry.said));
  if (entry.state === "signin") made.append(link("去登录", `/login?next=${encodeURIComponent("/visit")}`));
  if (entry.state === "refused") {
    made.append(link("打开修改", `/visit/cases/${entry.caseId}`));
    made.append(button("再发一次", async () => {
      await put("outbox", { ...(await get("outbox", entry.key)), state: "waiting" });
      await flush();
    }));
  }
  if (entry.state === "sent") {
    made.append(button("知道了", async () => {
      await remove("outbox", entry.key);
      await show();
    }));
  }
  return made;
}

function link(text, href) {
  const made = document.createElement("a");
  made.className = "btn btn-primary me-2";
  made.href = href;
  made.textContent = text;
  return made;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

export function watch() {
  window.addEventListener("online", flush);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void flush());
  setInterval(async () => (await unsent()) > 0 && flush(), AGAIN_MS);
}
