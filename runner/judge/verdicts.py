"""Samples and pairs -> comparisons.

Statuses and exact figures at once; timings, and figures that depend on the seed, together at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any

from runner.judge import calibration, cpu_time, exact, expectations, kinds, seed_noise, series, trajectory
from runner.judge.expectations import Expectation
from runner.judge.paired import Paired, paired_rounds
from runner.judge.pairing import Pair
from runner.judge.seeded import Seeded, judge_together
from runner.judge.series import Group, Groups, Series
from runner.judge.settings import JudgeSettings
from runner.model import AXIS, Axis, Cell, Comparison, Evidence, Kind, Sample, Status, Verdict

STATUS = "status"
"""The metric name of the comparison that says whether a cell ran."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One pair and probe with all that was measured on either side."""

    pair: Pair
    probe: str
    baseline: Group
    candidate: Group
    packages: tuple[str, ...]
    """Those that moved between the two environments."""


def judge(
    samples: Sequence[Sample],
    pairs: Sequence[Pair],
    known: Sequence[Expectation] = (),
    settings: JudgeSettings | None = None,
) -> list[Comparison]:
    """Judge every pair, probe by probe.

    First whether it ran (metric ``status``), then each metric.

    A cell without a baseline gets one ``status`` comparison per probe as well, against nothing, so that none
    that measured nothing looks fine; a backward error that no rounding explains is ``broken`` even there.
    """
    settings = settings or JudgeSettings()
    groups = series.grouped(samples)
    found: list[Comparison] = []
    timings: list[tuple[int, Paired]] = []
    learned: list[tuple[int, Seeded]] = []
    noises = seed_noise.pooled(groups)
    for side in _sides(pairs, groups):
        found.append(_status(side, known))
        if _ok(side.baseline) and _ok(side.candidate):
            for comparison, material in _metrics(side, settings, noises):
                if isinstance(material, Paired):
                    timings.append((len(found), material))
                elif material is not None:
                    learned.append((len(found), material))
                found.append(comparison)
    rulings = judge_together([material for _, material in learned], settings)
    for (i, _), (verdict, reason, evidence) in zip(learned, rulings, strict=True):
        found[i] = replace(found[i], verdict=verdict, reason=reason, evidence=evidence)
    if timings:
        from runner.judge.timing import judge_timings

        for (i, _), judged in zip(timings, judge_timings([rounds for _, rounds in timings], settings), strict=True):
            found[i] = replace(found[i], verdict=judged.verdict, reason=judged.reason, evidence=judged.evidence)
        found = cpu_time.remarked(found)
    cells = {sample.cell.id: sample.cell for sample in samples}
    figures = [expectation for expectation in known if expectation.metric]
    found = [_excused(comparison, figures, cells) for comparison in found] if figures else found
    return found + list(_roots(pairs, groups, cells, known))


def _sides(pairs: Sequence[Pair], groups: Groups) -> Iterator[_Side]:
    probes: dict[str, list[str]] = {}
    for cell_id, probe in groups:
        probes.setdefault(cell_id, []).append(probe)
    everything = list(dict.fromkeys(probe for _, probe in groups))
    for pair in pairs:
        base, cand = pair.baseline.id, pair.candidate.id
        for probe in dict.fromkeys([*probes.get(base, []), *probes.get(cand, [])]) or everything:
            left, right = groups.get((base, probe), Group()), groups.get((cand, probe), Group())
            yield _Side(pair, probe, left, right, _packages(pair, left, right))


def _ok(group: Group) -> bool:
    return bool(group.samples) and group.bad is None


def _measured(group: Group) -> bool:
    """Whether the group has a result about its cell."""
    return any(sample.status.about_cell for sample in group.samples)


# --- status ----------------------------------------------------------------------------------------------------------


