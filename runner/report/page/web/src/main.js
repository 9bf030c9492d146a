/** Starts the page: reads the data, takes over tables and links, and shows what the fragment asks for. */
import { marksOf, ownNames, unpacked } from "./data.js";
import { h } from "./dom.js";
import { filled, isFiltered, keeps, known } from "./filters.js";
import { drawnWhenSeen } from "./lazy.js";
import { reachable } from "./scrolling.js";
import { isPlace, parse, to, VIEWS, written } from "./state.js";
import { shown, taken } from "./tables.js";
import { cell } from "./views/cell.js";
import { drawable, MOST, ofProbe } from "./views/charts.js";
import { figure } from "./views/figure.js";
import { map, named } from "./views/map.js";
import { copied, counted } from "./views/parts.js";

/**
 * @typedef {import("./data.js").Data} Data
 * @typedef {import("./state.js").State} State
 */

const report = /** @type {HTMLElement} */ (document.getElementById("report"));
const view = /** @type {HTMLElement} */ (document.getElementById("view"));
const title = document.title;

/** @param {Data} data */
function started(data) {
  ownNames(data);
  const asked = () => known(parse(isPlace(location.hash) ? "" : location.hash), data);
  let state = asked();
  let drawn = ""; // the fragment that is shown
  let scrolled = 0;
  /** @type {HTMLElement | null} */
  let opener = null; // the link of the report that opened the view: it gets the focus back
  let unfolded = false; // by a filter, not by a person
  const places = new Map(data.cells.map((one, place) => [one.id, place]));
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById("filters"));
  const update = form ? filled(form, data, change) : () => {};
  const bare = undrawn(data);
  const tables = taken(sort, () => change({ all: true }));
  const tiles = [...document.querySelectorAll("a.tile")].map((tile) => /** @type {HTMLElement} */ (tile));
  const findings = [...document.querySelectorAll("#answer ul.findings > li")].map((item) => {
    const element = /** @type {HTMLElement} */ (item);
    const probes = (element.dataset["p"] ?? "").split("\n").filter(Boolean);
    return { element, probes, cells: (element.dataset["c"] ?? "").split(" ").filter(Boolean).map(Number) };
  });
  const folded = /** @type {HTMLDetailsElement | null} */ (document.querySelector("#answer details.more"));
  const none = document.getElementById("no-finding");
  const lazy = drawnWhenSeen();
  for (const line of document.querySelectorAll("#answer .next code")) line.after(" ", copied(line));

  /** @param {Partial<State>} given */
  function change(given) {
    go(`#${written({ ...state, ...given })}`);
  }

  /** @param {string} probe @param {number} column */
  function sort(probe, column) {
    const [before, down] = state.sort.get(probe) ?? [-1, false];
    const order = new Map(state.sort);
    if (before === column && down) order.delete(probe);
    else order.set(probe, [column, before === column]);
    change({ sort: order });
  }

  /** @param {string} href */
  function go(href) {
    const wanted = href === "#" ? location.pathname + location.search : href;
    if (location.hash === href || (href === "#" && !location.hash)) return render();
    globalThis.history.pushState(null, "", wanted);
    render();
  }

  /** Shows the state of the address. */
  function render() {
    const before = state;
    drawn = location.hash;
    state = asked();
    const context = { data, state, places };
    const single = VIEWS.some((key) => state[key]);
    if (single && !report.hidden) scrolled = scrollY;
    if (single) {
      const same = VIEWS.every((key) => before[key] === state[key]) && before.of === state.of && !view.hidden;
      opened(context, same);
    } else {
      const back = report.hidden;
      view.hidden = true;
      view.replaceChildren();
      report.hidden = false;
      document.title = title;
      filtered(context);
      if (back) returned();
    }
  }

  /** The focus and the place of the page are as they were before a view was opened. */
  function returned() {
    const target = opener?.checkVisibility() ? opener : document.getElementById("answer");
    target?.focus({ preventScroll: true });
    scrollTo(0, scrolled);
    opener = null;
  }

  /** @param {import("./views/parts.js").Context} context @param {boolean} same whether the view was open before */
  function opened(context, same) {
    const content = chosen(context) ?? [h("h2", { tabindex: "-1" }, "Not in this report"),
      h("p", null, "The address names a combination, figure or function that this report does not have.")];
    const crumbs = h("p", { class: "crumbs" }, h("a", { href: to(state, {}), "data-back": "1" }, "← The whole report"));
    report.hidden = true;
    view.hidden = false;
    view.replaceChildren(crumbs, h("section", null, content));
    reachable(view);
    const heading = /** @type {HTMLElement | null} */ (view.querySelector("h2"));
    document.title = `${heading?.textContent ?? ""} · ${title}`;
    if (!same) {
      scrollTo(0, 0);
      heading?.focus({ preventScroll: true });
    }
  }

  /** @param {import("./views/parts.js").Context} context */
  function chosen(context) {
    const place = places.get(state.cell);
    if (state.cell) return place === undefined ? null : cell(context, place);
    if (state.figure) return figure(context, state.figure, places.get(state.of) ?? -1);
    return named(context, state.function);
  }

  /** @param {import("./views/parts.js").Context} context */
  function filtered(context) {
    const kept = new Set(data.cells.flatMap((one, place) => (keeps(one, state) ? [place] : [])));
    dimmed(kept);
    leftOut(kept);
    for (const table of tables) {
      shown(table, state, kept, data);
      const box = table.section.querySelector(".charts");
      if (box) lazy(box, () => charts(table.probe, kept));
    }
    for (const { probe, section } of bare) {
      section.hidden = state.probe !== "" && state.probe !== probe;
      const box = section.querySelector(".charts");
      if (box) lazy(box, () => charts(probe, kept));
    }
    for (const section of document.querySelectorAll("section.map")) {
      mapped(/** @type {HTMLElement} */ (section), context, kept);
    }
    update(state, [...kept].filter((place) => isMarked(place)).length);
    reachable(report);
  }

  /** Whether a cell, or a figure of it, has the mark that is looked for. @param {number} place */
  function isMarked(place) {
    if (!state.verdict || data.cells[place]?.mark === state.verdict) return true;
    return Object.values(data.probes).some((probe) => marksOf(probe, place).has(state.verdict));
  }

  /** Dims the tiles that the filters leave out. @param {Set<number>} kept */
  function dimmed(kept) {
    for (const tile of tiles) {
      const place = Number(tile.dataset["c"]);
      const other = state.verdict !== "" && data.cells[place]?.mark !== state.verdict;
      tile.classList.toggle("off", other || !kept.has(place));
    }
  }

  /** Hides the findings about what the filters leave out. @param {Set<number>} kept */
  function leftOut(kept) {
    for (const { element, cells, probes } of findings) {
      const about = (!cells.length || cells.some((place) => kept.has(place))) && concerns(probes);
      const other = state.verdict !== "" && !element.classList.contains(state.verdict);
      element.hidden = other || !about;
    }
    const left = findings.filter(({ element }) => !element.hidden);
    if (none) none.hidden = left.length > 0;
    if (!folded) return;
    const inside = left.filter(({ element }) => folded.contains(element)).length;
    folded.hidden = !inside;
    if (isFiltered(state) !== unfolded && (unfolded || !folded.open)) {
      unfolded = !unfolded;
      folded.open = unfolded;
    }
    /** @type {HTMLElement} */ (folded.firstElementChild).textContent = counted(inside, "more finding");
  }

  /** Whether the filter of probes keeps what is about these. @param {string[]} probes */
  function concerns(probes) {
    return !state.probe || !probes.length || probes.includes(state.probe);
  }

  /** @param {HTMLElement} section @param {import("./views/parts.js").Context} context @param {Set<number>} kept */
  function mapped(section, context, kept) {
    const probe = section.dataset["sweep"] ?? "";
    section.hidden = state.probe !== "" && state.probe !== probe;
    const heading = /** @type {HTMLElement} */ (section.querySelector("h2"));
    const typing = document.activeElement instanceof HTMLInputElement && section.contains(document.activeElement);
    section.replaceChildren(heading, h("div", null, map(context, probe, kept, change)));
    if (typing) section.querySelector("input")?.focus();
  }

  /** @param {string} name @param {Set<number>} kept */
  function charts(name, kept) {
    const probe = data.probes[name];
    if (!probe) return [];
    const cells = [...kept].filter((place) => probe.runs[place]);
    const told = `The charts show ${MOST} of ${cells.length} combinations; the filters choose others.`;
    const many = cells.length > MOST ? [h("p", { class: "hint" }, told)] : [];
    return [...many, ...ofProbe(data, probe, cells)];
  }

  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const href = anchor.getAttribute("href") ?? "";
    event.preventDefault();
    if (isPlace(href)) return moved(href.slice(1));
    const wanted = parse(href);
    const { cell: id, figure: key, of, function: name } = wanted;
    const all = state.all || anchor.hasAttribute("data-all");
    if (!report.hidden) opener = anchor instanceof HTMLElement ? anchor : null;
    go(to(state, { cell: id, figure: key, of, function: name, all }));
  });

  /** @param {string} id */
  function moved(id) {
    if (report.hidden) go(to(state, {}));
    const target = document.getElementById(id) ?? document.getElementById(decoded(id));
    target?.scrollIntoView();
    target?.focus({ preventScroll: true });
  }

  const again = () => { if (location.hash !== drawn) render(); }; // both come together: the second would lose the focus
  addEventListener("beforeprint", () => { if (folded) folded.open = true; }); // paper has no fold to open
  addEventListener("popstate", again);
  addEventListener("hashchange", again);
  const first = location.hash;
  render();
  if (isPlace(first)) moved(first.slice(1));
  document.documentElement.dataset["ready"] = "1";
}

