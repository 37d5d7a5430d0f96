// Keyboard first, by attribute, so that a page needs no script of its own:
//   data-key="c"      pressing c clicks (a link, a button) or focuses (an input) this element; several
//                     elements with one key: the one inside the selected row wins, else the first
//   data-go="q"       g then q follows this link
//   data-rows         J / K select among the [data-row] inside; Enter follows its first link
//   ?                 the help
const typing = (event) =>
  event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");

function select(step) {
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  rows.forEach((row) => row.setAttribute("aria-selected", String(row === next)));
  next.scrollIntoView({ block: "nearest" });
  next.dispatchEvent(new CustomEvent("row:selected", { bubbles: true }));
}

export const selected = () => document.querySelector('[data-row][aria-selected="true"]');

function press(key) {
  const name = CSS.escape(key);
  const element = selected()?.querySelector(`[data-key="${name}"]`) ?? document.querySelector(`[data-key="${name}"]`);
  if (!element || element.disabled) return false;
  if (element.matches("input:not([type=checkbox]), textarea, select")) element.focus();
  else element.click();
  return true;
}

export function keyboard() {
  const help = document.getElementById("help");
  const toggleHelp = () => (help?.open ? help.close() : help?.showModal());
  document.querySelectorAll("[data-help]").forEach((button) => button.addEventListener("click", toggleHelp));
  const unlessHelp = (act) => () => help?.open || act();
  const keys = {
    "?": toggleHelp,
    "Shift+?": toggleHelp,
    j: unlessHelp(() => select(1)),
    k: unlessHelp(() => select(-1)),
  };
  document.querySelectorAll("[data-go]").forEach((link) => {
    keys[`g ${link.dataset.go}`] = unlessHelp(() => link.click());
  });
  window.tinykeys.tinykeys(window, keys); // typing in a field is left alone
  let before = ""; // what follows a g is a place to go to, not a key of the page
  window.addEventListener("keydown", (event) => {
    const going = before === "g";
    before = event.key;
    if (going || help?.open || typing(event) || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && document.activeElement === document.body) selected()?.querySelector("a[href]")?.click();
    else if (event.key.length === 1 && press(event.key)) event.preventDefault();
  });
}
