"""Sandbox child: the process in which plain rules run. `sandbox.py` starts it by its path.

It is two things. The *nursery* imports everything first, then waits; it never sees a rule. For each
rule it forks a *worker*, which locks itself in (`confine.py`), then runs that rule and no other.
So a rule that gets through the gate finds a process without files, network or children, and cannot
touch the answers of another rule; a fresh worker costs a fork, not a start of Python.

On the nursery's socket one byte asks: `S`, with a descriptor, forks a worker on it; `K` ends the
worker and is answered by its wait status in 4 bytes. On a worker's come frames: 4 bytes of length,
then JSON. First `{"memory", "seconds"}` comes and `[active, missing]` goes. Then a text is a rule's
source, answered by null or a failure; a list is windows, answered by one frame for each as soon as
it is known: true, false or a failure `[kind, sentence]`. How a window is written: `_window`.

Limits: the names a rule starts with are only a first fence; Python has no wall inside a process.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # started with -I -S, so that nothing of the user's runs here
    sys.path.insert(0, str(Path(__file__).parents[3]))

import contextlib
import gc
import json
import os
import resource
import signal
import socket
from array import array
from itertools import repeat
from types import CodeType, FrameType
from typing import Any

from logwright.rules.language import plain
from logwright.rules.sandbox import confine

__all__ = ["LARGEST", "main"]

LARGEST = 16 << 20
"""The most bytes a frame may have."""

_WORDS = 300
_YES, _NO = b"\0\0\0\4true", b"\0\0\0\5false"


class _Late(BaseException):
    """The time for this window is up; no `Exception`, so that a rule's own handling lets it by."""


def main(control: int) -> None:
    """The nursery: fork and end workers as asked, until the other side closes."""
    asked = socket.socket(fileno=control)
    worker = 0
    while True:
        word, fds, _, _ = socket.recv_fds(asked, 1, 1)
        if word == b"S":
            worker = os.fork()
            if not worker:
                asked.close()
                _work(fds[0])
            os.close(fds[0])
            continue
        status = 0
        if worker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            _, status = os.waitpid(worker, 0)
            worker = 0
        if word != b"K":
            return
        asked.sendall(status.to_bytes(4, "big"))


def _work(channel: int) -> None:
    """The worker: answer until the other side closes; whatever goes wrong here ends the process."""
    try:
        terms = json.loads(_receive(channel))
        signal.signal(signal.SIGALRM, _alarm)
        gc.freeze()
        gc.set_threshold(100_000)  # windows are many small objects without cycles
        _send(channel, confine.confine(terms["memory"], channel))
        rule: Any = None
        while True:
            asked = json.loads(_receive(channel))
            if isinstance(asked, str):
                rule, answer = _load(asked, terms["seconds"])
                _send(channel, answer)
            else:
                _answer(channel, rule, asked, terms)
    finally:
        os._exit(0)


def _answer(channel: int, rule: Any, windows: list[Any], terms: dict[str, Any]) -> None:
    """Judge windows one by one, each under the limit of time."""
    seconds, write = terms["seconds"], os.write
    for window in windows:
        seen = _window(*window)
        verdict = _timed(rule, seen, seconds)
        if verdict is True:
            write(channel, _YES)
        elif verdict is False:
            write(channel, _NO)
        elif isinstance(verdict, _Problem):
            _send(channel, verdict)
        else:
            said = f"the rule returned {type(verdict).__name__[:40]}, not True or False"
            _send(channel, ("error", said))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if used * (1 if sys.platform == "darwin" else 1024) > terms["memory"]:
        os._exit(0)  # where the system does not bound the address space: start afresh


class _Problem(tuple[str, str]):
    """A failure: kind and sentence."""

    __slots__ = ()


def _load(source: str, seconds: float) -> tuple[Any, _Problem | None]:
    """The function `rule` of a source, or why there is none."""
    names = dict(plain.NAMES, Window=plain.Window, bool=bool, int=int, float=float)
    scope: dict[str, Any] = {"__builtins__": names, "__name__": "rule"}

    def define(text: str) -> CodeType:
        code = compile(text, _FILE, "exec", dont_inherit=True)
        exec(code, scope)  # the one place; this process is the boundary
        return code

    done = _timed(define, source, seconds)
    if isinstance(done, _Problem):
        return None, done
    if not callable(scope.get("rule")):
        return None, _Problem(("error", "the source defines no function rule"))
    return scope["rule"], None


_FILE = "<rule>"
_running = False


def _timed(function: Any, argument: Any, seconds: float) -> Any:
    """The function's result, or a `_Problem`."""
    global _running
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        _running = True
        result = function(argument)
        _running = False
        return result
    except BaseException as error:  # noqa: BLE001 - also SystemExit and the limit of time
        _running = False
        return _problem(error, seconds)


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    if _running:
        raise _Late


def _problem(error: BaseException, seconds: float) -> _Problem:
    """A failure in words, with the line of the rule where it came up."""
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    at = "" if line is None else f" in line {line}"
    if isinstance(error, _Late):
        return _Problem(("time", f"the rule took longer than {seconds:g} s{at}"))
    if isinstance(error, MemoryError):
        return _Problem(("memory", f"the rule needed more memory than it may have{at}"))
    try:
        said = str(error.msg if isinstance(error, SyntaxError) else error)[:_WORDS]
    except BaseException:  # noqa: BLE001 - the text of an error is the rule's own code
        said = "(no text)"
    return _Problem(("error", f"the rule failed{at}: {type(error).__name__[:40]}: {said}"))


def _window(key: str, size: int, ts: str, *columns: Any) -> plain.Window:
    """A window from its columns; a column that is the same all over comes as one value in a list
    of one."""
    times = array("d", bytes.fromhex(ts))
    text, level, template, params, component, host = (
        repeat(column[0], size) if len(column) == 1 else column for column in columns
    )
    return plain.Window(map(plain.Line, text, times, level, template, params, component, host), key)


def _send(channel: int, answer: object) -> None:
    """Write one frame."""
    body = json.dumps(answer).encode()
    data = len(body).to_bytes(4, "big") + body
    while data:
        data = data[os.write(channel, data) :]


def _receive(channel: int) -> bytes:
    """Read one frame; the end of input ends the process."""
    size = int.from_bytes(_exactly(channel, 4), "big")
    if size > LARGEST:
        os._exit(0)
    return _exactly(channel, size)


def _exactly(channel: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(channel, min(size, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main(int(sys.argv[1]))
