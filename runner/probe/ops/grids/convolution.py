"""Generates cases of convolution and pooling, forward and gradient.

Sizes x kernel x stride x dilation x padding x layout x groups.
"""

from __future__ import annotations

import itertools


def add(add):
    """Adds the cases through ``add(text, inputs, **options)``."""
    _conv1d(add)
    _conv2d(add)
    _conv3d(add)
    _depthwise(add)
    _transpose(add)
    _pool(add)
    _adaptive(add)


def _call(name, names, **options):
    text = ", ".join(names + ["%s=%r" % item for item in options.items()])
    return "ops.%s(%s)" % (name, text)


def _conv1d(add):
    for size, kernel, stride, dilation in itertools.product((9, 10), (1, 2, 3, 4), (1, 2, 3), (1, 2)):
        if (stride > 1 and dilation > 1 and (size, kernel) != (9, 3)) or (kernel == 1 and dilation > 1):
            continue
        for padding in ("same", "valid"):
            call = _call("conv", ["x", "w"], strides=stride, padding=padding, dilation_rate=dilation)
            add(
                call,
                {"x": "normal(2, %d, 3)" % size, "w": "normal(%d, 3, 4)" % kernel},
                wrt="xw" if (size, kernel) in ((9, 3), (10, 2)) else (),
                dynamic="x" if kernel == 3 else "",
                family="convolution",
            )


def _conv2d(add):
    sizes = ((9, 9), (8, 7))
    kernels = ((1, 1), (2, 2), (3, 3), (3, 5), (4, 2), (2, 3))
    for i, (size, kernel, stride, padding) in enumerate(
        itertools.product(sizes, kernels, (1, 2, (2, 1), 3), ("same", "valid"))
    ):
        inputs = {"x": "normal(2, %d, %d, 2)" % size, "w": "normal(%d, %d, 2, 3)" % kernel}
        call = _call("conv", ["x", "w"], strides=stride, padding=padding)
        add(call, inputs, wrt="xw" if i % 5 == 0 else (), family="convolution")
    for kernel, dilation, padding in itertools.product(((3, 3), (2, 3), (4, 2)), (2, 3, (1, 2)), ("same", "valid")):
        inputs = {"x": "normal(2, 11, 10, 2)", "w": "normal(%d, %d, 2, 3)" % kernel}
        add(_call("conv", ["x", "w"], padding=padding, dilation_rate=dilation), inputs, wrt="xw", family="convolution")
    inputs = {
        "x": "normal(2, 9, 9, 4)",
        "w": "normal(3, 3, 4, 6)",
        "g": "normal(3, 3, 2, 6)",
        "f": "normal(2, 4, 9, 9)",
    }
    for padding, stride in itertools.product(("same", "valid"), (1, 2)):
        options = {"strides": stride, "padding": padding}
        add(_call("conv", ["x", "g"], **options), inputs, wrt="xg", family="convolution")
        add(_call("conv", ["f", "w"], data_format="channels_first", **options), inputs, wrt="fw", family="convolution")
        add(_call("conv", ["f", "g"], data_format="channels_first", **options), inputs, family="convolution")
    for padding in ("same", "valid"):
        add(_call("conv", ["x", "w"], strides=2, padding=padding, dilation_rate=2), inputs, family="convolution")
        add(_call("conv", ["x", "w"], padding=padding), inputs, dtypes=("float16", "bfloat16"), family="convolution")
    add(
        "ops.conv(x, w, padding='same')", {"x": "normal(1, 6, 5, 64)", "w": "normal(3, 3, 64, 8)"}, family="convolution"
    )


