"""A fault of the clock: it is set, by a second or by a month, forward and back."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

from clock_step import Clock
from fault_kit import QUICK, Outcome, judged, log, nest, until
from fault_redis import Sender, all_found, found
from redis_server import running

__all__ = ["stepped"]

# Leases last as always; where one ends by a step, the other worker takes the feed at once.
_EAGER = f"{QUICK}\nworker._RENEW, worker._CLAIM, worker._OTHERS = 0.1, 0.02, 0.1"
_STEPS = (1, 20, 3_600, 30 * 86_400)


def stepped(folder: Path, rounds: int) -> Outcome:
    """The clock of a machine is set on which a Redis and two workers run, which read a stream and
    a file."""
    dice, clock = random.Random(rounds), Clock(folder)
    path, lines = folder / "app.log", log(500_000)
    path.touch()
    with running(folder, env=clock.env) as server, nest(folder, _EAGER, **clock.env) as home:
        sender = Sender(server, "logs", log(5_000), ids="*")
        url = server.url()
        args = ("--in", f"{url}logs", "--in", str(path), "--state", f"{url}state")
        pair = [home.hatch(*args, "--out", f"{url}found") for _ in range(2)]
        until(lambda: sum(child.owned() for child in pair) == 2, "owners")
        for _ in range(rounds):
            with path.open("a") as file:
                file.writelines(itertools.islice(lines, 100))
            time.sleep(dice.uniform(0.05, 0.4))
            clock.step(dice.choice((-1, 0, 1)) * dice.choice(_STEPS))
        sent, began = sender.finish(), time.monotonic()
        expected = judged(sent) + judged(path.read_bytes())
        all_found(server, len(expected))
        lag = time.monotonic() - began
        time.sleep(0.2)
        for child in pair:
            child.stop()
        return Outcome.of("the clock was set", rounds, expected, found(server), lag)
