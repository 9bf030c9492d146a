/** Chooses the charts of a figure by its kind, so that a new probe needs no change here. */
import { bars } from "../charts/bars.js";
import { curves } from "../charts/curves.js";
import { ratio } from "../charts/ratio.js";
import { rounds } from "../charts/rounds.js";
import { seeds } from "../charts/seeds.js";
import { strip } from "../charts/strip.js";
import { comparisons, figures, meaning, median, metric, metrics, values } from "../data.js";

/**
 * @typedef {import("../data.js").Data} Data
 * @typedef {import("../data.js").Probe} Probe
 * @typedef {import("../data.js").Metric} Metric
 * @typedef {import("../data.js").Comparison} Comparison
 * @typedef {"candidate" | "baseline" | "other"} Role
 */

/** So many cells are drawn in one chart. */
export const MOST = 24;

const CORRECT = 8;
const SQRT_MULTIPLE = 4;

/**
 * The largest backward error that counts as rounding, in u (see `runner/judge/exact.py`).
 *
 * @param {number | null} terms
 */
export function bound(terms) {
  return Math.max(CORRECT, SQRT_MULTIPLE * Math.sqrt(Math.max(1, terms ?? 1)));
}

/**
 * The step at which two cells part: the first one after those that agree; null where they do not.
 *
 * @param {Comparison | undefined} of
 */
function parting(of) {
  return of && of.steps !== null && of.mark !== "same" ? of.steps : null;
}

/**
 * A curve with its steps: long ones are thinned evenly.
 *
 * @param {[number, (number | null)[]]} curve
 */
function steps([length, kept]) {
  if (kept.length === length) return kept;
  /** @type {(number | null)[]} */
  const whole = new Array(length).fill(null);
  kept.forEach((value, at) => { whole[Math.round((at * (length - 1)) / (kept.length - 1))] = value; });
  return whole;
}

/**
 * The curves of a figure.
 *
 * @param {Data} data
 * @param {Probe} probe
 * @param {Metric} of
 * @param {number[]} cells
 * @param {(cell: number) => Role} role
 * @param {Comparison} [compared]
 */
export function curvesOf(data, probe, of, cells, role, compared) {
  const found = probe.curves[of.place] ?? {};
  const series = cells.filter((cell) => found[cell]).map((cell) => ({
    name: data.cells[cell]?.name ?? "",
    values: steps(/** @type {[number, (number | null)[]]} */ (found[cell])),
    role: role(cell),
  }));
  if (!series.length) return null;
  const epochs = of.name.endsWith("_per_epoch");
  return curves({
    label: of.label,
    xLabel: epochs ? "epoch" : "step",
    yLabel: of.figure,
    series,
    partsAt: parting(compared),
    note: "the first process of every combination",
  });
}

/**
 * The charts of one figure of a cell, with each of its baselines.
 *
 * @param {Data} data
 * @param {Probe} probe
 * @param {Metric} of
 * @param {number} cell
 * @param {number[]} around other cells that are drawn too
 * @returns {HTMLElement[]}
 */
export function ofFigure(data, probe, of, cell, around) {
  const compared = comparisons(probe, cell, of.place).filter((one) => one.baseline >= 0);
  const baselines = new Set(compared.map((one) => one.baseline));
  const role = (/** @type {number} */ one) => (one === cell ? "candidate" : baselines.has(one) ? "baseline" : "other");
  const drawn = [cell, ...baselines, ...around.filter((one) => one !== cell && !baselines.has(one))].slice(0, MOST);
  /** @type {(HTMLElement | null)[]} */
  const found = [];
  if (of.kind === "timing") for (const one of compared) found.push(roundsOf(data, probe, of, one));
  if (of.kind === "seeded") found.push(seedsOf(data, probe, of, drawn, role, compared[0]));
  if (probe.curves[of.place]) found.push(curvesOf(data, probe, of, drawn, role, compared[0]));
  if (of.kind === "error") found.push(stripOf(data, probe, of.figure, drawn, role));
  if (of.kind === "timing") found.push(barsOf(data, probe, of, drawn, role));
  if (of.kind === "seeded") {
    for (const other of metrics(probe)) {
      if (other.mode === of.mode && probe.curves[other.place]) found.push(curvesOf(data, probe, other, drawn, role));
    }
  }
  return /** @type {HTMLElement[]} */ (found.filter(Boolean));
}

/**
 * @param {Data} data
 * @param {Probe} probe
 * @param {Metric} of
 * @param {Comparison} one
 */
function roundsOf(data, probe, of, one) {
  const mine = values(probe, of.place, one.candidate);
  const theirs = values(probe, of.place, one.baseline);
  const at = probe.runs[one.baseline]?.[0] ?? [];
  const paired = (probe.runs[one.candidate]?.[0] ?? []).flatMap((round, number) => {
    const candidate = mine[number];
    const baseline = theirs[at.indexOf(round)];
    return typeof candidate === "number" && typeof baseline === "number" ? [{ round, candidate, baseline }] : [];
  });
  if (!paired.length) return null;
  return rounds({
    label: of.label,
    unit: of.unit,
    better: of.better,
    rounds: paired,
    names: { baseline: data.cells[one.baseline]?.name ?? "", candidate: data.cells[one.candidate]?.name ?? "" },
    effect: one.effect,
    low: one.low,
    high: one.high,
    floor: one.floor,
  });
}

