// The official form at the door: opened by the plate (also without network), kept while it is written, put into
// the outbox when it is done.
import { account, decrypt, encrypt, get, put, remove } from "./db.js";
import { enqueue, ofCase } from "./outbox.js";
import { smaller } from "./photo.js";
import { position } from "./position.js";
import { unseal } from "./seal.js";

const SAVE_AFTER_MS = 400;
const MOST_PHOTOS = 6;
const LOCAL = new Set(["case_id", "ticket", "photo", "key"]); // not part of a draft
const form = document.querySelector("[data-form]");
const photos = []; // data URLs
const pads = {};

async function begin() {
  const caseId = Number(form.dataset.case);
  form.elements.key.value = crypto.randomUUID();
  signatures();
  form.elements.photo.addEventListener("change", addPhotos);
  document.addEventListener("door:offline", (event) => openBlind(event.detail));
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    form.querySelector("[data-draft]").textContent = "";
    timer = setTimeout(() => void save(caseId), SAVE_AFTER_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(caseId);
  });
  await openByPlate(caseId);
  const waiting = await ofCase(caseId).catch(() => null);
  if (waiting && waiting.state !== "refused") return done("这份表单已填好，正在等待发送。");
  await restore(caseId, waiting);
  form.dataset.ready = "";
}

// ---- opening ----

async function openByPlate(caseId) {
  const code = sessionStorage.getItem(`door:${caseId}`);
  const door = document.querySelector("[data-door]");
  if (!code || !door) return;
  const rows = await unseal(code, door.dataset.sealed);
  if (!rows) return;
  form.elements.code.value = code;
  void whereAmI();
  Object.entries(rows).forEach(([key, row]) => fillRow(key, row));
  open("已扫门牌。电话里问到的已填好，请核对；电话看不到、没听清的请现场填写。");
}

function fillRow(key, { value, open: isOpen, last, first }) {
  const row = form.querySelector(`[data-row-key="${key}"]`);
  row.dataset.open = String(isOpen);
  row.querySelector("[data-value]").textContent = value;
  row.querySelector("[data-last]").textContent = last ? `上次：${last}` : "";
  row.querySelector("details").open = isOpen;
  const firstChoice = row.querySelector("[data-first]");
  if (firstChoice) firstChoice.hidden = !first;
  const text = row.querySelector("textarea");
  const unknown = ["未现场核实", "未能确认", "本次未询问"].includes(value);
  if (text && isOpen && !unknown) text.value = value;
}

// Without network there is still a position; nobody waits for it.
async function whereAmI() {
  const found = await position();
  if (!found) return;
  form.elements.latitude.value = found.latitude;
  form.elements.longitude.value = found.longitude;
  form.elements.accuracy.value = found.accuracy;
}

function openBlind(stated) {
  for (const name of ["code", "why", "latitude", "longitude", "accuracy"]) form.elements[name].value = stated[name] ?? "";
  form.elements.blind.value = "1";
  open("没有网络，看不到电话记录。请按现场看到的情况填写，联网后自动合并。");
}

function open(words) {
  document.querySelector("[data-door]")?.setAttribute("hidden", "");
  form.querySelector("[data-source]").textContent = words;
  form.hidden = false;
  sizePads();
  form.scrollIntoView();
}

// ---- photos and signatures ----

async function addPhotos() {
  const note = form.querySelector("[data-photo-note]");
  for (const file of form.elements.photo.files) {
    if (photos.length >= MOST_PHOTOS) {
      note.textContent = `最多 ${MOST_PHOTOS} 张照片。`;
      break;
    }
    try {
      photos.push(await smaller(file));
    } catch {
      note.textContent = `“${file.name}”不是可用的照片，没有加入。`;
    }
  }
  form.elements.photo.value = "";
  showPhotos();
  form.dispatchEvent(new Event("input"));
}

function showPhotos() {
  const shown = photos.map((url, at) => {
    const button = document.createElement("button");
    const image = document.createElement("img");
    const words = document.createElement("span");
    button.type = "button";
    image.src = url;
    image.alt = `照片${at + 1}`;
    words.textContent = "删除";
    button.append(image, words);
    button.addEventListener("click", () => {
      photos.splice(at, 1);
      showPhotos();
      form.dispatchEvent(new Event("input"));
    });
    return button;
  });
  form.querySelector("[data-photos]").replaceChildren(...shown);
}

