"""The verdict: an expert's word on a finding, which acts on all findings of its pattern.

`benign` folds the pattern into what is normal, `real` makes it a standing alarm, `expected`
suppresses it until a date or inside a schedule. A verdict names what was judged (`subjects`, so
that it can be read, exported and understood without the findings) and how far it reaches (`scope`).
It is never changed: it is taken back by an `Undo`, and a later one on the same thing acts instead.
What verdicts do is told in `logwright.feedback`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from logwright.findings.clean import clean
from logwright.findings.finding import Finding, Severity
from logwright.findings.schedule import Schedule

__all__ = ["ENTRY", "MOST_TEXT", "Entry", "Position", "Scope", "Subject", "Undo", "Verdict", "Word"]

Word = Literal["real", "benign", "expected"]

MOST_TEXT = 4096
"""Characters of a text in a verdict."""


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _told(value: object) -> object:
    return clean(value)[:MOST_TEXT] if isinstance(value, str) else value


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it is not in the years 1 to 9999") from None


_Text = Annotated[str, BeforeValidator(_cleaned), Field(max_length=MOST_TEXT)]
_Told = Annotated[str, BeforeValidator(_told)]  # only shown, so it may be cut
_Name = Annotated[str, BeforeValidator(_cleaned), Field(max_length=200)]
_Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_Pattern = Annotated[str, Field(pattern=r"^p-[0-9a-f]{16}$")]
_MOST_SUBJECTS = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(_Record):
    """A pattern that was judged: its id, and what one has to know of it to understand the verdict.
    Texts come from logs: escape them before showing them."""

    pattern: _Pattern
    detector: _Name
    unit: _Name
    templates: tuple[_Name, ...] = Field(default=(), description="Ids of the templates involved.")
    texts: tuple[_Told, ...] = Field(default=(), description="Their texts, redacted.")
    summary: _Told = ""

    @staticmethod
    def of(finding: Finding) -> Subject:
        """The pattern of a finding."""
        return Subject(
            pattern=finding.pattern,
            detector=finding.detector,
            unit=finding.unit,
            templates=tuple(t.id for t in finding.templates),
            texts=tuple(t.text for t in finding.templates),
            summary=finding.summary,
        )


class Scope(_Record):
    """How far a verdict reaches.

    `pattern`: findings of the patterns judged. `templates` (wider): findings of any detector all of
    whose templates are among those judged. `text` (wider still): findings all of whose templates'
    texts match `text`, in which ``*`` stands for anything. Each narrowed to one `host` or `source`,
    where that is given: `real` to findings with a line of it, other words to those of it alone.
    """

    kind: Literal["pattern", "templates", "text"] = "pattern"
    text: _Text | None = None
    host: _Text | None = None
    source: _Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Scope:
        if (self.kind == "text") != bool(self.text and self.text.strip("* ")):
            raise ValueError("a scope of kind 'text', and no other, has a text besides '*'")
        return self


class Position(_Record):
    """Where in the input a verdict starts to act: after so many records of the run that was last,
    the newest of them at `time`. An alarm raised before counts as raised in every evaluation."""

    run: _Name | None = None
    records: int = Field(default=0, ge=0)
    time: _Time | None = None


class Verdict(_Record):
    """What an expert says; `number` is given by the store, from 1, in order of arrival."""

    entry: Literal["verdict"] = "verdict"
    number: int = Field(default=0, ge=0)
    word: Word
    subjects: tuple[Subject, ...] = Field(min_length=1, max_length=_MOST_SUBJECTS)
    scope: Scope = Scope()
    severity: Severity | None = Field(default=None, description="Of a standing alarm.")
    until: _Time | None = Field(default=None, description="Expected before this time.")
    during: _Name | None = Field(default=None, description="Expected inside this schedule.")
    finding: _Name | None = Field(default=None, description="Id of the finding that was shown.")
    note: _Text = ""
    by: _Name = ""
    time: _Time = Field(default_factory=_now)
    position: Position = Position()

    @model_validator(mode="after")
    def _whole(self) -> Verdict:
        limits = self.until is not None or self.during is not None
        if limits != (self.word == "expected"):
            raise ValueError("'expected', and nothing else, has a time until or during which it is")
        if self.severity is not None and self.word != "real":
            raise ValueError("only 'real' has a severity")
        if self.during is not None:
            Schedule.parse(self.during)
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        """Ids of the patterns that were judged."""
        return tuple(s.pattern for s in self.subjects)


class Undo(_Record):
    """Takes one verdict back."""

    entry: Literal["undo"] = "undo"
    number: int = Field(default=0, ge=0)
    undoes: int = Field(ge=1)
    note: _Text = ""
    by: _Name = ""
    time: _Time = Field(default_factory=_now)


Entry = Verdict | Undo
"""What the list of verdicts holds."""

ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="entry")])
"""Reads an entry that was exported, one JSON object a line."""
