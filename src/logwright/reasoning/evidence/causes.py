"""Root cause from the lines alone.

The lines that name causes are found and weighed (`hypotheses`); where contact between machines is
lost, a flowchart decides whether a machine, the network or a service is gone; then the flowchart of
the leading cause is walked, so that the answer tells what was ruled out and why.
"""

from __future__ import annotations

from collections.abc import Sequence

from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.hypotheses import LEAST, Evidence, Hypothesis, weighed
from logwright.reasoning.evidence.walking import Walk, contact_walk, walk
from logwright.reasoning.flowcharts import flowchart_of
from logwright.reasoning.knowledge import Known, Sightings, knowledge, sightings
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["answer", "diagnose", "told_by"]

_CITED = 6
_RIVALS = 4
_UNSURE = ("broken", "services", "everyone")
"""Last questions of the flowchart whose answer only makes one cause likelier than another."""
_UNLIKELY, _LIKELY = 0.5, 0.85
"""What is left of the weight of the causes that the flowchart does not lead to."""
_TOLD = 0.15
"""The weight from which on a rival is told of."""
_WRONG = ("error", "critical")
_KNOWN = 0.4
"""The confidence in a cause that only follows from what an error is known to mean."""
_CONTACT = "node-lost"
_KINDS = {
    "machine down": ("declared", "unanswered", "broken", "noroute"),
    "network disconnection": ("noroute", "broken", "unanswered", "declared"),
    "dependency unavailable": ("refused", "unanswered", "broken"),
}
"""Which lines speak for which cause where contact is lost, the most telling kind first. They speak
for all three: the flowchart decides, the others are rivals."""


def answer(material: Material, options: Options) -> Answer:
    """What started it, named from the lines."""
    return told_by(Clues.of(material, options.healthy), options.fast)


def told_by(clues: Clues, fast: bool = False) -> Answer:
    """What started it, named from clues that are there already."""
    hypotheses, contact = diagnose(clues)
    if not hypotheses or hypotheses[0].weight < LEAST:
        return _known(clues) or _not_enough(clues)
    leading = hypotheses[0]
    name = leading.cause.flowchart
    led = contact is not None and contact.cause == leading.cause.name
    if led and contact is not None:
        taken, name = contact, _CONTACT
    else:
        taken = walk(flowchart_of(name), clues, hypotheses)
    cited = [clues.cite(one.line, one.span) for one in leading.evidence[:_CITED]]
    told = [one for one in hypotheses if one.weight >= _TOLD]
    sure = _confidence(hypotheses)
    steps = () if fast else (*_before(clues, leading), *taken.steps)
    return Answer(
        task=Task.ROOT_CAUSE,
        verdict=leading.cause.name,
        text=_text(clues, leading, told, cited),
        steps=steps,
        citations=tuple(cited),
        rivals=tuple(_rival(clues, one, leading, sure) for one in told[:_RIVALS]),
        confidence=sure,
        strategy=name,
    )


def diagnose(clues: Clues) -> tuple[list[Hypothesis], Walk | None]:
    """The hypotheses, the weightiest first, and the walk about lost contact where there was one."""
    contact = clues.contact
    if not contact.lines("declared", "broken", "unanswered", "noroute"):
        return weighed(clues), None
    taken = contact_walk(flowchart_of(_CONTACT), clues)
    left = _LIKELY if taken.by in _UNSURE else _UNLIKELY
    told = [(cause, _contact_evidence(clues, cause)) for cause in _KINDS]
    return weighed(
        clues,
        [(cause, evidence, 1.0 if cause == taken.cause else left) for cause, evidence in told],
    ), taken


def _contact_evidence(clues: Clues, cause: str) -> list[Evidence]:
    evidence: list[Evidence] = []
    for place, kind in enumerate(_KINDS[cause]):
        for line in clues.contact.lines(kind):
            weight = (0.75 if place == 0 else 0.6) * (1 - clues.usual(line))
            if weight > 0:
                evidence.append(Evidence(line, clues.contact.kinds[kind][line], weight))
    return evidence


def _confidence(hypotheses: Sequence[Hypothesis]) -> float:
    """The leading weight, less where another cause comes near it."""
    leading = hypotheses[0].weight
    rival = max((one.weight for one in hypotheses[1:] if not one.behind), default=0.0)
    return round(leading * (1 - 0.4 * rival / leading), 2)


