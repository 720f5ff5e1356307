// "/" finds, "g" then a letter goes.  Never while typing.
const places = { m: "/models", d: "/datasets", s: "/spaces", h: "/" };
const ARMED_MS = 1200;
let armed = -ARMED_MS;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector(".find input")?.focus();
  } else if (event.key === "g") {
    armed = event.timeStamp;
  } else if (event.timeStamp - armed < ARMED_MS && places[event.key]) {
    location.href = places[event.key];
  }
});
