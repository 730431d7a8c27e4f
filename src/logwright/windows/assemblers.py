"""Assemblers: all the windows of a plan that are open at once."""

from __future__ import annotations

from dataclasses import dataclass

from logwright.logs.batch import Int64s
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.sessions import Sessions
from logwright.windows.tumbling import CountWindows, TimeWindows
from logwright.windows.window import Events, Windows, distinct

__all__ = ["Assemblers"]

_CITED = 5  # rows of an interval that are cited of one template


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

    def named(self) -> dict[str, Sessions | TimeWindows | CountWindows]:
        """Those that there are, by name."""
        names = ("windows", "intervals", "loose", "own")
        return {name: held for name in names if (held := getattr(self, name)) is not None}

    @property
    def judged_rows(self) -> Int64s:
        """The rows of the windows that rules and others may be asked about."""
        held = [w.rows for w in (self.windows, self.loose, self.own) if w is not None]
        return distinct(held)

    @property
    def cited_rows(self) -> Int64s:
        """The rows of windows that may be cited: of intervals only the first ones of each kind."""
        few = [] if self.intervals is None else [self.intervals.few_rows(_CITED)]
        return distinct([self.judged_rows, *few])

    @property
    def sessions(self) -> Int64s:
        """The session keys of which a session is open."""
        held = [w.codes for w in (self.windows, self.own) if isinstance(w, Sessions)]
        return distinct(held)

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
