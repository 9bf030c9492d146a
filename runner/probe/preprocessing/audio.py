"""MelSpectrogram and STFTSpectrogram."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

SOUND = np.random.RandomState(5).standard_normal((2, 32, 1)).astype("float32")


def _frames(sound, length, step, padding="valid"):
    """Returns the frames of (batch, time)."""
    if padding == "same":
        count = -(-sound.shape[1] // step)
        total = max((count - 1) * step + length - sound.shape[1], 0)
        sound = np.pad(sound, ((0, 0), (total // 2, total - total // 2)))
    count = 1 + (sound.shape[1] - length) // step
    return np.stack([sound[:, k * step : k * step + length] for k in range(count)], 1)


def _made(**options):
    need("keras.layers.STFTSpectrogram")
    return keras.layers.STFTSpectrogram(
        **{"frame_length": 8, "frame_step": 4, "fft_length": 8, "scaling": None, "window": None, **options}
    )


@each(mode=["magnitude", "real", "imag", "stft", "angle", "psd", "log"])
def spectrogram_modes(mode):
    """STFTSpectrogram(mode={mode}) is NumPy's transform of the frames"""
    z = np.fft.rfft(_frames(SOUND[..., 0].astype("float64"), 8, 4))
    found = array(_made(mode=mode)(SOUND))
    both_sides = np.array([1, 2, 2, 2, 1])
    expected = {
        "magnitude": np.abs(z),
        "real": z.real,
        "imag": z.imag,
        "stft": np.concatenate([z.real, z.imag], -1),
        "angle": np.angle(z),
        "psd": np.abs(z) ** 2 * both_sides,
        "log": np.log(np.maximum(np.abs(z) ** 2, 1e-7)),
    }[mode]
    if mode == "angle":  # a whole turn does not count
        close(np.exp(1j * found).real, np.cos(expected), tolerance=1e-3)
    elif mode == "stft":
        equal(found.shape, expected.shape, "shape")
    elif mode == "log":
        true(np.isfinite(found).all() and found.shape == expected.shape, "the logarithms are finite")
    else:
        close(found, expected, tolerance=1e-4)


@each(window=["hann", "hamming"], periodic=[0, 1])
def spectrogram_windows(window, periodic):
    """STFTSpectrogram(window={window}, periodic={periodic}) weights the frames"""
    signal = need("scipy.signal")
    weights = signal.get_window(window, 8, fftbins=bool(periodic))
    z = np.fft.rfft(_frames(SOUND[..., 0].astype("float64"), 8, 4) * weights)
    close(_made(mode="magnitude", window=window, periodic=bool(periodic))(SOUND), np.abs(z), tolerance=1e-4)


@each(padding=["valid", "same"])
def spectrogram_padding(padding):
    """STFTSpectrogram(padding={padding}) has the shape that it promises"""
    layer = _made(mode="magnitude", padding=padding)
    found = array(layer(SOUND))
    equal(tuple(layer.compute_output_shape(SOUND.shape)), found.shape)
    equal(found.shape[1], 7 if padding == "valid" else 8, "frames")


@each(layout=["channels_last", "channels_first"], expand=[0, 1])
def spectrogram_layouts(layout, expand):
    """STFTSpectrogram({layout}, expand_dims={expand}) has the promised shape"""
    layer = _made(mode="magnitude", data_format=layout, expand_dims=bool(expand))
    sound = np.repeat(SOUND, 3, -1)
    sound = sound if layout == "channels_last" else sound.transpose(0, 2, 1)
    equal(tuple(layer.compute_output_shape(sound.shape)), array(layer(sound)).shape)


def spectrogram_of_several_channels():
    """STFTSpectrogram of two channels has the spectrum of each"""
    sound = np.concatenate([SOUND, 2 * SOUND], -1)
    one = array(_made(mode="magnitude")(SOUND))
    close(_made(mode="magnitude")(sound), np.concatenate([one, 2 * one], -1), tolerance=1e-4)


