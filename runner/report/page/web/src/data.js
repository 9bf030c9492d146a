/**
 * The data of the page: what `payload.py` writes, and the ways to ask it.
 *
 * Cells, probes' metrics and sweeps' functions are numbers: places in a list.
 *
 * @typedef {Record<string, string | null>} Axes
 * @typedef {[probe: string, round: number, status: string, reason: string, log: number, exit: number | null]} Failure
 * @typedef {{
 *   id: string, name: string, axes: Axes, mark: string, skips: string[], commands: [string, string][],
 *   facts?: number, packages?: number, lock?: string, executor?: string, started?: [string, string], stale?: number,
 *   notes?: string[], settings?: Record<string, string>, failures?: Failure[], past?: PastRun[],
 * }} Cell
 * @typedef {{ when: string, mark: string, text: string }} PastRun
 * @typedef {number | string | boolean | null} Value
 * @typedef {[name: string, label: string, figure: string, mode: string, unit: string, kind: string, better: string,
 *   percent: number, headline: number, terms: number | null]} RawMetric
 * @typedef {{ place: number, name: string, label: string, figure: string, mode: string, unit: string, kind: string,
 *   better: string, percent: boolean, headline: boolean, terms: number | null }} Metric
 * @typedef {[rounds: number[], seeds: number[], failed?: number, status?: string, reason?: string]} Runs
 * @typedef {(number | string | null)[]} Row
 * @typedef {{ candidate: number, baseline: number, axis: string, rows: Row[] }} Pair
 * @typedef {{ cell: number, native: number, ratios: [number, number, number | null, number | null][] }} Native
 * @typedef {{ points: [when: string, cell: string, value: number, low: number | null, high: number | null][],
 *   changes: [index: number, text: string][], breaks: string[] }} Past
 * @typedef {{
 *   metrics: RawMetric[], runs: Record<string, Runs>, values: Record<string, Record<string, Value | Value[]>>,
 *   curves: Record<string, Record<string, [number, (number | null)[]]>>, pairs: Pair[], native: Native[],
 *   past?: Record<string, Record<string, Past>>,
 * }} Probe
 * @typedef {{ functions: number[], title: string, kind: string, severity: number, bad: number[], good: number[],
 *   bounds: [string, string][], follows: string, packages: string[], cases: string[], more: number, observed: string,
 *   script: string, known: string | null }} Defect
 * @typedef {{ cells: number[], names: string[], right: number[][], wrong: number[][], defects: Defect[] }} Sweep
 * @typedef {{
 *   schema: number, invocation: string, cells: Cell[], facts: Record<string, string>[],
 *   packages: Record<string, string>[], logs: string[], newest: string, probes: Record<string, Probe>,
 *   sweeps: Record<string, Sweep>,
 * }} Data
 */

/**
 * Reads the data that the page carries: JSON, packed with gzip, in base64.
 *
 * @param {string} text
 * @returns {Promise<any>} what `payload.py` or `trend.py` wrote
 */
export async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/**
 * Leaves the names of a report alone in its tables: a probe or a package may be called `constructor`.
 *
 * @param {Data} data
 */
export function ownNames(data) {
  for (const table of [data.probes, data.sweeps, ...data.packages]) Object.setPrototypeOf(table, null);
}

/**
 * @param {Probe} probe
 * @param {number} place
 * @returns {Metric}
 */
export function metric(probe, place) {
  const [name, label, figure, mode, unit, kind, better, percent, headline, terms] = /** @type {RawMetric} */ (
    probe.metrics[place]
  );
  return { place, name, label, figure, mode, unit, kind, better,
    percent: percent === 1, headline: headline === 1,
    terms };
}

/**
 * @param {Probe} probe
 * @returns {Metric[]}
 */
export function metrics(probe) {
  return probe.metrics.map((_, place) => metric(probe, place));
}

/**
 * What every process of a cell measured, in the order of its rounds.
 *
 * @param {Probe} probe
 * @param {number} place of the metric
 * @param {number} cell
 * @returns {Value[]} empty where the cell has no such figure
 */
export function values(probe, place, cell) {
  const found = probe.values[place]?.[cell];
  if (found === undefined) return [];
  if (Array.isArray(found)) return found;
  return (probe.runs[cell]?.[0] ?? [0]).map(() => found);
}

