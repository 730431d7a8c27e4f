"""Telling: what words an alarm as a finding, with its times, its window's key and its lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.detectors.base import Evidence
from logwright.detectors.ladder import Rung
from logwright.findings.alike import Alike
from logwright.findings.finding import (
    SEVERITIES,
    Attributes,
    CitedLine,
    Finding,
    Severity,
    TemplateRef,
    WindowRef,
    finding_id,
)
from logwright.findings.severity import rank
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME
from logwright.logs.recording import TEXT_LIMIT, Place
from logwright.logs.redaction import redact
from logwright.logs.timestamps import iso
from logwright.snapshot import State
from logwright.templates.parameters import values_of
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.window import Windows

__all__ = ["Teller", "cite"]

_NAMELESS = (b"", b"-", b"NULL", b"(null)")
"""What headers hold in place of a host that they do not know."""

_KEY_LIMIT = 64 << 10
_AT_LEAST_MEDIUM = ("rate", "counts", "parameters", "timing")


class Teller:
    """Words alarms as findings, whose lines come from the run's recording.

    `own` are the windows of rules, where these are others.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        plan: WindowPlan,
        given: Intake,
        own: WindowPlan | None = None,
    ) -> None:
        self._vocabulary, self._plan, self._own = vocabulary, plan, own
        self._given = given  # and not its recording, which is another one when a run goes live
        self._alike = Alike()

    def paused(self) -> State:
        """How many findings were alike."""
        return self._alike.paused()

    def resume(self, state: State) -> None:
        """Go on from there."""
        self._alike.resume(state)

    def finding(
        self, windows: Windows, i: int, rung: Rung, evidence: Evidence, pattern: str
    ) -> Finding:
        """What a rung raised for window `i`, as evidence of a pattern."""
        detector = rung.detector
        span = windows.span(i)
        rows = windows.events.row[span]
        cited = {row: self._given.recording.place(row) for row in evidence.rows}
        key_row = evidence.key_rows[0] if evidence.key_rows else int(rows[0])
        place = cited.get(key_row) or self._given.recording.place(key_row)
        content = (place.digest or self._given.digest(place.source_id, place.text)).hex()
        first, last = self._times(windows, i, evidence)
        key = self._key(windows, i)
        ordinal = self._alike.before(pattern, key, first, content)
        start, end = windows.first_last(i)
        told = [row for row in evidence.rows if cited[row].line_no]
        lines = [self._line(row, cited[row], evidence, windows, i) for row in told]
        templates = [
            TemplateRef(
                id=self._vocabulary.templates[t].id,
                text=self._vocabulary.templates[t].text,
                name=self._vocabulary.templates[t].name,
                count=int((windows.events.template[span] == t).sum()),
                usual=evidence.usual.get(t),
            )
            for t in evidence.templates
        ]
        kind = windows.kind
        return Finding(
            id=finding_id(pattern, key, first, content, ordinal),
            pattern=pattern,
            detector=detector.name,
            unit=detector.unit,
            score=round(evidence.score, 6),
            threshold=round(rung.threshold.value, 6),
            severity=evidence.severity or self._severity(windows, i, detector.name, evidence),
            summary=evidence.summary,
            expected=evidence.expected,
            seen=evidence.seen,
            first_seen=_iso(first),
            last_seen=_iso(last),
            count=evidence.count,
            window=WindowRef(kind=kind, key=key, start=_iso(start), end=_iso(end), lines=len(rows)),
            lines=tuple(lines),
            templates=tuple(templates),
            rule=evidence.rule,
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

    def _key(self, windows: Windows, i: int) -> str:
        """The window's key for people, the same whatever source the lines came from."""
        number, reader = int(windows.key[i]), self._given.reader
        if windows.kind == "session" and reader.session is not None:
            # The key stands in the message; further on than other texts are shown, perhaps.
            first = int(windows.events.row[windows.bounds[i]])
            began = self._given.recording.place(first, _KEY_LIMIT)
            if began.digest is not None:  # its text was let go
                return (reader.session.name_of(number) or b"").decode("utf-8", "backslashreplace")
            key = reader.session.key_of(
                began.text[reader.message_at(began.source_id, began.text) :]
            )
            return "" if key is None else key.decode("utf-8", "backslashreplace")
        if windows.kind == "time":
            start = _iso(int(windows.end[i]) - self._length(windows, i)) or str(number)
            return f"{start} (late)" if windows.late[i] else start
        return f"records from {int(windows.events.row[windows.bounds[i]]) + 1:,}"

    def _length(self, windows: Windows, i: int) -> int:
        """A time window's length: that of the plan, of the rules' own windows, or of the rate
        detector's interval."""
        end, number = int(windows.end[i]), int(windows.key[i])
        for plan in (self._plan, self._own):
            if plan is not None and plan.kind == "time" and end == number * plan.step + plan.size:
                return plan.size
        return self._plan.interval

    def _line(
        self, row: int, place: Place, evidence: Evidence, windows: Windows, i: int
    ) -> CitedLine:
        span, reader = windows.span(i), self._given.reader
        emails = reader.settings.emails
        text = redact(place.text, emails)
        begin = reader.message_at(place.source_id, text)
        at = np.flatnonzero(windows.events.row[span] == row)
        time, template = NO_TIME, None
        if len(at):
            time = int(windows.events.ts[span][at[0]])
            template = self._vocabulary.templates[int(windows.events.template[span][at[0]])]
        return cite(
            self._given,
            row,
            place,
            text,
            begin,
            more=tuple(redact(m, emails).decode("utf-8", "backslashreplace") for m in place.more),
            time=_iso(time),
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
        texts = [self._vocabulary.templates[t].text for t in evidence.templates]
        least = 1 if detector in _AT_LEAST_MEDIUM else 0
        return SEVERITIES[max(rank(level, texts), least)]


def cite(given: Intake, row: int, place: Place, text: bytes, begin: int, **more: Any) -> CitedLine:
    """A line of a run with the names in its header: `text` is that of its place, redacted, with
    the message from `begin` on. `more` is what else is known of it."""
    whole = text
    if len(place.text) >= TEXT_LIMIT:  # JSON that was cut names nothing
        whole = redact(given.recording.place(row, _KEY_LIMIT).text, given.settings.emails)
    host, component = (
        None if name in _NAMELESS else name.decode("utf-8", "backslashreplace")
        for name in given.reader.names_at(place.source_id, whole)
    )
    return CitedLine(
        source=given.sources.sources[place.source_id].stats.name,
        line_no=place.line_no,
        offset=place.offset,
        text=text.decode("utf-8", "backslashreplace"),
        message_at=len(text[:begin].decode("utf-8", "backslashreplace")),
        host=host,
        component=component,
        **more,
    )


def _attributes(template: Template, message: bytes) -> Attributes:
    """A line's template and parameters, by OpenTelemetry's names; `message` is redacted."""
    return {
        "log.record.template": template.text,
        "log.record.template.params": tuple(
            value.decode("utf-8", "backslashreplace")
            for value in values_of(template.parts, message)
        ),
    }


def _iso(ns: int) -> str | None:
    return None if ns == NO_TIME else iso(ns)
