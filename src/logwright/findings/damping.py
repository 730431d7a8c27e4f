"""Damping: fewer, surer findings. A trigger waits until a pattern persists; quiet counts repeats.

*Trigger N/M*: time is cut into intervals (of the run's rate detector, or a minute; for logs without
times, of 100 lines). A finding is raised once its pattern was found in N of the last M intervals,
its own included, together with those of that stretch that were held back; until then it is held
back and counted. What tells of an absence (a silence, a lost beat, a long gap) is raised at once,
as it speaks of many intervals by itself. *Quiet*: a finding within that time of its pattern's last
one, raised or not, is counted in the one that was raised (`count`, `last_seen`), not raised anew.

Findings are taken in order of time. Memory is bounded: the patterns found last are known, and the
last findings of each are held back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from logwright.findings.finding import Finding
from logwright.findings.run import many, parse_time

__all__ = ["Damper"]

_HELD = 20
_PATTERNS = 10_000
_LINES = 100
_START = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(slots=True)
class _Pattern:
    slots: list[int] = field(default_factory=list)  # distinct intervals in which it was found
    held: list[tuple[int, Finding]] = field(default_factory=list)
    last: datetime | None = None  # of its last finding, raised or counted
    raised: Finding | None = None


class Damper:
    """Decides which findings are raised; `interval` and `quiet` are seconds, 0 for no quiet."""

    def __init__(
        self, trigger: tuple[int, int] | None = None, quiet: float = 0.0, interval: float = 60.0
    ) -> None:
        self.held_back = self.repeats = 0
        self._trigger = trigger or (1, 1)
        self._quiet = timedelta(seconds=quiet)
        self._interval = max(interval, 1.0)
        self._patterns: dict[str, _Pattern] = {}
        self._folded: dict[str, Finding] = {}  # by id, those that repeats were counted in

    @property
    def active(self) -> bool:
        """Whether anything is damped at all."""
        return self._trigger[0] > 1 or bool(self._quiet)

    def raised(self, findings: Iterable[Finding]) -> list[Finding]:
        """All findings of a run, damped, in order of time; those that repeats were counted in tell
        of them."""
        if not self.active:
            return list(findings)
        order = sorted(findings, key=_moment)
        return [self.whole(f) for f in [f for finding in order for f in self.take(finding)]]

    def take(self, finding: Finding) -> list[Finding]:
        """The findings that this one raises: none, itself, or itself with those held back."""
        if not self.active:
            return [finding]
        pattern = self._patterns.pop(finding.pattern, None) or _Pattern()
        self._patterns[finding.pattern] = pattern  # the newest last
        while len(self._patterns) > _PATTERNS:
            self._patterns.pop(next(iter(self._patterns)))
        least, among = self._trigger
        slot = self._slot(finding)
        pattern.slots = [s for s in pattern.slots if slot - among < s != slot] + [slot]
        pattern.held = [(s, f) for s, f in pattern.held if slot - among < s]
        if len(pattern.slots) < least and not _is_absence(finding):
            self.held_back += 1
            pattern.held = [*pattern.held, (slot, finding)][-_HELD:]
            return []
        released = [f for _, f in pattern.held]
        self.held_back -= len(released)
        pattern.held = []
        return [f for each in (*released, finding) for f in self._hushed(pattern, each)]

    def _hushed(self, pattern: _Pattern, finding: Finding) -> list[Finding]:
        begin = parse_time(finding.first_seen or "")
        end = parse_time(finding.last_seen or "") or begin
        before = pattern.last
        if end is not None:
            pattern.last = end if before is None else max(before, end)
        near = begin is not None and before is not None and begin - before <= self._quiet
        if not (self._quiet and near and pattern.raised is not None):
            pattern.raised = finding
            return [finding]
        self.repeats += 1
        first = pattern.raised
        pattern.raised = self._folded[first.id] = first.model_copy(
            update={
                "count": first.count + finding.count,
                "last_seen": max(
                    (t for t in (first.last_seen, finding.last_seen) if t),
                    key=lambda t: parse_time(t) or _START,
                ),
            }
        )
        while len(self._folded) > _PATTERNS:
            self._folded.pop(next(iter(self._folded)))
        return []

    def whole(self, finding: Finding) -> Finding:
        """A finding that was raised, with its repeats counted in."""
        return self._folded.get(finding.id, finding)

    def has_raised(self, pattern: str) -> bool:
        """Whether a finding of this pattern was raised."""
        known = self._patterns.get(pattern)
        return known is not None and known.raised is not None

    def _slot(self, finding: Finding) -> int:
        begin = parse_time(finding.first_seen or "")
        if begin is not None:
            return int((begin - _START).total_seconds() // self._interval)
        return finding.lines[0].line_no // _LINES if finding.lines else 0

    def notes(self) -> list[str]:
        """What was left out, as sentences."""
        told = []
        if self.held_back:
            least, among = self._trigger
            told.append(
                f"{many(self.held_back, 'finding')} held back: their patterns were not found in "
                f"{least} of {among} consecutive intervals"
            )
        if self.repeats:
            told.append(f"{many(self.repeats, 'repeat')} within the quiet time were counted only")
        return told


def _is_absence(finding: Finding) -> bool:
    return finding.detector == "timing" or (
        finding.detector == "rate" and "not seen for" in finding.summary
    )


def _moment(finding: Finding) -> tuple[datetime, int, str]:
    line = finding.lines[0].line_no if finding.lines else 0
    return parse_time(finding.first_seen or "") or _START, line, finding.id
