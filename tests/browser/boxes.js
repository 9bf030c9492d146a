// Returns what is wrong with the layout of the page, each a line: text that is cut, text and controls that overlap or
// lie outside the window, a page that scrolls sideways. What lies outside a scrolling region's window is not looked at.
() => {
  const wrong = [];
  const CONTROLS = "a, button, select, input, summary";
  const around = (box, by) => ({
    left: Math.max(box.left, by.left), top: Math.max(box.top, by.top),
    right: Math.min(box.right, by.right), bottom: Math.min(box.bottom, by.bottom),
  });
  const named = (e, text) => {
    const path = [e.closest("section, header, article")?.id, e.closest("figure, table, form")?.className, e.localName];
    return `${path.filter(Boolean).join(" ")} "${text.trim().slice(0, 60)}"`;
  };
  // an element's window: what its scrolling and clipping ancestors leave of it
  const clips = new Map();
  const clip = (e) => {
    if (!e || e === document.documentElement) return { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9, scrolls: false };
    const known = clips.get(e);
    if (known) return known;
    const outer = clip(e.parentElement);
    const style = getComputedStyle(e);
    const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY);
    const cuts = scrolls || /hidden|clip/.test(style.overflowX + style.overflowY);
    const found = cuts && !(e instanceof SVGElement)
      ? { ...around(outer, e.getBoundingClientRect()), scrolls: scrolls || outer.scrolls, cuts: !scrolls } : outer;
    clips.set(e, found);
    return found;
  };
  const items = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest("script, style, noscript, .unseen, .skip, title, select")) continue;
    if (!e.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) items.push({ e, box, text: node.data });
  }
  for (const e of document.querySelectorAll("select, input, button")) {
    if (e.checkVisibility()) items.push({ e, box: e.getBoundingClientRect(), text: e.name || e.textContent, control: true });
  }
  const seen = [];
  for (const { e, box, text, control } of items) {
    if (box.width < 1 || box.height < 1) continue;
    const window = clip(control ? e.parentElement : e);
    const left = around(box, window);
    if (window.cuts && (box.right > window.right + 1.5 || box.left < window.left - 1.5)) {
      wrong.push(`cut: ${named(e, text)}`);
    }
    if (left.right - left.left < 1 || left.bottom - left.top < 1) continue;
    if (left.right > innerWidth + 1 || left.left < -1) wrong.push(`outside the window: ${named(e, text)}`);
    const pinned = e.closest("thead, tbody th") !== null && window.scrolls; // headings stay while a region scrolls
    seen.push({ e, text, pinned, control, ...left });
  }
  seen.sort((a, b) => a.top - b.top);
  for (let i = 0; i < seen.length; i++) {
    const a = seen[i];
    for (let k = i + 1; k < seen.length && seen[k].top < a.bottom - 2; k++) {
      const b = seen[k];
      if (a.e === b.e || a.pinned || b.pinned || a.e.contains(b.e) || b.e.contains(a.e)) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // lines of text may touch: the boxes of fonts are higher than their letters
      if (wide > 2 && high > 0.35 * Math.min(a.bottom - a.top, b.bottom - b.top)) {
        wrong.push(`overlap: ${named(a.e, a.text)} and ${named(b.e, b.text)}`);
      }
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`the page scrolls sideways: ${document.documentElement.scrollWidth} of ${innerWidth} px`);
  }
  for (const control of document.querySelectorAll("button, select, input, summary, a.tile, a.spot")) {
    const box = control.getBoundingClientRect();
    if (control.checkVisibility() && Math.min(box.width, box.height) < 15) {
      wrong.push(`too small to hit (${Math.round(box.width)} x ${Math.round(box.height)} px): ${named(control, control.textContent)}`);
    }
  }
  return [...new Set(wrong)];
}
