"""How much a figure differs between seeds: recorded runs, the size of the test set, and the cells of the run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from runner.judge import seed_noise, series
from runner.judge.seed_noise import PRIORS, Noise, Scale, binomial
from runner.model import Better, Cell, Kind, Metric, Sample, Status

ACCURACY, LOSS = "free.test_accuracy", "free.test_loss"


def noise(
    *cells: Sequence[float], name: str = ACCURACY, probe: str = "mnist", tests: int | None = 2000
) -> Noise | None:
    """The noise of a run with so many cells, each with the figures of successive seeds."""
    better = Better.LOWER if name == LOSS else Better.HIGHER
    samples = [
        Sample(
            Cell("torch", f"2.{number}", None, "3.11", "cpu"), "", probe, {"test_samples": tests}, seed, seed,
            "host", Status.OK, "", (Metric(name, value, Kind.SEEDED, better),),
        )
        for number, values in enumerate(cells)
        for seed, value in enumerate(values)
    ]  # fmt: skip
    (found,) = seed_noise.pooled(series.grouped(samples)).values() or (None,)
    return found


def known(found: Noise | None) -> Noise:
    assert found is not None
    return found


def test_the_binomial_spread_of_an_accuracy() -> None:
    assert binomial(0.965, 2000) == pytest.approx(math.sqrt(0.965 * 0.035 / 2000))
    assert binomial(1.0, 2000) == pytest.approx(1 / 2000, rel=0.01)  # none wrong of 2,000 is not certainty


def test_without_other_cells_the_recorded_runs_count() -> None:
    prior = PRIORS["mnist", ACCURACY]
    found = known(noise([0.97], [0.965]))
    assert (found.ratio, found.df) == (1.0, prior.df)
    assert found.spread(0.97) == pytest.approx(prior.factor * binomial(0.97, 2000))
    loss = known(noise([0.11], [0.12], name=LOSS))
    assert loss.spread(0.11) == pytest.approx(PRIORS["mnist", LOSS].factor * math.sqrt(0.11 / 2000))


def test_a_larger_test_set_than_the_recorded_one_does_not_lower_the_noise() -> None:
    found = known(noise([0.9901], [0.9893], tests=10_000))
    assert found.spread(0.99) == pytest.approx(PRIORS["mnist", ACCURACY].factor * binomial(0.99, 2000))


@pytest.mark.parametrize(
    ("values", "size"), [((0.9871, 0.9932), 10_000), ((0.9875, 0.9935), 2000), ((0.97, 0.98), 100), ((0.98765, 0.9), 0)]
)
def test_where_the_settings_do_not_say_the_figures_say_how_large_the_test_set_is(
    values: tuple[float, float], size: int
) -> None:
    found = noise(*([value] for value in values), tests=None)
    assert (found.scale.tests if found else 0) == size


def test_figures_that_do_not_fit_the_settings_have_no_prior() -> None:
    assert noise([0.97], [0.96512], tests=2000) is None


def test_a_bad_cell_neither_hides_itself_nor_raises_the_noise_of_others() -> None:
    healthy = known(noise([0.99], [0.9935], [0.991], [0.9895]))
    with_one = known(noise([0.99], [0.9935], [0.991], [0.88]))
    assert with_one.spread(0.99) < 1.3 * healthy.spread(0.99)


def test_cells_that_lie_apart_raise_the_variance_by_a_few_times_at_most() -> None:
    wide = known(noise([0.99], [0.90], [0.70], [0.30]))
    alone = known(noise([0.99], [0.985]))
    assert alone.spread(0.99) < wide.spread(0.99) < 2 * alone.spread(0.99)


def test_equal_figures_count_once() -> None:
    twins = noise([0.5], [0.5], [0.5], [0.5], [0.6], [0.61], [0.62], name="acc", probe="own", tests=None)
    assert known(twins).df == 2
    assert noise([0.5], [0.5], [0.5], [0.5], [0.6], name="acc", probe="own", tests=None) is None


def test_without_a_prior_four_cells_are_the_fewest() -> None:
    assert noise([0.5], [0.6], [0.7], probe="own", tests=None) is None
    assert known(noise([0.5], [0.6], [0.7], [0.8], probe="own", tests=None)).df == 2


def test_several_seeds_show_their_own_spread() -> None:
    cells = [[0.900, 0.902, 0.901, 0.899, 0.898], [0.95, 0.952, 0.951, 0.949, 0.948], [0.8, 0.802, 0.801, 0.799, 0.798]]
    found = known(noise(*cells, name="acc", probe="own", tests=None))
    assert found.df == 2  # half of the twelve for the median, a third of those for other cells than the compared two
    assert found.spread(0.9) == pytest.approx(0.00158, rel=0.15)
    wild = known(noise(*cells[:2], [0.8, 0.9, 0.7, 0.95, 0.6], name="acc", probe="own", tests=None))
    assert wild.spread(0.9) == pytest.approx(found.spread(0.9))


def test_many_seeds_outweigh_the_recorded_runs() -> None:
    quiet = [[level + d / 2000 for d in (-1, 0, 1) * 30] for level in (0.5, 0.51, 0.52, 0.53)]
    found = known(noise(*quiet, name="free.test_accuracy"))
    assert found.df > PRIORS["mnist", ACCURACY].df
    assert math.sqrt(found.ratio) < 0.8
    assert found.spread(0.5) == pytest.approx(binomial(0.5, 2000))  # the test set bounds it from below


def test_values_that_are_not_finite_are_left_out() -> None:
    found = known(noise([0.97], [math.nan], [0.965]))
    assert found.ratio == 1.0


def test_a_plain_figure_has_one_spread_at_every_level() -> None:
    assert Scale().at(3.0) == Scale().at(-100.0) == 1.0
    assert Scale(loss=True).at(2.0) == 2 * Scale(loss=True).at(1.0)
