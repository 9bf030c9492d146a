import { h, svg } from "../dom.js";
import { significant } from "../format.js";
import * as frame from "./frame.js";
import { axisSize, paintLine, plotted } from "./plot.js";
import { isFigure } from "./scale.js";

/**
 * @typedef {object} Curve
 * @property {string} name
 * @property {(number | null)[]} values
 * @property {frame.Role} role
 */

/**
 * @typedef {object} Curves
 * @property {string} label
 * @property {string} xLabel for example `step`
 * @property {string} yLabel
 * @property {boolean} [log] a logarithmic upright axis; figures of zero and less are then left out
 * @property {Curve[]} series
 * @property {number | null} [partsAt] where the curves begin to differ, as the horizontal axis counts
 * @property {number} [first] the place of the first value on the horizontal axis: without it 1 for epochs, else 0, as
 *   the judge counts steps
 * @property {string} [note]
 */

/** @typedef {Curve & { colour: string, width: number, dash: number[] }} Styled */

const MOST_ROWS = 60;

/**
 * Returns curves over each other: candidate and baseline thick, others thin and grey.
 *
 * @param {Curves} options
 * @returns {HTMLElement}
 */
export function curves(options) {
  const { label, xLabel, yLabel, log = false, partsAt, note = "" } = options;
  const first = options.first ?? (xLabel === "epoch" ? 1 : 0);
  const given = (options.series ?? []).map((curve) => ({ ...curve, role: frame.roleOf(curve.role) }));
  const rank = { other: 0, candidate: 1, baseline: 2 }; // the dashed baseline on top: both show where they agree
  const sorted = styled(given.sort((a, b) => rank[a.role] - rank[b.role]));
  const values = sorted.map((curve) =>
    Array.from(curve.values ?? [], (figure) => (isFigure(figure) && (!log || figure > 0) ? figure : null)),
  );
  const length = Math.max(0, ...values.map((list) => list.length));
  const steps = Array.from({ length }, (_, place) => first + place);
  const table = tableOf(options, sorted, steps);
  if (!values.some((list) => list.some((figure) => figure !== null))) return frame.empty("curves", label, table);
  const there = isFigure(partsAt) ? `diverge at ${frame.cleaned(xLabel)} ${partsAt}` : "";
  const summary = `${frame.isolated(label)}: ${sorted.length} ${sorted.length === 1 ? "curve" : "curves"} of ${
    length
  } ${frame.cleaned(xLabel)}s${there ? `; they ${there}` : ""}.`;
  const padded = values.map((list) => [...list, ...Array.from({ length: length - list.length }, () => null)]);
  const drawing = plotted({
    summary,
    data: [steps, ...padded],
    focus: isFigure(partsAt) ? partsAt : null,
    options: (colours) => ({
      scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
      axes: [
        {
          label: frame.cleaned(xLabel),
          size: 26,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6],
        },
        {
          label: frame.cleaned(yLabel),
          size: axisSize,
          values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : frame.tickText(tick))),
        },
      ],
      series: [
        {},
        ...sorted.map((curve) => ({
          stroke: colours[curve.colour] ?? "",
          width: curve.width,
          dash: curve.dash,
          spanGaps: true, // long curves are thinned
          alpha: curve.role === "other" ? 0.6 : 1,
          points: { show: length < 3 },
        })),
      ],
    }),
    paint: (plot, colours) => {
      if (isFigure(partsAt))
        paintLine(plot, partsAt, {
          colour: colours["bad"] ?? "",
          halo: colours["page"] ?? "",
          text: there,
          dash: [5, 3],
        });
    },
    read: (plot) => readout(plot, sorted, steps, frame.cleaned(xLabel)),
  });
  return frame.figure({
    kind: "curves",
    heading: label,
    legend: legend(sorted, drawing.change),
    drawing: drawing.element,
    note: frame.cleaned(note),
    table,
  });
}

/**
 * Returns the curves with their colours and lines. Only a baseline is dashed; others share the grey.
 *
 * @param {Curve[]} series
 * @returns {Styled[]}
 */
function styled(series) {
  const [baselines, candidates] = [
    ["c2", "c5"],
    ["c1", "c3", "c4", "c6", "c7"],
  ];
  const seen = { candidate: 0, baseline: 0, other: 0 };
  return series.map((curve) => {
    const place = seen[curve.role]++;
    if (curve.role === "other") return { ...curve, colour: "c8", width: 1, dash: [] };
    if (curve.role === "baseline")
      return { ...curve, colour: baselines[place % 2] ?? "", width: 2.5, dash: place % 2 ? [3, 4] : [8, 5] };
    return { ...curve, colour: candidates[place % 5] ?? "", width: 2.5, dash: place ? [2 + 2 * place, 3] : [] };
  });
}

/**
 * Returns what is under the pointer: the emphasised curves, and of the others the nearest.
 *
 * @param {import("./plot.js").Plot} plot
 * @param {Styled[]} series
 * @param {number[]} steps
 * @param {string} xLabel
 */
