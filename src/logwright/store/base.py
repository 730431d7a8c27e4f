"""What a store is: the `Store` protocol, and the records that it gives.

There is no SQL here, so that another database can come behind it. All texts come from logs or from
users: escape them before showing them. All times are UTC.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from logwright.findings.finding import Finding, Severity
from logwright.findings.run import Run
from logwright.findings.verdict import Entry
from logwright.store.kept_answers import AnswerRow, Correction

__all__ = [
    "MOST_PLACES",
    "AuditRow",
    "IncidentRow",
    "Kind",
    "PatternRow",
    "Pruned",
    "RunRow",
    "Sight",
    "Store",
    "What",
]

MOST_PLACES = 20
"""Sources, and hosts, that a pattern names; of more, the first in order of letters."""

Kind = Literal["jsonl", "parquet"]
What = Literal["findings", "patterns", "verdicts", "audit", "answers"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PatternRow(_Record):
    """A pattern, and what the store knows of its findings.

    `findings` and `lines` are those of the findings that are kept, each counted once however often
    it was found; first and last time, sources and hosts are those ever seen.
    """

    id: str
    detector: str
    unit: str
    finding: str | None = Field(description="Id of the finding to show: the gravest, then highest.")
    severity: Severity = Field(description="The highest, before verdicts and policies changed it.")
    summary: str
    templates: tuple[str, ...] = Field(description="Ids of the templates involved.")
    texts: tuple[str, ...] = Field(description="Their texts.")
    first_seen: AwareDatetime | None
    last_seen: AwareDatetime | None
    findings: int = Field(ge=0)
    further: int = Field(ge=0, description="Most findings that one run counted, but did not keep.")
    lines: int = Field(ge=0, description="Lines or windows that the findings stand for.")
    sources: tuple[str, ...]
    hosts: tuple[str, ...]
    runs: int = Field(ge=0, description="Runs that found it.")


class Sight(NamedTuple):
    """What sets a finding that is kept apart from others of its pattern, without its lines: cheap
    enough to look at all of them. `severity` is that before a verdict or policy changed it."""

    id: str
    pattern: str
    severity: Severity
    time: datetime | None
    window: int  # the same for findings of the same window
    hosts: tuple[str, ...]
    sources: tuple[str, ...]
    components: tuple[str, ...]
    because: str | None  # as its run said


class IncidentRow(_Record):
    """An incident: findings that belong together in time and cause."""

    id: str
    first_seen: AwareDatetime | None
    last_seen: AwareDatetime | None
    findings: int = Field(ge=1)
    severity: Severity
    run: str = Field(description="The run that told it last.")


class RunRow(_Record):
    """One run, as it was added."""

    id: str
    added: AwareDatetime
    run: Run
    findings: int = Field(ge=0, description="Findings kept that were found last by this run.")


class AuditRow(_Record):
    """Who did what to what, and when, with all that it changed."""

    number: int = Field(ge=1)
    time: AwareDatetime
    by: str
    action: str = Field(description="real, benign, expected, undo, correct, or prune.")
    subject: str = Field(
        description="A pattern, 'N patterns', 'verdict N', an answer's id, 'correction N', or "
        "'findings'."
    )
    entry: int | None = Field(description="Number of the verdict or undo.")
    changed: dict[str, Any]


class Pruned(_Record):
    """What retention took away. Sizes are those of the file, in bytes."""

    findings: int = 0
    patterns: int = 0
    incidents: int = 0
    runs: int = 0
    answers: int = 0
    before: int = 0
    after: int = 0


class Store(Protocol):
    """Findings, patterns, incidents, verdicts and audit.

    Each method that writes keeps all of it, or nothing. `StoreError` tells what went wrong.
    """

    def add_run(
        self,
        run_id: str,
        run: Run,
        findings: Sequence[Finding],
        counted: Mapping[str, int],
    ) -> None:
        """Keep a run and its findings. A finding that is known already takes the place of the older
        one, so that judging the same log again changes no number; a run that is known is completed.

        `counted` holds, for a pattern, how many further findings the run counted but did not keep.
        """

    def patterns(self) -> list[PatternRow]:
        """All patterns, gravest first, then last seen first."""

    def pattern(self, prefix: str) -> PatternRow:
        """The one pattern whose id is, or else begins with, `prefix`; else `InputError`."""

    def findings(
        self,
        pattern: str | None = None,
        incident: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        among: Collection[str] | None = None,
    ) -> Iterator[Finding]:
        """Findings, last seen first: of one pattern, of one incident, seen at or after a time,
        `among` those with these ids."""

    def sights(self, patterns: Collection[str] | None = None) -> list[Sight]:
        """All findings, or those of some patterns, without their lines, first seen first."""

    def finding(self, prefix: str) -> Finding:
        """The one finding whose id is, or else begins with, `prefix`; else `InputError`."""

    def incidents(self) -> list[IncidentRow]:
        """All incidents, latest first."""

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """Runs, newest first."""

    def last_run(self) -> RunRow | None:
        """The newest run."""

    def add_entries(
        self,
        entries: Sequence[Entry],
        effects: Sequence[Mapping[str, Any]],
        within: Mapping[int, int] | None = None,
    ) -> list[Entry]:
        """Add verdicts and undos, and give them back with their numbers: 1, 2, 3, ... without gaps.

        `effects` says of each what it changes, for the audit. `within` says of an undo, by its
        place in `entries`, the place of the verdict before it that it takes back. When this
        returns, they are on the disk. An undo of what is no standing verdict is an `InputError`,
        and nothing is added.
        """

    def entries(self, after: int = 0) -> list[Entry]:
        """Verdicts and undos with a number above `after`, in order of numbers."""

    def newest(self) -> int:
        """The highest number of an entry, 0 where there is none; cheap enough for each batch."""

    def audit(self, limit: int | None = None) -> list[AuditRow]:
        """What was done, newest first."""

    def add_answer(self, row: AnswerRow) -> None:
        """Keep an answer. The same answer to the same question is kept once; its corrections
        stay."""

    def answers(self, limit: int | None = None) -> list[AnswerRow]:
        """Answers with their corrections, newest first."""

    def answer(self, prefix: str) -> AnswerRow:
        """The one answer whose id is, or else begins with, `prefix`; else `InputError`."""

    def add_correction(self, correction: Correction) -> Correction:
        """Add what an expert says instead, and give it back with its number."""

    def undo_correction(self, number: int, by: str) -> Correction:
        """Take a correction back; one that is none, or taken back already, is an `InputError`."""

    def save_state(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a small JSON object under a name; put the version of its form into the name."""

    def state(self, name: str) -> dict[str, Any] | None:
        """The object kept under a name."""

    def prune(self, before: datetime | None = None, most_bytes: int | None = None) -> Pruned:
        """Take away findings that no run found since `before`, then those found longest ago, until
        the store takes at most `most_bytes`; with them patterns, incidents and runs left empty.
        Answers that nobody corrected go by age.

        Verdicts, audit, judged patterns, corrected answers and the last run stay, whatever their
        age and size.
        """

    def export(self, target: str | os.PathLike[str], kind: Kind, what: What) -> Path:
        """Write one sort of record to a file (in a folder: to WHAT.KIND), whole or not at all."""

    def close(self) -> None:
        """Close the store; it may be closed twice."""

    def __enter__(self) -> Self:
        """The store itself, closed at the end of the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
