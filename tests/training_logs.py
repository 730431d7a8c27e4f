"""A log of requests with an order, to train a sequence step on."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = ("begins", "is let in", "reads the page", "sends the answer", "ends")


def request(number: int, steps: Iterable[str] = STEPS) -> str:
    """The lines of one request, a second apart; requests are a minute apart."""
    at = START + timedelta(minutes=number)
    return "".join(
        f"{at + timedelta(seconds=i):%Y-%m-%dT%H:%M:%S}Z INFO req-9f{number:04x} {step}\n"
        for i, step in enumerate(steps)
    )


def requests(first: int, number: int, seed: int = 1) -> str:
    """Requests of which some read the page more than once."""
    rng = random.Random(seed)
    out = []
    for i in range(first, first + number):
        times = 1 + (rng.random() < 0.2)
        out.append(request(i, [*STEPS[:2], *STEPS[2:3] * times, *STEPS[3:]]))
    return "".join(out)


def swapped(number: int) -> str:
    """A request that sends its answer before it is let in: all its events are known."""
    return request(number, [STEPS[i] for i in (0, 3, 1, 2, 4)])
