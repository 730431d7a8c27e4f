"""Sandbox: plain rules run in a process of their own that can do nothing but answer.

The language's gate is what keeps generated code harmless; this is what holds when the gate has a
hole. One child (`child.py`) imports first and then forks one locked-in worker per rule
(`confine.py`). Windows go over in batches, one round trip each. A window has `seconds`: a timer in
the worker ends it, and where the rule keeps that timer from working, the watchdog here ends the
worker. The remaining windows are then answered by a fresh one. A rule that failed 3 times in one
`run` is switched off until it is loaded again.

Only JSON crosses the border, each frame below 16 MiB. `protections` says what holds on this
machine, `missing` what does not: print both with every result that rests on them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, Self

from logwright.errors import LogwrightError

__all__ = ["Failure", "Sandbox"]

Kind = Literal["time", "memory", "error", "killed"]
Plain = Mapping[str, Any]

_CHILD = Path(__file__).with_name("child.py")
_LARGEST = 16 << 20
_LARGEST_ANSWER = 64 << 10
_BATCH = 1 << 18  # bytes of windows per round trip: the child decodes one while we encode the next
_GRACE = 0.25  # seconds beyond the limit before the watchdog ends the worker
_START = 10.0  # seconds for a start on a machine that is busy
_STRIKES = 3
_WORDS = 500
_KINDS: dict[str, Kind] = {"time": "time", "memory": "memory", "error": "error", "killed": "killed"}
_SHORT = {b"true": True, b"false": False, b"null": None}
_encode = json.JSONEncoder(separators=(",", ":")).encode
_FIELDS = itemgetter("text", "ts", "level", "template", "params", "component", "host")


@dataclass(frozen=True)
class Failure:
    """Why a rule gave no answer for a window: `kind` for programs, `sentence` for people and for
    the repair prompt, with the rule's line number where it is known."""

    kind: Kind
    sentence: str


