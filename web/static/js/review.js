// The queue: rows that are new flash, the tab's title counts, a tone for what is urgent after it was asked for.
const SOUND = "xunfang-queue-sound";
const rows = document.getElementById("rows");
const title = document.title;
let known = ids();
let chosenRow = "";
let audio = null;

function ids() {
  return new Set([...rows.querySelectorAll("[data-row]")].map((row) => row.id));
}

function count() {
  const waiting = Number(rows.querySelector("[data-waiting]")?.dataset.waiting ?? 0);
  const shown = waiting > 999 ? "999+" : String(waiting);
  document.title = waiting ? `(${shown}) ${title}` : title;
}

function tone() {
  if (!audio) return;
  const at = audio.currentTime;
  [880, 1175].forEach((hertz, step) => {
    const [source, gain] = [audio.createOscillator(), audio.createGain()];
    source.frequency.value = hertz;
    gain.gain.setValueAtTime(0.15, at + step * 0.18);
    gain.gain.exponentialRampToValueAtTime(0.001, at + step * 0.18 + 0.17);
    source.connect(gain).connect(audio.destination);
    source.start(at + step * 0.18);
    source.stop(at + step * 0.18 + 0.18);
  });
}

// A browser lets a page be heard only after a click: the choice is kept, the permission is asked each time.
const button = document.querySelector("[data-sound]");
function sound(on) {
  if (on) (audio ??= new AudioContext()).resume();
  else audio?.close(), (audio = null);
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "提示音：开" : "提示音：关";
  localStorage.setItem(SOUND, on ? "on" : "off");
}
button.addEventListener("click", () => {
  sound(button.getAttribute("aria-pressed") !== "true");
  tone();
});
if (localStorage.getItem(SOUND) === "on") {
  button.textContent = "提示音：点一下恢复";
}

rows.addEventListener("row:selected", (event) => {
  chosenRow = event.target.id;
  sessionStorage.setItem("xunfang-queue-row", chosenRow);
});

// Observed, not asked of htmx: whatever changed the rows, these are the rows now.
new MutationObserver(() => {
  const now = ids();
  const fresh = [...now].filter((id) => !known.has(id));
  known = now;
  fresh.forEach((id) => document.getElementById(id)?.classList.add("flash"));
  if (fresh.some((id) => document.getElementById(id)?.dataset.priority === "urgent")) tone();
  const row = chosenRow && document.getElementById(chosenRow);
  if (row && row.getAttribute("aria-selected") !== "true") row.setAttribute("aria-selected", "true");
  count();
  counted();
}).observe(rows, { childList: true, subtree: true });

const restored = document.getElementById(sessionStorage.getItem("xunfang-queue-row") ?? "");
if (restored?.matches("[data-row]")) {
  restored.setAttribute("aria-selected", "true");
  chosenRow = restored.id;
}

const chosen = document.querySelector("[data-chosen]");
function counted() {
  if (!chosen) return;
  const number = rows.querySelectorAll("input[name=call]:checked").length;
  chosen.textContent = number ? `已勾选${number}条` : "勾选后可以批量分派";
}
rows.addEventListener("change", counted);

document.querySelectorAll("[data-filters] select").forEach((select) =>
  select.addEventListener("change", () => {
    const form = select.form;
    form.querySelectorAll("select").forEach((each) => (each.disabled = !each.value)); // a short URL
    form.submit();
  }),
);

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select");
  if (event.key !== "n" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.getElementById("help")?.open) return;
  rows.querySelector("[data-row] a[href]")?.click();
});

count();
