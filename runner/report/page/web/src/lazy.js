/** Draws what is looked at, and nothing else. */

/** Draws the content of boxes when they come into view, and again when it changed. */
export function drawnWhenSeen() {
  /** @type {Map<Element, () => Node[]>} */
  const waiting = new Map();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const draw = entry.isIntersecting ? waiting.get(entry.target) : undefined;
      if (!draw) continue;
      waiting.delete(entry.target);
      observer.unobserve(entry.target);
      entry.target.replaceChildren(...draw());
    }
  }, { rootMargin: "300px" });
  return (/** @type {Element} */ box, /** @type {() => Node[]} */ draw) => {
    waiting.set(box, draw);
    observer.unobserve(box);
    observer.observe(box);
  };
}
