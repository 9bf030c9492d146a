"""Writes a script of plain Keras that shows one case of the ``ops`` probe.

It ends with 1 where the defect is there.

Inputs are literal numbers, and layers, metrics and optimizers are used as a person uses them. Only where a case needs
more does the script carry functions of the probe's prelude, whose source the probe reports. The result is compared with
the numbers that the reference gave in the cell. Half the difference that was seen there is the bound of what is right.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from runner.defects import inputs, ops_script
from runner.defects.cases import Case
from runner.defects.ops_script import CaseId

SAMPLED = 8
"""Values of a result that a record keeps."""

UNDECIDED = "# the values above do not tell right from wrong"
"""The last line of a script that cannot decide by itself."""

_ALL_GIVEN = re.compile(r"layers\.(Dense|EinsumDense|Embedding|\w*Conv\w*)\(")
"""Layers of which a case gives all weights; of others the rest has values that the prelude makes."""


@dataclass(slots=True)
class _Written:
    """A case as statements and one expression."""

    expression: str
    setup: list[str] = field(default_factory=list)
    """Before everything else: layers, which a symbolic call needs too."""
    before: list[str] = field(default_factory=list)
    """Between the inputs and the call: weights, updates of a metric."""
    helpers: str = ""


def script(ident: str, framework: str, prelude: str, headline: str, record: Case | None = None) -> str:
    """The whole script. ``record``: what the cell gave, and what was expected."""
    case = ops_script.parse(ident)
    written = _written(case, prelude)
    text = "\n".join([written.expression, *written.setup, *written.before, written.helpers, *case.inputs.values()])
    lines = [f'"""{headline}"""', "", "import os", "", f'os.environ["KERAS_BACKEND"] = "{framework}"', ""]
    lines += ["import keras", "import numpy as np"]
    used = [name for name in ops_script.MODULES if re.search(rf"\b{name}\.", text) or name == "ops"]
    lines.append(f"from keras import {', '.join(used)}")
    if "schedules." in text:
        lines.append("from keras.optimizers import schedules")
    lines += ["", "", written.helpers, ""] if written.helpers else [""]
    lines += _BODIES.get(case.check, _values)(case, written, framework, record or Case("raises"))
    return "\n".join(lines) + "\n"


# --- the case as a person would write it ------------------------------------------------------------------------------


def _written(case: CaseId, prelude: str) -> _Written:
    """The case without the prelude's functions, as far as that goes."""
    plainly: _Written | None = None
    try:
        tree = ast.parse(case.expression, mode="eval").body
        writer = _Writer(case)
        plainly = _Written(ast.unparse(writer.visit(tree)), writer.setup, writer.before)
    except (SyntaxError, KeyError, ValueError, inputs.NotPlainError):
        plainly = None
    if plainly is None:
        plainly = _Written(case.expression)
    if plainly.expression == _unparsed(case.expression):
        plainly.expression = case.expression
    rest = "\n".join([plainly.expression, *plainly.setup, *plainly.before, *map(_input, case.inputs.values())])
    plainly.helpers = _helpers(prelude, rest)
    return plainly


