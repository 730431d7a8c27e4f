"""Several worker processes of one command, and the parent that looks after them.

The parent starts each child anew when it dies (after 1 s, then ever later up to 30 s while it keeps
dying), passes signals on, and ends when all children have ended. A child whose parent died ends by
itself. A child that says that something is wrong for good (exit code 2) ends them all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

from logwright.findings.run import many

__all__ = ["Processes", "orphaned"]

_FIRST, _LONGEST = 1.0, 30.0
_SOUND = 60.0  # s of life after which a death counts as the first one
_TICK = 0.1
_PATIENCE = 30.0
_ERROR = 2


class _Child:
    """One of the processes: alive, or to be started at `due`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.due = self.since = 0.0
        self.wait = _FIRST
        self.ended = False

    def start(self, now: float) -> None:
        # In a session of its own, so that Ctrl-C reaches it through the parent alone, once.
        self.process = subprocess.Popen(self.command, start_new_session=True)
        self.since = now


class Processes:
    """`number` children; `command` gives the command of each by its number from 0 on."""

    def __init__(
        self, number: int, command: Callable[[int], Sequence[str]], say: Callable[[str], None]
    ) -> None:
        self._children = [_Child(command(n)) for n in range(number)]
        self._say = say
        self._stopping: int | None = None
        self._code = 0

    def run(self) -> int:
        """Run until all children have ended; gives the exit code."""
        before = {
            number: signal.signal(number, self._pass_on)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            while not all(child.ended for child in self._children):
                now = time.monotonic()
                for number, child in enumerate(self._children):
                    self._look_after(number, child, now)
                time.sleep(_TICK)
            return self._code
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _look_after(self, number: int, child: _Child, now: float) -> None:
        if child.ended:
            return
        if child.process is None:
            if self._stopping is not None:
                child.ended = True
            elif now >= child.due:
                child.start(now)
            return
        code = child.process.poll()
        if code is None:
            return
        child.process = None
        if code == 0 or self._stopping is not None:
            child.ended = True
            self._code = self._code or max(code, 0) * (self._stopping is None)
            return
        if code == _ERROR:  # it has said what; it would say so again
            child.ended = True
            self._code = code
            self._pass_on(signal.SIGTERM, None)
            return
        child.wait = _FIRST if now - child.since > _SOUND else child.wait
        child.due = now + child.wait
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._say(
            f"worker process {number + 1} of {len(self._children)} died ({how}): started again "
            f"in {many(int(child.wait), 'second')}"
        )
        child.wait = min(2 * child.wait, _LONGEST)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = number
            number = signal.SIGTERM
        for child in self._children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(number)

    def _end(self) -> None:
        """End what is left, where something went wrong here."""
        alive = [c.process for c in self._children if c.process is not None]
        for process in alive:
            process.terminate()
        until = time.monotonic() + _PATIENCE
        for process in alive:
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()


def orphaned(parent: int) -> Callable[[], bool]:
    """Tells whether the process `parent`, which started this one, is gone."""
    return lambda: os.getppid() != parent


def python() -> list[str]:
    """The command by which this program runs itself again."""
    return [sys.executable, "-m", "logwright.cli.main"]