class _GoneError(Exception):
    """The worker ended, fell silent or sent what it must not; the text says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Sandbox:
    """Run rules over windows of plain data, locked in.

    `seconds` is the time for one window (and for loading), `memory` the bytes a rule's process may
    have, Python itself (about 30 MiB) included.

    >>> line = {"text": "disk full", "ts": 0.0, "level": 6, "template": "a", "params": [],
    ...         "component": "", "host": ""}
    >>> with Sandbox() as sandbox:
    ...     sandbox.load("full", "def rule(w):\\n    return any('full' in l.text for l in w.lines)")
    ...     sandbox.run("full", [{"key": "", "lines": [line]}, {"key": "", "lines": []}])
    [True, False]
    """

    def __init__(self, seconds: float = 1.0, memory: int = 256 << 20) -> None:
        self.seconds, self.memory = seconds, memory
        self.protections: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        self._sources: dict[str, str] = {}
        self._off: dict[str, Failure] = {}
        self._now: str | None = None  # the rule that the worker holds
        self._channel: socket.socket | None = None
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        self._spawn()
        try:
            self._start()
        except (OSError, _GoneError) as error:
            self.__exit__()
            raise LogwrightError(f"The sandbox for rules does not start: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._control.close()  # its end tells the nursery to end the worker and go
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def load(self, name: str, source: str) -> Failure | None:
        """Take in a rule under a name, in place of what had that name; why it cannot be, if so."""
        self._sources[name] = source
        self._off.pop(name, None)
        self._now = None
        try:
            self._hold(name)
        except _GoneError as gone:
            self._off[name] = gone.failure
        return self._off.get(name)

    def run(self, name: str, windows: Sequence[Plain]) -> list[bool | Failure]:
        """The rule's answer for each window, in order.

        A window is `{"key": str, "lines": [...]}`, a line a dict of text, ts (seconds since 1970
        UTC), level, template, params, component and host.
        """
        answers: list[bool | Failure] = []
        failures: list[Failure] = []
        while len(answers) < len(windows):
            if name in self._off:
                return answers + [self._off[name]] * (len(windows) - len(answers))
            try:
                self._hold(name)
                for answer in self._answers(windows, len(answers)):
                    answers.append(answer)
                    if isinstance(answer, Failure):
                        failures.append(answer)
                    if len(failures) == _STRIKES:
                        break
            except _GoneError as gone:
                self._now = None
                answers.append(gone.failure)
                failures.append(gone.failure)
            if len(failures) == _STRIKES:
                self._now = None  # what the worker still writes is for nobody
                last = failures[-1]
                said = f"switched off after {_STRIKES} failures; the last: {last.sentence}"
                self._off[name] = Failure(last.kind, said)
        return answers

    def _answers(self, windows: Sequence[Plain], start: int) -> Iterator[bool | Failure]:
        """Answers from window `start` on, batch by batch."""
        batches = _batches(windows, start)
        batch = next(batches, None)
        while batch is not None:
            size, frame = batch
            if frame is None:
                yield Failure("error", f"the window is larger than {_LARGEST >> 20} MiB")
                batch = next(batches, None)
                continue
            self._send(frame)
            batch = next(batches, None)  # encoded while the worker is busy
            for _ in range(size):
                answer = self._receive()
                yield answer if isinstance(answer, bool) else _failure(answer)

    def _hold(self, name: str) -> None:
        """A worker that holds this rule."""
        if self._now == name:
            return
        self._now = None
        self._start()
        self._send(_frame(json.dumps(self._sources[name])))
        answer = self._receive()
        if answer is not None:
            raise _GoneError(_failure(answer))
        self._now = name

    def _spawn(self) -> None:
        """A nursery."""
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_START)
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_CHILD), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},  # secrets live there
                cwd="/",
                start_new_session=True,
            )

    def _start(self) -> None:
        """A fresh worker, in place of the one there is."""
        if self._child.poll() is None:
            self._end()
        else:  # the nursery itself was ended from outside
            if self._channel is not None:
                self._channel.close()
            self._control.close()
            self._spawn()
        self._channel, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"S"], [theirs.fileno()])
        self._buffer.clear()
        self._send(_frame(json.dumps({"memory": self.memory, "seconds": self.seconds})))
        held = self._receive(_START)
        if not isinstance(held, list) or len(held) != 2:
            raise _GoneError(
                Failure("killed", "the rule's process did not say how it is locked in")
            )
        self.protections, self.missing = tuple(held[0]), tuple(held[1])

    def _end(self) -> int:
        """End the worker, if there is one; its wait status."""
        if self._channel is None:
            return 0
        self._channel.close()
        self._channel = None
        self._control.sendall(b"K")
        return int.from_bytes(self._control.recv(4, socket.MSG_WAITALL), "big")

    def _send(self, frame: bytes) -> None:
        """Write a frame; a worker that does not take it in time is ended."""
        channel = self._channel
        if channel is None or self._buffer:
            raise self._gone("killed", "the rule's process wrote what it was not asked for")
        channel.settimeout(self.seconds + _GRACE)
        try:
            channel.sendall(frame)
        except TimeoutError:
            raise self._gone("time", "the rule's process does not listen") from None
        except OSError:
            raise self._gone("killed", "the rule's process ended") from None

    def _receive(self, seconds: float | None = None) -> Any:
        """Read a frame, by a deadline; trickling bytes does not move it."""
        buffer, wanted, deadline = self._buffer, 4, 0.0
        while True:
            if len(buffer) >= wanted:
                wanted = 4 + int.from_bytes(buffer[:4], "big")
                if wanted > _LARGEST_ANSWER:
                    raise self._gone("killed", "the rule's process wrote too long an answer")
                if len(buffer) >= wanted:
                    break
            now = time.monotonic()
            deadline = deadline or now + (seconds or self.seconds + _GRACE)
            self._fill(deadline - now)
        body = bytes(buffer[4:wanted])
        del buffer[:wanted]
        if body in _SHORT:
            return _SHORT[body]
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self._gone("killed", "the rule's process wrote what is no answer") from None

    def _fill(self, seconds: float) -> None:
        """Wait for more bytes."""
        channel = self._channel
        if channel is None:
            raise self._gone("killed", "the rule's process has ended")
        channel.settimeout(max(seconds, 1e-6))
        try:
            got = channel.recv(1 << 16)
        except TimeoutError:
            said = f"the rule took longer than {self.seconds:g} s and did not stop when told to"
            raise self._gone("time", said) from None
        except OSError:
            got = b""
        if not got:
            raise self._gone("killed", "the rule's process ended")
        self._buffer += got

    def _gone(self, kind: Kind, sentence: str) -> _GoneError:
        """End the worker; the failure, with the signal where it died of one."""
        status = self._end()
        number = os.WTERMSIG(status) if kind == "killed" and os.WIFSIGNALED(status) else 0
        if number and number != signal.SIGKILL:
            sentence += f" by {signal.Signals(number).name}"
        return _GoneError(Failure(kind, sentence))


def _batches(windows: Sequence[Plain], start: int) -> Iterator[tuple[int, bytes | None]]:
    """Frames of windows with how many each holds; None for a window that is too large."""
    held: list[str] = []
    size = 0
    for at in range(start, len(windows)):
        text = _columns(windows[at])
        if len(text) > _LARGEST - 8:
            if held:
                yield len(held), _frame(f"[{','.join(held)}]")
            yield 1, None
            held, size = [], 0
            continue
        if held and size + len(text) > _BATCH:
            yield len(held), _frame(f"[{','.join(held)}]")
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield len(held), _frame(f"[{','.join(held)}]")


def _columns(window: Plain) -> str:
    """A window as JSON, column by column: times as the bytes of doubles (exact, also nan), and a
    column that is the same all over as one value."""
    lines = window["lines"]
    text, ts, level, template, params, component, host = (
        zip(*map(_FIELDS, lines), strict=True) if lines else ((),) * 7
    )
    few = (
        column[:1] if column and column.count(column[0]) == len(column) else column
        for column in (level, template, params, component, host)
    )
    return _encode([window["key"], len(lines), array("d", ts).tobytes().hex(), text, *few])


def _frame(text: str) -> bytes:
    data = text.encode("ascii")  # json escapes all else, and so what was no UTF-8 comes through
    return len(data).to_bytes(4, "big") + data


def _failure(said: object) -> Failure:
    """A failure as the worker sent it. It may be a hostile rule's word: only known kinds, and only
    characters that print."""
    match said:
        case [str(kind), str(sentence)] if kind in _KINDS:
            clean = "".join(c if c.isprintable() else " " for c in sentence[:_WORDS])
            return Failure(_KINDS[kind], clean)
    return Failure("killed", "the rule's process wrote what is no answer")
