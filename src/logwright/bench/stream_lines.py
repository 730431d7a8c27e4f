"""The lines that flow: HDFS sessions without end, at a rate, with block ids that never come again.

The lines are those of the raw HDFS sample. A session begins a little after the one before, and its
lines follow at random, so that about `AT_ONCE` are open at any time, the gap that closes them
included. After the last session the first comes again, under another id. Every line has the time
at which it is due: line n comes n / rate seconds after the first.

The header has milliseconds, as Hadoop writes it today. The sample's own has whole seconds, with
which all windows of a second would close by one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.errors import InputError
from logwright.logs.batch import Int64s
from logwright.logs.timestamps import iso

__all__ = ["AT_ONCE", "FILE", "Flow", "Session", "gap_of", "parts"]

FILE = "hdfs/hdfs_raw_sample.tsv.zst"
"""The set whose sessions flow."""

AT_ONCE = 10_000
"""Sessions whose windows are open."""

_HISTORY = 0.6
_LENGTH = 20  # lines of a session: the mean of the sample
_BEGIN = 1_767_225_600_000  # ms; 2026-01-01, so that a run can be repeated
_TIME = 23  # characters
_DIGITS = 19
_LOWEST, _STRIDE = 2 * 10**18, 2_147_483_629
_BLOCK = re.compile(rb"blk_-?\d+")
_FRESH = b"blk_" + b"0" * _DIGITS
_SEED = 20_261_123

Session = list[bytes]
"""The lines of one block, without times."""

_Bytes = NDArray[np.uint8]


def parts(data: Path) -> tuple[list[Session], list[Session]]:
    """The sessions of the sample in the order in which they begin: of history, and those later."""
    if not (data / FILE).is_file():
        raise InputError(
            f"{data / FILE} is not there: name the folder of the data sets with --data"
        )
    raw: bytes = pa.CompressedInputStream(pa.OSFile(str(data / FILE)), "zstd").read()
    by_block: dict[bytes, Session] = {}
    for row in raw.splitlines()[1:]:
        block, _, _, _, thread, rest = row.split(b"\t", 5)
        by_block.setdefault(block, []).append(_line(thread, rest))
    sessions = list(by_block.values())
    cut = int(len(sessions) * _HISTORY)
    return sessions[:cut], sessions[cut:]


def _line(thread: bytes, rest: bytes) -> bytes:
    message = rest.replace(b"\t", b" ")
    return b"%b %b %b\n" % (b"0" * _TIME, thread, _BLOCK.sub(_FRESH, message))


def gap_of(rate: float) -> float:
    """The seconds of silence that end a session, at so many lines a second: half of the time for
    which it is open.

    >>> gap_of(100_000)
    1.0
    """
    return AT_ONCE * _LENGTH / rate / 2


class Flow:
    """Lines of these sessions at a rate; each part of them is a function of its number alone.

    `offset` keeps ids of two flows apart.

    >>> flow = Flow([[b"0" * 23 + b" INFO took blk_" + b"0" * 19 + b"\\n"] * 2], 1_000)
    >>> flow.lines(0, 1)
    b'2026-01-01 00:00:00,000 INFO took blk_2000000000000000000\\n'
    >>> flow.lines(2, 3)
    b'2026-01-01 00:00:00,002 INFO took blk_2000000002147483629\\n'
    """

    def __init__(self, sessions: Sequence[Session], rate: float, offset: int = 0) -> None:
        self.rate, self._offset, self._sessions = rate, offset, len(sessions)
        texts = [line for session in sessions for line in session]
        order, self._back, self._of = _mixed(np.array([len(one) for one in sessions]))
        self.length = len(order)
        """Lines after which the sessions begin again."""
        self._texts = [texts[at] for at in order.tolist()]
        sizes = np.array([len(text) for text in self._texts])
        self._ends = np.concatenate(([0], np.cumsum(sizes)))
        self._bytes = np.frombuffer(b"".join(self._texts), np.uint8)
        spots = [(at, m.start() + 4) for at, text in enumerate(self._texts)
                 for m in re.finditer(_FRESH, text)]  # fmt: skip
        self._spot_line, within = np.array(spots, np.int64).reshape(-1, 2).T
        self._spots = self._ends[self._spot_line] + within

    def lines(self, begin: int, end: int) -> bytes:
        """The lines from one number up to another."""
        out = []
        while begin < end:
            cycle, at = divmod(begin, self.length)
            stop = min(self.length, at + end - begin)
            out.append(self._part(cycle, at, stop))
            begin += stop - at
        return b"".join(out)

    def _part(self, cycle: int, begin: int, end: int) -> bytes:
        first, last = int(self._ends[begin]), int(self._ends[end])
        out = self._bytes[first:last].copy()
        numbers = np.arange(begin, end) + cycle * self.length
        starts = self._ends[begin:end] - first
        out[starts[:, None] + np.arange(_TIME)] = _times(numbers, self.rate)
        low, high = np.searchsorted(self._spot_line, [begin, end])
        line = self._spot_line[low:high]
        session = (cycle - self._back[line]) * self._sessions + self._of[line] + self._offset
        names = _LOWEST + session * _STRIDE
        out[(self._spots[low:high] - first)[:, None] + np.arange(_DIGITS)] = _digits(names, _DIGITS)
        return out.tobytes()

    def entries(self, size: int, lines: int) -> Iterator[bytes]:
        """So many lines, `size` at a time."""
        for begin in range(0, lines, size):
            yield self.lines(begin, min(begin + size, lines))


def _mixed(sizes: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """The order of all lines, whether each belongs to a session of the round before (those at the
    end go on while the first ones begin again), and its session."""
    rng = np.random.default_rng(_SEED)
    of = np.repeat(np.arange(len(sizes)), sizes)
    pauses = rng.exponential(1.0, len(of))
    ends = np.cumsum(sizes)
    total = np.cumsum(pauses)
    within = total - np.repeat(total[ends - sizes], sizes)
    # For half of the time for which a session is open its lines come; the other half is the gap.
    within *= min(AT_ONCE, len(sizes)) / 2
    when = of * float(sizes.mean()) + within
    whole = float(sizes.sum())
    back = (when // whole).astype(np.int64)
    order = np.lexsort((np.arange(len(of)), when % whole))
    return order, back[order], of[order]


def _times(numbers: Int64s, rate: float) -> _Bytes:
    """The times of lines, as characters."""
    ms = _BEGIN + (numbers * 1_000 // rate).astype(np.int64)
    seconds, which = np.unique(ms // 1_000, return_inverse=True)
    heads = b"".join(iso(int(s) * 10**9)[:19].replace("T", " ").encode() for s in seconds)
    out = np.empty((len(numbers), _TIME), np.uint8)
    out[:, :19] = np.frombuffer(heads, np.uint8).reshape(-1, 19)[which]
    out[:, 19] = ord(",")
    out[:, 20:] = _digits(ms % 1_000, 3)
    return out


def _digits(numbers: Int64s, width: int) -> _Bytes:
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)
