"""The run: what a report tells besides its findings, and the order in which findings are told.

`Run` is filled by the pipeline and read by the terminal and HTML reports; it holds no log line.
`ranked` and `by_pattern` are the one place that decides what an engineer sees first. It leaves out
incidents (findings joined over time and cause), which are another noun.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from logwright.findings.escape import safe
from logwright.findings.finding import SEVERITIES, CitedLine, Finding

__all__ = [
    "PatternGroup",
    "Run",
    "SourceInfo",
    "Timeline",
    "by_pattern",
    "day",
    "from_ns",
    "many",
    "moment",
    "parse_time",
    "ranked",
    "short_id",
    "source_name",
    "span",
    "telling",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceInfo(_Record):
    """One source that was read. Its name and notes may come from outside: escape them."""

    name: str = Field(description="File path; '-' is standard input.")
    lines: int = Field(default=0, ge=0, description="Lines (log records) read.")
    bytes: int = Field(default=0, ge=0, description="Bytes read, after decompression.")
    format: str = Field(default="", description="Name of the format, such as 'syslog RFC 3164'.")
    reason: str = Field(
        default="", description="Why this format: '100 % of 200 sampled lines', or 'as asked'."
    )
    skipped: int = Field(default=0, ge=0, description="Lines passed over because unreadable.")
    notes: tuple[str, ...] = Field(default=(), description="What else a reader should know of it.")


class Timeline(_Record):
    """Line counts per bucket of time. Empty (`step` is 0) when the log has no times.

    >>> Timeline().empty
    True
    >>> Timeline(start=0, step=60_000_000_000, lines=(10, 20), errors=(0, 5)).empty
    False
    """

    start: int = Field(default=0, description="Start of the first bucket, ns since 1970 UTC.")
    step: int = Field(default=0, ge=0, description="Length of a bucket in ns.")
    lines: tuple[int, ...] = Field(default=(), description="Lines per bucket.")
    errors: tuple[int, ...] = Field(
        default=(),
        description="Lines of level error or worse per bucket; empty when the log has no levels.",
    )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return self.step == 0 or not any(self.lines)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Start of the first bucket and end of the last.

        >>> Timeline(start=0, step=60_000_000_000, lines=(1, 1)).bounds[1].isoformat()
        '1970-01-01T00:02:00+00:00'
        """
        end = self.start + self.step * len(self.lines)
        return from_ns(self.start), from_ns(end)


class Run(_Record):
    """One run of scan or detect, as a report tells it.

    >>> run = Run(title="logwright scan app.log", lines=1000, lines_scored=800, seconds=0.1)
    >>> Run.model_validate_json(run.model_dump_json()) == run
    True
    """

    title: str = Field(default="logwright", description="The command line, as a title.")
    sources: tuple[SourceInfo, ...] = ()
    lines: int = Field(default=0, ge=0, description="Lines read in all.")
    lines_learned: int = Field(default=0, ge=0, description="Lines that normal was learned from.")
    lines_scored: int = Field(default=0, ge=0, description="Lines that were judged.")
    windows: int = Field(default=0, ge=0, description="Windows scored.")
    seconds: float = Field(default=0.0, ge=0, description="Wall-clock seconds of the run.")
    started: str = Field(default="", description="ISO 8601 UTC time at which the run started.")
    baseline: str = Field(
        default="", description="What was taken as normal: 'the first 50 % of app.log'."
    )
    budget: float | None = Field(default=None, description="Alarms per day allowed on normal data.")
    timeline: Timeline = Timeline()
    ladder: tuple[str, ...] = Field(
        default=(), description="One line for each detector or unit: whether it runs, and why."
    )
    notes: tuple[str, ...] = Field(default=(), description="What else a reader should know.")


