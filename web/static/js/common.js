// What every page can do, by attribute:
//   data-close            closes the .alert around it
//   data-theme-toggle     light <-> dark, kept in a cookie for a year
//   data-confirm="…？"    asks before the form of this button is sent
const YEAR_S = 365 * 24 * 3600;

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  target.closest("[data-close]")?.closest(".alert")?.remove();
  if (target.closest("[data-theme-toggle]")) {
    const root = document.documentElement;
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", theme);
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `xunfang-theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
  }
  const asks = target.closest("[data-confirm]");
  if (asks && !window.confirm(asks.dataset.confirm)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
