from __future__ import annotations

import numpy as np
import pytest

from runner.probe import mnist, protocol
from runner.probe.kit import clock, digits, draws

SHAPES = [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 128), (128,), (128, 10), (10,)]


# --- controlled -------------------------------------------------------------------------------------------------------


def test_initial_weights_have_the_same_bits_everywhere():
    """Computed once, with NumPy 1.23 on Python 3.8 and NumPy 2.4 on 3.11."""
    weights = draws.initial_weights(SHAPES, seed=0)
    assert sum(weight.size for weight in weights) == 225034
    assert draws.digest(weights) == "4712b1ee966005775ac5e8b3eb8ffef465d6b432f33623dca3114de52e32060f"


def test_initial_weights_are_glorots_and_depend_on_the_seed():
    kernel, bias = draws.initial_weights([(3, 3, 32, 64), (64,)], seed=1)
    limit = (6 / (9 * (32 + 64))) ** 0.5
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 0.02 * limit
    assert not bias.any()
    assert not np.array_equal(kernel, draws.initial_weights([(3, 3, 32, 64)], seed=2)[0])


def test_batches_are_full_and_each_epoch_is_a_new_permutation():
    batches = draws.batch_order(samples=10, batch=3, epochs=2, seed=4)
    assert [len(batch) for batch in batches] == [3] * 6
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert len(set(first.tolist())) == len(set(second.tolist())) == 9
    assert first.tolist() != second.tolist()
    assert batches[0].tolist() == [6, 1, 2]  # the same everywhere: RandomState's streams are frozen
    assert batches[3].tolist() == [8, 0, 7]


def test_every_fresh_start_has_other_weights_and_the_next_batches():
    weights = [draws.initial_weights([(3, 4)], 5, start)[0] for start in range(draws.FRESH_STARTS + 1)]
    assert len({w.tobytes() for w in weights}) == draws.FRESH_STARTS + 1
    assert np.array_equal(weights[0], draws.initial_weights([(3, 4)], 5)[0])
    batches = [np.array([number]) for number in range(6)]
    assert [int(b[0]) for b in draws.fresh_batches(batches, 1)] == [0, 1, 2, 3]
    assert [int(b[0]) for b in draws.fresh_batches(batches, 2)] == [4, 5, 0, 1]


def test_a_digest_tells_bits_shapes_and_signs_apart():
    one = np.zeros((2, 3), "float32")
    assert draws.digest([one]) == draws.digest([one.copy()])
    assert len({draws.digest([a]) for a in (one, one.T, -one, one.astype("float64"))}) == 4


class Model:
    """Reports the mean loss since the last reset, as Keras's train_on_batch does."""

    def reset_metrics(self):
        self.seen = []

    def train_on_batch(self, x, _y, return_dict):
        assert return_dict
        self.seen = [*getattr(self, "seen", []), float(x.sum())]
        return {"loss": sum(self.seen) / len(self.seen)}


def test_the_loss_of_a_step_is_its_own():
    x, y = np.arange(6.0), np.zeros(6)
    losses, ends = mnist.steps(Model(), (x, y), [np.array([0, 1]), np.array([4, 5])])
    assert losses == [1.0, 9.0]
    assert ends == sorted(ends)


# --- free -------------------------------------------------------------------------------------------------------------


def test_warm_steps_are_those_within_an_epoch_but_the_last():
    class Keras:
        class callbacks:  # noqa: N801
            Callback = object

    steps = clock.step_clock(Keras)
    steps.epochs = [[10.0, 11.0, 13.0, 13.1], [20.0, 24.0, 24.1]]
    assert steps.warm_steps() == [1.0, 2.0, 4.0]
    steps.epochs = [[10.0]]
    assert steps.warm_steps() == []


@pytest.mark.parametrize(("values", "expected"), [([], None), ([3], 3), ([9, 1, 2], 2), ([4, 1, 2, 3], 2.5)])
def test_median(values, expected):
    assert clock.median(values) == expected


# --- data -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def request_for(raw_request):
    raw_request["cell"]["python"] = "3.11"
    return lambda path: protocol.Request(
        dict(raw_request, probe="mnist", data={"path": str(path), "name": "mnist", "sha256": ""} if path else None)
    )


@pytest.fixture
def arrays():
    random = np.random.RandomState(0)
    images = random.randint(0, 256, (12, 28, 28)).astype("uint8")
    labels = random.randint(0, 10, 12).astype("uint8")
    return {"x_train": images, "y_train": labels, "x_test": images[:5], "y_test": labels[:5]}


def test_digits_are_scaled_and_cut(tmp_path, request_for, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    (x, y), (x_test, y_test) = digits.load(request_for(tmp_path / "a.npz"), 7)
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((7, 28, 28, 1), "float32", (7,), "int32")
    assert (x_test.shape, y_test.shape) == ((5, 28, 28, 1), (5,))
    assert 0 <= x.min() < x.max() <= 1
    assert np.array_equal(x[3, :, :, 0], (arrays["x_train"][3] / 255).astype("float32"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda arrays: arrays.pop("y_test"), "y_test"),
        (lambda arrays: arrays.update(x_train=arrays["x_train"][:, :27]), "x_train and y_train have shapes"),
        (lambda arrays: arrays.update(y_test=arrays["y_test"][:2]), "x_test and y_test have shapes"),
        (lambda arrays: arrays.update(x_train=arrays["x_train"][:0], y_train=arrays["y_train"][:0]), "have shapes"),
        (lambda arrays: arrays.update(x_train=np.array([{}])), "cannot read the data set"),
    ],
)
def test_data_that_is_not_digits_is_bad_output(tmp_path, request_for, arrays, spoil, words):
    spoil(arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(protocol.BadOutputError, match=words):
        digits.load(request_for(tmp_path / "a.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not an archive at all"])
def test_a_damaged_file_is_bad_output(tmp_path, request_for, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(protocol.BadOutputError, match="cannot read the data set"):
        digits.load(request_for(tmp_path / "a.npz"))


def test_a_file_cut_in_half_is_bad_output(tmp_path, request_for, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(protocol.BadOutputError, match="cannot read the data set"):
        digits.load(request_for(tmp_path / "a.npz"))


@pytest.mark.parametrize("wanted", [0, -1, 13])
def test_more_samples_than_there_are_is_bad_output(tmp_path, request_for, arrays, wanted):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(protocol.BadOutputError, match="train_samples is"):
        digits.load(request_for(tmp_path / "a.npz"), wanted)


def test_no_data_is_bad_output(request_for, tmp_path):
    with pytest.raises(protocol.BadOutputError, match="the request has none"):
        digits.load(request_for(None))
    with pytest.raises(protocol.BadOutputError, match="cannot read"):
        digits.load(request_for(tmp_path / "nowhere.npz"))
