"""Tally: hands numbers that only ever grow, such as a feed's counts, to metrics as they grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from logwright.stream.metrics import Count, Metrics

__all__ = ["LEFT_OUT", "Counted", "Tally", "left_out"]

LEFT_OUT = frozenset(
    {
        *("cut_lines", "nul_bytes", "late_bytes", "gone"),  # files
        *("poison", "removed"),  # Redis
        *("dropped_bytes", "damaged_bytes"),  # the spool
        *("connections_refused", "connections_overdue"),  # receivers
        *("records_rejected", "records_cut"),  # OTLP
        *("messages_cut", "messages_lost", "datagrams_dropped", "datagrams_missed"),  # syslog
    }
)
"""What feeds and sources count that means: something of the input was left out. They count other
things, too, such as rotations."""


@runtime_checkable
class Counted(Protocol):
    """A feed or a source that counts what happens to it, by a word of ours."""

    @property
    def counts(self) -> Counter[str]:
        """The numbers so far; other threads may add to them."""


def left_out(counts: Counter[str]) -> dict[str, int]:
    """Those of some counts that tell of input that was left out.

    >>> left_out(Counter(rotations=3, late_bytes=9))
    {'late_bytes': 9}
    """
    return {word: number for word in sorted(LEFT_OUT) if (number := counts[word])}


class Tally:
    """Counts under `name` by how much numbers have grown; from `known` on, which is counted already
    or was counted by another process.

    >>> tally = Tally(Metrics(), "dropped")
    >>> tally.see({"gone": 2})
    2
    >>> tally.see({"gone": 2}), tally.see({"gone": 3, "poison": 1})
    (0, 2)
    """

    def __init__(
        self, metrics: Metrics, name: Count, known: Mapping[str, int] | None = None
    ) -> None:
        self._metrics, self._name = metrics, name
        self._known = dict(known or {})

    def see(self, numbers: Mapping[str, int]) -> int:
        """Take the numbers as they are now; gives by how much they grew."""
        grown = 0
        for what, number in numbers.items():
            if (more := number - self._known.get(what, 0)) > 0:
                self._metrics.count(self._name, what, more)
                self._known[what] = number
                grown += more
        return grown