def _unparsed(text: str) -> str:
    try:
        return ast.unparse(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return text


def _input(text: str) -> str:
    try:
        return inputs.written(text)
    except inputs.NotPlainError:
        return text


class _Writer(ast.NodeTransformer):
    """Replaces calls of the prelude's functions by what they do."""

    def __init__(self, case: CaseId) -> None:
        self.case = case
        self.setup: list[str] = []
        self.before: list[str] = []
        self._made = 0
        self._known: Mapping[str, Callable[[list[str], dict[str, str]], str]] = {
            "apply": self._apply,
            "clone_difference": self._clone_difference,
            "metric_of": self._metric_of,
            "steps_of": self._steps_of,
            "loss_of": self._loss_of,
            "dtype_of": self._dtype_of,
            "promised_dtype_of": self._promised_dtype_of,
            "missing_in_config": self._missing_in_config,
        }

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        write = self._known.get(name)
        if name in inputs.MADE:
            return ast.parse(inputs.written(ast.unparse(node)), mode="eval").body
        if write is None:
            return self.generic_visit(node)
        arguments = [self.visit(arg) for arg in node.args]
        options = {str(k.arg): self.visit(k.value) for k in node.keywords}
        text: str = write([ast.unparse(arg) for arg in arguments], {k: ast.unparse(v) for k, v in options.items()})
        return ast.parse(text, mode="eval").body

    def _name(self, kind: str) -> str:
        self._made += 1
        return kind if self._made == 1 else f"{kind}_{self._made}"

    def _apply(self, arguments: list[str], options: dict[str, str]) -> str:
        layer, given, weights = self._name("layer"), arguments[1:], options.pop("weights", "")
        call = [f"{name}={value}" for name, value in options.items()]
        self.setup.append(f"{layer} = {arguments[0]}")
        symbols = [self._symbol(text) for text in given]
        self.before.append(
            f"{layer}({', '.join([*symbols, *(self._symbol(text) for text in call)])})  # makes its weights"
        )
        if weights in ("", "None") or not _ALL_GIVEN.match(arguments[0]):
            self.before += [
                f"for i, variable in enumerate({layer}.weights):",
                "    values = np.random.RandomState(104829 + i).uniform(0.1, 0.6, variable.shape)",
                "    variable.assign(values.astype('float32'))",
            ]
        if weights not in ("", "None"):
            self.before += [
                f"for variable, value in zip({layer}.weights, {weights}):",
                "    variable.assign(ops.cast(value, variable.dtype))",
            ]
        return f"{layer}({', '.join([*given, *call])})"

    def _clone_difference(self, arguments: list[str], options: dict[str, str]) -> str:
        layer, call = arguments[0], [*arguments[1:], *(f"{name}={value}" for name, value in options.items())]
        symbols = ", ".join(self._symbol(text) for text in call)
        self.setup += [
            f"layer = {layer}",
            "other = type(layer).from_config(layer.get_config())",
            "if str(layer.get_config()) != str(other.get_config()):",
            "    raise SystemExit('defect: the configuration changes')",
        ]
        self.before += [
            "for one in (layer, other):",
            f"    one({symbols})  # makes its weights",
            "    for i, variable in enumerate(one.weights):",
            "        values = np.random.RandomState(104829 + i).uniform(0.1, 0.6, variable.shape)",
            "        variable.assign(values.astype('float32'))",
        ]
        given = ", ".join(call)
        return f"ops.max(ops.abs(ops.cast(layer({given}), 'float32') - ops.cast(other({given}), 'float32')))"

    def _symbol(self, text: str) -> str:
        """An argument of a call with its tensors replaced by symbols."""
        shapes = {name: _shape(self.case, name) for name in self.case.inputs}
        return re.sub(
            r"(?<![\w.'\"])[A-Za-z_]\w*(?![\w(=.'\"])",
            lambda found: shapes.get(found[0]) or found[0],
            text,
        )

    def _metric_of(self, arguments: list[str], _options: dict[str, str]) -> str:
        name = self._name("metric")
        self.setup.append(f"{name} = {arguments[0]}")
        for text in arguments[1:]:
            self.before.append(
                f"{name}.update_state{text if text.startswith('(') else f'(*{text})'}".replace(",)", ")")
            )
        return f"{name}.result()"

    def _steps_of(self, arguments: list[str], _options: dict[str, str]) -> str:
        optimizer, start, gradients = arguments
        self.setup.append(f"optimizer = {optimizer}")
        self.before += [
            f"variable = keras.Variable(ops.convert_to_numpy({start}))",
            f"for gradient in {gradients}:",
            "    optimizer.apply([gradient], [variable])",
        ]
        return "variable.value"

    def _loss_of(self, arguments: list[str], options: dict[str, str]) -> str:
        if options.pop("mask", "None") != "None" or len(arguments) > 4:
            raise ValueError  # the mask of a prediction is not set by hand
        loss, *given = arguments
        given += [f"sample_weight={value}" for value in options.values() if value != "None"]
        return f"{loss}({', '.join(given)})"

    def _dtype_of(self, arguments: list[str], _options: dict[str, str]) -> str:
        ones = ", ".join(f"ops.ones((2, 2), {dtype})" for dtype in arguments[1:])
        return f"keras.backend.standardize_dtype(({arguments[0]})({ones}).dtype).replace('64', '32')"

    def _promised_dtype_of(self, arguments: list[str], _options: dict[str, str]) -> str:
        symbols = ", ".join(f"keras.KerasTensor((2, 2), {dtype})" for dtype in arguments[1:])
        return f"keras.backend.standardize_dtype(({arguments[0]})({symbols}).dtype).replace('64', '32')"

    def _missing_in_config(self, arguments: list[str], options: dict[str, str]) -> str:
        call = ", ".join(f"{name}={value}" for name, value in options.items())
        self.setup.append(f"config = {arguments[0]}({call}).get_config()")
        return f"', '.join(sorted(name for name in {list(options)} if name not in config))"


def _shape(case: CaseId, name: str, *, unknown: bool = False) -> str:
    """A symbol for an input, perhaps with an unknown first axis."""
    try:
        found = inputs.value(case.inputs[name])
    except inputs.NotPlainError:
        shape = f"(None, *{name}.shape[1:])" if unknown else f"{name}.shape"
        return f"keras.KerasTensor({shape}, keras.backend.standardize_dtype({name}.dtype))"
    shape = str((None, *found.shape[1:]) if unknown else found.shape)
    dtype = case.dtype if found.dtype.kind == "f" and case.dtype else str(found.dtype)
    return f"keras.KerasTensor({shape}{'' if dtype == 'float32' else f', {dtype!r}'})"


@cache
def _functions(prelude: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(prelude).body if isinstance(node, ast.FunctionDef)}


def _helpers(prelude: str, text: str) -> str:
    """The source of the prelude's functions that ``text`` needs, in their order."""
    functions = _functions(prelude)
    wanted: set[str] = set()
    todo = re.findall(r"(?<![\w.])\w+(?=\()", text)
    while todo:
        name = todo.pop()
        if name in functions and name not in wanted:
            wanted.add(name)
            todo += [n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)]
    return "\n\n\n".join(ast.unparse(node) for name, node in functions.items() if name in wanted)


