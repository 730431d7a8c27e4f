"""The pipeline: events in, findings out. Batch, scan and stream all run this.

`Pipeline.process` takes batches from a `Reader`; `Pipeline.judge` takes events whose templates are
known already (the second pass of `scan`). Both push events into the plan's windows, run the ladder
over the windows that close, and word each alarm as a `Finding` whose lines come from the recording.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence
from logwright.detectors.confirmed import Confirmed
from logwright.detectors.ladder import Ladder, Rung
from logwright.detectors.thresholds import Threshold
from logwright.feedback.judge import Judge, told
from logwright.feedback.novelty import RECORDS
from logwright.feedback.standing import Found
from logwright.findings.finding import (
    SEVERITIES,
    Attributes,
    CitedLine,
    Finding,
    Severity,
    TemplateRef,
    WindowRef,
    finding_id,
    pattern_id,
)
from logwright.findings.severity import rank
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, LineBatch
from logwright.logs.coder import BLANK
from logwright.logs.recording import TEXT_LIMIT, Place
from logwright.logs.redaction import redact
from logwright.logs.timestamps import iso
from logwright.templates.parameters import LINE
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.sessions import Sessions, whole
from logwright.windows.tumbling import CountWindows, TimeWindows
from logwright.windows.window import Events, Windows

__all__ = ["MOST_OF_PATTERN", "Assemblers", "Pipeline", "to_events"]

MOST_OF_PATTERN = 1_000
"""Findings kept of one pattern; further ones are counted."""

_KEY_LIMIT = 64 << 10
_AT_LEAST_MEDIUM = ("rate", "counts", "parameters", "timing")


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
    rate detector's intervals, and windows for records that belong to no session."""

    windows: Sessions | TimeWindows | CountWindows
    intervals: TimeWindows | None
    loose: TimeWindows | CountWindows | None

    @staticmethod
    def of(plan: WindowPlan, vocabulary: Vocabulary) -> Assemblers:
        """Fresh ones."""
        windows = plan.assembler()
        if plan.session_end is not None and isinstance(windows, Sessions):
            windows.ends = vocabulary.matching(plan.session_end)
        return Assemblers(windows, plan.intervals(), plan.loose())

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
    `judge`, findings carry what verdicts say of them, and new verdicts act on the next batch.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ladder: Ladder,
        plan: WindowPlan,
        intake: Intake,
        first_row: int = 0,
        judge: Judge | None = None,
    ) -> None:
        self.vocabulary, self.ladder, self.plan = vocabulary, ladder, plan
        self.reader, self.recording = intake.reader, intake.recording
        self.timeline = intake.timeline
        self._parameters, self._now = ladder.parameters, intake.recording.now
        self.windows_scored = self.late_windows = self.events_judged = 0
        self._first, self._last = intake.first, NO_TIME
        self._assemblers = Assemblers.of(plan, vocabulary)
        self._first_row, self.feedback = first_row, judge
        self._confirmed: frozenset[str] = frozenset()
        self._normal: tuple[Any, NDArray[np.bool_] | None] = (None, None)
        self.counted_only = 0
        self.of_pattern: Counter[str] = Counter()
        self._ordinals: Counter[tuple[str, str, int, str]] = Counter()

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
        rows = self.recording.append(batch)
        new = self.reader.take_shapes()
        self.vocabulary.meet_shapes(new.codes, new.keys, new.contents)
        if self._parameters is not None and len(rows):
            self._parameters.look(batch, int(rows[0]), self.vocabulary)
        self.timeline.add(batch.ts, batch.level)
        return rows

    def judge(self, events: Events) -> list[Finding]:
        """Findings of the windows that these events close."""
        if self._parameters is not None:
            self._parameters.place(self._now)
        timed = events.ts[events.ts != NO_TIME]
        if len(timed):
            if self._first == NO_TIME:
                self._first = int(timed[0])
            self._last = max(self._last, int(timed.max()))
        if self.feedback is not None:
            self._hear(self.feedback)
        found = self._whole_windows(self._assemblers.windows.push(events), NO_TIME)
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
        names = judge.real_templates
        if names != self._confirmed:
            self._confirmed = names
            rungs = [r for r in self.ladder.rungs if not isinstance(r.detector, Confirmed)]
            if names and any(r.reads == "records" for r in rungs):
                threshold = Threshold(1.0, "any line of it")
                rungs.insert(0, Rung(Confirmed(names), threshold, "records", "as verdicts say"))
            self.ladder.rungs = rungs

    def advance(self, now: int) -> list[Finding]:
        """Findings of the windows that close because it is `now` (ns), although no line came."""
        held = self._assemblers
        for windows in (held.windows, held.intervals, held.loose):
            if windows is not None and not isinstance(windows, CountWindows):
                windows.newest = max(windows.newest, now)
        none = np.empty(0, np.int64)
        few, small = none.astype(np.int32), none.astype(np.int8)
        return self.judge(Events(few, none, small, few, none))

    def renew(self) -> None:
        """Count the findings of each pattern anew, for a run without an end."""
        self.of_pattern.clear()
        self._ordinals.clear()

    def finish(self) -> list[Finding]:
        """Findings of the windows that the end of the input closes."""
        found = self._whole_windows(self._assemblers.windows.flush(), self._last)
        found += self._alarms("loose", self._assemblers.flush_loose())
        return found + self._alarms("intervals", self._assemblers.flush_intervals())

    def _whole_windows(self, windows: Windows, last: int) -> list[Finding]:
        if self._first_row and len(windows):
            now = windows.events.row[windows.bounds[:-1]] >= self._first_row
            windows = windows if now.all() else windows.select(now)
        return self._alarms("windows", windows, whole(windows, self._first, last, self.plan.edge))

    def _alarms(
        self,
        kind: Literal["windows", "intervals", "loose"],
        windows: Windows | None,
        complete: NDArray[np.bool_] | None = None,
    ) -> list[Finding]:
        if windows is None:
            return []
        if kind != "intervals":
            self.windows_scored += len(windows)
            self.late_windows += int(windows.late.sum())
        findings = []
        normal = self._normal_templates()
        for alarm in self.ladder.detect(kind, windows, self.vocabulary, complete, normal):
            sight = []
            detector = alarm.rung.detector
            for evidence in alarm.evidence:
                pattern = pattern_id(detector.name, detector.unit, evidence.parts)
                self.of_pattern[pattern] += 1
                if self.of_pattern[pattern] > MOST_OF_PATTERN:
                    self.counted_only += 1
                else:
                    i = alarm.window
                    sight.append(self._finding(windows, i, alarm.rung, evidence, pattern))
            if self.feedback is not None and sight:
                at = int(windows.events.row[windows.bounds[alarm.window]]) // RECORDS
                sight = self._judged(self.feedback, at, sight)
                alarm.settled = all(f.state == "suppressed" for f in sight)
            findings += sight
        return findings

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

    def _finding(
        self, windows: Windows, i: int, rung: Rung, evidence: Evidence, pattern: str
    ) -> Finding:
        detector = rung.detector
        span = windows.span(i)
        rows, ts = windows.events.row[span], windows.events.ts[span]
        cited = {row: self.recording.place(row) for row in evidence.rows}
        key_row = evidence.key_rows[0] if evidence.key_rows else int(rows[0])
        place = cited.get(key_row) or self.recording.place(key_row)
        message = place.text[self.reader.message_at(place.source_id, place.text) :]
        content = hashlib.blake2b(message, digest_size=8).hexdigest()
        first, last = self._times(windows, i, evidence)
        key = self._key(windows, i, place)
        same = (pattern, key, first, content)
        self._ordinals[same] += 1
        start, end = windows.first_last(i)
        lines = [
            self._line(row, cited[row], evidence, rows, ts, windows, i) for row in evidence.rows
        ]
        templates = [
            TemplateRef(
                id=self.vocabulary.templates[t].id,
                text=self.vocabulary.templates[t].text,
                name=self.vocabulary.templates[t].name,
                count=int((windows.events.template[span] == t).sum()),
                usual=evidence.usual.get(t),
            )
            for t in evidence.templates
        ]
        kind = windows.kind
        return Finding(
            id=finding_id(pattern, key, first, content, self._ordinals[same] - 1),
            pattern=pattern,
            detector=detector.name,
            unit=detector.unit,
            score=round(evidence.score, 6),
            threshold=round(rung.threshold.value, 6),
            severity=self._severity(windows, i, detector.name, evidence),
            summary=evidence.summary,
            expected=evidence.expected,
            seen=evidence.seen,
            first_seen=_iso(first),
            last_seen=_iso(last),
            count=evidence.count,
            window=WindowRef(kind=kind, key=key, start=_iso(start), end=_iso(end), lines=len(rows)),
            lines=tuple(lines),
            templates=tuple(templates),
        )

    def _times(self, windows: Windows, i: int, evidence: Evidence) -> tuple[int, int]:
        """First and last time of the records that are the reason (of the window, for want)."""
        span = windows.span(i)
        if len(evidence.templates) == 1 and evidence.key_rows:
            if evidence.count > len(evidence.key_rows):  # not all of them are cited
                mine = windows.events.template[span] == evidence.templates[0]
            else:
                mine = np.isin(windows.events.row[span], evidence.key_rows)
            times = windows.events.ts[span][mine]
            times = times[times != NO_TIME]
            if len(times):
                return int(times.min()), int(times.max())
        return windows.first_last(i)

    def _key(self, windows: Windows, i: int, place: Place) -> str:
        """The window's key for people, the same whatever source the lines came from."""
        number = int(windows.key[i])
        if windows.kind == "session" and self.reader.session is not None:
            # The key stands in the message; further on than other texts are shown, perhaps.
            text = self.recording.place(int(windows.events.row[windows.bounds[i]]), _KEY_LIMIT).text
            at = self.reader.message_at(place.source_id, text)
            key = self.reader.session.key_of(text[at:])
            return "" if key is None else key.decode("utf-8", "backslashreplace")
        if windows.kind == "time":
            start = _iso(int(windows.end[i]) - self._length(windows, i)) or str(number)
            return f"{start} (late)" if windows.late[i] else start
        return f"records from {int(windows.events.row[windows.bounds[i]]) + 1:,}"

    def _length(self, windows: Windows, i: int) -> int:
        """A time window's length: the plan's, or the rate detector's interval."""
        end, number = int(windows.end[i]), int(windows.key[i])
        if self.plan.kind == "time" and end == number * self.plan.step + self.plan.size:
            return self.plan.size
        return self.plan.interval

    def _line(
        self,
        row: int,
        place: Place,
        evidence: Evidence,
        rows: NDArray[np.int64],
        ts: NDArray[np.int64],
        windows: Windows,
        i: int,
    ) -> CitedLine:
        at = np.flatnonzero(rows == row)
        time, template = NO_TIME, None
        emails = self.reader.settings.emails
        if len(at):
            time = int(ts[at[0]])
            code = int(windows.events.template[windows.span(i)][at[0]])
            template = self.vocabulary.templates[code]
        text = redact(place.text, emails)
        begin = self.reader.message_at(place.source_id, text)
        whole = text
        if len(place.text) >= TEXT_LIMIT:  # JSON that was cut names nothing
            whole = redact(self.recording.place(row, _KEY_LIMIT).text, emails)
        host, component = (
            name.decode("utf-8", "backslashreplace") or None
            for name in self.reader.names_at(place.source_id, whole)
        )
        return CitedLine(
            source=self.reader.sources.sources[place.source_id].stats.name,
            line_no=place.line_no,
            offset=place.offset,
            text=text.decode("utf-8", "backslashreplace"),
            message_at=len(text[:begin].decode("utf-8", "backslashreplace")),
            more=tuple(redact(m, emails).decode("utf-8", "backslashreplace") for m in place.more),
            time=_iso(time),
            host=host,
            component=component,
            template=None if template is None else template.id,
            attributes=None if template is None else _attributes(template, text[begin:]),
            highlight=row in evidence.key_rows,
        )

    def _severity(self, windows: Windows, i: int, detector: str, evidence: Evidence) -> Severity:
        """From the level of the lines in question and from their words."""
        span = windows.span(i)
        level = 0
        if evidence.templates:
            mine = np.isin(windows.events.template[span], evidence.templates)
            levels = windows.events.level[span][mine]
            level = int(levels.max()) if len(levels) else 0
        texts = [self.vocabulary.templates[t].text for t in evidence.templates]
        least = 1 if detector in _AT_LEAST_MEDIUM else 0
        return SEVERITIES[max(rank(level, texts), least)]


def _attributes(template: Template, message: bytes) -> Attributes:
    """A line's template and parameters, by OpenTelemetry's names; `message` is redacted."""
    values = [p.value for p in template.parameters(message) if p.type != LINE]
    return {
        "log.record.template": template.text,
        "log.record.template.params": tuple(
            value.decode("utf-8", "backslashreplace") for value in values
        ),
    }


def _iso(ns: int) -> str | None:
    return None if ns == NO_TIME else iso(ns)