def _conv3d(add):
    inputs = {"x": "normal(1, 5, 6, 7, 2)", "f": "normal(1, 2, 5, 6, 7)"}
    for kernel, stride, padding in itertools.product(
        ((2, 3, 2), (3, 3, 3), (1, 2, 4)), (1, 2, (1, 2, 3)), ("same", "valid")
    ):
        more = {"w": "normal(%d, %d, %d, 2, 3)" % kernel, **inputs}
        wrt = "xw" if stride != 1 and kernel == (3, 3, 3) else ()
        add(_call("conv", ["x", "w"], strides=stride, padding=padding), more, wrt=wrt, family="convolution")
    more = {"w": "normal(3, 3, 3, 2, 3)", **inputs}
    add(_call("conv", ["x", "w"], padding="same", dilation_rate=2), more, family="convolution")
    add(_call("conv", ["f", "w"], padding="same", strides=2, data_format="channels_first"), more, family="convolution")


def _depthwise(add):
    for size, kernel, stride, padding in itertools.product(
        ((9, 9), (8, 7)), ((3, 3), (2, 2), (3, 2)), (1, 2, 3), ("same", "valid")
    ):
        inputs = {
            "x": "normal(2, %d, %d, 3)" % size,
            "w": "normal(%d, %d, 3, 2)" % kernel,
            "p": "normal(1, 1, 6, 4)",
            "f": "normal(2, 3, %d, %d)" % size,
        }
        options = {"strides": stride, "padding": padding}
        wrt = "xw" if size == (9, 9) and kernel == (3, 3) else ()
        add(_call("depthwise_conv", ["x", "w"], **options), inputs, wrt=wrt, family="convolution")
        add(_call("separable_conv", ["x", "w", "p"], **options), inputs, wrt=wrt, family="convolution")
        if size == (8, 7) and kernel == (3, 2):
            add(
                _call("depthwise_conv", ["f", "w"], data_format="channels_first", **options),
                inputs,
                family="convolution",
            )
            add(
                _call("separable_conv", ["f", "w", "p"], data_format="channels_first", **options),
                inputs,
                family="convolution",
            )
    inputs = {"x": "normal(2, 9, 8, 3)", "w": "normal(3, 3, 3, 2)", "p": "normal(1, 1, 6, 4)"}
    for dilation, padding in itertools.product((2, (1, 2)), ("same", "valid")):
        options = {"padding": padding, "dilation_rate": dilation}
        add(_call("depthwise_conv", ["x", "w"], **options), inputs, wrt="xw", family="convolution")
        add(_call("separable_conv", ["x", "w", "p"], **options), inputs, family="convolution")
    inputs = {"x": "normal(2, 9, 3)", "w": "normal(3, 3, 2)", "v": "normal(2, 3, 2)", "p": "normal(1, 6, 4)"}
    for kernel, stride, padding in itertools.product("wv", (1, 2), ("same", "valid")):
        options = {"strides": stride, "padding": padding}
        add(_call("depthwise_conv", ["x", kernel], **options), inputs, wrt="x", family="convolution")
        add(_call("separable_conv", ["x", kernel, "p"], **options), inputs, family="convolution")


def _transpose(add):
    for size, kernel, stride, padding in itertools.product((4, 5), (1, 2, 3, 4, 5), (1, 2, 3), ("same", "valid")):
        inputs = {"x": "normal(2, %d, 3)" % size, "w": "normal(%d, 4, 3)" % kernel}
        options = {"strides": stride, "padding": padding}
        add(
            _call("conv_transpose", ["x", "w"], **options),
            inputs,
            wrt="xw" if size == 5 and kernel in (2, 3) else (),
            family="transposed convolution",
        )
    for kernel, stride, padding in itertools.product(
        ((3, 3), (2, 2), (4, 3), (1, 5)), (1, 2, (2, 3)), ("same", "valid")
    ):
        inputs = {"x": "normal(2, 4, 5, 2)", "w": "normal(%d, %d, 3, 2)" % kernel}
        add(
            _call("conv_transpose", ["x", "w"], strides=stride, padding=padding),
            inputs,
            wrt="x",
            family="transposed convolution",
        )
    inputs = {
        "x": "normal(2, 4, 5, 2)",
        "w": "normal(3, 3, 3, 2)",
        "f": "normal(2, 2, 4, 5)",
        "v": "normal(4, 4, 3, 2)",
        "c": "normal(1, 3, 4, 3, 2)",
        "k": "normal(3, 2, 3, 2, 2)",
    }
    for kernel, padding in itertools.product("wv", ("same", "valid")):
        options = {"padding": padding, "strides": 2}
        add(
            _call("conv_transpose", ["x", kernel], output_padding=1, **options), inputs, family="transposed convolution"
        )
        add(
            _call("conv_transpose", ["x", kernel], output_padding=0, **options), inputs, family="transposed convolution"
        )
        add(
            _call("conv_transpose", ["f", kernel], data_format="channels_first", **options),
            inputs,
            family="transposed convolution",
        )
    for padding in ("same", "valid"):
        add(
            _call("conv_transpose", ["x", "w"], padding=padding, dilation_rate=2),
            inputs,
            family="transposed convolution",
        )
        for stride in (1, 2):
            add(
                _call("conv_transpose", ["c", "k"], padding=padding, strides=stride),
                inputs,
                family="transposed convolution",
            )


