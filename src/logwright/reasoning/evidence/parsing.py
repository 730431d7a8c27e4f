"""The template of each line, told from the line alone, with the reason for each part that varies.

The answer follows one of the strategies of the task; a step of it names the kind of value that was
found, cites where, and is one of the strategy's steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence.quoting import quoted, whole
from logwright.reasoning.evidence.rendering import rendered
from logwright.reasoning.evidence.varying import MOST, Kind, Varying, varying
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["answer"]

_MOST_CITED = 5
_MOST_NAMED = 3
_MOST_COUNTED = 1_000
"""Parts of a kind whose values are counted, the first ones."""
_NO_MORE = 0.95

_DIGIT = re.compile(r"\d")
_SAME = bytes.maketrans(b"123456789", b"000000000")


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a kind of value varies. `sure` is the share of parts of this kind that are masked the
    same way in the labelled templates looked at (HDFS, Hadoop, BGL, Linux)."""

    said: str
    several: str
    conceptual: str
    procedural: str
    sure: float


_REASONS: dict[Kind, _Reason] = {
    "number": _Reason("a number", "numbers", "digits", "numbers", 0.95),
    "counter": _Reason("the number of one of many", "numbers", "mixed", "counted", 0.85),
    "size": _Reason("a size", "sizes", "digits", "sizes", 0.97),
    "time": _Reason("a time", "times", "digits", "times", 0.9),
    "duration": _Reason("a duration", "durations", "digits", "times", 0.95),
    "hex": _Reason("a hexadecimal number", "hexadecimal numbers", "digits", "numbers", 0.95),
    "address": _Reason("an address", "addresses", "dotted", "addresses", 0.97),
    "port": _Reason("a port", "ports", "digits", "endpoints", 0.97),
    "host": _Reason("the name of a host", "names of hosts", "paths", "hosts", 0.9),
    "path": _Reason("a path", "paths", "paths", "", 0.9),
    "boolean": _Reason("the value of a switch", "values of switches", "booleans", "", 0.75),
    "identifier": _Reason("an identifier", "identifiers", "mixed", "identifiers", 0.85),
    "user": _Reason("the name of a user", "names of users", "", "users", 0.75),
    "account": _Reason("the number of an account", "numbers", "digits", "accounts", 0.7),
}


def answer(material: Material, options: Options) -> Answer:
    """The templates, a line each, in the rendering that is asked for.

    >>> told = answer(Material.of_lines(["took 35 ms"]), Options())
    >>> told.verdict, told.steps[0].text
    ('took <*> ms', "Times: '35' is a duration and varies.")
    """
    groups, of = _groups(material)
    templates = _templates(material, groups, of, options)
    seen = _seen(groups, of)
    strategy = _strategy(seen)
    steps = [_step(kind, found, material, strategy) for kind, found in seen.items()]
    first = next(number for number, line in enumerate(material.lines, 1) if line.strip())
    if not steps:
        steps = [Step(text=_CONSTANT, citations=(whole(material, first),))]
    distinct = dict.fromkeys(template for template in templates if template.strip())
    told = [
        whole(material, number)
        for number in _firsts(templates, _MOST_CITED)
        if material.text(number).strip()
    ]
    return Answer(
        task=Task.PARSE,
        verdict="\n".join(templates),
        text=_text(material, templates, len(distinct), seen),
        steps=tuple(steps),
        citations=tuple(told),
        confidence=_confidence(groups, of),
        strategy=strategy,
    )


def _groups(material: Material) -> tuple[list[list[Varying]], list[int]]:
    """What varies, once for all lines that differ in digits only, and which of these each line is
    of. A digit more and a hexadecimal number make another form; which digits they are does not."""
    lines = material.lines
    text = "\n".join(line[:MOST].replace("\n", " ") for line in lines)
    raw = text.encode("utf-8", "surrogatepass").replace(b"0x", b"\0x").replace(b"0X", b"\0X")
    number: dict[bytes, int] = {}
    of = [number.setdefault(form, len(number)) for form in raw.translate(_SAME).split(b"\n")]
    first = dict(zip(reversed(of), range(len(of) - 1, -1, -1), strict=True))
    return [varying(lines[first[group]]) for group in range(len(number))], of


