"""DistributedDataParallel of PyTorch in two processes: what one process gives."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, Lacking, close, equal, given, need, numbers, true

DEADLINE_S = 240

WORKER = """
import json, os, sys
os.environ["KERAS_BACKEND"] = "torch"
import numpy as np, torch, keras
rank, meeting, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.distributed.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=2)
x = np.random.RandomState(0).standard_normal((16, 4)).astype("float32")
y = np.random.RandomState(1).standard_normal((16, 2)).astype("float32")
with keras.device("cpu"):
    layers = [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    for place, variable in enumerate(model.weights):
        values = np.random.RandomState(100 + place + 50 * rank).uniform(0.1, 0.6, tuple(variable.shape))
        variable.assign(values.astype("float32"))
    wrapped = torch.nn.parallel.DistributedDataParallel(model)
    weights = model.trainable_variables
    if kind == "torch":
        optimizer = torch.optim.SGD(wrapped.parameters(), 0.1)
    else:
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(weights)
    mine = slice(8 * rank, 8 * rank + 8)
    for _ in range(2):
        out = wrapped(torch.tensor(x[mine]))
        loss = torch.mean((out - torch.tensor(y[mine])) ** 2)
        if kind == "torch":
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        else:
            model.zero_grad()
            loss.backward()
            with torch.no_grad():
                optimizer.apply([v.value.grad for v in weights], weights)
    found = [keras.ops.convert_to_numpy(v).tolist() for v in model.weights]
with open("weights-%d.json" % rank, "w") as file:
    json.dump(found, file)
torch.distributed.destroy_process_group()
"""


def _together(kind):
    """Returns the weights that each of two processes ends with."""
    import json
    import os
    import subprocess
    import sys

    torch = need("torch")
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        raise Lacking("gloo")
    with open("worker.py", "w") as file:
        file.write(WORKER)
    place = os.path.abspath("meeting")
    environment = dict(os.environ, GLOO_SOCKET_IFNAME="lo", CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1")
    children = [
        subprocess.Popen(
            [sys.executable, "worker.py", str(rank), place, kind],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    texts = []
    try:
        for child in children:
            texts += [child.communicate(timeout=DEADLINE_S)[1].decode(errors="replace").strip()]
    finally:
        for child in children:
            child.kill()
            child.wait()
    for child, text in zip(children, texts):
        if child.returncode:
            raise Broken("a process ended with %s" % (text.splitlines() or ["no word"])[-1])
    found = []
    for rank in range(2):
        with open("weights-%d.json" % rank) as file:
            found.append([np.array(value) for value in json.load(file)])
    return found


def _model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)])
    return given(model)


@each(optimizer=["torch", "keras"])
def two_processes_train_as_one(optimizer):
    """DistributedDataParallel with an optimizer of {optimizer} trains as one process"""
    first, second = _together(optimizer)
    model = _model()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(numbers(16, 4), numbers(16, 2, seed=1), batch_size=16, epochs=2, shuffle=False, verbose=0)
    close(second, first, "the second process's weights", 1e-6)
    close(first, model.get_weights(), "the weights")


def data_parallel_gives_the_same():
    """A model in torch's DataParallel gives what it gives alone"""
    torch = need("torch")
    model = _model()
    data = torch.tensor(numbers(8, 4))
    close(torch.nn.DataParallel(model)(data), model(data), "the output")


def wrapped_parameters_are_the_variables():
    """The parameters that torch sees of a model are its trainable variables"""
    need("torch")
    model = _model()
    seen = {id(parameter) for parameter in model.parameters()}
    equal(seen, {id(v.value) for v in model.weights}, "the parameters")
    true(all(parameter.requires_grad for parameter in model.parameters()), "all of them train")


def state_of_a_model_is_complete():
    """state_dict of a model has every weight, and load_state_dict brings it back"""
    need("torch")
    model, other = _model(), given(_model(), seed=7)
    equal(len(model.state_dict()), len(model.weights), "entries")
    other.load_state_dict(dict(zip(other.state_dict(), model.state_dict().values())))
    close(other.get_weights(), model.get_weights(), "the weights")
