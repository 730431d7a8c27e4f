"""Failure prediction: do these lines announce a failure, or tell of one that is not over?

A single message of a switch says how grave it is by its digit (0 to 7) and whether it ends an
alarm. Of other lines: what is wrong and lasts, what grows (errors, corrected memory errors), what
stands without its double, and what says that it is well again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logwright.logs.batch import NO_TIME
from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence.scene import Happening, Scene, cite, message, times
from logwright.reasoning.evidence.vendor import Vendor
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["answer"]

_BREAKS = frozenset(
    {"certificate", "dependency", "disk fault", "disk full", "exhausted resource", "hardware"}
    | {"machine or service down", "memory", "network disconnection", "overload"}
    | {"power or cooling", "software fault"}
)
"""Kinds of cause that take a system down in the end."""
_GROWN = 3
_LATE = 0.8
_MOST = 4


@dataclass(frozen=True, slots=True)
class _Sign:
    """Something that speaks for a failure, with how much (0..1)."""

    text: str
    weight: float
    citation: Citation


def answer(material: Material, options: Options) -> Answer:
    """ "failure" or "no failure", with the signs.

    >>> said = answer(Material.of_lines(["DEVM/1/FAN_FAIL: Fan 2 failed."]), Options())
    >>> said.verdict, said.citations[0].quote
    ('failure', 'DEVM/1/FAN_FAIL: Fan 2 failed.')
    """
    told = [line for line in material.lines if line.strip()]
    if len(told) == 1:
        line = material.lines.index(told[0]) + 1
        head = Vendor.of(told[0])
        if head is not None:
            return _of_switch(material, line, head)
    return _of_lines(Scene.of(material, options.healthy))


def _of_switch(material: Material, line: int, head: Vendor) -> Answer:
    digit = head.digit
    scene = Scene.of(material)
    here = scene.happenings[0]
    cited = cite(material, line)
    steps = [Step(text=f"Its digit {digit} means: {head.means}.", citations=(cited,))]
    steps += [Step(text=known.meaning, citations=(cited,)) for known in here.known]
    ended = head.ended or (here.recovery and here.grade == 0)
    if ended:
        steps.append(Step(text="It ends an alarm.", citations=(cited,)))
    # Digit 5 is what is normal and worth a look, such as a link that goes down: the words decide.
    fails = not ended and (digit <= 4 or (digit == 5 and here.grade >= 3))
    why = "it ends an alarm" if ended else f"the device grades it {digit} ({head.means})"
    meaning = f" {here.known[0].meaning}" if here.known and not ended else ""
    sure = 0.6 if digit in (4, 5) else 0.8
    return Answer(
        task=Task.FAILURE,
        verdict="failure" if fails else "no failure",
        text=f"{'Failure' if fails else 'No failure'}: {why} (line {line}).{meaning}",
        steps=tuple(steps),
        citations=(cited,),
        confidence=sure,
    )


def _of_lines(scene: Scene) -> Answer:
    signs, steps = _signs(scene)
    risk = max((sign.weight for sign in signs), default=0.0)
    if risk >= 0.5:
        signs.sort(key=lambda sign: -sign.weight)
        return Answer(
            task=Task.FAILURE,
            verdict="failure",
            text="Failure: " + "; ".join(sign.text for sign in signs[:_MOST]) + ".",
            steps=tuple(steps),
            citations=tuple(dict.fromkeys(sign.citation for sign in signs[:_MOST])),
            confidence=min(risk, 0.95),
        )
    cited = [cite(scene.material, line) for line in _well(scene)]
    well = scene.recoveries
    over = f", and line {well[0].last} says that it is well" if well else ""
    found = "what goes wrong is slight or over" if scene.wrong else "no line tells of trouble"
    return Answer(
        task=Task.FAILURE,
        verdict="no failure",
        text=f"No failure: {found}{over}.",
        steps=tuple(steps) or (Step(text="No line tells of trouble.", citations=(cited[0],)),),
        citations=tuple(cited),
        confidence=max(0.5, 0.8 - risk),
    )


def _signs(scene: Scene) -> tuple[list[_Sign], list[Step]]:
    signs: list[_Sign] = []
    steps: list[Step] = []
    for happening in scene.wrong[:20]:
        cited = cite(scene.material, happening.first)
        said = f'"{message(scene.material.text(happening.first))[:80]}" (line {happening.first})'
        well = scene.over(happening)
        if well is not None:
            both = (cited, cite(scene.material, well.last))
            steps.append(Step(text=f"{said} is over by line {well.last}.", citations=both))
            continue
        weight, why = _weight(scene, happening)
        text = f"{said}, {times(happening.count)}: {why}"
        steps.append(Step(text=text + ".", citations=(cited,)))
        signs.append(_Sign(text, weight, cited))
    return signs, steps


def _weight(scene: Scene, happening: Happening) -> tuple[float, str]:
    """How much it speaks for a failure, and in what words."""
    grows = _grows(scene, happening)
    growth = " and grows in number" * grows
    bad = [known for known in happening.known if not known.recovery]
    alone = len(scene.happenings) == 1
    often = happening.count >= _GROWN and happening.last > _LATE * len(scene.material)
    if happening.grade >= 4:
        return (0.85 if happening.lasting else 0.65), "grave" + growth
    if not bad:
        # Words alone: a program's log holds errors on its best days.
        if happening.grade == 3 and (alone or often or grows):
            return 0.55, "an error" + (growth or " up to the end of these lines" * often)
        return (0.5 if alone else 0.25), "its words tell of trouble"
    if happening.lasting and not _BREAKS & {known.cause_class for known in bad}:
        return (0.6 if alone and happening.grade == 3 else 0.4), "it stays, but spreads to nothing"
    if happening.lasting:
        sure = 0.7 if happening.grade == 3 else 0.6
        return sure, ("an error that lasts" if sure > 0.6 else "it announces a failure") + growth
    if grows:
        return 0.6, "it often passes, but grows in number"
    if often and happening.grade == 3:
        return 0.55, "it often passes, but lasts to the end of these lines"
    return (0.3 if happening.grade == 3 else 0.1), "it often passes by itself"


def _grows(scene: Scene, happening: Happening) -> bool:
    """Whether the second half of the time holds far more of these lines than the first."""
    if happening.count < 2 * _GROWN:
        return False
    rows = np.flatnonzero(scene.columns.shape == scene.columns.shape[happening.first - 1])
    clock = scene.columns.time
    timed = clock[0] != NO_TIME and clock[-1] > clock[0]
    where = clock if timed else np.arange(len(clock))
    late = int((where[rows] > where[0] + (where[-1] - where[0]) // 2).sum())
    return late >= _GROWN and late >= 2 * (len(rows) - late)


def _well(scene: Scene) -> list[int]:
    """Lines that speak for no failure: what says so, else the last one that is told."""
    lines = [well.last for well in scene.recoveries[:2]]
    if not lines:
        rest = [happening.last for happening in scene.happenings]
        lines = [max(rest)]
    return lines
