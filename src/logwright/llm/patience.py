"""How often and how long to try again: bounded, ever more slowly, and never all at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event

__all__ = ["Patience", "retry_after"]


@dataclass(frozen=True)
class Patience:
    """`tries` attempts at most within `deadline` seconds, each at most `timeout` seconds long.

    Before the n-th attempt a random part of `base` * 2 ** n seconds is waited, at most `ceiling`,
    so that clients that failed together do not come back together. `sleep` waits so long, or until
    the event is set: nobody waits for what was given up.
    """

    tries: int = 5
    timeout: float = 300.0
    deadline: float = 900.0
    base: float = 1.0
    ceiling: float = 30.0
    sleep: Callable[[Event, float], object] = field(default=Event.wait, repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after the n-th attempt (from 0); what the server asks for is the least.

        >>> patience = Patience(base=1.0, chance=lambda: 1.0)
        >>> [patience.pause(n, None) for n in range(3)], patience.pause(0, 7.0)
        ([1.0, 2.0, 4.0], 7.0)
        """
        own = min(self.base * 2.0**attempt, self.ceiling) * self.chance()
        return max(own, asked or 0.0)


def retry_after(header: str | None) -> float | None:
    """Seconds a `Retry-After` header asks for, as a number or a date; None where it tells nothing.

    >>> retry_after("2"), retry_after("soon"), retry_after("Mon, 01 Jan 2001 00:00:00 GMT")
    (2.0, None, 0.0)
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)
