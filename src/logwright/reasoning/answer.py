"""`Answer`: what a reasoner says, with the lines it says it from, and the check of these.

The same object comes from the evidence reasoner and from language models. A citation names a line
of the material and quotes it; `problems` tells what does not hold. An answer with problems is never
given out.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

__all__ = ["ANSWER_VERSION", "Answer", "Citation", "Rival", "Step", "problems"]

ANSWER_VERSION = 1

_LEAST_QUOTE = 3


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Record):
    """A line of the material, and words that stand in it. Raw log text: escape before showing."""

    line: int = Field(ge=1, description="Number of the line in the material, from 1 on.")
    quote: str = Field(description="Words of that line, as they stand in it.")


class Step(_Record):
    """One step of the reasoning."""

    text: str
    citations: tuple[Citation, ...] = ()


class Rival(_Record):
    """One of the possible answers, with what speaks for it and against it."""

    text: str
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    supporting: tuple[Citation, ...] = ()
    contradicting: tuple[Citation, ...] = ()


class Answer(_Record):
    """An answer to a task. Texts may hold raw log text: escape them before showing."""

    version: int = ANSWER_VERSION
    task: Task
    verdict: str = Field(
        description="The answer in a word or a line: 'abnormal', a template, the name of a cause. "
        "Empty where the task asks for a text, or the evidence is not enough."
    )
    text: str = Field(description="The answer in sentences.")
    steps: tuple[Step, ...] = Field(default=(), description="The reasoning, in order.")
    citations: tuple[Citation, ...] = Field(
        default=(), description="The lines the answer rests on, the most telling first."
    )
    rivals: tuple[Rival, ...] = Field(
        default=(), description="Hypotheses, the likeliest first; that of the verdict included."
    )
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    enough: bool = Field(default=True, description="Whether the evidence is enough for an answer.")
    strategy: str = Field(default="", description="Name of the strategy or flowchart followed.")
    engine: str = Field(default="evidence", description="'evidence', or the model that answered.")
    tokens: int = Field(default=0, description="Tokens the model wrote; 0 without one.")
    seconds: float = Field(default=0.0, description="How long it took.")

    def every_citation(self) -> Iterator[Citation]:
        """All citations, wherever they stand."""
        yield from self.citations
        for step in self.steps:
            yield from step.citations
        for rival in self.rivals:
            yield from rival.supporting
            yield from rival.contradicting


def problems(answer: Answer, material: Material) -> list[str]:
    """What does not hold in an answer, a sentence each; empty where it may be given out.

    >>> material = Material.of_lines(["all well", "disk full on /dev/sda"])
    >>> cited = lambda *c: Answer(task=Task.ROOT_CAUSE, verdict="disk full", text="Disk full.",
    ...     citations=tuple(Citation(line=n, quote=q) for n, q in c), confidence=0.9)
    >>> problems(cited((2, "disk full")), material)
    []
    >>> problems(cited((1, "disk full"), (3, "gone")), material)
    ["line 1 does not say 'disk full'", 'there is no line 3: the last one is 2']
    >>> problems(cited(), material)
    ['no line is cited']
    """
    found: list[str] = []
    allowed = answer.task.verdicts
    if answer.enough and allowed and answer.verdict not in allowed:
        found.append(f"the verdict is {answer.verdict!r:.80}: expected {' or '.join(allowed)}")
    cited = list(answer.every_citation())
    if answer.enough and not cited:
        found.append("no line is cited")
    for citation in cited:
        told = _problem(citation, material)
        if told is not None and told not in found:
            found.append(told)
    return found


def _problem(citation: Citation, material: Material) -> str | None:
    if citation.line > len(material):
        return f"there is no line {citation.line}: the last one is {len(material)}"
    line = material.text(citation.line)
    quote = citation.quote.strip()
    # A short word may be all that a line has to quote; of others no single letter is a quote.
    if len(quote) < _LEAST_QUOTE and len(quote) < max(map(len, line.split()), default=0):
        return f"the quote of line {citation.line} is too short"
    return None if quote in line else f"line {citation.line} does not say {quote!r:.120}"
