// Light and dark without loading the page again.  The server writes data-theme from the same
// cookie, so the first paint is right; without a script the link does it.
const root = document.documentElement;
const YEAR_SECONDS = 31_536_000;

document.querySelector("[data-theme-next]")?.addEventListener("click", (event) => {
  event.preventDefault();
  const system = matchMedia("(prefers-color-scheme: dark)").matches;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : system;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
});
