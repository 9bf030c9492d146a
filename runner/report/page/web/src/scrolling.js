/** Regions that scroll sideways take part in the order of the Tab key; those that fit do not. */

const watching = new ResizeObserver((entries) => {
  for (const region of new Set(entries.map(({ target }) => target.closest(".scroll")))) {
    if (!region) continue;
    const scrolls = region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
    if (scrolls) region.setAttribute("tabindex", "0");
    else region.removeAttribute("tabindex");
  }
});

/**
 * Watches the regions inside an element.
 *
 * @param {Element} inside
 */
export function reachable(inside) {
  for (const region of inside.querySelectorAll(".scroll, .scroll > table")) watching.observe(region);
}