@each(option=["mode", "padding", "scaling", "frame_length", "window"])
def spectrogram_refuses(option):
    """STFTSpectrogram refuses a wrong {option}"""
    need("keras.layers.STFTSpectrogram")
    wrong = {"mode": "bad", "padding": "bad", "scaling": "bad", "frame_length": -1, "window": "bad"}[option]
    refuses(
        lambda: keras.layers.STFTSpectrogram(**{option: wrong})(SOUND),
        "%s=%r" % (option, wrong),
        (ValueError, TypeError),
    )


def spectrogram_from_its_config():
    """STFTSpectrogram made from its configuration has the same configuration"""
    layer = _made(mode="psd", padding="same", expand_dims=True)
    equal(type(layer).from_config(layer.get_config()).get_config(), layer.get_config())


def _mel(**options):
    need("keras.layers.MelSpectrogram")
    return keras.layers.MelSpectrogram(
        **{
            "fft_length": 16,
            "sequence_stride": 4,
            "num_mel_bins": 5,
            "sampling_rate": 100,
            "min_freq": 2.0,
            "max_freq": 45,
            **options,
        }
    )


@each(form=["batch", "single"])
def mel_shape_promised(form):
    """MelSpectrogram.compute_output_shape is the shape of the output of a {form}"""
    layer = _mel()
    value = np.repeat(SOUND[..., 0], 2, 1)[: 2 if form == "batch" else 1]
    value = value if form == "batch" else value[0]
    equal(tuple(layer.compute_output_shape(value.shape)), array(layer(value)).shape)


@each(
    option=[
        "power_to_db=False",
        "mag_exp=1.0",
        "top_db=20.0",
        "window='hamming'",
        "sequence_length=12",
        "min_power=1e-3",
        "ref_power=2.0",
    ]
)
def mel_options(option):
    """MelSpectrogram({option}) gives finite numbers"""
    name, _, value = option.partition("=")
    value = (
        {"False": False, "'hamming'": "hamming"}.get(value)
        if value in ("False", "'hamming'")
        else (int(value) if name == "sequence_length" else float(value))
    )
    found = array(_mel(**{name: value})(np.repeat(SOUND[..., 0], 2, 1)))
    true(np.isfinite(found).all(), "every number is finite")
    if name == "power_to_db":
        true((found >= 0).all(), "powers are not negative")
    if name == "top_db":
        true(found.max() - found.min() <= 20.001, "the range is at most 20 dB")


def mel_of_a_batch_is_that_of_each():
    """MelSpectrogram(power_to_db=False) of a batch is that of its rows"""
    layer, value = _mel(power_to_db=False), np.repeat(SOUND[..., 0], 2, 1)
    close(layer(value)[1], array(layer(value[1])), tolerance=1e-4)


def mel_scales_with_the_power():
    """MelSpectrogram of twice the sound has four times the power"""
    layer, value = _mel(power_to_db=False, mag_exp=2.0), np.repeat(SOUND[..., 0], 2, 1)
    close(layer(2 * value), 4 * array(layer(value)), tolerance=1e-4)


def mel_in_a_dataset():
    """MelSpectrogram gives the same numbers inside tf.data"""
    tf = need("tensorflow")
    made, value = _mel(power_to_db=False), np.repeat(SOUND[..., 0], 2, 1)
    found = next(iter(tf.data.Dataset.from_tensor_slices(value).batch(2).map(made).as_numpy_iterator()))
    close(found, array(made(value)), tolerance=1e-3)


def mel_from_its_config():
    """MelSpectrogram made from its configuration has the same configuration"""
    layer = _mel(top_db=30.0, window="hamming")
    equal(type(layer).from_config(layer.get_config()).get_config(), layer.get_config())


@each(layer=["MelSpectrogram", "STFTSpectrogram"])
def audio_layer_in_a_model(layer):
    """{layer} in a model gives what it gives alone"""
    made = _mel(power_to_db=False) if layer == "MelSpectrogram" else _made(mode="magnitude")
    value = np.repeat(SOUND[..., 0], 2, 1) if layer == "MelSpectrogram" else SOUND
    x = keras.Input(value.shape[1:])
    y = made(x)
    equal(tuple(y.shape)[1:], array(made(value)).shape[1:], "symbolic shape")
    close(keras.Model(x, y)(value), array(made(value)), tolerance=1e-3)