function signatures() {
  form.querySelectorAll("[data-sign]").forEach((canvas) => {
    pads[canvas.dataset.sign] = new window.SignaturePad(canvas, { penColor: "#111", minWidth: 1, maxWidth: 3 });
  });
  form.querySelectorAll("[data-clear]").forEach((button) =>
    button.addEventListener("click", () => pads[button.dataset.clear].clear()),
  );
  sizePads();
  window.addEventListener("resize", sizePads);
}

function sizePads() {
  const ratio = Math.max(window.devicePixelRatio || 1, 1);
  form.querySelectorAll("[data-sign]").forEach((canvas) => {
    const [width, height] = [canvas.offsetWidth * ratio, canvas.offsetHeight * ratio];
    if (!width || (canvas.width === width && canvas.height === height)) return;
    const pad = pads[canvas.dataset.sign];
    const strokes = pad.toData();
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").scale(ratio, ratio);
    pad.fromData(strokes);
  });
}

// ---- kept while it is written ----

async function draftId(caseId) {
  return `${(await account()).user}:${caseId}`;
}

async function save(caseId) {
  const me = await account();
  if (!me) return;
  const fields = [...new FormData(form)].filter(([name, value]) => !LOCAL.has(name) && typeof value === "string");
  const sealed = await encrypt({ key: form.elements.key.value, fields, photos });
  await put("drafts", { id: await draftId(caseId), ...sealed });
  form.querySelector("[data-draft]").textContent = "已存在本机，关掉页面也不会丢（签字除外）。";
}

async function restore(caseId, refused) {
  if (!(await account())) return;
  let kept = null;
  if (refused) {
    const payload = await decrypt(refused);
    if (!payload) return;
    kept = { key: refused.key, fields: payload.fields, photos: payload.files.filter(([name]) => name === "photo").map(([, url]) => url) };
    say(`${refused.said}（照片还在，签字须重签）`);
  } else {
    const draft = await get("drafts", await draftId(caseId));
    kept = draft ? await decrypt(draft) : null;
  }
  if (!kept) return;
  form.elements.key.value = kept.key;
  const skip = new Set([...LOCAL, "filled_at", ...(form.hidden ? [] : ["code", "why", "blind"])]);
  for (const [name, value] of kept.fields) {
    const field = form.elements[name];
    if (!field || skip.has(name)) continue;
    field.value = value;
    const row = form.querySelector(`[data-row-key="${name.replace(/^(f|why)_/, "")}"]`);
    if (row && value) row.querySelector("details").open = true;
  }
  photos.push(...kept.photos);
  showPhotos();
  const wasOpen = kept.fields.some(([name, value]) => (name === "why" || name === "code") && value);
  if (form.hidden && wasOpen) open("这是上次没有提交的内容。");
}

// ---- done ----

function say(words) {
  const line = form.querySelector("[data-wrong]");
  line.textContent = words;
  line.hidden = !words;
}

function missing() {
  for (const row of form.querySelectorAll('[data-row-key][data-open="false"]')) {
    const [name, why] = [`f_${row.dataset.rowKey}`, row.querySelector(".door-why input")];
    const value = form.elements[name].value;
    const changed = value && value !== row.querySelector("[data-value]").textContent;
    if (changed && !why.value.trim()) {
      why.focus();
      return `更正“${row.querySelector(".door-label").firstChild.textContent.trim()}”须写明原因。`;
    }
  }
  return "";
}

async function submit(caseId) {
  const wrong = missing();
  say(wrong);
  if (wrong) return;
  form.elements.filled_at.value = new Date().toISOString();
  const fields = [...new FormData(form)].filter(([name, value]) => name !== "photo" && typeof value === "string");
  const files = photos.map((url) => ["photo", url]);
  for (const [who, pad] of Object.entries(pads)) {
    if (!pad.isEmpty()) files.push([`${who}_signature`, pad.toDataURL("image/png")]);
  }
  try {
    await enqueue({ key: form.elements.key.value, caseId, title: form.dataset.title, payload: { fields, files } });
  } catch {
    return say("本机存储空间不足或被禁用，表单没有保存。请清理手机空间，或减少照片后再提交。");
  }
  await remove("drafts", await draftId(caseId));
  sessionStorage.removeItem(`door:${caseId}`);
  done("");
}

function done(words) {
  form.hidden = true;
  document.querySelector("[data-door]")?.setAttribute("hidden", "");
  if (words) {
    const line = document.createElement("p");
    line.className = "alert alert-info";
    line.textContent = words;
    form.before(line);
  }
  window.scrollTo(0, 0);
}

if (form && window.isSecureContext && "indexedDB" in window) await begin();
