"""Trains a CNN and an LSTM that together answer questions about images.

The images have 50 x 50 and 224 x 224 pixels.
"""

from __future__ import annotations

from .networks import workload
from .protocol import BadOutputError, one_line

DEFAULTS = {"sizes": [50, 224], "epochs": 5, "batch": 32, "train_samples": 512, "test_samples": 128}

HEADLINES = ("*.test_accuracy", "*.step_s", "*.first_step_s", "peak_rss_bytes")
"""The figures that a run measures until they are decided; patterns over metric names."""

WORDS, LENGTH, ANSWERS = 40, 10, 11
"""Of the synthetic stand-in: different words, words per question, different answers (7 colours, 4 quarters)."""

COLOURS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))


def run(request, report):
    """Trains and scores one network per image size.

    Settings: ``sizes`` (pixels, one network each), ``epochs``, ``batch``, ``train_samples``, ``test_samples``. Metrics
    as in ``workload``, each beginning with ``s<size>.``.
    """
    settings = request.settings_with(DEFAULTS)
    if not settings["sizes"]:
        raise BadOutputError("vqa: no sizes")
    backend = workload.load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    count = settings["train_samples"] + settings["test_samples"]
    for size in settings["sizes"]:
        name, images, questions, answers = pairs(request, size, count)
        report.metric("s%d.data" % size, name, "exact")
        layers = network(max(WORDS, int(questions.max()) + 1), max(ANSWERS, int(answers.max()) + 1))
        shape = (images.shape[1:], questions.shape[1:])
        cut = settings["train_samples"]
        train = ((images[:cut], questions[:cut]), answers[:cut])
        test = ((images[cut:], questions[cut:]), answers[cut:])
        prefix, epochs, batch = "s%d." % size, settings["epochs"], settings["batch"]
        workload.measure(backend, request, report, prefix, layers, shape, train, test, "crossentropy", epochs, batch)
    workload.finish(report)


def network(words, answers):
    """Returns the layers (see ``networks``).

    Three convolutions in one branch, an embedding and an LSTM in the other, then two dense layers.
    """
    image = []
    for filters in (16, 32, 32):
        image += [("conv", filters, 3, "relu"), ("pool",)]
    image += [("flatten",), ("dense", 64, "relu")]
    question = [("embedding", words, 32), ("lstm", 64)]
    return [("branches", image, question), ("dense", 128, "relu"), ("dense", answers, None)]


def pairs(request, size, count):
    """Returns ``(name, images, questions, answers)`` of the question set.

    The shapes: (n, size, size, 3) float32 from 0 to 1, (n, words) and (n,) int32.

    The request's file where it is named ``daquar...``: an .npz with ``images`` (m, s, s, 3) of bytes, ``image_of``
    (n,), ``questions`` (n, words) and ``answers`` (n,); images of another size are resampled to the nearest pixel.
    """
    if request.data and str(request.data.get("name", "")).startswith("daquar"):
        return ("daquar", *_published(request.data["path"], size, count))
    return ("synthetic-vqa", *synthetic(size, count))


def _published(path, size, count):
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            images, image_of = file["images"], file["image_of"][:count]
            questions, answers = file["questions"][:count], file["answers"][:count]
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib or NumPy feel like
        raise BadOutputError("cannot read the image and question pairs: %s" % one_line(error)) from error
    if len(answers) < count:
        raise BadOutputError("the file has %d pairs, %d are asked for" % (len(answers), count))
    nearest = (np.arange(size) * images.shape[1]) // size
    chosen = images[image_of][:, nearest][:, :, nearest]
    return chosen.astype("float32") / np.float32(255), questions.astype("int32"), answers.astype("int32")


def synthetic(size, count):
    """Makes synthetic images and questions.

    An image is noisy, with a coloured square in one quarter. A question asks for the square's colour or quarter.
    """
    import numpy as np

    random = np.random.RandomState(1410)
    images = 0.3 * random.random_sample((count, size, size, 3)).astype("float32")
    questions = random.randint(2, WORDS, (count, LENGTH)).astype("int32")
    colour, quarter = random.randint(0, 7, count), random.randint(0, 4, count)
    kind = random.randint(0, 2, count)
    half, side = size // 2, size // 4
    for k in range(count):
        top, left = half * (quarter[k] // 2) + side // 2, half * (quarter[k] % 2) + side // 2
        images[k, top : top + side, left : left + side] = COLOURS[colour[k]]
    questions[:, 0] = kind
    answers = np.where(kind == 0, colour, 7 + quarter)
    return images, questions, answers.astype("int32")
