// What the browser does by itself: it keeps the state in the address, and hands keys and the map's points to the page.
window.explorer = {
  // Safari refuses more than 100 changes of the address in 30 seconds.
  remember(query) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => history.replaceState(history.state, "", `${location.pathname}?${query}`), 300);
  },

  // Sets inputs, {id: value}.
  place(values) {
    for (const [id, value] of Object.entries(values)) document.getElementById(id).value = value;
  },

  copyAddress(query) {
    clearTimeout(this.waiting);
    history.replaceState(history.state, "", `${location.pathname}?${query}`);
    navigator.clipboard?.writeText(location.href);
  },

  // Lets the keys of an element work at once, where there is likely to be a keyboard. `autofocus` would scroll to it.
  focus(id) {
    if (matchMedia("(hover: hover)").matches) document.getElementById(id).focus({ preventScroll: true });
  },

  // Returns the point of a pointer event in the map, [x, y] from 0 to 1, or null if no button is held.
  point(event) {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!(event.buttons & 1)) return null;
    const box = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  },

  // Returns the step of an arrow key, [across, up], or null for another key.
  arrow(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (!(event.key in steps)) return null;
    event.preventDefault();
    return steps[event.key].map((step) => step * (event.shiftKey ? 0.5 : 0.1));
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=range]), textarea, select")) return;
  if (["r", "c"].includes(event.key.toLowerCase())) emitEvent("explorer_key", event.key.toLowerCase());
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("#popup span")[1].textContent =
    "The page comes back by itself, with this picture, as soon as kgen explore runs again.";
});