def _text(
    clues: Clues, leading: Hypothesis, hypotheses: Sequence[Hypothesis], cited: Sequence[Citation]
) -> str:
    first = cited[0]
    text = f"{leading.cause.name.capitalize()}: {leading.cause.means}."
    text += f" Line {first.line}: {first.quote!r}."
    hosts = clues.contact.concerned()
    if leading.cause.flowchart == _CONTACT and hosts:
        text += f" Concerned: {', '.join(hosts[:3])}."
    victims = [one.cause.name for one in hypotheses[1:] if one.behind == leading.cause.name]
    if victims:
        text += f" What follows from it: {', '.join(victims)}."
    rivals = [one.cause.name for one in hypotheses[1:] if not one.behind and one.weight >= LEAST]
    if rivals:
        text += f" Not ruled out: {', '.join(rivals[:3])}."
    return text


def _before(clues: Clues, leading: Hypothesis) -> list[Step]:
    """What an expert looks at before the flowchart: where runs part, and what came first."""
    steps = []
    if clues.lift.nearest and clues.lift.parts >= 0:
        parts = clues.lift.parts
        steps.append(
            Step(
                text=f"Compared with the nearest healthy run (number {clues.lift.nearest}): line "
                f"{parts + 1} is the first of a kind that it has not.",
                citations=(clues.cite(parts),),
            )
        )
    span = next((one.span for one in leading.evidence if one.line == leading.first), None)
    steps.append(
        Step(
            text="The first line in time that speaks for it.",
            citations=(clues.cite(leading.first, span),),
        )
    )
    return steps


def _rival(clues: Clues, one: Hypothesis, leading: Hypothesis, sure: float) -> Rival:
    """`sure` is the confidence in the leading one; others have less, as their weight is less."""
    against: tuple[Citation, ...] = ()
    text = one.cause.name
    if one is not leading:
        against = tuple(clues.cite(e.line, e.span) for e in leading.evidence[:1])
        if one.behind:
            text += f": follows from {one.behind}"
        else:
            text += ": not what the flowchart leads to" if one.ruled_out else ": told less plainly"
    return Rival(
        text=text,
        confidence=round(sure * min(1.0, one.weight / leading.weight), 2),
        supporting=tuple(clues.cite(e.line, e.span) for e in one.evidence[:3]),
        contradicting=against,
    )


def _known(clues: Clues) -> Answer | None:
    """An error that is known, in a line of trouble, where no line names a cause."""
    lines = clues.errors()
    seen = sightings([clues.columns.material.lines[line] for line in lines])
    known = [
        one
        for one in seen.entries()
        if one.severity in _WRONG and not one.recovery and not one.transient
    ]
    if not known:
        return None
    cited = [_sighted(clues, seen, lines, one) for one in known]
    first = known[0]
    text = f"Line {cited[0].line} says: {first.name}. {first.meaning}"
    if first.causes:
        text += f" It may come from {' or '.join(first.causes[:2])}: no line tells."
    return Answer(
        task=Task.ROOT_CAUSE,
        verdict=first.name,
        text=text,
        steps=(
            Step(
                text="No line names a cause. This is the first trouble known by its words.",
                citations=(cited[0],),
            ),
        ),
        citations=tuple(cited[:_CITED]),
        rivals=tuple(
            Rival(
                text=one.name, confidence=_KNOWN if one is first else _KNOWN / 2, supporting=(at,)
            )
            for one, at in zip(known[:_RIVALS], cited, strict=False)
        ),
        confidence=_KNOWN,
    )


def _sighted(clues: Clues, seen: Sightings, lines: Sequence[int], known: Known) -> Citation:
    row = next(n for n in range(len(seen)) if knowledge()[seen.entry[n]] is known)
    line = lines[int(seen.line[row]) - 1]
    return clues.cite(line, (int(seen.begin[row]), int(seen.end[row])))


def _not_enough(clues: Clues) -> Answer:
    """What can be said where no line names a cause: the first trouble, and the root of a trace."""
    chain = next((one for one in clues.chains if clues.usual(one.root) == 0), None)
    lines = ([chain.root] if chain else []) + clues.errors(3)
    cited = tuple(clues.cite(line) for line in dict.fromkeys(lines))
    text = "Not enough evidence: no line tells what started it."
    if cited:
        text += f" The first trouble is line {cited[0].line}: {cited[0].quote!r}."
    elif clues.lift.nearest:
        text += " The lines are those of healthy runs."
    return Answer(
        task=Task.ROOT_CAUSE, verdict="", text=text, citations=cited, confidence=0.0, enough=False
    )
