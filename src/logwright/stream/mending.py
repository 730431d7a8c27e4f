"""Mending: a feed whose judging broke is judged again from its checkpoint, without poison.

What was read since the checkpoint is read again, and the lines that do it are looked for (`poison`)
among those at which judging broke and some before them, as a line may break it only when its window
closes. Findings come again with the ids they had, so that nothing is doubled.

A line that stands before the checkpoint is not found: then the worker ends, as it does where no
line is to blame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from logwright.errors import LogwrightError
from logwright.findings.finding import Finding
from logwright.stream.feed import Entry, Feed
from logwright.stream.judging import Judging, Make
from logwright.stream.keeper import Keeper, KeeperError, LostError
from logwright.stream.metrics import Metrics
from logwright.stream.poison import Mended, fault, mended, size_of, split_at

__all__ = ["NO_POISON", "Mender", "Read"]

NO_POISON = (LogwrightError, OSError, MemoryError)
"""What no line is to blame for."""

_MOST, _WITHIN = 100, 3600.0  # lines that are left out, in so many seconds
_BEFORE = 50_000  # lines that are looked at, too
_AT_ONCE, _WAIT = 1 << 20, 0.5
_REREAD = 30.0  # seconds in which what was read once has to come again


@dataclass(frozen=True, slots=True)
class Read:
    """Entries at which judging broke (none: at the end of the feed, or by the clock); how many
    lines stand between the checkpoint and them; and up to where the feed was read."""

    entries: Sequence[Entry]
    before: int
    ahead: str | None


class Mender:
    """Mends the judging of one feed; `say` tells a person which lines were left out."""

    def __init__(
        self,
        feed: Feed,
        token: int,
        keeper: Keeper,
        metrics: Metrics,
        say: Callable[[str], None],
    ) -> None:
        self._feed, self._token, self._keeper = feed, token, keeper
        self._metrics, self._say = metrics, say
        self._left_out: list[float] = []  # when

    def mend(
        self, make: Make, read: Read, error: Exception
    ) -> tuple[Judging, Mended, list[Finding]]:
        """A judging that has judged what can be judged now, and what it found. Raises the error
        where it is no line's fault, or that of very many."""
        state, entries = self._again(make, read, error)

        def breaks(lines: Sequence[bytes]) -> bool:
            self._hold()
            judging = make(self._feed, state)
            try:
                if lines:
                    judging.push([Entry(b"".join(lines), "", entries[0].arrived)])
                judging.finish()
            except NO_POISON:
                raise
            except Exception:  # noqa: BLE001 - that is the question
                return True
            finally:
                judging.close()
            return False

        now = time.monotonic()
        self._left_out = [at for at in self._left_out if now - at < _WITHIN]
        good = mended(entries, breaks, _MOST - len(self._left_out))
        if good is None:
            raise error
        judging = make(self._feed, state)
        for at in good.left_out:
            self._left_out.append(now)
            self._metrics.count("dropped", "poison")
            self._say(
                f"{self._feed.name}: line {judging.lines + at + 1:,} is left out, as judging "
                f"breaks at it, which is a bug: {fault(error)}"
            )
        return judging, good, judging.push(good.entries)

    def _again(
        self, make: Make, read: Read, error: Exception
    ) -> tuple[bytes | None, Sequence[Entry]]:
        """A state since the checkpoint, and the entries behind it that are to be judged."""
        kept = self._keeper.load(self._feed.name)
        state = kept.snapshot or None
        if not read.before:
            return state, read.entries
        self._feed.seek(kept.position)
        judging = make(self._feed, state)
        begin, at, again = max(read.before - _BEFORE, 0), 0, list[Entry]()
        until = time.monotonic() + _REREAD
        while at < read.before:
            self._hold()
            entries, _ = split_at(self._feed.read(_AT_ONCE, _WAIT), read.before - at)
            known, rest = split_at(entries, begin - at)
            if known:
                judging.push(known)  # what it finds was found before
            again += rest
            at += size_of(entries)
            if entries:
                until = time.monotonic() + _REREAD
            elif time.monotonic() > until:
                raise error
        if begin:
            state = judging.snapshot()
        judging.close()
        self._feed.seek(read.ahead)
        return state, [*again, *read.entries]

    def _hold(self) -> None:
        """Keep the lease while much is judged again."""
        with suppress(KeeperError):  # commits say so, and refuse if the lease was lost meanwhile
            if not self._keeper.renew(self._feed.name, self._token):
                raise LostError(f"The feed {self._feed.name} belongs to another worker by now")