# --- the lines after the imports --------------------------------------------------------------------------------------


def _tensors(case: CaseId) -> list[str]:
    lines = []
    for name, text in case.inputs.items():
        lines.append(f"{name} = ops.convert_to_tensor({_input(text)})")
        if case.dtype and _floating(text) is not False:
            cast = f"{name} = ops.cast({name}, {case.dtype!r})"
            if _floating(text):
                lines.append(cast)
            else:
                lines += [f"if 'float' in keras.backend.standardize_dtype({name}.dtype):", f"    {cast}"]
    return lines


def _floating(text: str) -> bool | None:
    try:
        return bool(inputs.value(text).dtype.kind == "f")
    except inputs.NotPlainError:
        return None


def _symbols(case: CaseId) -> list[str]:
    """A symbol for every input."""
    return [_shape(case, name, unknown=case.check == "dynamic" and name == "x") for name in case.inputs]


def _to_numpy(record: Case) -> str:
    if "python[" in record.types:
        return "np.asarray(part)"
    return (
        "ops.convert_to_numpy(ops.cast(part, 'float32'))"
        if "bfloat16" in record.types
        else "ops.convert_to_numpy(part)"
    )


def _sampling(record: Case, size: int) -> list[str]:
    shapes = re.findall(r"\w+\[([\d,]*)\]", record.types)
    several = len(shapes) != 1
    to_numpy = _to_numpy(record)
    if several:
        lines = ["parts = found if isinstance(found, (list, tuple)) else [found]"]
        lines.append(f"values = np.concatenate([np.ravel({to_numpy}) for part in parts])")
    else:
        lines = [f"values = np.ravel({to_numpy.replace('part', 'found')})"]
    if "complex" in record.types:
        lines.append("values = np.concatenate([values.real, values.imag])")
    count = sum(math.prod(int(n) for n in shape.split(",") if n) for shape in shapes)
    if count > size or count > SAMPLED:
        lines.append(
            f"values = values[np.linspace(0, values.size - 1, {SAMPLED}).astype(int)]  # as many as are compared"
        )
    return lines