def _pool(add):
    for kind in ("max_pool", "average_pool"):
        for size, pool, stride, padding in itertools.product((8, 9), (1, 2, 3, 4), (None, 1, 2, 3), ("same", "valid")):
            if (size == 8 and stride in (None, 3)) or (padding == "valid" and pool == 1):
                continue
            add(
                _call(kind, ["x"], pool_size=pool, strides=stride, padding=padding),
                {"x": "normal(2, %d, 3, loc=-3)" % size},
                wrt="x" if size == 9 and stride in (1, 2) else (),
                family="pooling",
            )
        for size, pool, padding in itertools.product(
            ((9, 9), (8, 7)), (2, 3, (2, 3), (3, 1), (4, 3)), ("same", "valid")
        ):
            for stride in (None, 1, (2, 1)) if size == (9, 9) else (1, 2):
                add(
                    _call(kind, ["x"], pool_size=pool, strides=stride, padding=padding),
                    {"x": "normal(2, %d, %d, 2, loc=-3)" % size},
                    wrt="x" if pool == (2, 3) else (),
                    family="pooling",
                    dynamic="x" if stride == 1 else "",
                )
        inputs = {"x": "normal(1, 5, 6, 7, 2, loc=-3)", "f": "normal(2, 2, 8, 7, loc=-3)", "g": "normal(1, 2, 5, 6, 7)"}
        for pool, stride, padding in itertools.product((2, 3, (2, 3, 1)), (None, 1, 2), ("same", "valid")):
            add(_call(kind, ["x"], pool_size=pool, strides=stride, padding=padding), inputs, family="pooling")
        for pool, stride, padding in itertools.product((2, 3), (1, 2), ("same", "valid")):
            options = {"pool_size": pool, "strides": stride, "padding": padding, "data_format": "channels_first"}
            add(_call(kind, ["f"], **options), inputs, wrt="f", family="pooling")
            add(_call(kind, ["g"], **options), inputs, family="pooling")
        add(
            _call(kind, ["x"], pool_size=2, strides=1, padding="same"),
            {"x": "normal(2, 4, 5, 2)"},
            dtypes=("float16", "bfloat16"),
            family="pooling",
        )


def _adaptive(add):
    for kind, size in itertools.product(("adaptive_average_pool", "adaptive_max_pool"), (1, 2, 3, 5)):
        add(_call(kind, ["x"], output_size=size), {"x": "normal(2, 7, 3)"}, wrt="x", family="pooling")
        add(_call(kind, ["x"], output_size=(size, 2)), {"x": "normal(2, 7, 6, 2)"}, wrt="x", family="pooling")
        add(
            _call(kind, ["x"], output_size=size, data_format="channels_first"),
            {"x": "normal(2, 3, 7, 6)"},
            family="pooling",
        )
        add(_call(kind, ["x"], output_size=(size, 2, 3)), {"x": "normal(1, 7, 6, 5, 2)"}, family="pooling")