def _templates(
    material: Material, groups: list[list[Varying]], of: list[int], options: Options
) -> list[str]:
    """Each line's template: written once for a group whose templates hold no digit."""
    written: dict[int, str] = {}
    templates = []
    for line, group in zip(material.lines, of, strict=True):
        template = written.get(group)
        if template is None:
            template = rendered(line, groups[group], options.rendering)
            if len(line) <= MOST and _DIGIT.search(template) is None:
                written[group] = template
        templates.append(template)
    return templates


def _seen(groups: list[list[Varying]], of: list[int]) -> dict[Kind, list[tuple[int, Varying]]]:
    """By kind the parts that vary, with the number of their line: of many the first ones."""
    seen: dict[Kind, list[tuple[int, Varying]]] = {}
    full: set[int] = set()
    for number, group in enumerate(of, 1):
        if group in full:
            continue
        for part in groups[group]:
            found = seen.setdefault(part.kind, [])
            if len(found) < _MOST_COUNTED:
                found.append((number, part))
        if all(len(seen[part.kind]) == _MOST_COUNTED for part in groups[group]):
            full.add(group)
    return seen


_CONSTANT = "No number, address, path, host or identifier: the program writes all of it."


def _strategy(seen: dict[Kind, list[tuple[int, Varying]]]) -> str:
    """The one that has a step for every kind that was found, the list of an operator first."""
    if all(_REASONS[kind].procedural for kind in seen):
        return "parse-procedural"
    return "parse-conceptual"


def _step(kind: Kind, found: list[tuple[int, Varying]], material: Material, strategy: str) -> Step:
    """What varies because it is of this kind, under the name of the strategy's step for it."""
    reason = _REASONS[kind]
    step = reason.procedural if strategy == "parse-procedural" else reason.conceptual
    values = list(
        dict.fromkeys(material.text(number)[part.begin : part.end] for number, part in found)
    )
    named = ", ".join(f"'{value:.60}'" for value in values[:_MOST_NAMED])
    if len(values) > _MOST_NAMED:
        least = "at least " * (len(found) == _MOST_COUNTED)
        named += f" and {least}{len(values) - _MOST_NAMED:,} more"
    vary = f"is {reason.said} and varies" if len(values) == 1 else f"are {reason.several} and vary"
    cited: dict[Citation, None] = {}
    for number, part in found[:_MOST_NAMED]:
        cited.setdefault(quoted(material, number, part.begin, part.end))
    return Step(text=f"{step.capitalize()}: {named} {vary}.", citations=tuple(cited))


def _text(
    material: Material,
    templates: list[str],
    distinct: int,
    seen: dict[Kind, list[tuple[int, Varying]]],
) -> str:
    many = sum(len(found) for found in seen.values())
    if len(material) == 1:
        if not many:
            return "All of the line is constant text."
        kinds = " and ".join(_REASONS[kind].said for kind in seen)
        some = "1 part varies" if many == 1 else f"{many} parts vary"
        return f"{some}: {kinds}." if len(seen) < 3 else f"{some}, of {len(seen)} kinds."
    return f"{len(material):,} lines of {distinct:,} template{'s'[: distinct != 1]}."


def _firsts(templates: list[str], most: int) -> list[int]:
    numbers: dict[str, int] = {}
    for number, template in enumerate(templates, 1):
        if template.strip():
            numbers.setdefault(template, number)
    return list(numbers.values())[:most]


def _confidence(groups: list[list[Varying]], of: list[int]) -> float:
    """How likely a template is right in full, on average: as likely as its most doubtful kind of
    value, and a little less, since a word that varies may look like text."""
    sure = [min((_REASONS[part.kind].sure for part in found), default=1.0) for found in groups]
    return round(_NO_MORE * sum(sure[group] for group in of) / len(of), 2)