/**
 * @param {Data} data
 * @param {Probe} probe
 * @param {Metric} of
 * @param {number[]} cells
 * @param {(cell: number) => Role} role
 * @param {Comparison} [compared]
 */
function seedsOf(data, probe, of, cells, role, compared) {
  const groups = cells.map((cell) => ({
    name: data.cells[cell]?.name ?? "",
    role: role(cell),
    values: values(probe, of.place, cell).flatMap((value, at) =>
      typeof value === "number" ? [{ seed: probe.runs[cell]?.[1][at] ?? at, value }] : []),
  })).filter((group) => group.values.length);
  if (!groups.length) return null;
  return seeds({
    label: of.label,
    unit: of.unit,
    percent: of.percent,
    better: of.better,
    groups,
    effect: compared?.effect ?? null,
    low: compared?.low ?? null,
    high: compared?.high ?? null,
    spread: compared?.spread ?? null,
  });
}

/**
 * The backward errors of all cases with the same figure.
 *
 * @param {Data} data
 * @param {Probe} probe
 * @param {string} figure
 * @param {number[]} cells
 * @param {(cell: number) => Role} role
 */
function stripOf(data, probe, figure, cells, role) {
  const rows = metrics(probe).filter((of) => of.kind === "error" && of.figure === figure).map((of) => ({
    name: of.mode || of.label,
    bound: bound(of.terms),
    terms: of.terms,
    points: cells.flatMap((cell) => {
      const value = median(figures(probe, of.place, cell));
      return value === null ? [] : [{ name: data.cells[cell]?.name ?? "", value, role: role(cell) }];
    }),
  })).filter((row) => row.points.length);
  return rows.length ? strip({ label: figure, unit: "u", rows }) : null;
}

/**
 * @param {Data} data
 * @param {Probe} probe
 * @param {Metric} of
 * @param {number[]} cells
 * @param {(cell: number) => Role} role
 */
function barsOf(data, probe, of, cells, role) {
  const items = cells.flatMap((cell) => {
    const found = figures(probe, of.place, cell);
    const value = median(found);
    if (value === null) return [];
    const judged = comparisons(probe, cell, of.place)[0]?.mark ?? "none";
    const symbol = judged === "none" ? "" : meaning(judged)[0];
    const mark = role(cell) === "baseline" ? "◆" : symbol;
    const [low, high] = [Math.min(...found), Math.max(...found)];
    return [{ name: data.cells[cell]?.name ?? "", value, low, high, role: role(cell), mark }];
  });
  if (items.length < 2) return null;
  const first = items.find((item) => item.role === "baseline");
  return bars({ label: of.label, unit: of.unit, better: of.better, baseline: first?.name ?? "", items });
}

/**
 * Whether a probe has a figure that its section draws.
 *
 * @param {Probe} probe
 */
export function drawable(probe) {
  return metrics(probe).some((of) => probe.curves[of.place] || of.kind === "error"
    || (of.headline && (of.kind === "seeded" || of.kind === "timing")));
}

/**
 * The charts of a probe over the cells that the filters keep.
 *
 * @param {Data} data
 * @param {Probe} probe
 * @param {number[]} cells
 * @returns {HTMLElement[]}
 */
export function ofProbe(data, probe, cells) {
  const drawn = cells.filter((cell) => probe.runs[cell]).slice(0, MOST);
  const led = new Set(probe.pairs.map((pair) => pair.baseline));
  const candidates = new Set(probe.pairs.filter((pair) => pair.baseline >= 0).map((pair) => pair.candidate));
  const role = (/** @type {number} */ cell) => (led.has(cell) && !candidates.has(cell) ? "baseline" : "other");
  /** @type {(HTMLElement | null)[]} */
  const found = [];
  for (const of of metrics(probe)) {
    if (probe.curves[of.place]) found.push(curvesOf(data, probe, of, drawn, role));
    else if (of.headline && of.kind === "seeded") found.push(seedsOf(data, probe, of, drawn, role));
    else if (of.headline && of.kind === "timing") found.push(barsOf(data, probe, of, drawn, role));
  }
  for (const figure of new Set(metrics(probe).filter((of) => of.kind === "error").map((of) => of.figure))) {
    found.push(stripOf(data, probe, figure, drawn, role));
  }
  found.push(nativeOf(data, probe, new Set(drawn)));
  return /** @type {HTMLElement[]} */ (found.filter(Boolean));
}

/**
 * Keras next to the framework without it.
 *
 * @param {Data} data
 * @param {Probe} probe
 * @param {Set<number>} cells
 */
function nativeOf(data, probe, cells) {
  const items = probe.native.filter((one) => cells.has(one.cell)).flatMap((one) => one.ratios.map(
    ([place, effect, low, high]) => ({
      name: one.ratios.length > 1 ? `${data.cells[one.cell]?.name}, ${metric(probe, place).label}`
        : data.cells[one.cell]?.name ?? "",
      ratio: 1 + effect,
      low: low === null ? null : 1 + low,
      high: high === null ? null : 1 + high,
    })));
  return items.length ? ratio({ label: "Step time with Keras against the framework without it", items }) : null;
}
