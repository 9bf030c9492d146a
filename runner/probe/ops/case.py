"""Describes a case: an expression on inputs, and its truth.

The expression can be run as written. Its result is compared with the truth.
"""

from __future__ import annotations

import re

PUBLIC = re.compile(
    r"\b(?:ops|layers|activations|losses|metrics|optimizers|initializers|constraints|regularizers|random|utils"
    r"|schedules|backend)(?:\.\w+)+"
)

EXACT = re.compile(
    r"ops\.(nextafter|sign|floor|ceil|trunc|round|copysign|negative|abs|absolute|maximum|minimum|max|min|amax|amin|sort|relu"
    r"|relu6|isclose|where|fmax|fmin|clip|flip|roll|transpose|reshape|take|repeat|tile|pad|concatenate|stack|tril|triu)\("
    r"[\w, .()=-]*\)$"
)
"""Functions that return some of their arguments, or whole numbers: any other value is wrong, be it by one rounding.

Only where their arguments are inputs as they are, or numbers.
"""
ROUNDED = re.compile(r"ops\.round\([^,]+,")
"""A float type cannot hold tenths exactly."""


class Case:
    """One expression to try, with its inputs and options.

    ``expr`` is Python text over the names of ``namespace.framework``; ``inputs`` maps each further name to text
    over ``prelude``. ``ref`` is text of the same kind over NumPy and ``reference``, run with float64 inputs, or None
    where only agreement among cells can tell. ``ident`` holds all of it, so a script can be made from it alone.
    """

    __slots__ = (
        "dtype",
        "dynamic",
        "eager",
        "exact",
        "expr",
        "family",
        "ident",
        "inputs",
        "op",
        "pointwise",
        "ref",
        "slack",
        "symbolic",
        "tol",
        "unspecified",
        "wrt",
    )

    def __init__(self, expr, inputs, ref, **options):
        self.expr = expr
        self.inputs = inputs
        self.ref = ref
        self.wrt = options.pop("wrt", ())
        self.slack = options.pop("slack", None)
        self.pointwise = options.pop("pointwise", False)
        self.tol = options.pop("tol", 64.0)
        self.eager = options.pop("eager", False)
        self.dynamic = options.pop("dynamic", "")
        self.symbolic = options.pop("symbolic", True)
        self.dtype = options.pop("dtype", "")
        self.exact = options.pop("exact", bool(EXACT.match(expr)) and not ROUNDED.match(expr))
        self.unspecified = options.pop("unspecified", "")
        self.family = options.pop("family", "")
        self.op = options.pop("op", "") or operation(expr)
        if options:
            raise TypeError("unknown options of a case: %s" % ", ".join(sorted(options)))
        parts = [expr]
        if inputs:
            parts.append("; ".join("%s=%s" % item for item in inputs.items()))
        if self.dtype:
            parts.append(self.dtype)
        self.ident = " | ".join(parts)


def operation(expr):
    """Returns the public name that an expression is about.

    It is the first one, an array function only where there is nothing else.

    >>> operation("ops.max(apply(layers.Dense(3), ops.exp(x)))")
    'layers.Dense'
    """
    found = PUBLIC.findall(expr)
    chosen = [name for name in found if not name.startswith(("ops.", "backend."))] or found
    return chosen[0] if chosen else expr.split("(")[0]


class Sweep:
    """Collects cases; the grids call ``add``."""

    def __init__(self, resolve):
        """Takes ``resolve(expr)``, which returns an expression's NumPy reference, or None."""
        self.cases = {}
        self._resolve = resolve

    def add(self, text, inputs=None, **options):
        """Adds one case per line of ``text``.

        A line is an expression, or ``expression ==> reference``; ``==> ?`` says that there is no reference. Without
        an arrow the reference is the expression with NumPy's functions of the same names. ``dtypes`` repeats each
        case with the floating inputs in those types ("" is float32).
        """
        dtypes = options.pop("dtypes", ("",))
        for line in filter(None, map(str.strip, text.splitlines())):
            expr, arrow, ref = (part.strip() for part in line.partition("==>"))
            ref = None if ref == "?" else (ref if arrow else self._resolve(expr))
            used = {k: v for k, v in (inputs or {}).items() if re.search(r"\b%s\b" % k, expr)}
            chosen = dict(options)
            wrt = chosen.pop("wrt", ())
            for dtype in dtypes:
                case = Case(expr, used, ref, dtype=dtype, wrt=tuple(n for n in wrt if n in used), **chosen)
                self.cases.setdefault(case.ident, case)  # grids overlap
