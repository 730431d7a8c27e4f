"""Records of answers that are kept, and of what experts say instead.

An answer's id is made from what was asked, of which lines, and what was answered: the same answer
to the same question is one record, however often it was asked. Texts are redacted logs and words of
users: escape them before showing them.
"""

from __future__ import annotations

import hashlib
import json
from functools import reduce

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from logwright.reasoning.answer import Answer, Citation
from logwright.reasoning.material import Material, Part
from logwright.reasoning.reasoner import Rendering

__all__ = ["AnswerRow", "Correction", "KeptMaterial", "answer_id"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptMaterial(_Record):
    """The lines that were asked about, redacted, and where they stood: (source, the number of its
    first line in the material, the number of that line in the source)."""

    lines: tuple[str, ...]
    parts: tuple[tuple[str, int, int], ...] = ()

    @staticmethod
    def of(material: Material) -> KeptMaterial:
        """Material as it is kept.

        >>> kept = KeptMaterial.of(Material.of_lines(["disk full"], "app.log", 7))
        >>> kept.material.where(1)
        'app.log:7'
        """
        parts = tuple((part.source, part.begin, part.line_no) for part in material.parts)
        return KeptMaterial(lines=material.lines, parts=parts)

    @property
    def material(self) -> Material:
        """The material."""
        return Material(self.lines, tuple(Part(*part) for part in self.parts))


class Correction(_Record):
    """What an expert says instead of an answer. What is None stays as it was answered."""

    number: int = Field(default=0, ge=0, description="1, 2, 3, ...; 0 before it is kept.")
    answer: str = Field(description="Id of the answer.")
    by: str = ""
    time: AwareDatetime
    verdict: str | None = None
    text: str | None = None
    citations: tuple[Citation, ...] | None = None
    note: str = Field(default="", description="Why; it is no part of the answer.")
    undone: AwareDatetime | None = Field(default=None, description="When it was taken back.")


class AnswerRow(_Record):
    """An answer, with all that was asked, and its corrections in order of their numbers."""

    id: str = Field(description="'a-' + 16 hex digits.")
    made: AwareDatetime
    finding: str | None = Field(
        default=None, description="Id of the finding or incident that was explained."
    )
    question: str = Field(default="", description="What was added in words.")
    rendering: Rendering = "words"
    material: KeptMaterial
    healthy: tuple[KeptMaterial, ...] = ()
    answer: Answer
    corrections: tuple[Correction, ...] = ()

    @property
    def standing(self) -> tuple[Correction, ...]:
        """The corrections that were not taken back."""
        return tuple(each for each in self.corrections if each.undone is None)

    @property
    def corrected(self) -> Answer | None:
        """The answer as experts would have it; None where nobody corrected it. It has no steps and
        no rivals: those led to the answer that was wrong."""
        standing = self.standing
        return reduce(_with, standing, self.answer) if standing else None


def answer_id(row: AnswerRow) -> str:
    """The id of an answer, whatever `row.id` is; how long it took is no part of it."""
    said = row.answer.model_dump(mode="json", exclude={"seconds", "tokens"})
    asked = [row.question, row.rendering, row.finding]
    lines = [row.material.model_dump(), *(each.model_dump() for each in row.healthy)]
    whole = json.dumps([asked, lines, said]).encode()
    return "a-" + hashlib.blake2b(whole, digest_size=8).hexdigest()


def _with(answer: Answer, correction: Correction) -> Answer:
    verdict = answer.verdict if correction.verdict is None else correction.verdict
    text = correction.text
    if text is None:  # what was said for another verdict does not stay
        text = answer.text if verdict == answer.verdict else verdict
    cited = answer.citations if correction.citations is None else correction.citations
    return Answer(
        task=answer.task,
        verdict=verdict,
        text=text,
        citations=cited,
        confidence=1.0,
        engine=f"expert {correction.by}".rstrip(),
    )