def _status(side: _Side, known: Sequence[Expectation]) -> Comparison:
    pair, baseline, candidate = side.pair, side.baseline, side.candidate
    known_as = _known_status(known, pair.candidate, side.probe, candidate)
    verdict, reason, gates, issue = known_as or (*_status_verdict(side), "")
    return Comparison(
        baseline=pair.baseline.id,
        candidate=pair.candidate.id,
        axis=pair.axis,
        probe=side.probe,
        metric=STATUS,
        verdict=verdict,
        reason=reason,
        evidence=Evidence(n=len(candidate.samples)),
        gates=gates,
        issue=issue,
        baseline_value=_shown_status(baseline),
        candidate_value=_shown_status(candidate),
        packages=side.packages,
    )


def _known_status(
    known: Sequence[Expectation], cell: Cell, probe: str, group: Group
) -> tuple[Verdict, str, bool, str] | None:
    """Verdict, reason, whether it gates and issue, by expectations.toml.

    None where the file does not list it.
    """
    expected = expectations.expected_status(known, cell, probe, group.bad)
    if expected is None:
        return None
    if expectations.as_expected(expected, group.bad):
        return Verdict.EXPECTED, _because(group.how_bad, expected), False, expected.why
    if _ok(group):
        reason = f"runs, although {expected.status} is expected: bring expectations.toml up to date"
        return Verdict.FIXED, reason, True, expected.why
    return None


def _status_verdict(side: _Side) -> tuple[Verdict, str, bool]:
    """Verdict, reason and whether it gates, before expectations are asked."""
    baseline, candidate = side.baseline, side.candidate
    if not _measured(candidate):
        return Verdict.NOT_COMPARABLE, f"candidate not measured: {_unmeasured(candidate)}", not candidate.samples
    if not _measured(baseline):
        why = f"baseline not measured: {_unmeasured(baseline)}"
        if candidate.bad is not None:
            why = f"{candidate.how_bad}; {why}"
        return Verdict.NO_BASELINE, why, False
    if candidate.bad is None:
        if baseline.bad is None:
            return Verdict.SAME, "both run", True
        return Verdict.FIXED, f"runs; baseline: {baseline.how_bad}", False
    if baseline.bad is None:
        if candidate.bad.status == Status.UNSUPPORTED and _differ(side.pair.axis).other_kind:
            return Verdict.NOT_COMPARABLE, candidate.how_bad, False
        return Verdict.BROKEN, candidate.how_bad, True
    if candidate.bad.status == baseline.bad.status:
        return Verdict.SAME, f"neither runs: {candidate.how_bad}", False
    return Verdict.NOT_COMPARABLE, f"neither runs: {baseline.how_bad} -> {candidate.how_bad}", False


def _unmeasured(group: Group) -> str:
    if group.bad and group.bad.status is Status.UNAVAILABLE:
        return group.bad.status.value  # many cells share the reason: it stands with the samples
    return group.how_bad if group.samples else "no result"


def _shown_status(group: Group) -> str | None:
    if not group.samples:
        return None
    return group.bad.status.value if group.bad else Status.OK.value


def _because(what: str, expectation: Expectation) -> str:
    return f"{what} ({expectation.why})"


def _packages(pair: Pair, baseline: Group, candidate: Group) -> tuple[str, ...]:
    own = {"keras"} if pair.axis == "keras" else {pair.baseline.framework, pair.candidate.framework}
    return series.moved(baseline.samples, candidate.samples, own)


def _roots(
    pairs: Sequence[Pair], groups: Groups, cells: dict[str, Cell], known: Sequence[Expectation]
) -> Iterator[Comparison]:
    """The comparisons of cells without a baseline."""
    candidates = {pair.candidate.id for pair in pairs}
    for (cell_id, probe), group in groups.items():
        if cell_id in candidates:
            continue
        why = "nothing to compare with" if group.bad is None else f"{group.how_bad}; nothing to compare with"
        known_as = _known_status(known, cells[cell_id], probe, group)
        verdict, reason, gates, issue = known_as or (Verdict.NO_BASELINE, why, False, "")
        value = _shown_status(group)
        yield Comparison(
            "", cell_id, "", probe, STATUS, verdict, reason, Evidence(n=len(group.samples)), gates, issue, None, value
        )
        for name, one in group.series.items():
            if one.metric.kind == Kind.ERROR and (wrong := _wrong(one)) is not None:
                comparison = Comparison("", cell_id, "", probe, name, Verdict.BROKEN, *wrong)
                yield _excused(comparison, known, cells)


