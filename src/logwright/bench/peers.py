"""Peers: what others published for the methods that we built anew, beside what ours give.

A table tells how far a method of it is from its published figure, under the protocol of who
published it and not that of the table. Sources: logpai/loglizer (README), LightAD (Yu et al., ICSE
2024), LogADComp (xsedla1o/LogADComp, medians of its raw results), logdeep (README), and Landauer et
al. (FSE 2024), whose protocol `bench.published` repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logwright.bench.published import PUBLISHED
from logwright.bench.rows import APART

__all__ = ["FAR", "PEERS", "Figure", "Peer", "notes"]

FAR = 0.05
"""An F1 farther than that from all published ones is far from them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An F1, and whose or how; as text ``0.93 (LogADComp)``."""

    f1: float
    of: str

    def __str__(self) -> str:
        return f"{self.f1:.4g} ({self.of})"


@dataclass(frozen=True, slots=True)
class Peer:
    """A method with its published F1 on HDFS, and ours where sessions are cut as there; `ours` is
    empty where nobody ran it so. `why` is what is known of the difference.

    >>> peer = Peer("x", "shuffled", (Figure(0.93, "A"),), (Figure(0.6, "b"), Figure(0.8, "c")), "")
    >>> round(peer.gap or 0, 2), peer.far
    (0.13, True)
    """

    method: str
    protocol: str
    published: tuple[Figure, ...]
    ours: tuple[Figure, ...]
    why: str

    @property
    def gap(self) -> float | None:
        """From the published F1 to the nearest of ours."""
        gaps = [abs(a.f1 - b.f1) for a in self.published for b in self.ours]
        return min(gaps, default=None)

    @property
    def far(self) -> bool:
        """Whether a reader has to be warned."""
        return self.gap is not None and self.gap > FAR

    def __str__(self) -> str:
        published = ", ".join(map(str, self.published))
        ours = ", ".join(map(str, self.ours)) or "not measured"
        gap = "" if self.gap is None else f", {self.gap:.2g} apart"
        warning = "Far from its published figure. " if self.far else ""
        return (
            f"{self.method}. {warning}Published F1 {published}; ours {ours}{gap} "
            f"({self.protocol}). {self.why}".rstrip()
        )


_SHUFFLED = "HDFS sessions in random order, not the split of this table"
PEERS = (
    Peer(
        "LogCluster",
        _SHUFFLED,
        (Figure(0.93, "LogADComp"),),
        (
            Figure(0.54, "cut at a distance of .3"),
            Figure(0.64, "at .1"),
            Figure(0.71, "at the best cut"),
        ),
        "Explained in part: LogADComp runs loglizer's code, which weighs an event by its idf over "
        "all sessions learned from, abnormal ones too, and takes the mean of a cluster; ours "
        "weighs by the paper's sigmoid of the idf over normal sessions. With loglizer's weights "
        "and means we get .83 to .84 in 4 shuffles at its distances of .3, and at best .90, with "
        "clusters and cut at .1. The rest is not explained so far. Tried at .3: idf over normal "
        "sessions alone (.38), counts without weights (.51), the first member in place of the "
        "mean (.86), another order of the sessions (.84), clusters of up to .8 (.83); and presence "
        "in place of counts (.52; .93 with clusters at .05 and a cut of .0001, which the test set "
        "chose). Not tried: their event ids, whole sessions (ours are cut at 75 events), and "
        "distances tuned on labelled validation, as theirs are.",
    ),
    Peer(
        "PCA",
        _SHUFFLED,
        (Figure(0.77, "loglizer"), Figure(0.81, "LogADComp")),
        (Figure(0.79, "4 components"), Figure(0.49, "95 % of the variance, as in the table")),
        "With the event ids here 95 % of the variance are 6 or 7 components, 4 in the paper.",
    ),
    Peer(
        "invariants",
        _SHUFFLED,
        (Figure(0.92, "loglizer"),),
        (Figure(0.95, "a relation broken"),),
        "Other event ids, fewer terms.",
    ),
    Peer(
        "decision tree",
        _SHUFFLED,
        (Figure(0.999, "LightAD"), Figure(0.998, "loglizer")),
        (Figure(0.9975, ".9967 to .9985 over 20 shuffles"),),
        "Another part of the set; grown on all windows one by one it gives the same alarms.",
    ),
    Peer(
        "nearest neighbour",
        _SHUFFLED,
        (Figure(0.9988, "LightAD"),),
        (Figure(0.997, "equal distances vote"),),
        "Another part of the set.",
    ),
    Peer(
        "DeepLog",
        _SHUFFLED,
        (Figure(0.945, "logdeep, 4,855 normal sessions"), Figure(0.89, "LogADComp")),
        (),
        "",
    ),
)
"""`tests/test_methods_classical.py` repeats our figures, but for LogCluster at its best cut, PCA
with 95 % of the variance, and what was tried: these were measured once, by no command."""


def notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What a reader of these rows has to know of published figures, those far away first.

    >>> list(notes([{"set": "bgl", "method": "PCA"}]))
    []
    """
    found = [peer for row in rows if (peer := _peer(row)) is not None]
    yield from map(str, sorted(found, key=lambda peer: not peer.far))


def _peer(row: Mapping[str, Any]) -> Peer | None:
    if row.get("set") != "hdfs":
        return None
    method = row.get("method")
    if row.get("table") == APART:
        return _landauer(str(method), row)
    return next((peer for peer in PEERS if peer.method == method), None)


def _landauer(method: str, row: Mapping[str, Any]) -> Peer | None:
    """The row itself is under the published protocol: its mean over draws is ours."""
    theirs = PUBLISHED.get(method)
    if theirs is None or theirs.logdeep is None or theirs.xu is None or "f1_mean" not in row:
        return None
    low, high = row["f1_low"], row["f1_high"]
    return Peer(
        method,
        "the protocol of this table",
        (Figure(theirs.logdeep, "LogDeep's event ids"), Figure(theirs.xu, "Xu's event ids")),
        (Figure(row["f1_mean"], f"mean of draws, {low:.3f} to {high:.3f}"),),
        theirs.why,
    )
