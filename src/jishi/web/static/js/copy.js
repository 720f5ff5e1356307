// Copy buttons are hidden until a script can serve them; plain-http hosts have no clipboard.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  const words = button.querySelector("span");
  words.setAttribute("aria-live", "polite");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const before = words.textContent;
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    words.textContent = button.dataset.copy;
    setTimeout(() => { words.textContent = before; }, 1600);
  });
}