def _wrong(one: Series) -> tuple[str, Evidence] | None:
    found = kinds.largest_error(one)
    if found is None or exact.classify(found[1], one.metric.terms) != exact.WRONG:
        return None
    reason = f"wrong against float64: {found[0]:.3g} u (K = {one.metric.terms or 1})"
    return reason, Evidence(n=len(one.points), effect=found[0], classification=exact.WRONG)


def _excused(comparison: Comparison, known: Sequence[Expectation], cells: dict[str, Cell]) -> Comparison:
    """Apply expectations of metrics.

    A listed regression is ``expected``, one that is gone is ``fixed``.
    """
    if comparison.metric == STATUS or comparison.candidate not in cells:
        return comparison
    cell = cells[comparison.candidate]
    expected = expectations.expected_metric(known, cell, comparison.probe, comparison.metric)
    if expected is None:
        return comparison
    if comparison.verdict in (Verdict.REGRESSED, Verdict.BROKEN):
        reason = _because(comparison.reason, expected)
        return replace(comparison, verdict=Verdict.EXPECTED, reason=reason, gates=False, issue=expected.why)
    if comparison.verdict in (Verdict.SAME, Verdict.IMPROVED):
        reason = f"{comparison.reason}; a regression is expected: bring expectations.toml up to date"
        return replace(comparison, verdict=Verdict.FIXED, reason=reason, gates=True, issue=expected.why)
    return comparison


# --- metrics ---------------------------------------------------------------------------------------------------------


def _metrics(
    side: _Side, settings: JudgeSettings, noises: seed_noise.Noises
) -> Iterator[tuple[Comparison, Paired | Seeded | None]]:
    """One comparison per metric.

    Of a timing and of a figure that depends on the seed, its material too, to be judged with all others.
    """
    differences = series.differing(side.baseline.fingerprint, side.candidate.fingerprint)
    forbidden = {kind: _blocked(side.pair.axis, kind, differences) for kind in Kind}
    gates = {kind: _gates(side.pair, kind) for kind in Kind}
    caveat = series.named(differences, CPU_KEYS)
    same_source = _same_source(side.pair)
    made = partial(
        Comparison, side.pair.baseline.id, side.pair.candidate.id, side.pair.axis, side.probe, packages=side.packages
    )
    apart = partial(made, verdict=Verdict.NOT_COMPARABLE)
    names = dict.fromkeys([*side.baseline.series, *side.candidate.series])
    for name in names:
        left, right = side.baseline.series.get(name), side.candidate.series.get(name)
        kind = next(one.metric.kind for one in (right, left) if one is not None)
        if kind == Kind.INFO:
            continue
        failed = _failed_case(side.baseline, name)
        if left is None or right is None:
            reason = f"the {'baseline' if left is None else 'candidate'} does not report it"
            explained = failed or (right is None and _failed_case(side.candidate, name))
            yield apart(name, reason=reason, gates=same_source and not explained), None
            continue
        values: dict[str, Any] = {"baseline_value": left.typical, "candidate_value": right.typical}
        if forbidden[kind] and not (kind == Kind.TIMING and left.busy and right.busy):
            yield apart(name, reason=f"differs in {forbidden[kind]}", gates=gates[kind], **values), None
        elif failed and right.typical != failed:
            yield _after_a_failure(apart(name, reason="", gates=gates[kind], **values), failed), None
        elif kind == Kind.TIMING:
            material = paired_rounds(left, right, _floor(side, name, settings))
            yield apart(name, reason="", gates=gates[kind], **values), material
        elif kind == Kind.SEEDED:
            known = noises.get(seed_noise.key(side.probe, name, side.candidate))
            before, after = seed_noise.by_seed(left), seed_noise.by_seed(right)
            by_chance = before == after and _trained_apart(side, name)
            values |= _means(before, after)
            yield (
                apart(name, reason="", gates=gates[kind], **values),
                Seeded(right.metric, before, after, known, by_chance),
            )
        else:
            verdict, reason, evidence = kinds.judge_figure(name, side.baseline, side.candidate)
            if caveat:
                reason = f"{reason} (on different processors: {caveat})"
            fails = gates[kind] and evidence.classification != exact.NONDETERMINISTIC
            if evidence.classification == trajectory.DRIFT:
                fails = fails and same_source
            yield made(name, verdict, reason, evidence, fails, **values), None


