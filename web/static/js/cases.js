// The visit queue and one case: new rows flash, ticks are counted, an opened form is ready to be typed into,
// and whoever is typing is told when somebody else has changed the case meanwhile.
const rows = document.getElementById("rows");
const facts = document.getElementById("facts");

function ids() {
  return new Set([...rows.querySelectorAll("[data-row]")].map((row) => row.id));
}

if (rows) {
  const chosen = document.querySelector("[data-chosen]");
  let known = ids();
  let current = "";
  const count = () => {
    const badge = document.querySelector('[data-count="/cases"]');
    const waiting = Number(rows.querySelector("[data-waiting]")?.dataset.waiting ?? 0);
    if (badge) badge.textContent = waiting ? (waiting > 999 ? "999+" : String(waiting)) : "";
    if (!chosen) return;
    const number = rows.querySelectorAll("input[name=case]:checked").length;
    chosen.textContent = number ? `已勾选${number}件` : "勾选后可以批量分派";
  };
  rows.addEventListener("change", count);
  rows.addEventListener("row:selected", (event) => (current = event.target.id));
  new MutationObserver(() => {
    const now = ids();
    [...now].filter((id) => !known.has(id)).forEach((id) => document.getElementById(id)?.classList.add("flash"));
    known = now;
    const row = current && document.getElementById(current);
    if (row && row.getAttribute("aria-selected") !== "true") row.setAttribute("aria-selected", "true");
    count();
  }).observe(rows, { childList: true, subtree: true });
  count();
}

document.querySelectorAll("[data-filters] select").forEach((select) =>
  select.addEventListener("change", () => {
    select.form.querySelectorAll("select").forEach((each) => (each.disabled = !each.value)); // a short URL
    select.form.submit();
  }),
);

document.querySelectorAll(".case-steps details").forEach((each) =>
  each.addEventListener("toggle", () => {
    if (each.open) each.querySelector("select, textarea")?.focus();
  }),
);

const steps = document.querySelector(".case-steps");
if (facts && steps) {
  new MutationObserver(() => {
    const now = facts.querySelector("[data-seen]")?.dataset.seen;
    steps.querySelector("[data-changed]").hidden = now === steps.dataset.seen;
  }).observe(facts, { childList: true, subtree: true, attributes: true });
}
