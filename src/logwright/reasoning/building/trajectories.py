"""`Trajectory`: one worked example of a task, from which a reasoner learns; JSON Lines on disk.

`reasoning` is an inner monologue that cites lines as `[12: "words of line 12"]`; `answer` is the
verdict, or the text where the task asks for one. Lines are raw log text: escape before showing.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from logwright.errors import InputError
from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Rendering
from logwright.reasoning.task import Task

__all__ = [
    "PARTS",
    "Form",
    "PartName",
    "Trajectory",
    "cited_in",
    "mark",
    "read",
    "unmarked",
    "write",
]

PartName = Literal["train", "validation", "test"]
Form = Literal["verdict", "text"]
PARTS: tuple[PartName, ...] = ("train", "validation", "test")

_MARK = re.compile(r'\[(\d{1,7}): "((?:[^"\\]|\\.)*)"\]')
_MARK_AND_SPACE = re.compile(r"\s?" + _MARK.pattern)
_ESCAPED = re.compile(r"\\(.)")


def mark(citation: Citation) -> str:
    r"""A citation as it stands in a text.

    >>> mark(Citation(line=3, quote='said "no" in C:\\tmp'))
    '[3: "said \\"no\\" in C:\\\\tmp"]'
    """
    quote = citation.quote.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{citation.line}: "{quote}"]'


def cited_in(text: str) -> list[Citation]:
    r"""The citations that stand in a text.

    >>> cited_in('it failed [3: "said \\"no\\""], so')
    [Citation(line=3, quote='said "no"')]
    """
    return [
        Citation(line=int(found[1]), quote=_ESCAPED.sub(r"\1", found[2]))
        for found in _MARK.finditer(text)
        if int(found[1]) > 0
    ]


def divided(text: str) -> Iterator[tuple[str, Citation | None]]:
    """What stands before each citation, and the citation; at last what stands behind them all.

    >>> list(divided('so [3: "no"], and'))
    [('so ', Citation(line=3, quote='no')), (', and', None)]
    """
    at = 0
    for found in _MARK.finditer(text):
        for citation in cited_in(found[0]):
            yield text[at : found.start()], citation
            at = found.end()
    yield text[at:], None


def unmarked(text: str) -> str:
    """A text without the citations in it.

    >>> unmarked('it failed [3: "no"], so')
    'it failed, so'
    """
    return _MARK_AND_SPACE.sub("", text)


class Trajectory(BaseModel):
    """One worked example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    strategy: str = Field(description="Name of the strategy that the reasoning follows.")
    system: str = Field(description="What the lines are from: a program, a cluster, a vendor.")
    time: int = Field(description="Order within the system: nanoseconds, or a position.")
    lines: tuple[str, ...] = Field(min_length=1, description="What is asked about.")
    reasoning: str = Field(description="The inner monologue, with citations in it.")
    answer: str = Field(description="The verdict, or the text where the task asks for one.")
    form: Form = Field(description="Whether the answer is a verdict or a text.")
    citations: tuple[Citation, ...] = Field(description="The lines the answer rests on.")
    teacher: str = Field(description="'evidence', or the model that wrote the reasoning.")
    source: str = Field(description="Where the item is from, so that it can be found again.")
    question: str = Field(default="", description="What a person added in words.")
    rendering: Rendering = Field(default="words", description="How a template is to be written.")
    confidence: float = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)
    part: PartName = "train"

    @property
    def material(self) -> Material:
        """The lines, numbered."""
        return Material.of_lines(self.lines)

    def answered(self) -> Answer:
        """As an answer: what a model that learned it would give."""
        return Answer(
            task=self.task,
            verdict=self.answer if self.form == "verdict" else "",
            text=self.answer,
            steps=(Step(text=self.reasoning, citations=tuple(cited_in(self.reasoning))),),
            citations=self.citations,
            confidence=self.confidence,
            strategy=self.strategy,
            engine=self.teacher,
        )


def read(path: Path) -> Iterator[Trajectory]:
    """The trajectories of a file, in order.

    Raises:
        InputError: the file cannot be read, or a line of it is no trajectory.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _of(line, f"{path}:{number}")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _of(line: str, where: str) -> Trajectory:
    try:
        return Trajectory.model_validate_json(line.encode("utf-8", "surrogateescape"))
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where} is no trajectory: {f'{at}: ' if at else ''}{first['msg']}"
        ) from error


def write(path: Path, items: Iterable[Trajectory]) -> int:
    """Writes a file whole or not at all, and says how many are in it. Bytes of a log that are no
    UTF-8 are written as the replacement character, in lines and quotes alike.

    Raises:
        InputError: it cannot be written.
    """
    # In the same folder, because a rename across file systems is not atomic.
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    many = 0
    try:
        # For the owner only: there are log lines in it.
        with open(os.open(work, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            for item in items:
                file.write(item.model_dump_json().encode() + b"\n")
                many += 1
            file.flush()
            os.fsync(file.fileno())
        os.replace(work, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        work.unlink(missing_ok=True)
    return many
