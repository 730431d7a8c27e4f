"""Is something abnormal in these lines? Judged by what each of them states.

Lines that differ in numbers only are judged once. What a healthy run says too is no alarm, and the
frames of a stack trace are part of the exception above them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence.causes import told_by
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.columns import Columns
from logwright.reasoning.evidence.quoting import quoted, whole
from logwright.reasoning.evidence.statements import ENOUGH, Claim, Stated, hints, stated
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.strategies import strategy_of
from logwright.reasoning.task import Task

__all__ = ["STEPS", "answer"]

STEPS: dict[str, tuple[str, str]] = {
    "little": ("anomaly-conceptual", "little"),
    "values": ("anomaly-conceptual", "values"),
    "gaps": ("anomaly-conceptual", "gaps"),
    "alert": ("anomaly-conceptual", "stated"),
    "state": ("anomaly-procedural", "dumps"),
    "recovered": ("anomaly-procedural", "recovered"),
    "crash": ("anomaly-procedural", "crashes"),
    "hardware": ("anomaly-procedural", "hardware"),
    "link": ("anomaly-services", "faults"),
    "storage": ("anomaly-procedural", "hardware"),
    "chatter": ("anomaly-services", "setup"),
    "person": ("anomaly-services", "people"),
    "complaint": ("anomaly-services", "tolerated"),
    "failure": ("anomaly-services", "failed"),
}
"""The strategy and the step of it that each kind of claim belongs to."""

_MOST_STEPS = 5
_MOST_CITED = 10
_MOST_FORMS = 400
"""Forms of lines that are judged: one with more alarms has more than enough."""
_LEAST = 3
_LONG, _SURE_OF_LONG = 100, 0.75
_MIX, _MIX_MORE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_ZERO = ord("0")
_WORD = np.zeros(256, np.bool_)
_WORD[[*b"0123456789abcdefghijklmnopqrstuvwxyz._"]] = True
_FRAME = re.compile(r"\s+at [\w.$<>/]+\(|\s*\.\.\. \d+ (?:more|common)|\s+File \"")
_MESSAGE = re.compile(
    "message|msg|log|event|error|err|exception|reason|detail|status|level|severity"
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A distinct statement: where it stands first, what it claims, how often, and where."""

    number: int
    told: Stated
    form: int = 0
    many: int = 1
    numbers: tuple[int, ...] = ()


def answer(material: Material, options: Options) -> Answer:
    """Abnormal where a line states an alert that nothing softens; the most telling lines first.

    >>> told = answer(Material.of_lines(["2 errors corrected", "kernel panic"]), Options())
    >>> told.verdict, told.citations[0].line, told.text
    ('abnormal', 2, "Line 2 states the end of a program or of the kernel: 'kernel panic'.")
    """
    clues = Clues.of(material, options.healthy)
    judged = [found for found in _hinted(clues) if found.told.claims or found.told.softened]
    alarms = [found for found in judged if found.told.abnormal]
    excused: _Judged | None = None
    if alarms and options.healthy:
        known = {form for run in clues.lift.runs for form in _forms(run)[0].tolist()}
        excused = next((found for found in alarms if found.form in known), None)
        alarms = [found for found in alarms if found.form not in known]
    alarms.sort(key=lambda found: (-found.told.force, found.number))
    if alarms:
        return _abnormal(material, alarms)
    if clues.lift.runs:
        started = told_by(clues, fast=True)
        if started.enough and started.confidence >= ENOUGH:
            return _parting(started)
    return _normal(material, judged, excused)


def _parting(started: Answer) -> Answer:
    """No line states an alert by itself, but what no healthy run has names a cause."""
    first = started.citations[0]
    text = f"Line {first.line} speaks for a cause that healthy runs have not: {started.verdict}."
    return Answer(
        task=Task.ANOMALY,
        verdict="abnormal",
        text=text,
        steps=(Step(text=text, citations=(first,)),),
        citations=started.citations,
        confidence=started.confidence,
        strategy=STEPS["failure"][0],
    )


def _hinted(clues: Clues) -> list[_Judged]:
    """What may state an alert, in order: the first line of each form, at most 400 of them, those
    with the gravest words first. Lines of a form have a shape and words of alarm in common."""
    forms, force = _forms(clues.columns)
    force[list(clues.bidden)] = 0
    rows = np.flatnonzero(force)
    _, first, of, count = np.unique(
        forms[rows], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -force[rows[first]]))[:_MOST_FORMS]
    by_form = np.argsort(of, kind="stable")
    begins = np.cumsum(count) - count
    found = []
    for form in sorted(order.tolist(), key=first.__getitem__):
        row = int(rows[first[form]])
        line = clues.columns.material.lines[row]
        if _FRAME.match(line):
            continue
        same = rows[by_form[begins[form] :][: min(count[form], _MOST_CITED)]] + 1
        told = stated(_message(line))
        found.append(
            _Judged(row + 1, told, int(forms[row]), int(count[form]), tuple(same.tolist()))
        )
    return found


