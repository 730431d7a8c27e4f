"""Faults of the disk: none of it left for the spool, in the middle of anything."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from pathlib import Path

from fault_kit import QUICK, Outcome, complete, judged, log, nest, until, written

__all__ = ["full"]

# While a file says so the spool's disk is full: a write is cut short or fails, and so does an fsync
# (as where room is taken only then). Segments and what is read at once are small, so that there
# are many.
_FULL = f"""{QUICK}
import errno, random
from logwright.stream import spool, stdin
class Disk:
    dice = random.Random(1)
    def __getattr__(self, name):
        return getattr(os, name)
    def check(self, share):
        if os.path.exists(%r) and self.dice.random() < share:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    def pwrite(self, file, data, at):
        self.check(0.5)
        if os.path.exists(%r) and self.dice.random() < 0.5 and len(data) > 1:
            data = data[: len(data) // 2]
        return os.pwrite(file, data, at)
    def fsync(self, file):
        self.check(0.7)
        os.fsync(file)
spool.os, spool._SEGMENT, stdin._STEP = Disk(), 2_048, 400
"""


def full(folder: Path, rounds: int) -> Outcome:
    """The disk of the spool is full for a while, in which standard input goes on."""
    dice, lines, sent = random.Random(rounds), log(5_000), list[str]()
    pipe, sign, out = folder / "pipe", folder / "full", folder / "out.jsonl"
    os.mkfifo(pipe)
    enough, over = threading.Event(), threading.Event()

    def send() -> None:
        with pipe.open("w") as file:
            while not enough.is_set():
                sent.append("".join(itertools.islice(lines, random.randint(1, 12))))
                file.write(sent[-1])
                file.flush()
                if random.random() < 0.5:
                    time.sleep(random.uniform(0, 0.04))
            over.wait()

    sender = threading.Thread(target=send, daemon=True)
    with nest(folder, _FULL % (str(sign), str(sign))) as home:
        args = ("--in", "-", "--out", str(out), "--state", str(folder / "w.db"))
        child = home.hatch(*args, stdin=str(pipe))
        sender.start()
        until(child.owned, "an owner")
        for _ in range(rounds):
            time.sleep(dice.uniform(0.02, 0.1))
            sign.touch()
            time.sleep(dice.uniform(0.02, 0.2))
            sign.unlink()
        enough.set()
        began = time.monotonic()
        time.sleep(0.1)
        expected = judged("".join(sent).encode())
        complete(out, len(expected))
        lag = time.monotonic() - began
        time.sleep(0.2)
        child.stop()
        over.set()
        sender.join()
    return Outcome.of("the spool's disk was full", rounds, expected, written(out), lag)
