"""Is something abnormal in these lines? Judged by what each of them states.

Lines that differ in numbers only are judged once. What a healthy run says too is no alarm, and the
frames of a stack trace are part of the exception above them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence.quoting import quoted, whole
from logwright.reasoning.evidence.statements import ENOUGH, Claim, Stated, stated
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
_LEAST = 3
_DIGITS = re.compile(r"0x[0-9a-fA-F]+|\d+")
_FRAME = re.compile(r"\s+at [\w.$<>/]+\(|\s*\.\.\. \d+ (?:more|common)|\s+File \"")
_MESSAGE = re.compile(
    "message|msg|log|event|error|err|exception|reason|detail|status|level|severity"
)


@dataclass(slots=True)
class _Judged:
    """A distinct statement: where it stands first, how often, and what it claims."""

    number: int
    told: Stated
    many: int = 1
    numbers: list[int] = field(default_factory=list)


def answer(material: Material, options: Options) -> Answer:
    """Abnormal where a line states an alert that nothing softens; the most telling lines first.

    >>> told = answer(Material.of_lines(["2 errors corrected", "kernel panic"]), Options())
    >>> told.verdict, told.citations[0].line, told.text
    ('abnormal', 2, "Line 2 states the end of a program or of the kernel: 'kernel panic'.")
    """
    known = {_shape(line) for run in options.healthy for line in run.lines}
    judged: dict[str, _Judged] = {}
    excused: _Judged | None = None
    for number, line in enumerate(material.lines, 1):
        if not line.strip() or _FRAME.match(line):
            continue
        shape = _shape(line)
        found = judged.get(shape)
        if found is None:
            found = judged[shape] = _Judged(number, stated(_message(line)))
            if found.told.abnormal and shape in known:
                excused = excused or found
        else:
            found.many += 1
        if len(found.numbers) < _MOST_CITED:
            found.numbers.append(number)
    alarms = sorted(
        (j for shape, j in judged.items() if j.told.abnormal and shape not in known),
        key=lambda j: (-j.told.force, j.number),
    )
    if alarms:
        return _abnormal(material, alarms)
    return _normal(material, list(judged.values()), excused)


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
        confidence=round(0.5 + 0.45 * (first.told.force - ENOUGH) / (1 - ENOUGH), 2),
        strategy=STEPS[claim.kind][0],
    )


def _normal(material: Material, judged: list[_Judged], excused: _Judged | None) -> Answer:
    """Nothing states an alert. What came nearest to one is told, with what speaks against it."""
    if not judged:
        first = next(n for n, line in enumerate(material.lines, 1) if line.strip())
        judged = [_Judged(first, stated(""))]
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


def _shape(line: str) -> str:
    return _DIGITS.sub("0", line).strip()
