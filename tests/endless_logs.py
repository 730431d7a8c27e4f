"""A log of requests in which everything that detectors look at goes wrong somewhere, and what
is needed to judge it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, tzinfo=UTC)
TRACE = (
    "java.lang.IllegalStateException: no pool\n"
    "\tat com.shop.Pool.take(Pool.java:17)\n"
    "\tat com.shop.Cart.pay(Cart.java:99)\n"
)
RULE = "return any('denied' in x.text for x in w.lines) and len(w.lines) >= 5"
BEATS = range(2, 5)
"""The beats that are lost where things go wrong."""


def _line(at: float, message: str, level: str = "INFO", host: str = "web1") -> tuple[float, str]:
    when = START + timedelta(seconds=at)
    stamp = f"{when:%Y-%m-%d %H:%M:%S},{when.microsecond // 1000:03}"
    return at, f"{stamp} {level} {host}.shop: {message}\n"


def _request(rng: random.Random, at: float, key: str, odd: str) -> Iterator[tuple[float, str]]:
    gaps = [rng.uniform(0.5, 1.5) for _ in range(5)]
    if odd in ("slow", "stalled"):  # the second of which ends the session
        gaps[2] += 40.0 if odd == "slow" else 300.0
    steps = ["begins for user", "is let in", f"reads {rng.randint(100, 999)} bytes", "is sent"]
    if odd == "short":
        steps = steps[:2]
    elif odd == "twice":
        steps.insert(2, "is let in")
    elif odd == "large":
        steps[2] = "reads 99999999 bytes"
    elif odd == "denied":
        steps[1] = "is let in, then denied"
    elif odd == "swapped":
        steps[1], steps[3] = steps[3], steps[1]
    for gap, step in zip(gaps, steps, strict=False):
        at += gap
        yield _line(at, f"req-{key} {step}")
    if odd == "trace":
        yield (
            _line(at + 0.1, f"req-{key} failed badly", "ERROR")[0],
            (_line(at + 0.1, f"req-{key} failed badly", "ERROR")[1] + TRACE),
        )
    yield _line(at + 0.3, f"req-{key} ends")


def log(seed: int, hours: float, start: float = 0.0, odd: bool = False) -> bytes:
    """Some hours of requests, two a minute, with a beat every half an hour."""
    rng = random.Random(seed)
    lines: list[tuple[float, str]] = []
    seconds = hours * 3600
    kinds = ("slow", "stalled", "short", "twice", "large", "denied", "swapped", "trace")
    number = 0
    at = start
    while at < start + seconds:
        at += rng.uniform(20, 40)
        number += 1
        what = rng.choice(kinds) if odd and rng.random() < 0.08 else ""
        key = f"{rng.getrandbits(40):010x}a7"
        if odd and rng.random() < 0.03:
            key = "00000000aaa7"
        lines += _request(rng, at, key, what)
    for beat in range(int(seconds // 1800)):
        if not (odd and beat in BEATS):
            lines.append(_line(start + 1800 * beat + 7, "heartbeat is well"))
    if odd:
        begin = start + 0.5 * seconds
        lines += [_line(begin + 0.01 * i, f"queue holds {i} things") for i in range(400)]
        lines += [_line(begin + 900 + i, "disk full on /var") for i in range(3)]
        lines += [_line(start + 0.7 * seconds, "quiet please", "WARN")] * 2
    for burst in range(int(seconds // 1200)):
        lines += [_line(start + 1200 * burst + i, f"queue holds {i} things") for i in range(5)]
    lines.sort(key=lambda line: line[0])
    return "".join(text for _, text in lines).encode()
