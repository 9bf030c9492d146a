"""Notes when steps end, and derives the time of a step."""

import time


def step_clock(keras):
    """Returns a callback that notes when each step ended.

    Its ``epochs`` is a list per epoch of times, seconds.
    """

    class StepClock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.epochs = []

        def on_epoch_begin(self, epoch, logs=None):
            self.epochs.append([])

        def on_train_batch_end(self, batch, logs=None):
            self.epochs[-1].append(time.perf_counter())

        def warm_steps(self):
            """Returns the seconds between the ends of steps of one epoch.

            The last step of each epoch is left out: it has a smaller batch.
            """
            return [pause for ends in self.epochs for pause in pauses(ends[:-1])]

    return StepClock()


def pauses(ends):
    """Returns the seconds between the ends of consecutive steps."""
    return [ends[i + 1] - ends[i] for i in range(len(ends) - 1)]


def median(values):
    """Returns the median, or None for an empty list."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
