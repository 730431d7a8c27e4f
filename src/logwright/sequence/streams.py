"""`Streams`: open sessions whose events come mixed, each scored as it comes.

An event's surprise needs the output after the event before it. So a session's state lags: its last
events are noted, and only fed to the model when one has to be rated. Without a memo that is at the
next event. With one, an event that came behind the same events before is not asked about, and the
state lags further; when the memo does not know, the events left out are fed first, up to `LAG` of
them, all sessions of a call in step. A state that lags further begins anew `LAG` events back: more
than attention of the preset `tiny` looks back, and more than twice what the memo itself goes by.

Sessions are in `roster`, at most as many as there is room for; the one not heard of for longest
gives way, and begins as a new one should it be heard of again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError
from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.sequence.memo import LAST, LEAST, Memo, fingerprint
from logwright.sequence.roster import Roster
from logwright.sequence.runtime import Runtime
from logwright.sequence.scoring import Float32s
from logwright.sequence.states import States
from logwright.sequence.vocabulary import END, FIRST

__all__ = ["LAG", "Streams"]

LAG = 40
"""Events noted per session for a state to catch up by."""

_TURN = 24
_RING = LAG + _TURN
_ROWS = 256


class Streams:
    """Scores the events of at most `most_sessions` open sessions.

    Args:
        runtime: The model.
        most_sessions: Open sessions for which there is room.
        memo: Answers kept from event to event, None to ask the model every time.
        last: How many events the memo goes by, the present one included.
    """

    def __init__(
        self,
        runtime: Runtime,
        most_sessions: int = 10_000,
        memo: Memo | None = None,
        last: int = LAST,
    ) -> None:
        if not LEAST <= last <= LAG:
            raise InputError(f"A memo goes by the last {LEAST} to {LAG} events, not {last}")
        self.runtime, self.memo = runtime, memo
        self.roster = Roster(most_sessions)
        self.stepped = 0
        """Events that the model has been fed."""
        self._last = last
        self._states = States(runtime.parts, most_sessions)
        # The code of an event times 16, plus its gap, by its number in the session modulo the ring.
        self._noted = np.zeros((most_sessions, _RING), np.int32)
        self._count = np.zeros(most_sessions, np.int64)
        self._fed = np.zeros(most_sessions, np.int64)

    @property
    def nbytes(self) -> int:
        """Memory of the states of sessions, in bytes; that of the memo is its own."""
        own = self._noted.nbytes + self._count.nbytes + self._fed.nbytes
        return own + self._states.nbytes + self.roster.nbytes

    def push(
        self, keys: Int64s, codes: Int32s, gaps: Int8s | None = None
    ) -> tuple[Float32s, Int32s]:
        """Take in events, in order; those of one key may be several.

        Args:
            keys: [n], the session of each event.
            codes: [n], what it is, by the vocabulary.
            gaps: [n], the bucket of the time since the event before, None where there is no time.

        Returns:
            The negative log-likelihood and the rank of each event.
        """
        if len(codes) and not (codes.min() >= FIRST and codes.max() < len(self.runtime.weights)):
            raise InputError(
                f"The sequence model has events of codes {FIRST} to"
                f" {len(self.runtime.weights) - 1}: let it meet others before they come"
            )
        noted = codes.astype(np.int32) << 4
        if gaps is not None:
            noted |= gaps
        nll, rank = np.empty(len(keys), np.float32), np.empty(len(keys), np.int32)
        for part in self._parts(keys):
            nll[part], rank[part] = self._push(keys[part], noted[part])
        return nll, rank

    def close(self, keys: Int64s) -> tuple[Float32s, Int32s]:
        """End sessions, all different: how surprising it is that nothing came after.

        Of a session that is not open, because it had to give way, nothing is known: 0 nats, and 0
        for its rank.
        """
        nll, rank = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.int32)
        for part in self._parts(keys):
            at = np.arange(len(keys))[part]
            at = at[self.roster.find(keys[at]) >= 0]
            nll[at], rank[at] = self._push(keys[at], np.full(len(at), END << 4, np.int32))
            self.roster.release(self.roster.find(keys[at]))
        return nll, rank

    def _parts(self, keys: Int64s) -> list[slice]:
        """Stretches of a call that are small enough for the roster."""
        size = min(self.roster.most, 4_096)
        return [slice(at, at + size) for at in range(0, len(keys), size)]

    def _push(self, keys: Int64s, noted: Int32s) -> tuple[Float32s, Int32s]:
        distinct, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        slots, new = self.roster.admit(distinct)
        if new.any():
            self._open(slots[new])
        order = np.argsort(inverse, kind="stable")
        turn = np.arange(len(keys)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        nll, rank = np.empty(len(keys), np.float32), np.empty(len(keys), np.int32)
        if int(sizes.max(initial=0)) <= _TURN:
            nll[order], rank[order] = self._take(slots[inverse[order]], noted[order], turn)
            return nll, rank
        for least in range(0, int(sizes.max()), _TURN):
            some = order[(turn >= least) & (turn < least + _TURN)]
            place = turn[(turn >= least) & (turn < least + _TURN)] - least
            nll[some], rank[some] = self._take(slots[inverse[some]], noted[some], place)
        return nll, rank

    def _open(self, slots: NDArray[np.intp]) -> None:
        self._count[slots] = self._fed[slots] = 0
        self._states.clear(slots)
        begun = self.runtime.begin[1:]
        self._states.write(slots, [np.repeat(row, len(slots), axis=0) for row in begun])

    def _take(
        self, slots: NDArray[np.intp], noted: Int32s, turn: NDArray[np.intp]
    ) -> tuple[Float32s, Int32s]:
        """Events by slot: `turn` counts them within a slot, up to `_TURN`."""
        number = self._count[slots] + turn
        self._noted[slots, number % _RING] = noted
        if self.memo is None:
            nll, rank = self._ask(slots, noted, number)
        else:
            hashes = self._hash(slots, number)
            known, nll, rank = self.memo.get(hashes)
            if not known.all():
                missed = np.flatnonzero(~known)
                # Of several events with one history only the first is asked about.
                _, first, same = np.unique(hashes[missed], return_index=True, return_inverse=True)
                order = np.sort(first)
                turned = np.searchsorted(order, first)[same]
                asked = missed[order]
                told = self._ask(slots[asked], noted[asked], number[asked])
                nll[missed], rank[missed] = told[0][turned], told[1][turned]
                self.memo.put(hashes[asked], *told)
        # Of several events of a slot the last one written has the largest number.
        self._count[slots] = number + 1
        return nll, rank

    def _hash(self, slots: NDArray[np.intp], number: Int64s) -> NDArray[np.uint64]:
        back = number[:, None] - np.arange(self._last)
        history = np.where(back >= 0, self._noted[slots[:, None], back % _RING], -1)
        return fingerprint(history.astype(np.int64), number < self._last)

    def _ask(
        self, slots: NDArray[np.intp], noted: Int32s, number: Int64s
    ) -> tuple[Float32s, Int32s]:
        """Ask the model about events, sorted by slot and number."""
        firsts = np.flatnonzero(np.diff(slots, prepend=-1))
        sizes = np.diff(firsts, append=len(slots))
        own, begin = slots[firsts], number[firsts]
        end = number[firsts + sizes - 1]
        late = begin - self._fed[own] > LAG
        begin = np.where(late, begin - LAG, self._fed[own])
        self._states.clear(own[late])
        asked = _Asked(
            own,
            begin,
            end,
            np.repeat(np.arange(len(own)), sizes),
            number - np.repeat(begin, sizes),
            noted >> 4,
            np.empty(len(slots), np.float32),
            np.empty(len(slots), np.int32),
        )
        start = np.flatnonzero(asked.column == 0)
        if len(start):
            # Only a session's first event finds nothing to feed: its state has just begun.
            asked.rate(self.runtime, np.repeat(self.runtime.begin[0], len(start), axis=0), start)
        by_length = np.argsort(begin - end, kind="stable")
        for at in range(0, len(own), _ROWS):
            self._feed(asked, by_length[at : at + _ROWS])
        self._fed[own] = end
        return asked.nll, asked.rank

    def _feed(self, asked: _Asked, rows: NDArray[np.intp]) -> None:
        """Feed some slots, those with most to feed first, and rate the events on the way."""
        place = np.full(len(asked.own), -1, np.intp)
        place[rows] = np.arange(len(rows))
        events = np.flatnonzero((place[asked.owner] >= 0) & (asked.column > 0))
        events = events[np.argsort(asked.column[events], kind="stable")]
        steps, begin = (asked.end - asked.begin)[rows], asked.begin[rows]
        edges = np.searchsorted(asked.column[events], np.arange(1, steps[0] + 2))
        for done in range(int(steps[0])):
            some = asked.own[rows[: np.searchsorted(-steps, -done)]]
            fed = self._noted[some, (begin[: len(some)] + done) % _RING]
            x = self.runtime.weights.read(fed >> 4, (fed & 15).astype(np.int8))
            h, *new = self.runtime.step(x, self._states.read(some), self._states.seen[some])
            self._states.write(some, new)
            self.stepped += len(some)
            rated = events[edges[done] : edges[done + 1]]
            if len(rated):
                asked.rate(self.runtime, h[place[asked.owner[rated]]], rated)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Events to rate. For each slot `own`: the numbers of the events to feed, from `begin` up to
    `end`. For each event: its slot's place in `own`, after how many fed events it is rated, its
    code, and the answers."""

    own: NDArray[np.intp]
    begin: Int64s
    end: Int64s
    owner: NDArray[np.intp]
    column: Int64s
    codes: Int32s
    nll: Float32s
    rank: Int32s

    def rate(self, runtime: Runtime, h: Float32s, which: NDArray[np.intp]) -> None:
        """Rate some events after their outputs `h`."""
        self.nll[which], self.rank[which] = runtime.weights.rate(h, self.codes[which])
