"""Finds the cases in the modules of an activity."""

from __future__ import annotations

import inspect
import itertools
import re


class Case:
    """One promise: ``function(**arguments)`` tries it.

    ``ident`` is that call as text, and the case's id. ``promise`` is the first line of the docstring, with the
    arguments' values filled in.
    """

    __slots__ = ("arguments", "function", "ident", "promise")

    def __init__(self, function, arguments):
        self.function = function
        self.arguments = arguments
        listed = ", ".join("%s=%r" % item for item in arguments.items())
        self.ident = "%s(%s)" % (function.__name__, listed)
        lines = (inspect.getdoc(function) or function.__name__).splitlines()
        self.promise = lines[0].rstrip(".")
        for name, value in arguments.items():
            self.promise = self.promise.replace("{%s}" % name, str(value))


def each(**choices):
    """Repeats a case for every combination of the listed values.

    Values are texts and numbers.

    The docstring's first line can name a value: ``{layer}``.
    """

    def repeated(function):
        function.choices = choices
        return function

    return repeated


def cases(modules, only=""):
    """Returns the cases of the modules in the order of their text.

    Those whose id matches the regular expression ``only``.
    """
    found = [case for module in modules for case in _of(module)]
    return [case for case in found if re.search(only, case.ident)]


def _of(module):
    functions = [
        thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    ]
    for function in sorted(functions, key=lambda thing: thing.__code__.co_firstlineno):
        choices = getattr(function, "choices", {})
        for values in itertools.product(*choices.values()):
            yield Case(function, dict(zip(choices, values)))
