"""The objects of keras.distribution."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, equal, need, refuses, true, warned


def _devices():
    """Returns four devices. Raises Lacking where there are fewer."""
    import os

    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    need("keras.distribution.list_devices")
    devices = keras.distribution.list_devices("cpu")
    if len(devices) < 4:
        raise Lacking("four devices")
    return devices[:4]


def _mesh(shape=(2, 2), names=("batch", "model")):
    return keras.distribution.DeviceMesh(shape, list(names), _devices())


def devices_are_listed():
    """list_devices names every device of the kind, as kind and number"""
    _devices()
    equal(keras.distribution.list_devices("cpu")[:4], ["cpu:0", "cpu:1", "cpu:2", "cpu:3"])
    equal(keras.distribution.list_devices()[:4], ["cpu:0", "cpu:1", "cpu:2", "cpu:3"], "without an argument")


def devices_are_counted():
    """get_device_count counts what list_devices lists"""
    _devices()
    need("keras.distribution.get_device_count")
    equal(keras.distribution.get_device_count("cpu"), len(keras.distribution.list_devices("cpu")))


def mesh_has_its_parts():
    """DeviceMesh has the shape, names and devices that it was made with"""
    mesh = _mesh()
    equal(tuple(mesh.shape), (2, 2), "shape")
    equal(list(mesh.axis_names), ["batch", "model"], "names")
    equal(tuple(mesh.devices.shape), (2, 2), "the shape of the devices")
    equal(mesh.devices.ravel().tolist(), _devices(), "the devices")


WRONG = ["(2, 2), ['a']", "(2, 3), ['a', 'b']", "(), []", "(4,), ['a', 'b']", "None, ['a']"]


@each(wrong=WRONG)
def mesh_refuses(wrong):
    """DeviceMesh({wrong}) of four devices is refused"""
    shape, names = eval("(%s)" % wrong)  # noqa: S307 - written above
    devices = _devices()
    refuses(lambda: keras.distribution.DeviceMesh(shape, names, devices), wrong)


def mesh_takes_all_devices_by_default():
    """DeviceMesh without devices takes all"""
    _devices()
    count = len(keras.distribution.list_devices())
    equal(
        keras.distribution.DeviceMesh((count,), ["batch"]).devices.ravel().tolist(), keras.distribution.list_devices()
    )


def layout_has_its_parts():
    """TensorLayout has the axes and the mesh that it was made with"""
    mesh = _mesh()
    layout = keras.distribution.TensorLayout(("batch", None), mesh)
    equal(tuple(layout.axes), ("batch", None), "axes")
    true(layout.device_mesh is mesh, "the mesh is the same")


def layout_refuses_other_names():
    """TensorLayout refuses an axis that the mesh does not have"""
    mesh = _mesh()
    refuses(lambda: keras.distribution.TensorLayout(("unheard", None), mesh), "an unknown axis")


def layout_takes_a_mesh_later():
    """TensorLayout takes a mesh once, and refuses a second"""
    mesh, layout = _mesh(), keras.distribution.TensorLayout(("batch", None))
    layout.device_mesh = mesh
    true(layout.device_mesh is mesh, "the mesh is set")
    refuses(lambda: setattr(layout, "device_mesh", mesh), "a second mesh")


def _map():
    layouts = keras.distribution.LayoutMap(_mesh())
    layouts["dense.*kernel"] = keras.distribution.TensorLayout([None, "model"])
    layouts["dense.*bias"] = ("model",)
    return layouts


def layout_map_finds_by_pattern():
    """LayoutMap finds a layout by its key, by pattern, and nothing for other paths"""
    layouts = _map()
    equal(list(layouts["dense.*kernel"].axes), [None, "model"], "by key")
    equal(list(layouts["dense_3/kernel"].axes), [None, "model"], "by pattern")
    equal(list(layouts["dense/bias"].axes), ["model"], "a layout given as a tuple")
    equal(layouts["conv2d/kernel"], None, "another path")


def layout_map_gives_its_mesh():
    """LayoutMap fills its mesh into layouts without one"""
    layouts = _map()
    true(layouts["dense/kernel"].device_mesh is layouts.device_mesh, "the mesh is filled in")


def layout_map_is_a_mapping():
    """LayoutMap has a length, keys, and can forget"""
    layouts = _map()
    equal(len(layouts), 2, "its length")
    equal(list(layouts), ["dense.*kernel", "dense.*bias"], "its keys")
    del layouts["dense.*bias"]
    equal(layouts["dense/bias"], None, "a path whose pattern is deleted")


@each(case=["a key twice", "a text as layout", "two patterns of a path"])
def layout_map_refuses(case):
    """LayoutMap refuses {case}"""
    layouts = _map()
    if case == "a key twice":
        refuses(lambda: layouts.__setitem__("dense.*bias", ("model",)), case)
    elif case == "a text as layout":
        refuses(lambda: layouts.__setitem__("new", "model"), case)
    else:
        layouts["dense_1.*"] = ("model",)
        refuses(lambda: layouts["dense_1/kernel"], case)


@each(form=["mesh", "devices", "nothing"])
def data_parallel_is_made_of(form):
    """DataParallel is made of {form}"""
    devices = _devices()
    made = {
        "mesh": lambda: keras.distribution.DataParallel(_mesh((4,), ("data",))),
        "devices": lambda: keras.distribution.DataParallel(devices=devices),
        "nothing": keras.distribution.DataParallel,
    }[form]()
    equal(len(made.device_mesh.devices), 4, "devices")
    equal(len(made.device_mesh.axis_names), 1, "axes")


def data_parallel_warns_of_two_axes():
    """DataParallel with a mesh of two axes says that it uses the first"""
    mesh = _mesh()
    true(bool(warned(lambda: keras.distribution.DataParallel(mesh))), "a warning is given")


def data_parallel_lays_out():
    """DataParallel splits data along the batch and copies variables"""
    made = keras.distribution.DataParallel(_mesh((4,), ("data",)))
    equal(list(made.get_data_layout((8, 3)).axes), ["data", None], "data")
    variable = keras.Variable(np.zeros((3, 2)))
    equal(list(made.get_variable_layout(variable).axes), [None, None], "a variable")


@each(name=["batch", "model"])
def model_parallel_splits_data_along(name):
    """ModelParallel(batch_dim_name="{name}") splits data along it"""
    layouts = _map()
    need("keras.distribution.ModelParallel(layout_map)")
    made = keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name=name)
    equal(list(made.get_data_layout((8, 3)).axes), [name, None], "data")


def model_parallel_takes_the_first_axis():
    """ModelParallel splits data along the first axis of its mesh by default"""
    layouts = _map()
    need("keras.distribution.ModelParallel(layout_map)")
    equal(list(keras.distribution.ModelParallel(layout_map=layouts).get_data_layout((8, 3)).axes), ["batch", None])


def distributions_are_set_and_left():
    """set_distribution and scope set the distribution, and scope restores it"""
    made = keras.distribution.DataParallel(devices=_devices())
    equal(keras.distribution.distribution(), None, "before")
    with made.scope():
        true(keras.distribution.distribution() is made, "inside the scope")
    equal(keras.distribution.distribution(), None, "after the scope")
    keras.distribution.set_distribution(made)
    true(keras.distribution.distribution() is made, "after set_distribution")
    keras.distribution.set_distribution(None)
    equal(keras.distribution.distribution(), None, "after set_distribution(None)")


@each(axes=["'batch', None", "None, 'model'", "'batch', 'model'", "None, None"])
def tensors_are_distributed(axes):
    """distribute_tensor lays a tensor out as ({axes}), and changes no value"""
    need("keras.distribution.distribute_tensor")
    data = np.arange(16.0, dtype="float32").reshape(4, 4)
    split = eval("(%s)" % axes)  # noqa: S307 - written above
    layout = keras.distribution.TensorLayout(split, _mesh())
    found = keras.distribution.distribute_tensor(keras.ops.convert_to_tensor(data), layout)
    equal(array(found), data, "the values")
    shape = tuple(found.addressable_shards[0].data.shape)
    equal(shape, tuple(4 // (2 if name else 1) for name in split), "the shape of a part")


def single_process_datasets_are_left_alone():
    """distribute_dataset returns the very dataset where there is one process"""
    made = keras.distribution.DataParallel(devices=_devices())
    tf = need("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(np.zeros((8, 2), "float32")).batch(4)
    equal([tuple(batch.shape) for batch in made.distribute_dataset(dataset)], [(4, 2), (4, 2)], "the batches")


def auto_shard_is_kept():
    """DataParallel keeps auto_shard_dataset=False"""
    need("keras.distribution.DataParallel(auto_shard_dataset)")
    equal(keras.distribution.DataParallel(devices=_devices(), auto_shard_dataset=False).auto_shard_dataset, False)


@each(kind=["DataParallel", "DeviceMesh", "TensorLayout"])
def distribution_objects_have_texts(kind):
    """{kind} has a text that names it"""
    mesh = _mesh((4,), ("batch",))
    made = {
        "DataParallel": lambda: keras.distribution.DataParallel(mesh),
        "DeviceMesh": lambda: mesh,
        "TensorLayout": lambda: keras.distribution.TensorLayout(("batch",), mesh),
    }[kind]()
    true(kind in repr(made), "the name is in %r" % repr(made))
