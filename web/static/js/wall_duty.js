// The duty screen. While [data-ringing] is not 0: a bell (after one click, browsers ask for it), vibration,
// a flashing title. data-ring on <html> says what can be heard: off | quiet | sounding.
const BELL_S = 2.4;
const [LOW_HZ, HIGH_HZ] = [784, 1046];
const root = document.documentElement;
const alarms = document.getElementById("alarms");
const button = document.querySelector("[data-enable]");
const state = document.querySelector("[data-sound-state]");
const title = document.title;
let audio = null;
let timer = 0;
let flash = false;

const ringing = () => Number(alarms.querySelector("[data-ringing]")?.dataset.ringing ?? 0);
const allowed = () => audio?.state === "running";

function note(hertz, at, length) {
  const [source, gain] = [audio.createOscillator(), audio.createGain()];
  source.type = "square";
  source.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
  source.connect(gain).connect(audio.destination);
  source.start(at);
  source.stop(at + length);
}

function bell() {
  if (allowed()) {
    for (let stroke = 0; stroke < 4; stroke += 1) note(stroke % 2 ? HIGH_HZ : LOW_HZ, audio.currentTime + stroke * 0.22, 0.2);
  }
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([400, 200, 400]); // not before a tap
  flash = !flash;
  document.title = flash ? `【紧急${ringing()}】请接警` : title;
}

function follow() {
  const on = ringing() > 0;
  if (on && !timer) {
    bell();
    timer = setInterval(bell, (BELL_S * 1000) / 2);
  }
  if (!on && timer) {
    clearInterval(timer);
    timer = 0;
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(0);
    document.title = title;
  }
  root.dataset.ring = on ? (allowed() ? "sounding" : "quiet") : "off";
}

function say() {
  const on = allowed();
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? "铃声：开" : "开启铃声";
  button.classList.toggle("btn-primary", !on);
  state.textContent = on
    ? "铃声已开启。请保持本页打开，不要让电脑休眠或静音。"
    : "浏览器要先点一下“开启铃声”才允许出声；没有开启时，紧急情况只会闪动和振动。";
  state.classList.toggle("duty-sound-off", !on);
  follow();
}

button.addEventListener("click", async () => {
  if (allowed()) {
    await audio.close();
    audio = null;
  } else {
    audio ??= new AudioContext();
    audio.addEventListener("statechange", say);
    await audio.resume();
    if (!ringing()) note(HIGH_HZ, audio.currentTime, 0.15); // so that he knows the loudspeaker works
  }
  say();
});

new MutationObserver(follow).observe(alarms, { childList: true, subtree: true, attributes: true });
new MutationObserver(() => {
  document.getElementById("broken").hidden = document.body.dataset.liveState !== "broken";
}).observe(document.body, { attributes: true, attributeFilter: ["data-live-state"] });
say();
