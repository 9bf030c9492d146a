"""Makes the script of a training end with 1 where its figure is wrong.

The probe's script prints the figure, and then what was seen: ``array 1[0,3] is 0.1 instead of 0.2``.
"""

from __future__ import annotations

import ast
import re

_END = re.compile(r"\n(?P<indent> *)print\((?P<figure>.*)\)\nprint\((?P<note>['\"].*['\"])\)\n\Z")
_NOTE = re.compile(
    r"(?:the figure|array (?P<array>\d+))(?:\[(?P<place>[\d,]+)\])?"
    r" is (?P<got>\S+|not a number)(?: instead of (?P<wanted>\S+))?"
)


def decided(script: str) -> str:
    """The script with last lines that compare; unchanged where it cannot compare."""
    end = _END.search(script)
    if not end:
        return script
    note = _NOTE.fullmatch(str(ast.literal_eval(end["note"])))
    if not note:
        return script
    before = script[: end.start()]
    figure = end["figure"]
    if end["indent"]:  # the weights after every step of a loop: one array per weight, the steps first
        before = _collected(before)
        lines = [f"    found.append({figure})", "print(found[-1])"]
        array = f"np.stack([step[{note['array'] or 0}] for step in found])"
    else:
        lines = [f"found = {figure}", "print(found)"]
        array = f"np.asarray(found[{note['array']}])" if note["array"] else "np.asarray(found)"
    lines.append(f"value = float({array}{'[' + note['place'] + ']' if note['place'] else ''})")
    if note["got"] == "not" or note["wanted"] is None:
        lines += ["if np.isnan(value):", "    raise SystemExit('defect: not a number')"]
    else:
        try:
            margin = abs(float(note["got"]) - float(note["wanted"])) / 2
        except ValueError:
            return script
        lines += [
            f"print('found', value, 'expected', {note['wanted']})",
            f"if not abs(value - {note['wanted']}) < {margin:.3g}:",
            "    raise SystemExit('defect: not what was expected')",
        ]
    return "\n".join([before, *lines]) + "\n"


def _collected(before: str) -> str:
    """The script with an empty list before its last loop."""
    start = before.rindex("\nfor ")
    return f"{before[:start]}\nfound = []{before[start:]}"
