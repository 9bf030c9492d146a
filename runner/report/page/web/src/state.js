/**
 * What is shown: the view, the filters and the order of the tables. All of it is in the fragment of the address, so
 * that a view can be sent to somebody.
 *
 * @typedef {{
 *   cell: string, figure: string, of: string, function: string,
 *   framework: string, version: string, keras: string, device: string, python: string, variant: string,
 *   probe: string, verdict: string, name: string, all: boolean, sort: Map<string, [column: number, down: boolean]>,
 * }} State
 */

/** The filters by axis. */
export const AXES = /** @type {const} */ (["framework", "version", "keras", "device", "python", "variant"]);

const TEXTS = /** @type {const} */ ([
  "cell", "figure", "of", "function", ...AXES, "probe", "verdict", "name",
]);

/** All keys of a fragment. @type {readonly string[]} */
const KEYS = [...TEXTS, "all", "sort"];

/** The keys that choose a view; without one the whole report is shown. */
export const VIEWS = /** @type {const} */ (["cell", "figure", "function"]);

/** @returns {State} */
export function start() {
  const texts = Object.fromEntries(TEXTS.map((key) => [key, ""]));
  return /** @type {State} */ ({ ...texts, all: false, sort: new Map() });
}

/**
 * Reads a fragment. What it does not understand is left out.
 *
 * @param {string} fragment with or without `#`
 * @returns {State}
 */
export function parse(fragment) {
  const state = start();
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  for (const key of TEXTS) state[key] = given.get(key) ?? "";
  state.all = given.get("all") === "1";
  for (const entry of given.getAll("sort")) {
    const match = /^(.+)\.(\d+)\.(up|down)$/.exec(entry);
    if (match) state.sort.set(/** @type {string} */ (match[1]), [Number(match[2]), match[3] === "down"]);
  }
  return state;
}

/**
 * @param {State} state
 * @returns {string} the fragment, without `#`; empty for the state at the start
 */
export function written(state) {
  const given = new URLSearchParams();
  for (const key of TEXTS) if (state[key]) given.set(key, state[key]);
  if (state.all) given.set("all", "1");
  for (const [probe, [column, down]] of state.sort) {
    given.append("sort", `${probe}.${column}.${down ? "down" : "up"}`);
  }
  return given.toString();
}

/**
 * The fragment of another view with the same filters.
 *
 * @param {State} state
 * @param {Partial<State>} change
 */
export function to(state, change) {
  return `#${written({ ...state, cell: "", figure: "", of: "", function: "", ...change })}`;
}

/**
 * Whether a fragment names a place of the page, like `#notes`, and no state.
 *
 * @param {string} fragment
 */
export function isPlace(fragment) {
  const [, key = ""] = /^#?([^=]*)=/.exec(fragment) ?? [];
  return fragment.length > 1 && !KEYS.includes(key);
}