@dataclass(frozen=True, slots=True)
class PatternGroup:
    """The findings of one pattern; a verdict on one of them acts on all."""

    pattern: str
    findings: tuple[Finding, ...]  # ranked, so the first is the highest

    @property
    def representative(self) -> Finding:
        """The finding that is shown for the whole pattern: the highest, ties by id."""
        return self.findings[0]

    @property
    def count(self) -> int:
        """Lines or windows that the findings stand for, together."""
        return sum(finding.count for finding in self.findings)

    @property
    def first_seen(self) -> str | None:
        """The earliest `first_seen` of the findings that have one."""
        times = [f.first_seen for f in self.findings if f.first_seen is not None]
        return min(times, key=_time_key, default=None)

    @property
    def last_seen(self) -> str | None:
        """The latest `last_seen` (or `first_seen`) of the findings that have one."""
        times = [t for f in self.findings if (t := f.last_seen or f.first_seen) is not None]
        return max(times, key=_time_key, default=None)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order in which they deserve attention.

    Severity comes first. Scores compare within one detector only, so inside a severity each
    finding takes its position among the distinct scores of its own detector, and the detectors
    take turns: all highest ones, then all second ones (how rare something was in history is in its
    score). Among equals the pattern with more lines comes first, then the earlier finding, then the
    smaller id, so the order of the input does not matter.
    """
    pool = list(findings)
    scores: dict[tuple[str, str], set[float]] = {}
    counts: dict[str, int] = {}
    for finding in pool:
        scores.setdefault((finding.severity, finding.detector), set()).add(finding.score)
        counts[finding.pattern] = counts.get(finding.pattern, 0) + finding.count
    position = {
        (severity, detector, score): place
        for (severity, detector), values in scores.items()
        for place, score in enumerate(sorted(values, reverse=True))
    }

    def key(finding: Finding) -> tuple[int, int, int, tuple[bool, datetime, str], str]:
        return (
            -SEVERITIES.index(finding.severity),
            position[finding.severity, finding.detector, finding.score],
            -counts[finding.pattern],
            _time_key(finding.first_seen or ""),
            finding.id,
        )

    return sorted(pool, key=key)


def by_pattern(findings: Iterable[Finding]) -> list[PatternGroup]:
    """Findings grouped by pattern, groups and members in rank order.

    >>> by_pattern([])
    []
    """
    groups: dict[str, list[Finding]] = {}
    for finding in ranked(findings):
        groups.setdefault(finding.pattern, []).append(finding)
    return [PatternGroup(pattern, tuple(members)) for pattern, members in groups.items()]


def telling(finding: Finding) -> CitedLine | None:
    """The cited line that says most: the first highlighted one, else the first."""
    lines = finding.lines
    return next((line for line in lines if line.highlight), lines[0] if lines else None)


def source_name(name: str) -> str:
    """A source's name as people read it, harmless to show.

    >>> source_name("-")
    'standard input'
    """
    return "standard input" if name == "-" else safe(name)


def many(number: int, noun: str) -> str:
    """A number with its noun.

    >>> many(1, "line"), many(1204331, "line")
    ('1 line', '1,204,331 lines')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def short_id(identifier: str) -> str:
    """The first 8 digits of an id with its prefix; enough to name it on the command line.

    >>> short_id("f-0123456789abcdef")
    'f-01234567'
    """
    return identifier[:10]


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time as UTC, or None where it is not one. A time without a zone is UTC.

    >>> parse_time("2025-06-14T13:02:11Z").isoformat()
    '2025-06-14T13:02:11+00:00'
    >>> parse_time("yesterday") is None
    True
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def from_ns(ns: int) -> datetime:
    """A time in ns since 1970 as UTC, to the microsecond; beyond years 1 to 9999, the nearest.

    >>> from_ns(1_750_000_000_000_000_000).isoformat()
    '2025-06-15T15:06:40+00:00'
    """
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if ns > 0 else datetime.min.replace(tzinfo=UTC)


def moment(text: str, after: str | None = None) -> str:
    """A time as people read it, in UTC; what it shares with `after` (the day) is left out.

    >>> moment("2025-06-14T13:02:11.250Z")
    'Jun 14 13:02:11'
    >>> moment("2025-06-14T13:04:12Z", after="2025-06-14T13:02:11Z")
    '13:04:12'
    """
    time = parse_time(text)
    if time is None:
        return safe(text)
    clock = f"{time:%H:%M:%S}"
    before = parse_time(after) if after is not None else None
    return clock if before and before.date() == time.date() else f"{day(time)} {clock}"


def day(time: datetime) -> str:
    """Month and day, in English whatever the locale.

    >>> day(datetime(2025, 6, 4))
    'Jun 4'
    """
    return f"{_MONTHS[time.month - 1]} {time.day}"


def span(first: str | None, last: str | None) -> str:
    """From first to last, as people read it; empty where no time is known.

    >>> span("2025-06-14T13:02:11Z", "2025-06-14T13:04:12Z")
    'Jun 14 13:02:11 to 13:04:12'
    """
    if first is None:
        return ""
    start = moment(first)
    end = moment(last, after=first) if last is not None else ""
    return f"{start} to {end}" if end and not start.endswith(end) else start


def _time_key(text: str) -> tuple[bool, datetime, str]:
    # Parsed, because texts with and without fractions of a second do not sort as times do.
    moment = parse_time(text)
    return (moment is not None, moment or datetime.min.replace(tzinfo=UTC), text)
