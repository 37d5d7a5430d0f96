// The counts of the menu follow the news where a page listens for them: asked for once a while after the first
// piece of news, so that many cost one question and the last is never missed.
const PATIENCE_MS = 1000;
const TOPICS = ["cases", "calls"];

export function follow() {
  document.querySelectorAll("[data-count-from]").forEach((badge) => {
    let waiting = 0;
    const ask = async () => {
      waiting = 0;
      const answer = await fetch(badge.dataset.countFrom).catch(() => null); // away: what stands there stays
      if (answer?.ok && !answer.redirected) badge.textContent = await answer.text();
    };
    TOPICS.forEach((topic) =>
      document.body.addEventListener(`live:${topic}`, () => (waiting ||= setTimeout(ask, PATIENCE_MS))),
    );
  });
}
