/** Draws what is looked at, and nothing else. */

/** Draws the content of boxes when they come into view, and again when it changed. */
export function drawnWhenSeen() {
  /** @type {Map<Element, () => Node[]>} */
  const waiting = new Map();
  /** @param {Element} box */
  const drawn = (box) => {
    const draw = waiting.get(box);
    if (!draw) return;
    waiting.delete(box);
    observer.unobserve(box);
    box.replaceChildren(...draw());
  };
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) drawn(entry.target);
  }, { rootMargin: "300px" });
  addEventListener("beforeprint", () => {
    for (const box of [...waiting.keys()]) if (box.checkVisibility()) drawn(box);
  });
  return (/** @type {Element} */ box, /** @type {() => Node[]} */ draw) => {
    waiting.set(box, draw);
    observer.unobserve(box);
    observer.observe(box);
  };
}
