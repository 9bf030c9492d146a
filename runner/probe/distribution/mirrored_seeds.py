"""Seeds and datasets under MirroredStrategy."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, close, equal, need
from .mirrored import X, Y, _devices, _model, _strategy  # noqa: F401 - a script needs _devices too


@each(seed=[0, 42, 1337])
def seeds_are_on_both_devices(seed):
    """A SeedGenerator({seed}) under MirroredStrategy has that seed on each device"""
    strategy = _strategy()
    with strategy.scope():
        generator = keras.random.SeedGenerator(seed)
        found = strategy.run(lambda: generator.state.value).values
    equal([[int(n) for n in np.asarray(state)] for state in found], [[seed, 0]] * 2, "the states")


@each(method=["fit", "evaluate", "predict"])
def datasets_from_a_function_are_taken(method):
    """{method}() takes what distribute_datasets_from_function gives"""
    tf = need("tensorflow")
    strategy = _strategy()

    def made(context):
        parts = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        return parts.shard(context.num_input_pipelines, context.input_pipeline_id)

    with strategy.scope():
        model = _model()
    data = strategy.distribute_datasets_from_function(made)
    try:
        found = {
            "fit": lambda: model.fit(data, epochs=1, steps_per_epoch=2, verbose=0).history,
            "evaluate": lambda: model.evaluate(data, steps=2, verbose=0, return_dict=True),
            "predict": lambda: model.predict(data, steps=2, verbose=0),
        }[method]()
    except ValueError as error:
        raise Broken("%s() does not take it: %s" % (method, error)) from error
    if method == "fit":
        equal(sorted(found), ["loss", "mae"], "the history's names")
    elif method == "evaluate":
        close(found["mae"], _model().evaluate(X, Y, batch_size=16, verbose=0, return_dict=True)["mae"], "mae")
    else:
        equal(found.shape[1:], (2,), "the shape of an output")