def _means(before: seed_noise.Values, after: seed_noise.Values) -> dict[str, Any]:
    """The means over the seeds that both cells have, which the verdict rests on.

    Nothing where a figure is not finite.
    """
    seeds = before.keys() & after.keys()
    one, other = (fmean(values[seed] for seed in seeds) if seeds else math.nan for values in (before, after))
    return {"baseline_value": one, "candidate_value": other} if math.isfinite(one) and math.isfinite(other) else {}


def _trained_apart(side: _Side, name: str) -> bool:
    """Whether another seed-dependent figure of the same mode differs.

    Two accuracies on 2,000 images are equal by chance in one of thirty cases; the losses are not.
    """
    mode = name.rpartition(".")[0]
    return any(
        seed_noise.by_seed(one) != seed_noise.by_seed(side.candidate.series[other])
        for other, one in side.baseline.series.items()
        if other.rpartition(".")[0] == mode and one.metric.kind == Kind.SEEDED and other in side.candidate.series
    )


_OUTCOME = ".outcome"
"""Ends the name of the metric that says ``ok`` or what became of a case; the names of its other figures begin alike."""


def _failed_case(group: Group, metric: str) -> str:
    """What became of the metric's case in a cell, where that is not ``ok``.

    Empty where it is, or has no case.
    """
    outcome = group.series.get(metric.rpartition(".")[0] + _OUTCOME)
    said = outcome.typical if outcome is not None else None
    return said if isinstance(said, str) and said != "ok" else ""


def _after_a_failure(made: Comparison, failed: str) -> Comparison:
    """A figure of a case that the baseline gets wrong.

    A change of it does not count as a regression, and a right figure is an improvement.
    """
    if made.metric.endswith(_OUTCOME) and made.candidate_value == "ok":
        return replace(made, verdict=Verdict.IMPROVED, reason=f"{failed} -> ok")
    return replace(made, reason=f"the result of the baseline's case: {failed}", gates=False)


def _floor(side: _Side, metric: str, settings: JudgeSettings) -> float:
    """The settings' floor, or the A/A noise of the noisier cell where that is larger."""
    if not settings.noise:
        return settings.floor
    cells = (side.pair.baseline.id, side.pair.candidate.id)
    return max(settings.floor, *(settings.noise.get(calibration.key(cell, side.probe, metric), 0.0) for cell in cells))


CPU_KEYS = frozenset({"cpu_flags", "cpu_model", "cpu"})
"""Fingerprint keys that decide which kernels run."""

DEVICE_KEYS = frozenset({"device", "driver"})


def _gates(pair: Pair, kind: Kind) -> bool:
    if kind == Kind.TIMING:
        return _same_source(pair) and _differ(pair.axis).same_speed
    return _same_source(pair) if kind == Kind.EXACT else True


_NOTHING = Axis("", "", "", "", 0, same_speed=True, same_figures=True)
"""Between two runs, or two cells that are just names: nothing is known to differ."""


def _differ(axis: str) -> Axis:
    return AXIS.get(axis, _NOTHING)


def _same_source(pair: Pair) -> bool:
    """Whether counts and names should be the same in both cells.

    They are where both are one framework written one way.
    """
    native = pair.axis == "keras" and None in (pair.baseline.keras, pair.candidate.keras)
    return _differ(pair.axis).same_figures and not native


def _blocked(axis: str, kind: Kind, differences: dict[str, str]) -> str:
    """Which differences of the fingerprints forbid the comparison, in words."""
    if kind == Kind.TIMING:
        allowed = DEVICE_KEYS if axis == "device" else frozenset()
        return series.named(differences, differences.keys() - allowed)
    return series.named(differences, series.WORKLOAD)