def _forms(columns: Columns) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """A number for the form of each line, and the force of the gravest alarm it may state."""
    text = np.frombuffer(columns.lowered, np.uint8)
    which, at, force = hints(columns.lowered)
    line = np.searchsorted(columns.start, at, "right") - 1
    forms = columns.shape.astype(np.uint64) * _MIX
    np.add.at(forms, line, (which.astype(np.uint64) + np.uint64(2)) * _MIX_MORE)
    # A nought denies what stands beside it: "errors: 0" is of another form than "errors: 5".
    zero = np.flatnonzero(text == _ZERO)
    alone = ~(_WORD[text[zero - 1]] & (zero > 0)) & ~_WORD[text[zero + 1]]  # a newline ends it
    forms[np.searchsorted(columns.start, zero[alone], "right") - 1] ^= np.uint64(1)
    most = np.zeros(len(columns))
    np.maximum.at(most, line, force)
    return forms, most


def _abnormal(material: Material, alarms: list[_Judged]) -> Answer:
    first = alarms[0]
    claim = first.told.claims[0]
    steps = [_step(material, alarm.number, alarm.told.claims[0]) for alarm in alarms[:_MOST_STEPS]]
    steps += [_step(material, first.number, claim) for claim in first.told.softened[:1]]
    cited = [_cited(material, alarm.number, alarm.told.claims[0]) for alarm in alarms]
    cited += [whole(material, number) for number in first.numbers[1:]]
    lines = sum(alarm.many for alarm in alarms)
    more = f" {lines:,} lines state alerts." if lines > 1 else ""
    quote = whole(material, first.number).quote
    return Answer(
        task=Task.ANOMALY,
        verdict="abnormal",
        text=f"Line {first.number} states {claim.what}: '{quote}'.{more}",
        steps=tuple(steps),
        citations=tuple(cited[:_MOST_CITED]),
        confidence=_sure(material, first.told.force),
        strategy=STEPS[claim.kind][0],
    )


def _sure(material: Material, force: float) -> float:
    """How likely it is that who looks into it finds something. Of a long log less: some line in it
    states an alert on most days."""
    sure = 0.5 + 0.45 * (force - ENOUGH) / (1 - ENOUGH)
    return round(sure if len(material) < _LONG else min(sure, _SURE_OF_LONG), 2)


def _normal(material: Material, judged: list[_Judged], excused: _Judged | None) -> Answer:
    """Nothing states an alert. What came nearest to one is told, with what speaks against it."""
    if not judged:
        lines = {n: line for n, line in enumerate(material.lines, 1) if line.strip()}
        first = next((n for n, line in lines.items() if not _FRAME.match(line)), min(lines))
        judged = [_Judged(first, stated(_message(lines[first])))]
    nearest = max(judged, key=lambda j: (j is excused, bool(j.told.claims), j.told.force))
    telling = [j for j in judged if j.told.claims][:_MOST_STEPS]
    steps = []
    for found in telling:
        steps.append(_step(material, found.number, found.told.claims[0]))
        steps += [_step(material, found.number, claim) for claim in found.told.softened]
    if excused is not None:
        text = "What reads like an alert stands in healthy runs too."
        steps.append(Step(text=text, citations=(whole(material, excused.number),)))
    elif nearest.told.claims:
        why = nearest.told.softened[0].what if nearest.told.softened else "that alone is no alert"
        text = f"Line {nearest.number} speaks of {nearest.told.claims[0].what}, but {why}."
    elif nearest.told.softened:
        text = f"No line states an alert: {nearest.told.softened[0].what}."
        steps = [_step(material, nearest.number, nearest.told.softened[0])]
    else:
        text = "No line states an alert."
    if not steps:
        steps = [Step(text=text, citations=(whole(material, nearest.number),))]
    decisive = nearest.told.softened or nearest.told.claims
    kind = decisive[0].kind if decisive else "alert"
    doubt = nearest.told.force if excused is None else ENOUGH
    return Answer(
        task=Task.ANOMALY,
        verdict="normal",
        text=text,
        steps=tuple(steps),
        citations=(whole(material, nearest.number),),
        confidence=round(0.95 - 0.8 * doubt, 2),
        strategy=STEPS[kind][0],
    )


def _step(material: Material, number: int, claim: Claim) -> Step:
    strategy, step = STEPS[claim.kind]
    name = strategy_of(strategy).step(step).id.replace("-", " ").capitalize()
    cited = _cited(material, number, claim)
    told = f"speaks of {claim.what}" if claim.alarm else f"tells that {claim.what}"
    return Step(text=f"{name}: line {number} {told}: '{cited.quote}'.", citations=(cited,))


def _cited(material: Material, number: int, claim: Claim) -> Citation:
    """The words that claim it. Those of a JSON record may be written otherwise there: then all."""
    line, message = material.text(number), _message(material.text(number))
    if message == line:
        return quoted(material, number, claim.begin, claim.end)
    words = message[claim.begin : claim.end].strip()
    if len(words) < _LEAST or words not in line:
        return whole(material, number)
    return Citation(line=number, quote=words)


def _message(line: str) -> str:
    """What a JSON record says, as text; any other line as it is."""
    if not line.lstrip().startswith("{"):
        return line
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict):
        return line
    said = [
        str(value)
        for key, value in record.items()
        if isinstance(value, str) and _MESSAGE.search(key.lower())
    ]
    return " ".join(said) or line
