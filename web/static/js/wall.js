// The wall: seconds run on between two pieces of news, and a picture that stands still says so.
const board = document.getElementById("board");
const stale = document.getElementById("stale");

setInterval(() => {
  board.querySelectorAll("[data-seconds]").forEach((each) => {
    const seconds = Number(each.dataset.seconds) + 1;
    each.dataset.seconds = String(seconds);
    each.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  });
}, 1000);

new MutationObserver(() => {
  const broken = document.body.dataset.liveState === "broken";
  stale.hidden = !broken;
  if (broken) stale.querySelector("[data-stale-at]").textContent = board.querySelector("[data-as-of]").textContent;
}).observe(document.body, { attributes: true, attributeFilter: ["data-live-state"] });

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && board.dataset.wall === "screen") board.querySelector("[data-leave]")?.click();
});
