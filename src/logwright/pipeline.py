"""The pipeline: events in, findings out. Batch, scan and stream all run this.

`Pipeline.process` takes batches from a `Reader`; `Pipeline.judge` takes events whose templates are
known already (the second pass of `scan`). Both push events into the plan's windows, run the ladder
over the windows that close, and hand each alarm to a `Teller`, which words it as a `Finding`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Remembering, known_among
from logwright.detectors.confirmed import with_confirmed
from logwright.detectors.ladder import Alarm, Ladder, Rung
from logwright.detectors.timing import Timing
from logwright.errors import StoreError
from logwright.feedback.judge import Judge, told
from logwright.feedback.novelty import RECORDS
from logwright.feedback.standing import Found
from logwright.findings.finding import Finding, pattern_id
from logwright.floods import Floods
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, Int32s, LineBatch
from logwright.logs.coder import BLANK
from logwright.logs.texts import Texts
from logwright.seeing import Seer
from logwright.sights import Sights
from logwright.snapshot import Moved, State
from logwright.telling import Teller
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.assemblers import Assemblers
from logwright.windows.plan import WindowPlan
from logwright.windows.sessions import Sessions, whole
from logwright.windows.tumbling import CountWindows
from logwright.windows.window import Events, Windows, distinct

__all__ = ["MOST_OF_PATTERN", "Assemblers", "Pipeline", "to_events"]

MOST_OF_PATTERN = 1_000
"""Findings kept of one pattern and state; further ones are counted."""

_REMEMBERED = (
    *("windows_scored", "late_windows", "events_judged"),
    *("_first", "_last", "_next"),
)


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


def _named(rung: Rung) -> str:
    return f"detector {rung.detector.name} {rung.detector.unit}"


class Pipeline:
    """Turns events into findings by a fixed vocabulary, plan and ladder.

    Windows that begin before `first_row` are not judged (`scan`: they belong to the past). With a
    `judge`, findings carry what verdicts say of them, and new verdicts act on the next batch. Of a
    pattern and state, `most` findings are kept (`sights`).

    An endless run is to `forget` when it `is_full`, can be `paused`, and another `resume` it.
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
        self._first_row, self.feedback = first_row, judge
        self.sights = Sights(MOST_OF_PATTERN if most is None else most)
        self._confirmed: tuple[frozenset[str], dict[str, frozenset[str]]] = (frozenset(), {})
        self._normal: tuple[Any, NDArray[np.bool_] | None] = (None, None)
        self.counted: Counter[str] = Counter()
        self.floods: Floods | None = None  # to be set before the first line

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
        self.vocabulary.meet_shapes(new.codes, new.keys, new.contents, new.lines)
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
        events, found = self.apart(events)
        found += self._whole_windows(self._assemblers.windows.push(events), NO_TIME)
        if self._assemblers.own is not None:
            found += self._own_windows(self._assemblers.own.push(events))
        if self._first_row and len(events) and events.row[0] < self._first_row:
            events = events.take(events.row >= self._first_row)
        self.events_judged += len(events)
        found += self._alarms("loose", self._assemblers.push_loose(events))
        return found + self._alarms("intervals", self._assemblers.push_intervals(events))

    def apart(self, events: Events) -> tuple[Events, list[Finding]]:
        """Events without those of a flood, and the findings that tell of it."""
        if self.floods is None:
            return events, []
        events, alarms = self.floods.apart(events, self.ladder)
        return events, [f for windows, alarm in alarms for f in self._raised(windows, alarm)]

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
        for windows in self._assemblers.named().values():
            if not isinstance(windows, CountWindows):
                windows.newest = max(windows.newest, now)
        none = np.empty(0, np.int64)
        few, small = none.astype(np.int32), none.astype(np.int8)
        return self.judge(Events(few, none, small, few, none))

    def bound(self, records: int) -> None:
        """Hold so many records of open sessions at most."""
        for windows in self._assemblers.named().values():
            if isinstance(windows, Sessions):
                windows.most = records

    @property
    def newest(self) -> int:
        """The newest time that was judged (ns); `NO_TIME` for none."""
        return self._last

    @property
    def open_windows(self) -> int:
        """Windows that wait for more lines, of all kinds."""
        return sum(windows.open for windows in self._assemblers.named().values())

    @property
    def dropped(self) -> dict[str, int]:
        """What was let go to bound memory, by reason: sessions closed early, texts of lines that
        were still wanted, findings that were one too many, lines of shapes that were."""
        held = self._assemblers.named().values()
        texts = self._given.recording
        return {
            "sessions": sum(w.evicted for w in held if isinstance(w, Sessions)),
            "texts": texts.let_go if isinstance(texts, Texts) else 0,
            "findings": self.counted.total(),
            "shapes": self._given.reader.coder.overflowed,
            "flood": 0 if self.floods is None else self.floods.lines,
        }

    @property
    def is_full(self) -> bool:
        """Whether much is held that no open window holds."""
        texts = self._given.recording
        return isinstance(texts, Texts) and texts.is_full

    def forget(self) -> None:
        """Let go what is remembered of lines that no open window holds, for a run without an end.
        All lines that were read must have been judged."""
        judged, cited = self._assemblers.judged_rows, self._assemblers.cited_rows
        detectors = [r.detector for r in self.ladder.rungs if isinstance(r.detector, Remembering)]
        keys = [self._assemblers.sessions]
        keys += [d.forget(self._next) for d in detectors if isinstance(d, Timing)]
        cites = [detector.cites() for detector in detectors]
        if isinstance(self._given.recording, Texts):
            self._given.recording.keep(distinct([cited, *cites]))
        if self._rules is not None:
            self._rules.keep(judged)
        if self._parameters is not None:
            self._parameters.drop(int(judged[0]) if len(judged) else self._next)
        if self._given.reader.remembers:
            self._given.reader.drop_keys(distinct(keys))

    def paused(self) -> dict[str, State]:
        """All that decides later findings, and what they cite; of an endless run."""
        self.forget()
        shapes = self._given.reader.paused()
        codes = shapes["shapes"].tables["shapes"]["code"]
        own = {name: getattr(self, name) for name in _REMEMBERED}
        meta = {"own": own, "muted": self.ladder.muted, "counted": self.counted}
        tables: dict[str, dict[str, NDArray[Any]]] = {
            "shapes": {"template": self.vocabulary.of(codes)},
            "templates": {"hash": self.vocabulary.hashes},
        }
        states = {**shapes, "pipeline": State(meta, tables), "telling": self._teller.paused()}
        states["sights"] = self.sights.paused()
        assert isinstance(self._given.recording, Texts)
        states["texts"] = self._given.recording.paused()
        for name, windows in self._assemblers.named().items():
            states[f"windows {name}"] = windows.paused()
        for rung in self.ladder.rungs:
            if isinstance(rung.detector, Remembering):
                states[_named(rung)] = rung.detector.paused()
        if self.feedback is not None:
            states["judge"] = self.feedback.paused()
        if self.floods is not None:
            states["floods"] = self.floods.paused()
        return states

    def resume(self, states: Mapping[str, State]) -> None:
        """Go on from there, in a pipeline that has read nothing; `StoreError` where they do not
        fit the model's windows."""
        try:
            self._resume(states)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise StoreError(
                f"the snapshot does not fit this model ({error!r}): delete it to start anew, "
                "without what was open"
            ) from None

    def _resume(self, states: Mapping[str, State]) -> None:
        now, keys = self._given.reader.resume(states)
        new = self._given.reader.take_shapes()
        self.vocabulary.meet_shapes(new.codes, new.keys, new.contents)
        own = states["pipeline"]
        then = own.tables["templates"]["hash"], own.tables["shapes"]["template"]
        if self.floods is not None and "floods" in states:
            self.floods.resume(states["floods"])
            self.vocabulary.fold(now[then[0][then[1]] == self.floods.folded])
        moved = Moved(self._templates(*then, now), keys)
        for name in _REMEMBERED:
            setattr(self, name, int(own.meta["own"][name]))
        self.ladder.muted = int(own.meta["muted"])
        self.counted.update(own.meta["counted"])
        self.sights.resume(states["sights"])
        self._teller.resume(states["telling"])
        assert isinstance(self._given.recording, Texts)
        self._given.recording.resume(states["texts"])
        for name, windows in self._assemblers.named().items():
            if f"windows {name}" in states:
                windows.resume(states[f"windows {name}"], moved)
        for rung in self.ladder.rungs:
            if isinstance(rung.detector, Remembering) and _named(rung) in states:
                rung.detector.resume(states[_named(rung)], moved)
        if self.feedback is not None and "judge" in states:
            self.feedback.resume(states["judge"])

    def _templates(self, hashes: NDArray[np.uint64], of_shape: Int32s, codes: Int32s) -> Int32s:
        """Today's template indices by those of a snapshot: by their ids, and where these are not
        known any more by the shapes that were met."""
        moved = np.full(len(hashes) + 1, -1, np.int32)
        moved[of_shape] = self.vocabulary.of(codes)
        order = np.argsort(self.vocabulary.hashes)
        mine, at = known_among(self.vocabulary.hashes[order], hashes)
        moved[at] = order[mine]
        return moved

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
            findings += self._raised(windows, alarm)
        return findings

    def _raised(self, windows: Windows, alarm: Alarm) -> list[Finding]:
        """The findings of an alarm that are kept; says whether the alarm is settled."""
        sight, counted = self._sight(windows, alarm)
        if self.feedback is not None and sight:
            at = int(windows.events.row[windows.bounds[alarm.window]]) // RECORDS
            sight = self._judged(self.feedback, at, sight)
        alarm.settled = {*counted, *(f.state for f in sight)} == {"suppressed"}
        return [f for f in sight if self._is_kept(f)]

    def _sight(self, windows: Windows, alarm: Alarm) -> tuple[list[Finding], list[str]]:
        """The findings of a window that have to be judged, and the states of those that are counted
        only: of a pattern with very many, where one is like the other for whoever judged it."""
        found, counted = [], []
        detector = alarm.rung.detector
        for evidence in alarm.evidence:
            pattern = pattern_id(detector.name, detector.unit, evidence.parts)
            i = alarm.window
            state, full = self.sights.of(pattern, windows, i)
            if full and self._is_settled(pattern):
                self.counted[pattern] += 1
                counted.append(state)
            else:
                found.append(self._teller.finding(windows, i, alarm.rung, evidence, pattern))
        return found, counted

    def _is_settled(self, pattern: str) -> bool:
        """Whether no further finding of a pattern can be judged otherwise than the last one."""
        return self.feedback is None or self.feedback.standing.is_plain(pattern)

    def _is_kept(self, finding: Finding) -> bool:
        """Whether there are not too many of its pattern and state; else it is counted."""
        if self.sights.keeps(finding.pattern, finding.state):
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
