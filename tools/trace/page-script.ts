// What the page does beyond showing itself: one record is chosen by pointer, focus or keys, and stays. Without it the page still shows each
// record's details on hover and focus. It makes no element and reads no text: nothing in a trace can become code here.
export const script = `
"use strict";
(() => {
  const items = [...document.querySelectorAll("ol > li")].filter((item) => item.querySelector(".row"));
  if (items.length === 0) return;
  document.documentElement.classList.add("js");
  let chosen = null;
  let isPinned = false;
  const rowOf = (item) => item.querySelector(".row");
  const choose = (item) => {
    if (chosen !== null) {
      chosen.classList.remove("on");
      rowOf(chosen).setAttribute("aria-pressed", "false");
      rowOf(chosen).tabIndex = -1;
    }
    chosen = item;
    item.classList.add("on");
    rowOf(item).setAttribute("aria-pressed", "true");
    rowOf(item).tabIndex = 0;
  };
  const leave = () => {
    isPinned = false;
    if (chosen !== null) chosen.classList.remove("on");
  };
  items.forEach((item, i) => {
    const row = rowOf(item);
    row.tabIndex = i === 0 ? 0 : -1;
    row.addEventListener("focus", () => choose(item));
    row.addEventListener("mouseenter", () => {
      if (!isPinned) choose(item);
    });
    row.addEventListener("click", () => {
      isPinned = !(isPinned && chosen === item);
      choose(item);
    });
  });
  const isShown = (item) => item.offsetParent !== null;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return leave();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    const ends = { Home: 0, End: -1 }[event.key];
    if (step === undefined && ends === undefined) return;
    if (!document.activeElement.classList.contains("row") && document.activeElement !== document.body) return;
    const shown = items.filter(isShown);
    const at = shown.indexOf(chosen);
    const next = ends === undefined ? shown[Math.min(Math.max(at + step, 0), shown.length - 1)] : shown.at(ends);
    if (next === undefined) return;
    event.preventDefault();
    isPinned = false;
    rowOf(next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  });
})();
`;
