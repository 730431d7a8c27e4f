"""The finding: one object that says what is abnormal, why, and which lines show it.

Its JSON form is versioned (`SCHEMA_VERSION`) and published as JSON Schema in `docs/schema`.
Ids follow contract 6: a pattern is a hash of detector, unit and templates (never of a score or a
model version); a finding is a hash of its pattern, window key, first record and ordinal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

__all__ = [
    "SCHEMA_VERSION",
    "SEVERITIES",
    "Attributes",
    "CitedLine",
    "Finding",
    "Hypothesis",
    "Severity",
    "State",
    "TemplateRef",
    "WindowRef",
    "finding_id",
    "hosts_of",
    "pattern_id",
    "standings",
]

SCHEMA_VERSION = 1

State = Literal["open", "suppressed", "confirmed"]
Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Attributes = TypedDict(
    "Attributes",
    {"log.record.template": str, "log.record.template.params": tuple[str, ...]},
)
"""A line's template and its parameters, under OpenTelemetry's names for them. Both are redacted."""


class CitedLine(_Record):
    """One line of evidence and where it stands. Raw log text: escape it before showing it."""

    source: str = Field(description="Source name, such as a file path; '-' is standard input.")
    line_no: int = Field(description="1-based line number in the source.")
    offset: int = Field(description="Byte offset of the line's start in the decompressed source.")
    text: str = Field(description="The line, decoded with backslash escapes for invalid UTF-8.")
    message_at: int = Field(
        default=0, description="Position in `text` (characters) at which the message begins."
    )
    more: tuple[str, ...] = Field(
        default=(), description="Lines that continue it, such as those of a stack trace."
    )
    time: str | None = Field(default=None, description="ISO 8601 UTC, where the line has one.")
    host: str | None = Field(
        default=None,
        description="The host that its header names. Raw log text: escape before showing.",
    )
    component: str | None = Field(
        default=None,
        description="The component (program, logger, service) that its header names. Raw log text: "
        "escape before showing.",
    )
    template: str | None = Field(default=None, description="Id of the line's template.")
    highlight: bool = Field(default=False, description="Whether this line is the reason itself.")
    attributes: Attributes | None = Field(
        default=None, description="OpenTelemetry attributes: the line's template and parameters."
    )


class TemplateRef(_Record):
    """A template a finding involves."""

    id: str
    text: str
    name: str | None = Field(default=None, description="The user's name for it, where it has one.")
    count: int = Field(description="Lines of this template among the finding's lines.")
    usual: str | None = Field(default=None, description="How often it is seen normally, in words.")


class WindowRef(_Record):
    """The window a finding is about."""

    kind: Literal["session", "time", "count"]
    key: str = Field(description="Session key, or the window's start.")
    start: str | None = Field(default=None, description="ISO 8601 UTC of its first timed line.")
    end: str | None = Field(default=None, description="ISO 8601 UTC of its last timed line.")
    lines: int = Field(description="Number of lines in the window.")


class Hypothesis(_Record):
    """A possible cause, with line numbers of the finding that speak for and against it."""

    text: str
    supporting: tuple[int, ...] = ()
    contradicting: tuple[int, ...] = ()


class Finding(_Record):
    """A window over a threshold, with evidence. Higher `score` is more anomalous."""

    schema_version: int = SCHEMA_VERSION
    id: str = Field(description="Deterministic id from content and position, 'f-' + 16 hex digits.")
    pattern: str = Field(description="What like findings share, 'p-' + 16 hex digits.")
    detector: str = Field(
        description="Which detector raised it: unseen, rate, timing, parameters, counts, rules, "
        "sequence."
    )
    unit: str = Field(description="What it looked at: template, bigram, event_set, burst, ...")
    score: float = Field(description="Higher is more anomalous; comparable within one detector.")
    threshold: float = Field(description="The score at or above which this detector alarms.")
    severity: Severity
    summary: str = Field(description="One sentence: what and why, in words.")
    expected: str = Field(description="What history leads to expect.")
    seen: str = Field(description="What was seen instead.")
    first_seen: str | None = Field(default=None, description="ISO 8601 UTC.")
    last_seen: str | None = Field(default=None, description="ISO 8601 UTC.")
    count: int = Field(default=1, description="How many lines or windows this finding stands for.")
    window: WindowRef
    lines: tuple[CitedLine, ...] = Field(description="Evidence, in input order.")
    templates: tuple[TemplateRef, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    rule: str | None = Field(default=None, description="The rule that raised it, where one did.")
    state: State = Field(
        default="open",
        description="'confirmed': an expert's verdict says that it is real; 'suppressed': a "
        "verdict or a policy says that it is not wanted; 'open': neither.",
    )
    own_severity: Severity | None = Field(
        default=None,
        description="Its severity by level and words, where a verdict or a policy changed it.",
    )
    because: str | None = Field(
        default=None,
        description="Why its state is not 'open': the verdict or policy, in words.",
    )
    incident: str | None = Field(
        default=None, description="Id of the incident it belongs to, where the whole run is known."
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that its cited lines name, in their order."""
        return tuple(dict.fromkeys(line.host for line in self.lines if line.host))

    @property
    def components(self) -> tuple[str, ...]:
        """The components that its cited lines name, in their order."""
        return tuple(dict.fromkeys(line.component for line in self.lines if line.component))


def hosts_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The hosts that some findings name, in their order."""
    return tuple(dict.fromkeys(host for finding in findings for host in finding.hosts))


def standings(findings: Sequence[Finding]) -> list[tuple[State, str]]:
    """The states other than open that like findings have, each with the reason of the first one.

    It says how many have it where not all do. The text can be a stranger's: escape it.
    """
    told: list[tuple[State, str]] = []
    for state in ("confirmed", "suppressed"):
        members = [finding for finding in findings if finding.state == state]
        if not members:
            continue
        text = f"{state}: {members[0].because}" if members[0].because else state
        if len(members) < len(findings):
            text = f"{len(members):,} of {len(findings):,} {text}"
        told.append((state, text))
    return told


def _digest(*parts: str) -> str:
    hasher = hashlib.blake2b(digest_size=8)
    for part in parts:
        raw = part.encode("utf-8", "surrogateescape")
        hasher.update(len(raw).to_bytes(8, "little"))
        hasher.update(raw)
    return hasher.hexdigest()


def pattern_id(detector: str, unit: str, parts: Sequence[str]) -> str:
    """The pattern of a finding: hash of detector, unit, and the sorted template ids or predicate.

    >>> pattern_id("unseen", "template", ["b", "a"]) == pattern_id("unseen", "template", ["a", "b"])
    True
    """
    return "p-" + _digest(detector, unit, *sorted(parts))


def finding_id(pattern: str, key: str, ts: int, content_hash: str, ordinal: int) -> str:
    """The id of a finding: hash of pattern, window key, first record's time and content hash, and
    its ordinal among equals in that key. File names and offsets are evidence, not identity."""
    return "f-" + _digest(pattern, key, str(ts), content_hash, str(ordinal))