def _values(case: CaseId, written: _Written, _framework: str, record: Case) -> list[str]:
    lines = [*_tensors(case), *written.setup, *written.before]
    if record.status in ("raises", "crashes"):
        return [*lines, f"print({written.expression})"]
    lines.append(f"found = {written.expression}")
    if record.status == "shape" and (shape := re.match(r"expected (\[[\d,]*\])", record.note)):
        wanted = tuple(ast.literal_eval(shape[1]))
        return [
            *lines,
            "print(tuple(found.shape))",
            *_ending(f"tuple(found.shape) != {wanted}", f"expected the shape {wanted}"),
        ]
    if isinstance(found := _parsed(record.note), list) and found and isinstance(found[0], str) and not _numeric(found):
        return [*lines, "print(found)", *_ending(f"found != {found[0]!r}", f"expected {found[0] or 'nothing'}")]
    return [*lines, *_compared(record)]


def _compared(record: Case) -> list[str]:
    """Lines that compare ``found`` with what was expected."""
    wanted = _parsed(record.note)
    got: list[float | str] | None = list(record.sketch[1:]) if isinstance(record.sketch, list) else None
    place = None
    if wanted is not None and got is not None and len(got) != len(wanted):
        place, got = _part_of(record, got, wanted)
    if wanted is None or got is None:
        return ["print(found)", *([f"# {record.note}"] if record.note else []), UNDECIDED]
    margin = _margin(got, wanted)
    numbers = f"[{', '.join(map(_literal, wanted))}]"
    if place is None:
        lines = _sampling(record, len(wanted))
    else:
        lines = [f"values = np.ravel({_to_numpy(record).replace('part', f'found[{place}]')})"]
    lines += [f"expected = np.array({numbers})", "print('found   ', values)", "print('expected', expected)"]
    if margin is None:
        return [*lines, UNDECIDED]
    close = f"np.allclose(values, expected, rtol=0, atol={margin:.3g}, equal_nan=True)"
    return [*lines, *_ending(f"not {close}", "not what was expected")]


def tells(record: Case) -> bool:
    """Whether the values that a record keeps show what is wrong."""
    if record.status not in ("wrong", "inaccurate", "nan"):
        return True
    wanted, got = _parsed(record.note), record.sketch
    if wanted is None or not isinstance(got, list):
        return record.status == "nan"
    if len(got) - 1 != len(wanted):
        return _part_of(record, list(got[1:]), wanted)[1] is not None
    return not _numeric(wanted) or _margin(list(got[1:]), wanted) is not None


def _part_of(
    record: Case, got: list[float | str], wanted: list[float | str]
) -> tuple[int | None, list[float | str] | None]:
    """Of several short results the one that was compared: its place and its values."""
    sizes = [math.prod(int(n) for n in shape.split(",") if n) for shape in re.findall(r"\w+\[([\d,]*)\]", record.types)]
    if sum(sizes) != len(got):
        return None, None
    start = 0
    for place, size in enumerate(sizes):
        part = got[start : start + size]
        if size == len(wanted) and part != wanted:
            return place, part
        start += size
    return None, None


def _ending(condition: str, message: str) -> list[str]:
    return [f"if {condition}:", f"    raise SystemExit({'defect: ' + message!r})"]


def _parsed(note: str) -> list[float | str] | None:
    found = re.match(r"expected (\[.*?\])(?:, got .*)?$", note)
    if not found:
        return None
    try:
        value = ast.literal_eval(found[1])
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, list) else None