/**
 * The numbers among them.
 *
 * @param {Probe} probe
 * @param {number} place
 * @param {number} cell
 * @returns {number[]}
 */
export function figures(probe, place, cell) {
  return values(probe, place, cell).filter((value) => typeof value === "number");
}

/**
 * @param {number[]} of
 * @returns {number | null} the middle one, null for none
 */
export function median(of) {
  if (!of.length) return null;
  const sorted = [...of].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = /** @type {number} */ (sorted[half]);
  return sorted.length % 2 ? upper : (/** @type {number} */ (sorted[half - 1]) + upper) / 2;
}

/**
 * A comparison with names in place of positions.
 *
 * @typedef {{
 *   metric: number, mark: string, verdict: string, class: string, n: number, effect: number | null,
 *   low: number | null, high: number | null, p: number | null, adjusted: number | null, floor: number | null,
 *   spread: number | null, needed: number | null, steps: number | null, issue: string, reason: string,
 *   candidate: number, baseline: number, axis: string,
 * }} Comparison
 */

/**
 * @param {Pair} pair
 * @param {Row} row
 * @returns {Comparison}
 */
function comparison(pair, row) {
  const number = (/** @type {number} */ at) => /** @type {number | null} */ (row[at] ?? null);
  const text = (/** @type {number} */ at) => String(row[at] ?? "");
  return {
    metric: Number(row[0]),
    mark: text(1),
    verdict: text(2),
    class: text(3),
    n: Number(row[4] ?? 0),
    effect: number(5),
    low: number(6),
    high: number(7),
    p: number(8),
    adjusted: number(9),
    floor: number(10),
    spread: number(11),
    needed: number(12),
    steps: number(13),
    issue: text(14),
    reason: text(15),
    candidate: pair.candidate,
    baseline: pair.baseline,
    axis: pair.axis,
  };
}

/**
 * The comparisons of a cell in a probe; those of one metric, where it is given.
 *
 * @param {Probe} probe
 * @param {number} cell
 * @param {number} [place] of the metric
 * @returns {Comparison[]}
 */
export function comparisons(probe, cell, place) {
  const found = [];
  for (const pair of probe.pairs) {
    if (pair.candidate !== cell) continue;
    for (const row of pair.rows) {
      if (place === undefined || row[0] === place) found.push(comparison(pair, row));
    }
  }
  return found;
}

/** @type {WeakMap<Probe, Map<number, Set<string>>>} */
const JUDGED = new WeakMap();

/**
 * The marks of all comparisons of a cell in a probe, those that no table shows too.
 *
 * @param {Probe} probe
 * @param {number} cell
 * @returns {Set<string>}
 */
export function marksOf(probe, cell) {
  let found = JUDGED.get(probe);
  if (!found) {
    found = new Map();
    for (const pair of probe.pairs) {
      const marks = found.get(pair.candidate) ?? new Set();
      for (const row of pair.rows) marks.add(String(row[1]));
      found.set(pair.candidate, marks);
    }
    JUDGED.set(probe, found);
  }
  return found.get(cell) ?? new Set();
}

/** The marks from worst to best, with their symbols and words (see `runner/report/marks.py`). */
export const MARKS = /** @type {const} */ ({
  worse: ["✗", "worse"],
  fixed: ["!", "known failure is gone"],
  expected: ["~", "known failure"],
  differs: ["Δ", "differs"],
  better: ["✓", "better"],
  undecided: ["?", "undecided"],
  incomparable: ["≠", "not comparable"],
  same: ["=", "same"],
  none: ["·", "not compared"],
});

/** A comparison with one of these marks is a difference. */
export const CHANGED = ["worse", "fixed", "expected", "differs", "better"];

/**
 * @param {string} mark
 * @returns {readonly [string, string]} symbol and meaning
 */
export function meaning(mark) {
  return MARKS[/** @type {keyof typeof MARKS} */ (mark)] ?? MARKS.none;
}

/**
 * How grave a mark is: 0 is worst.
 *
 * @param {string} mark
 */
export function rank(mark) {
  const found = Object.keys(MARKS).indexOf(mark);
  return found < 0 ? Object.keys(MARKS).length : found;
}
