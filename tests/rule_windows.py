"""Windows for the tests of induction, as columns and as the language sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

TEXTS = ["disk <*> failed", "disk full", "link is up", "link down: port <*>", "<*>"]
IDS = ["t-1", "t-2", "t-3", "t-4", "t-5"]

TIMES = st.one_of(st.none(), st.integers(0, 12))


def sequences(least: int = 0, most: int = 12) -> st.SearchStrategy[list[list[int]]]:
    """Windows as lists of templates."""
    line = st.integers(0, len(TEXTS) - 1)
    return st.lists(st.lists(line, min_size=least, max_size=8), min_size=1, max_size=most)


def timed(windows: Windows, seconds: Sequence[int | None]) -> Windows:
    """The same windows with times (None: no time), one after the other, over again if too few."""
    n = len(windows.events)
    ts = [seconds[i % len(seconds)] if seconds else None for i in range(n)]
    windows.events.ts = np.array([NO_TIME if t is None else t * 10**9 for t in ts], np.int64)
    return windows


def plainly(windows: Windows, texts: Sequence[str] | None, ids: Sequence[str]) -> list[Window]:
    """Windows as rules see them; a parameter is a number."""
    found = []
    for i in range(len(windows)):
        events = windows.events.take(windows.span(i))
        lines = [
            Line(
                "" if texts is None else texts[t].replace("<*>", "17"),
                float("nan") if ts == NO_TIME else ts / 1e9,
                template=ids[t],
            )
            for t, ts in zip(events.template.tolist(), events.ts.tolist(), strict=True)
        ]
        found.append(Window(lines, str(i)))
    return found
