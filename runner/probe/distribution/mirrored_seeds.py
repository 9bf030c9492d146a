"""Seeds and datasets under MirroredStrategy."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, need
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
    if method == "fit":
        history = model.fit(data, epochs=1, steps_per_epoch=2, verbose=0).history
        equal(sorted(history), ["loss", "mae"], "the history's names")
    elif method == "evaluate":
        found = model.evaluate(data, steps=2, verbose=0, return_dict=True)
        close(found["mae"], _model().evaluate(X, Y, batch_size=16, verbose=0, return_dict=True)["mae"], "mae")
    else:
        found = model.predict(data, steps=2, verbose=0)
        equal(found.shape[1:], (2,), "the shape of an output")