function readout(plot, series, steps, xLabel) {
  const { idx, top } = plot.cursor;
  if (idx === null || idx === undefined) return "";
  const pointer = plot.posToVal(top ?? 0, "y");
  let nearest = -1;
  let least = Infinity;
  /** @type {string[]} */
  const parts = [];
  series.forEach((curve, place) => {
    const figure = near(plot.data[place + 1] ?? [], idx);
    if (figure === null || !plot.series[place + 1]?.show) return;
    if (curve.role !== "other") parts.push(`${frame.isolated(curve.name)}: ${significant(figure, 5)}`);
    else if (Math.abs(figure - pointer) < least) [least, nearest] = [Math.abs(figure - pointer), place];
  });
  const other = series[nearest];
  if (other)
    parts.push(`${frame.isolated(other.name)}: ${significant(near(plot.data[nearest + 1] ?? [], idx) ?? NaN, 5)}`);
  return [`${xLabel} ${steps[idx]}`, ...parts].join("; ");
}

/**
 * Returns the figure at a place, or the last one before it: a long curve has only some of its figures.
 *
 * @param {ArrayLike<unknown>} list
 * @param {number} place
 * @returns {number | null}
 */
function near(list, place) {
  for (let at = place; at >= 0 && at > place - 100; at -= 1) {
    const figure = list[at];
    if (isFigure(figure)) return figure;
  }
  return null;
}

/**
 * Returns one button per emphasised curve that hides and shows it, and one for all others.
 *
 * @param {Styled[]} series
 * @param {import("./plot.js").Drawing["change"]} change
 */
function legend(series, change) {
  const places = series.map((curve, place) => ({ curve, place }));
  const others = places.filter(({ curve }) => curve.role === "other");
  const single = places.filter(({ curve }) => curve.role !== "other" || others.length === 1);
  single.sort((a, b) => byRole(a.curve, b.curve));
  const entries = single.map(({ curve, place }) => ({ curve, name: frame.cleaned(curve.name), hides: [place] }));
  const [grey] = others;
  if (grey && others.length > 1) {
    const hides = others.map(({ place }) => place);
    entries.push({ curve: grey.curve, name: `${others.length} others`, hides });
  }
  return h(
    "ul",
    { class: "chart-legend" },
    entries.map(({ curve, name, hides }) => entry(curve, name, hides, change)),
  );
}

/**
 * Orders curves for reading: candidates, baselines, others.
 *
 * @param {Curve} one
 * @param {Curve} two
 */
function byRole(one, two) {
  const rank = { candidate: 0, baseline: 1, other: 2 };
  return rank[one.role] - rank[two.role];
}

/**
 * @param {Styled} curve
 * @param {string} name
 * @param {number[]} places
 * @param {import("./plot.js").Drawing["change"]} change
 */
function entry(curve, name, places, change) {
  let show = true;
  const line = { d: "M0 6H26", class: `swatch-${curve.colour}`, "stroke-width": curve.width };
  const swatch = svg("path", { ...line, "stroke-dasharray": curve.dash.join(" ") || null });
  const button = h(
    "button",
    {
      type: "button",
      "aria-pressed": "true",
      onclick: () => {
        show = !show;
        const now = show;
        button.setAttribute("aria-pressed", String(now));
        change((plot) => places.forEach((place) => plot.setSeries(place + 1, { show: now })));
      },
    },
    svg("svg", { width: 26, height: 12, viewBox: "0 0 26 12", "aria-hidden": "true" }, swatch),
    h("bdi", null, name || "no name"),
  );
  return h("li", null, button);
}

/**
 * Returns the figures of at most 60 steps, evenly spaced, with the last one.
 *
 * @param {Curves} options
 * @param {Styled[]} series
 * @param {number[]} steps
 * @returns {frame.Table}
 */
function tableOf({ label, xLabel }, series, steps) {
  const filled = steps
    .map((_, place) => place)
    .filter((place) => series.some((curve) => isFigure(curve.values?.[place])));
  const every = Math.ceil(filled.length / MOST_ROWS) || 1;
  const last = filled.length - 1;
  const shown = filled.filter((_, position) => (last - position) % every === 0);
  const fewer = shown.length < steps.length;
  const some = fewer ? `; ${shown.length} of ${steps.length} ${frame.cleaned(xLabel)}s, evenly spaced` : "";
  const listed = [...series].sort(byRole);
  return {
    caption: `${frame.isolated(label)}${some}`,
    head: [frame.cleaned(xLabel), ...listed.map((curve) => frame.cleaned(curve.name))],
    rows: shown.map((place) => [
      String(steps[place]),
      ...listed.map((curve) => {
        const figure = curve.values?.[place];
        return isFigure(figure) ? significant(figure, 6) : frame.NO_FIGURE;
      }),
    ]),
  };
}
