// One call: the recording with its transcript, and listening in on a call that goes on.
const player = document.querySelector("[data-player]");
const talk = document.getElementById("talk");
const SKIP_S = 2;
let wave = null;

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
// Canvas colours that are seen on white and on black; what is theirs is warm.
const COLOURS = { ours: ["#8391a2", "#2f80d1"], theirs: ["#e8750a", "#d6336c"] };

// ---- the recording ---------------------------------------------------------------------------------

async function draw() {
  const answer = await fetch(player.dataset.peaks);
  if (!answer.ok) return trouble();
  const { duration, channels } = await answer.json();
  const media = new Audio();
  media.preload = "none"; // nothing is fetched, and nothing is in the audit, before somebody plays it
  media.src = player.dataset.sound;
  const colour = ([waveColor, progressColor]) => ({ waveColor, progressColor, height: 48 });
  wave = WaveSurfer.create({
    container: "#wave",
    media,
    peaks: channels.map((each) => Float32Array.from(each, (value) => value / 100)),
    duration,
    normalize: true,
    splitChannels: [colour(COLOURS.ours), colour(COLOURS.theirs)],
    cursorWidth: 2,
    cursorColor: getComputedStyle(document.body).color,
    cspNonce: player.dataset.nonce,
  });
  const button = document.querySelector("[data-play]");
  const label = document.querySelector("[data-clock]");
  wave.on("play", () => (button.textContent = "暂停"));
  wave.on("pause", () => (button.textContent = "播放"));
  wave.on("timeupdate", (seconds) => {
    label.textContent = `${clock(seconds)} / ${clock(duration)}`;
    follow(seconds);
  });
  media.addEventListener("error", trouble);
  player.dataset.drawn = "1";
}

function trouble() {
  const line = document.querySelector("[data-sound-problem]");
  line.textContent = "录音放不出来：文件可能刚被移走，请刷新页面。文字记录不受影响。";
  line.className = "text-danger mb-0 mt-1";
}

function toggle() {
  wave?.playPause()?.catch?.(trouble);
}

function seek(seconds, play = false) {
  if (!wave) return;
  wave.setTime(Math.max(0, seconds));
  follow(seconds);
  if (play && !wave.isPlaying()) wave.play()?.catch?.(trouble);
}

let current = null;
function follow(seconds) {
  const rows = [...talk.querySelectorAll("[data-start]")];
  const row = rows.findLast((each) => Number(each.dataset.start) <= seconds + 0.05) ?? null;
  if (row === current) return;
  current?.classList.remove("now");
  current = row;
  if (!row) return;
  row.classList.add("now");
  const box = row.getBoundingClientRect();
  const top = window.innerWidth < 992 ? 0 : player.getBoundingClientRect().bottom;
  if (box.top < top || box.bottom > window.innerHeight) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    row.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  }
}

if (player?.dataset.ready) draw();

talk.addEventListener("click", (event) => {
  const row = event.target.closest("[data-start]");
  if (!row || event.target.closest("details, a")) return;
  seek(Number(row.dataset.start), true);
});
talk.addEventListener("row:selected", (event) => {
  if (event.target.dataset.start) seek(Number(event.target.dataset.start));
});
document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-play], [data-skip], [data-next-alert], [data-seek-to], [data-jump]");
  if (!target) return;
  if (target.matches("[data-play]")) toggle();
  else if (target.dataset.skip) seek((wave?.getCurrentTime() ?? 0) + Number(target.dataset.skip));
  else if (target.dataset.seekTo) seek(Number(target.dataset.seekTo), true);
  else if (target.dataset.jump) {
    const row = document.getElementById(target.dataset.jump);
    if (row?.dataset.start) seek(Number(row.dataset.start), true);
  } else {
    const rows = [...talk.querySelectorAll("[data-alert][data-start]")];
    const at = wave?.getCurrentTime() ?? 0;
    const row = rows.find((each) => Number(each.dataset.start) > at + 0.1) ?? rows[0];
    if (row) seek(Number(row.dataset.start), true);
  }
});
document.querySelector("[data-rate]")?.addEventListener("change", (event) => wave?.setPlaybackRate(Number(event.target.value)));

// ---- keys --------------------------------------------------------------------------------------------

const reasons = document.getElementById("reasons");
const open = document.querySelector("[data-open-reasons]");
open?.addEventListener("click", () => {
  reasons.hidden = !reasons.hidden;
  open.setAttribute("aria-expanded", String(!reasons.hidden));
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help")?.open) return;
  if (event.target.closest?.("input, textarea, select, summary")) return;
  if (event.key === " " && !event.target.closest?.("button, a")) {
    event.preventDefault();
    toggle();
  } else if (event.key === " " && event.target.matches?.("[data-play]")) {
    return; // the button's own
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    event.preventDefault();
    seek((wave?.getCurrentTime() ?? 0) + (event.key === "ArrowLeft" ? -SKIP_S : SKIP_S));
  } else if (reasons && !reasons.hidden && /^[1-9]$/.test(event.key)) {
    reasons.querySelector(`[data-digit="${event.key}"]`)?.click();
  }
});

// One verdict per form: an impatient second press must not judge the next call.
document.querySelectorAll(".judge form, .live form").forEach((form) =>
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  }),
);

// ---- listening in ------------------------------------------------------------------------------------
// Samples come as they are written; they are played behind one another with a small reserve.
const RATE = 8000;
const RESERVE_S = 0.4;
const listen = document.querySelector("[data-listen-in]");
const state = document.querySelector("[data-listen-state]");
let stop = null;

async function listenIn() {
  const context = new AudioContext();
  const abort = new AbortController();
  stop = () => (abort.abort(), context.close(), (stop = null));
  listen.textContent = "停止监听";
  let at = 0;
  let rest = new Uint8Array(0);
  try {
    const answer = await fetch(listen.dataset.listenIn, { signal: abort.signal });
    if (!answer.ok) throw new Error("no sound");
    const reader = answer.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const bytes = new Uint8Array(rest.length + value.length);
      bytes.set(rest);
      bytes.set(value, rest.length);
      const frames = Math.floor(bytes.length / 4);
      rest = bytes.slice(frames * 4);
      if (!frames) continue;
      const samples = new DataView(bytes.buffer, 0, frames * 4);
      const sound = context.createBuffer(2, frames, RATE);
      for (let channel = 0; channel < 2; channel++) {
        const out = sound.getChannelData(channel);
        for (let i = 0; i < frames; i++) out[i] = samples.getInt16(i * 4 + channel * 2, true) / 32768;
      }
      const source = context.createBufferSource();
      source.buffer = sound;
      source.connect(context.destination);
      if (at < context.currentTime) at = context.currentTime + RESERVE_S;
      source.start(at);
      at += sound.duration;
      state.textContent = "正在监听，比通话晚1到2秒；双方听不到您。";
      listen.dataset.heard = String(Number(listen.dataset.heard ?? 0) + frames);
    }
    state.textContent = "通话已经结束。";
    document.querySelector("[data-call-over]")?.classList.remove("d-none");
  } catch (error) {
    if (error.name !== "AbortError") state.textContent = "监听中断了：请刷新页面再试。";
  } finally {
    listen.textContent = "监听";
    stop?.();
  }
}
listen?.addEventListener("click", () => (stop ? stop() : listenIn()));
