"""Windows whose lines have parameters, for the tests of values, ranges and parting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logwright.rules.induction.values import Messages, Values
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

TEXTS = ["took <*> ms", "link is <*>, port <*>", "heartbeat", "it took <*> ms and <*> tries"]
IDS = ["t-1", "t-2", "t-3", "t-4"]
Said = tuple[int, str]
"""The template of a line, and its message."""


def took(ms: object) -> Said:
    """A line that says how long something took."""
    return 0, f"took {ms} ms"


def link(state: str, port: int = 3) -> Said:
    """A line that says how a link is."""
    return 1, f"link is {state}, port {port}"


BEAT: Said = (2, "heartbeat")


class Logged:
    """Windows of lines with their messages."""

    def __init__(self, lines: Sequence[Sequence[Said]], kind: str = "count") -> None:
        self.lines = lines
        self.windows = Windows.of_sequences([[t for t, _ in w] for w in lines], kind)  # type: ignore[arg-type]
        self._said = [text for window in lines for _, text in window]

    @property
    def messages(self) -> Messages:
        """What `Sample` and `invariants` read."""
        return lambda rows: [self._said[row] for row in rows.tolist()]

    @property
    def values(self) -> Values:
        """The values of all lines."""
        return Values.of(self.windows, TEXTS, self.messages)

    def plainly(self) -> list[Window]:
        """The windows as rules see them."""
        return [Window([Line(text, template=IDS[t]) for t, text in w]) for w in self.lines]


def healthy(windows: int, seed: int = 0) -> list[list[Said]]:
    """Windows of four lines, in which all is as it should be."""
    random = np.random.default_rng(seed)
    return [
        [
            took(10 + int(random.integers(90))),
            link(["up", "standby"][int(random.integers(2))]),
            BEAT,
            took(10 + int(random.integers(90))),
        ]
        for _ in range(windows)
    ]
