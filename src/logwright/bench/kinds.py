"""Kinds of alerts, held out: a log whose history never held one kind, templates and all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logwright.bench.labelled import LabelledLines, windows_of

__all__ = ["Held", "kinds_in_both", "without"]


@dataclass(frozen=True, slots=True)
class Held:
    """A log whose first `end` lines are history, and the kind that these do not hold."""

    lines: LabelledLines
    end: int
    kind: str


def kinds_in_both(lines: LabelledLines, end: int) -> list[str]:
    """The kinds of alerts that come before line `end` and from there on, by name."""
    before, after = (np.unique(part) for part in (lines.kind[:end], lines.kind[end:]))
    both = np.intersect1d(before, after)
    return sorted(lines.kinds[code] for code in both.tolist() if code)


def without(lines: LabelledLines, end: int, window: str, kind: str) -> Held:
    """The same log without the windows before line `end` that hold a line of this kind. Templates
    that are learned from what is left have never met it.

    >>> import tempfile, pathlib
    >>> from logwright.bench.labelled import read_lines
    >>> from logwright.settings import Settings
    >>> log = pathlib.Path(tempfile.mkdtemp(), "a.log")
    >>> _ = log.write_text("- all is well\\nDISK disk 7 failed\\n" * 3)
    >>> lines = read_lines([str(log)], Settings(label_prefix=True, session="none"))
    >>> held = without(lines, 4, "1", "DISK")
    >>> held.end, held.lines.truth.tolist()
    (2, [False, False, False, True])
    """
    windows, *_ = windows_of(lines, np.arange(end, dtype=np.int64), window)
    code = list(lines.kinds).index(kind)
    held = np.zeros(len(windows), bool)
    held[windows.owner[lines.kind[windows.events.row] == code]] = True
    keep = np.ones(len(lines), bool)
    keep[windows.events.row[held[windows.owner]]] = False
    left = lines.take(np.flatnonzero(keep).astype(np.int64))
    return Held(left, int(keep[:end].sum()), kind)
