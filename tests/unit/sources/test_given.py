"""--wheel and --source as data."""

from __future__ import annotations

import pytest

from runner import sources
from runner.errors import UsageError


def test_both_options_name_a_package_and_a_place() -> None:
    wheel, checkout = sources.parse(["keras=dist/keras-3.16.0-py3-none-any.whl"], ["jax=../jax@main"])
    assert (wheel.package, wheel.target, wheel.is_wheel) == ("keras", "dist/keras-3.16.0-py3-none-any.whl", True)
    assert (checkout.package, checkout.target, checkout.is_wheel) == ("jax", "../jax@main", False)
    assert str(checkout) == "--source jax=../jax@main"


@pytest.mark.parametrize(
    ("name", "package"), [("tf", "tensorflow"), ("keras_nightly", "keras"), ("Keras.Hub", "keras-hub")]
)
def test_a_package_has_the_name_of_its_axis(name: str, package: str) -> None:
    (one,) = sources.parse([], [f"{name}=."])
    assert one.package == package


@pytest.mark.parametrize("text", ["keras", "keras=", "=../keras", "../keras", "-x=../keras", ""])
def test_what_is_not_a_source_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        sources.parse([], [text])
    assert str(caught.value) == f"--source {text!r}: it looks like --source keras=../keras"
    with pytest.raises(UsageError, match=r"it looks like --wheel keras=dist/keras-3\.16\.0-py3-none-any\.whl"):
        sources.parse([text], [])


@pytest.mark.parametrize(
    ("wheels", "checkouts"),
    [((), ("keras=a", "keras=b")), (("keras=a",), ("keras=b",)), (("keras=a", "keras-nightly=b"), ())],
)
def test_a_package_has_one_source(wheels: tuple[str, ...], checkouts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"keras has a source already \(--\w+ keras=a\); give one of them"):
        sources.parse(wheels, checkouts)