/** @param {string} text as an address writes it */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Makes sections for the probes that have figures to draw and no table, because nothing in them differs.
 *
 * @param {Data} data
 */
function undrawn(data) {
  const nav = document.getElementById("bare");
  const next = document.querySelector("section.map, #parity, #notes");
  return Object.entries(data.probes).flatMap(([probe, of]) => {
    const id = `probe-${probe}`;
    const found = document.getElementById(id) ?? data.sweeps[probe];
    if (found || !next || !drawable(of)) return [];
    const box = h("div", { class: "charts" });
    const section = h("section", { id, class: "probe", tabindex: "-1", "aria-label": probe },
      h("h2", null, probe, h("span", { class: "soft" }, " no difference found")), box);
    next.before(section);
    nav?.append(h("a", { href: `#${id}` }, probe), " ");
    return [{ probe, section }];
  });
}

/** @param {unknown} error */
function failed(error) {
  const text = error instanceof Error ? error.message : String(error);
  document.querySelector("header")?.append(h("p", { class: "worse", role: "alert" },
    `The page's own data cannot be read (${text}). Findings and tables are complete; charts, filters and single `
    + "combinations are missing. Make the page again."));
}

const source = document.getElementById("data")?.textContent ?? "";
unpacked(source).then(started).catch(failed);