def _numeric(found: Sequence[float | str]) -> bool:
    return all(isinstance(one, int | float) or one in ("nan", "inf", "-inf") for one in found)


def _literal(number: float | str) -> str:
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(str(number), repr(number))


def _margin(got: Sequence[float | str], wanted: Sequence[float | str]) -> float | None:
    """Half the largest difference that was seen; None: the values kept do not show it."""
    if not _numeric(got) or not _numeric(wanted):
        return None
    pairs = [(float(a), float(b)) for a, b in zip(got, wanted, strict=True)]
    finite = [abs(a - b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    if any(str(a) != str(b) and not (math.isfinite(a) and math.isfinite(b)) for a, b in pairs):
        size = max((abs(b) for _, b in pairs if math.isfinite(b)), default=0.0)
        return max(max(finite, default=0.0), 1e-4 * size)
    return max(finite) / 2 if finite and max(finite) > 0 else None


def _function(case: CaseId) -> str:
    """A name for the function that a script defines, which no input has."""
    return next(name for name in ("f", "call", "function_") if name not in case.inputs)


def _promised(case: CaseId, written: _Written, _framework: str, record: Case) -> list[str]:
    names, f = ", ".join(case.inputs), _function(case)
    lines = [*_tensors(case), *written.setup, "", "", f"def {f}({names}):", f"    return {written.expression}", "", ""]
    lines += [f"promised = {f}({', '.join(_symbols(case))})"]
    if record.status == "raises":
        return [*lines, "print(promised)"]
    lines += [*written.before, f"actual = {f}({names})"]
    differ = (
        "len(a.shape) != len(b.shape) or any(n not in (None, m) for n, m in zip(a.shape, b.shape))"
        if record.status == "shape"
        else "keras.backend.standardize_dtype(a.dtype) != keras.backend.standardize_dtype(b.dtype)"
    )
    several = [len(re.findall(r"\w+\[", types)) for types in (record.types, record.note.partition("actual: ")[2])]
    if several[1] and min(several) == 1 < max(several):
        condition = "isinstance(promised, (list, tuple)) != isinstance(actual, (list, tuple))"
    elif several[0] == 1:
        lines.append("a, b = promised, actual")
        condition = differ
    else:
        lines.append("pairs = list(zip(promised, actual))")
        condition = f"any({differ} for a, b in pairs)"
    return [*lines, "print('promised', promised)", "print('actual', actual)",
            *_ending(condition, "the symbolic call promised something else")]  # fmt: skip


def _graph(case: CaseId, written: _Written, framework: str, record: Case) -> list[str]:
    names, f = ", ".join(case.inputs), _function(case)
    function = f"tf.function({f})" if framework == "tensorflow" else f"jax.jit({f})"
    lines = [f"import {'tensorflow as tf' if framework == 'tensorflow' else 'jax'}", *_tensors(case), *written.setup]
    lines += [*written.before, "", "", f"def {f}({names}):", f"    return {written.expression}", "", ""]
    if record.status == "raises":
        return [*lines, f"print({function}({names}))"]
    lines += [f"eager, graph = {f}({names}), {function}({names})", "print('eager', eager)", "print('graph', graph)"]
    what = "shape" if record.status == "shape" else "result"
    close = "np.allclose(eager, graph, rtol=1e-3, equal_nan=True)"
    shapes = "np.shape(eager) != np.shape(graph)"
    differ = f"{shapes} or not {close}" if what == "result" else shapes
    lines += _ending(differ, f"a graph gives another {what}")
    if framework == "tensorflow":  # the sweep leaves the first axis open
        specs = "tf.TensorSpec([None, *t.shape[1:]], t.dtype)"
        lines += [f"open_axis = [{specs} if t.shape.rank else tf.TensorSpec([], t.dtype) for t in ({names},)]"]
        lines += [f"graph = tf.function({f}, input_signature=open_axis)({names})", "print('of any batch', graph)"]
        lines += _ending(differ, f"a graph of any batch gives another {what}")
    return lines


def _arguments(case: CaseId, written: _Written, _framework: str, record: Case) -> list[str]:
    changed = re.search(r"the argument (\w+) is changed", record.note)
    name = changed[1] if changed and changed[1] in case.inputs else next(iter(case.inputs), "x")
    lines = [*_tensors(case), *written.setup, *written.before, f"before = np.array(ops.convert_to_numpy({name}))"]
    lines += [written.expression, f"after = ops.convert_to_numpy({name})", "print(before, after)"]
    return [
        *lines,
        *_ending("not np.array_equal(before, after, equal_nan=before.dtype.kind == 'f')", f"{name} was changed"),
    ]


def _gradient(case: CaseId, written: _Written, framework: str, record: Case) -> list[str]:
    names, f = ", ".join(case.inputs), _function(case)
    name = record.types if record.types in case.inputs else next(iter(case.inputs), "x")
    lines = [*_tensors(case), *written.setup, *written.before, "", "", f"def {f}({names}):"]
    lines += [f"    found = {written.expression}"]
    lines += ["    found = found if isinstance(found, (list, tuple)) else [found]", "    total = 0.0"]
    lines += ["    for i, part in enumerate(found):"]
    lines += ["        weights = np.random.RandomState(17 + i).uniform(0.5, 1.5, tuple(part.shape)).astype('float32')"]
    lines += ["        total = total + ops.sum(part * ops.cast(weights, part.dtype))", "    return total", "", ""]
    if framework == "torch":
        lines += [f"{name}.requires_grad_(True)", f"{f}({names}).backward()", f"gradient = {name}.grad"]
    elif framework == "tensorflow":
        lines = ["import tensorflow as tf", *lines, "with tf.GradientTape() as tape:", f"    tape.watch({name})"]
        lines += [f"    total = {f}({names})", f"gradient = tape.gradient(total, {name})"]
    else:
        place = list(case.inputs).index(name) if name in case.inputs else 0
        lines = ["import jax", *lines, f"gradient = jax.grad({f}, argnums={place})({names})"]
    lines += ["print(gradient)"]
    if record.status == "raises":
        return lines
    lines += [f"gradient = np.zeros({name}.shape) if gradient is None else ops.convert_to_numpy(gradient)"]
    if record.status == "nan":
        return [*lines, *_ending("not np.isfinite(gradient).all()", "the gradient is not finite")]
    told = re.match(r"(?:at element (\d+)|along a direction): expected (\S+), got (\S+)$", record.note)
    if not told:
        return [*lines, UNDECIDED]
    margin = abs(float(told[2]) - float(told[3])) / 2
    lines += [
        f"value = ops.convert_to_numpy({name}.detach())"
        if framework == "torch"
        else f"value = ops.convert_to_numpy({name})"
    ]
    lines += [
        "step = np.random.RandomState(3).choice([-1.0, 1.0], value.shape) * np.where(value == 0, 0.1, np.abs(value))"
    ]
    if told[1] is None:  # the second direction has another seed, and the record does not say which it was
        lines += [
            "other = np.abs(step) * np.random.RandomState(4).choice([-1.0, 1.0], value.shape)",
            "slopes = [float(np.sum(gradient * one)) for one in (step, other)]",
            "print('along two directions', slopes)",
            *_ending(
                f"min(abs(one - {told[3]}) for one in slopes) < {margin:.3g}", f"expected {told[2]} along a direction"
            ),
        ]
        return lines
    lines += [f"slope = float((gradient * step).ravel()[{told[1]}])", f"print('slope', slope, 'expected', {told[2]})"]
    return [*lines, *_ending(f"abs(slope - {told[2]}) > {margin:.3g}", f"expected {told[2]}")]


_BODIES: dict[str, Callable[[CaseId, _Written, str, Case], list[str]]] = {
    "symbolic": _promised,
    "dynamic": _promised,
    "graph": _graph,
    "jit": _graph,
    "gradient": _gradient,
    "arguments": _arguments,
}
