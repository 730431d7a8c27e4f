"""Several calls at a time, whose caller can be interrupted.

The pools of the standard library are waited for when the process ends, however long a server takes
to answer. These threads are left behind.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["each"]

A = TypeVar("A")
B = TypeVar("B")


def each(call: Callable[[A], B], values: Sequence[A], most: int) -> list[B]:
    """What `call` gives for each value, in order, at most so many at a time. The first exception is
    raised at once.

    >>> each(lambda n: n * n, range(5), 3)
    [0, 1, 4, 9, 16]
    >>> each(lambda n: 1 // n, [1, 0], 2)
    Traceback (most recent call last):
    ZeroDivisionError: integer division or modulo by zero
    """
    todo: queue.SimpleQueue[tuple[int, A]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, B | None, BaseException | None]] = queue.SimpleQueue()
    for pair in enumerate(values):
        todo.put(pair)
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                at, value = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((at, call(value), None))
            except BaseException as error:  # noqa: BLE001 - raised by the caller
                done.put((at, None, error))

    for _ in range(min(most, len(values))):
        threading.Thread(target=work, daemon=True).start()
    found: dict[int, B] = {}
    try:
        while len(found) < len(values):
            at, result, error = done.get()
            if error is not None:
                raise error
            found[at] = result  # type: ignore[assignment]  # None only beside an error, or as B
        return [found[at] for at in range(len(values))]
    finally:
        over.set()
