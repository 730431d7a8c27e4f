"""The pipeline: events in, findings out. Batch, scan and stream all run this.

`Pipeline.process` takes batches from a `Reader`; `Pipeline.judge` takes events whose templates are
known already (the second pass of `scan`). Both push events into the plan's windows, run the ladder
over the windows that close, and hand each alarm to a `Teller`, which words it as a `Finding`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.confirmed import with_confirmed
from logwright.detectors.ladder import Alarm, Ladder
from logwright.feedback.judge import Judge, told
from logwright.feedback.novelty import RECORDS
from logwright.feedback.standing import Found
from logwright.findings.finding import Finding, pattern_id
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, LineBatch
from logwright.logs.coder import BLANK
from logwright.seeing import Seer
from logwright.telling import Teller
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.sessions import Sessions, whole
from logwright.windows.tumbling import CountWindows, TimeWindows
from logwright.windows.window import Events, Windows

__all__ = ["MOST_OF_PATTERN", "Assemblers", "Pipeline", "to_events"]

MOST_OF_PATTERN = 1_000
"""Findings kept of one pattern and state; further ones are counted."""


def to_events(
    rows: NDArray[np.int64], columns: dict[str, NDArray[Any]], vocabulary: Vocabulary
) -> Events:
    """Events of recorded columns; blank lines are no events."""
    filled = columns["shape"] != BLANK
    if not filled.all():
        rows = rows[filled]
        columns = {k: v[filled] for k, v in columns.items()}
    template = vocabulary.of(columns["shape"])
    return Events(template, columns["ts"], columns["level"], columns["session"], rows)


@dataclass(slots=True)
class Assemblers:
    """The assemblers of a plan, with the windows that are open in them: the plan's windows, the
    rate detector's intervals, windows for records that belong to no session, and the rules' own."""

    windows: Sessions | TimeWindows | CountWindows
    intervals: TimeWindows | None
    loose: TimeWindows | CountWindows | None
    own: Sessions | TimeWindows | CountWindows | None = None

    @staticmethod
    def of(plan: WindowPlan, vocabulary: Vocabulary) -> Assemblers:
        """Fresh ones."""
        windows = plan.assembler()
        if plan.session_end is not None and isinstance(windows, Sessions):
            windows.ends = vocabulary.matching(plan.session_end)
        return Assemblers(windows, plan.intervals(), plan.loose())

    @property
    def oldest(self) -> int | None:
        """The first row of windows that rules may still be asked about."""
        rows = [w.oldest for w in (self.windows, self.own) if w is not None]
        return min((row for row in rows if row is not None), default=None)

    def push_intervals(self, events: Events) -> Windows | None:
        """The intervals that these events close."""
        return None if self.intervals is None else self.intervals.push(events)

    def push_loose(self, events: Events) -> Windows | None:
        """The windows of keyless records that these events close."""
        return None if self.loose is None else self.loose.push(events.take(events.session < 0))

    def flush_intervals(self) -> Windows | None:
        """The open intervals."""
        return None if self.intervals is None else self.intervals.flush()

    def flush_loose(self) -> Windows | None:
        """The open windows of keyless records."""
        return None if self.loose is None else self.loose.flush()


class Pipeline:
    """Turns events into findings by a fixed vocabulary, plan and ladder.

    Windows that begin before `first_row` are not judged (`scan`: they belong to the past). With a
    `judge`, findings carry what verdicts say of them, and new verdicts act on the next batch. Of a
    pattern and state, `most` findings are kept.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ladder: Ladder,
        plan: WindowPlan,
        given: Intake,
        first_row: int = 0,
        judge: Judge | None = None,
        most: int | None = None,
    ) -> None:
        self.vocabulary, self.ladder, self.plan = vocabulary, ladder, plan
        for note in ladder.leave_out():
            given.note(note)
        self._rules, own = ladder.rules, None
        if self._rules is not None:
            self._rules.sees = Seer(given, vocabulary)
            own = self._rules.plan if any(r.reads == "own" for r in ladder.rungs) else None
        self._given, self._teller = given, Teller(vocabulary, plan, given, own)
        self._parameters, self._now = ladder.parameters, given.recording.now
        self.windows_scored = self.late_windows = self.events_judged = 0
        self._first, self._last = given.first, NO_TIME
        self._next = 0  # the row after the last one that was judged
        self._assemblers = Assemblers.of(plan, vocabulary)
        if own is not None:
            self._assemblers.own = Assemblers.of(own, vocabulary).windows
        self._first_row, self.feedback, self._most = first_row, judge, MOST_OF_PATTERN
        if most is not None:
            self._most = most
        self._confirmed: tuple[frozenset[str], dict[str, frozenset[str]]] = (frozenset(), {})
        self._normal: tuple[Any, NDArray[np.bool_] | None] = (None, None)
        self.counted: Counter[str] = Counter()
        self._kept: Counter[tuple[str, str]] = Counter()
        self._states: dict[str, str] = {}

    def process(self, batch: LineBatch) -> list[Finding]:
        """Findings of the windows that this batch closes."""
        rows = self.record(batch)
        columns: dict[str, NDArray[Any]] = {
            "shape": batch.shape,
            "ts": batch.ts,
            "level": batch.level,
            "session": batch.session,
        }
        return self.judge(to_events(rows, columns, self.vocabulary))

    def record(self, batch: LineBatch) -> NDArray[np.int64]:
        """Take a batch without judging it yet; gives the global rows of its records."""
        rows = self._given.recording.append(batch)
        new = self._given.reader.take_shapes()
        self.vocabulary.meet_shapes(new.codes, new.keys, new.contents)
        if self._parameters is not None and len(rows):
            self._parameters.look(batch, int(rows[0]), self.vocabulary)
        if self._rules is not None and len(rows):
            self._rules.look(batch, int(rows[0]))
        self._given.timeline.add(batch.ts, batch.level)
        return rows

    def judge(self, events: Events) -> list[Finding]:
        """Findings of the windows that these events close."""
        if self._parameters is not None:
            self._parameters.place(self._now)
        if self._rules is not None:
            self._rules.place(self._now)
        timed = events.ts[events.ts != NO_TIME]
        if len(timed):
            if self._first == NO_TIME:
                self._first = int(timed[0])
            self._last = max(self._last, int(timed.max()))
        if len(events):
            self._next = max(self._next, int(events.row.max()) + 1)
        if self.feedback is not None:
            self._hear(self.feedback)
        found = self._whole_windows(self._assemblers.windows.push(events), NO_TIME)
        if self._assemblers.own is not None:
            found += self._own_windows(self._assemblers.own.push(events))
        if self._first_row and len(events) and events.row[0] < self._first_row:
            events = events.take(events.row >= self._first_row)
        self.events_judged += len(events)
        found += self._alarms("loose", self._assemblers.push_loose(events))
        return found + self._alarms("intervals", self._assemblers.push_intervals(events))

    def _hear(self, judge: Judge) -> None:
        """Take verdicts that were given since."""
        judge.refresh()
        if self._first != NO_TIME:
            judge.passes(self._first, self._last)
        real = judge.real_templates, judge.real_make_ups
        if real != self._confirmed:
            self._confirmed = real
            self.ladder.rungs = with_confirmed(self.ladder.rungs, *real)

    def advance(self, now: int) -> list[Finding]:
        """Findings of the windows that close because it is `now` (ns), although no line came."""
        held = self._assemblers
        for windows in (held.windows, held.intervals, held.loose, held.own):
            if windows is not None and not isinstance(windows, CountWindows):
                windows.newest = max(windows.newest, now)
        none = np.empty(0, np.int64)
        few, small = none.astype(np.int32), none.astype(np.int8)
        return self.judge(Events(few, none, small, few, none))

    def forget(self) -> None:
        """Let go what rules remember of lines that no open window holds, for a run without an
        end. Lines that are not judged yet come later."""
        if self._rules is not None:
            oldest = self._assemblers.oldest
            self._rules.drop(self._next if oldest is None else min(oldest, self._next))

    def renew(self) -> None:
        """Count the findings of each pattern anew, for a run without an end."""
        self._kept.clear()
        self._teller.renew()

    def finish(self) -> list[Finding]:
        """Findings of the windows that the end of the input closes."""
        found = self._whole_windows(self._assemblers.windows.flush(), self._last)
        if self._assemblers.own is not None:
            found += self._own_windows(self._assemblers.own.flush())
        found += self._alarms("loose", self._assemblers.flush_loose())
        return found + self._alarms("intervals", self._assemblers.flush_intervals())

    def _whole_windows(self, windows: Windows, last: int) -> list[Finding]:
        if self._first_row and len(windows):
            now = windows.events.row[windows.bounds[:-1]] >= self._first_row
            windows = windows if now.all() else windows.select(now)
        return self._alarms("windows", windows, whole(windows, self._first, last, self.plan.edge))

    def _own_windows(self, windows: Windows) -> list[Finding]:
        if self._first_row and len(windows):
            windows = windows.select(windows.events.row[windows.bounds[:-1]] >= self._first_row)
        return self._alarms("own", windows)

    def _alarms(
        self,
        kind: Literal["windows", "intervals", "loose", "own"],
        windows: Windows | None,
        complete: NDArray[np.bool_] | None = None,
    ) -> list[Finding]:
        if windows is None:
            return []
        if kind in ("windows", "loose"):
            self.windows_scored += len(windows)
            self.late_windows += int(windows.late.sum())
        findings = []
        normal = self._normal_templates()
        for alarm in self.ladder.detect(kind, windows, self.vocabulary, complete, normal):
            sight, counted = self._sight(windows, alarm)
            if self.feedback is not None and sight:
                at = int(windows.events.row[windows.bounds[alarm.window]]) // RECORDS
                sight = self._judged(self.feedback, at, sight)
            alarm.settled = {*counted, *(f.state for f in sight)} == {"suppressed"}
            findings += [f for f in sight if self._is_kept(f)]
        return findings

    def _sight(self, windows: Windows, alarm: Alarm) -> tuple[list[Finding], list[str]]:
        """The findings of a window that have to be judged, and the states of those that are counted
        only: of a pattern with very many, where one is like the other for whoever judged it."""
        found, counted = [], []
        detector = alarm.rung.detector
        for evidence in alarm.evidence:
            pattern = pattern_id(detector.name, detector.unit, evidence.parts)
            state = self._states.get(pattern, "open")
            if self._kept[pattern, state] >= self._most and self._is_settled(pattern):
                self.counted[pattern] += 1
                counted.append(state)
            else:
                i = alarm.window
                found.append(self._teller.finding(windows, i, alarm.rung, evidence, pattern))
        return found, counted

    def _is_settled(self, pattern: str) -> bool:
        """Whether no further finding of a pattern can be judged otherwise than the last one."""
        return self.feedback is None or self.feedback.standing.is_plain(pattern)

    def _is_kept(self, finding: Finding) -> bool:
        """Whether there are not too many of its pattern and state; else it is counted."""
        self._states[finding.pattern] = finding.state
        self._kept[finding.pattern, finding.state] += 1
        if self._kept[finding.pattern, finding.state] <= self._most:
            return True
        self.counted[finding.pattern] += 1
        return False

    @staticmethod
    def _judged(judge: Judge, at: int, sight: list[Finding]) -> list[Finding]:
        """The findings of a window, with what verdicts and the policy for the rest say of them."""
        judged = judge.see(at, [Found.of(f) for f in sight])
        return [told(f, j) for f, j in zip(sight, judged, strict=True)]

    def _normal_templates(self) -> NDArray[np.bool_] | None:
        """Which templates verdicts say are normal, None for none."""
        names = frozenset() if self.feedback is None else self.feedback.normal_templates
        if not names:
            return None
        now = (names, len(self.vocabulary))
        if self._normal[0] != now:
            mask = np.array([t.id in names for t in self.vocabulary.templates], bool)
            self._normal = (now, mask)
        return self._normal[1]
