"""Walking a flowchart: each question answered from the clues, down to a cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logwright.reasoning.answer import Citation, Step
from logwright.reasoning.evidence.catalogue import SAYS
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.hypotheses import Evidence, Hypothesis
from logwright.reasoning.flowcharts import END, Flowchart, FlowchartStep

__all__ = ["Walk", "contact_walk", "walk"]

_CITED = 2
"""Lines cited in a step."""

_Told = tuple[bool, str, list[Citation], list[int]]
"""An answer to a question: yes or no, in words, what is cited, the lines it rests on."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The steps that were taken, the cause they led to ("" for none), the lines of the step that
    decided, and what was looked at in the last one."""

    steps: tuple[Step, ...]
    cause: str
    lines: tuple[int, ...]
    by: str


def walk(flowchart: Flowchart, clues: Clues, hypotheses: Sequence[Hypothesis]) -> Walk:
    """Walk down to the leading hypothesis; what has evidence but does not lead is told of.

    The order of the questions is the order in which things are ruled out. A question about causes
    is answered with yes where one of them leads.
    """
    leading = hypotheses[0].cause.name if hypotheses else ""
    by_name = {hypothesis.cause.name: hypothesis for hypothesis in hypotheses}

    def ask(step: FlowchartStep) -> _Told:
        if not step.causes:
            lines = _looked(step.look, clues)
            cited = [clues.cite(line) for line in lines[:_CITED]]
            return bool(lines), _answered(bool(lines), step.look, clues), cited, lines
        if leading in step.causes:
            evidence = by_name[leading].evidence
            return (
                True,
                f"Yes: {by_name[leading].cause.means}.",
                _cite(clues, evidence),
                [one.line for one in evidence],
            )
        for name in step.causes:
            if name in by_name:
                other = by_name[name]
                why = (
                    f"it follows from {other.behind}"
                    if other.behind
                    else f"{leading} is told more plainly"
                )
                return False, f"Lines fit {name}, but {why}.", _cite(clues, other.evidence[:1]), []
        return False, "No line says so.", [], []

    return _walked(flowchart, ask, leading)


def contact_walk(flowchart: Flowchart, clues: Clues) -> Walk:
    """Walk the flowchart of lost contact by its clues alone: it decides between machine, network
    and service."""

    said = {
        name: clues.by_time(
            [line for line in clues.hits.get(SAYS + name, ()) if clues.usual(line) < 1]
        )
        for name in flowchart.steps[0].causes
    }
    first = clues.by_time([lines[0] for lines in said.values() if lines])[:1]
    own = next((name for name, lines in said.items() if lines[:1] == first and first), "")

    def ask(step: FlowchartStep) -> _Told:
        if step.causes:
            if not own:
                return False, "No line says so.", [], []
            spans = clues.hits[SAYS + own]
            cited = [clues.cite(line, spans[line]) for line in clues.shapes_of(said[own])[:_CITED]]
            return True, "Yes.", cited, said[own]
        lines = clues.shapes_of(_looked(step.look, clues))
        cited = [clues.cite(line, _span(clues, line)) for line in lines[:_CITED]]
        return bool(lines), _answered(bool(lines), step.look, clues), cited, lines

    return _walked(flowchart, ask, own)


def _walked(flowchart: Flowchart, ask: Callable[[FlowchartStep], _Told], said: str) -> Walk:
    """Ask from the first step on; `said` is the cause that `=said` stands for."""
    steps: list[Step] = []
    decided: list[int] = []
    by = ""
    at = flowchart.steps[0].id
    while at != END and not at.startswith("="):
        step = flowchart.step(at)
        yes, text, cited, lines = ask(step)
        steps.append(Step(text=f"{step.question} {text}", citations=tuple(cited)))
        decided, by = lines or decided, step.look
        at = step.yes if yes else step.no
    cause = at.removeprefix("=") if at != END else ""
    return Walk(tuple(steps), said if cause == "said" else cause, tuple(decided), by)


def _cite(clues: Clues, evidence: Sequence[Evidence]) -> list[Citation]:
    return [clues.cite(one.line, one.span) for one in evidence[:_CITED]]


def _span(clues: Clues, line: int) -> tuple[int, int] | None:
    for lines in clues.contact.kinds.values():
        if line in lines:
            return lines[line]
    return None


def _looked(look: str, clues: Clues) -> list[int]:
    """The lines in which the answer to a question stands; none for a no."""
    contact = clues.contact
    match look:
        case "everyone":
            return contact.everyone()
        case "alive":
            return contact.alive()
        case "services":
            return contact.services()
        case "broken":
            # That a connection breaks is ordinary; that the other side then stays away is not.
            broken = contact.lines("broken")
            return broken if len(broken) > 1 or contact.lines("unanswered") else []
        case "refused":
            return contact.refused()
        case "declared" | "noroute":
            return contact.lines(look)
        case "retries":
            tried = clues.retries
            if tried is None:
                return []
            return [*tried.lines[:1], *([tried.given_up] if tried.exhausted else tried.lines[-1:])]
        case "gap":
            return [clues.gap.before, clues.gap.behind] if clues.gap else []
        case "chain":
            return [chain.root for chain in clues.chains if clues.usual(chain.root) == 0]
    raise AssertionError(look)


def _answered(yes: bool, look: str, clues: Clues) -> str:
    if not yes:
        return "No."
    if look == "retries" and clues.retries is not None:
        end = " and then given up" if clues.retries.exhausted else ""
        return f"Yes: {clues.retries.most} times{end}."
    if look == "gap" and clues.gap is not None:
        return f"Yes: nothing is written for {clues.gap.seconds:,.0f} s."
    if look == "declared" and clues.contact.lost:
        return f"Yes: {', '.join(list(clues.contact.lost)[:3])}."
    return "Yes."
