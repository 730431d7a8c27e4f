"""Tryout: what a checked rule says of windows of history, run in the sandbox.

Every window goes there as it is, so this is exact and needs nothing compiled. It costs about five
microseconds per line for each answer of a model; a `Run` over the engine costs less.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.rules.induction.drafts import Facts
from logwright.rules.language.emit import emit
from logwright.rules.language.plain import FIELDS, Window
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Failure, Sandbox

__all__ = ["Run", "SandboxRun", "facts", "forms", "names", "plainly", "said"]

Bools = NDArray[np.bool_]
Run = Callable[[Function], "Bools | Failure"]
"""What a rule says of all windows of history, in order; or why it says nothing of one of them."""

_BLOCK = 2000


class SandboxRun:
    """A `Run` in the sandbox; `read` gives a window of history by its number.

    >>> from logwright.rules.language.tree import Compare, Const, Key, Return
    >>> windows = [Window.of_texts(["up"], "a"), Window.of_texts(["up"], "b")]
    >>> with Sandbox() as sandbox:
    ...     run = SandboxRun(sandbox, windows.__getitem__, 2)
    ...     run(Function("", (Return(Compare("==", Key(), Const("b"))),))).tolist()
    [False, True]
    """

    def __init__(self, sandbox: Sandbox, read: Callable[[int], Window], n: int) -> None:
        self._sandbox, self._read, self._n = sandbox, read, n

    def __call__(self, function: Function) -> Bools | Failure:
        found = np.zeros(self._n, bool)
        for at in range(0, self._n, _BLOCK):
            part = [self._read(i) for i in range(at, min(at + _BLOCK, self._n))]
            answers = said(self._sandbox, function, part)
            if isinstance(answers, Failure):
                return answers
            found[at : at + len(part)] = answers
        return found


def said(sandbox: Sandbox, function: Function, windows: Sequence[Window]) -> list[bool] | Failure:
    """What a rule says of some windows, or its first failure."""
    # The child knows no `bool`: annotations are for readers.
    failed = sandbox.load("rule", emit(function))
    if failed is not None:
        return failed
    answers = sandbox.run("rule", [plainly(window) for window in windows])
    failures = [answer for answer in answers if isinstance(answer, Failure)]
    return failures[0] if failures else [answer is True for answer in answers]


def facts(fires: Bools, which: Bools, check: int, form: Int64s) -> Facts:
    """How often a rule for the windows of `which` was right; windows from `check` on are the
    validation slice, `form` is the number of each window's content (`forms`).

    >>> which = np.array([True, True, False, True])
    >>> facts(np.ones(4, bool), which, 3, np.arange(4))
    Facts(train=(2, 1), check=(1, 0), cases=3)
    """
    right, wrong = fires & which, fires & ~which
    return Facts(
        (int(right[:check].sum()), int(wrong[:check].sum())),
        (int(right[check:].sum()), int(wrong[check:].sum())),
        len(np.unique(form[right])),
    )


def names(windows: Iterable[Window]) -> frozenset[str]:
    """What hosts and keys are called, as far as these cannot be ordinary numbers or words.

    >>> sorted(names([Window([], "blk_17"), Window([], "17"), Window([], "kernel")]))
    ['blk_17']
    """
    found: set[str] = set()
    for window in windows:
        found.update((window.key, *(line.host for line in window.lines)))
    return frozenset(n for n in found if not n.isalpha() and not n.isdigit() and len(n) > 2)


def plainly(window: Window) -> Mapping[str, Any]:
    """A window as it goes to the sandbox."""
    lines = [{name: getattr(line, name) for name in FIELDS} for line in window.lines]
    return {"key": window.key, "lines": lines}


def forms(windows: Iterable[Window]) -> Int64s:
    """The number of each window's content: windows of equal texts have the same.

    >>> forms(Window.of_texts(texts) for texts in (["a"], ["b"], ["a"])).tolist()
    [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    numbers = []
    for window in windows:
        whole = repr([line.text for line in window.lines]).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(whole, digest_size=16).digest()
        numbers.append(seen.setdefault(digest, len(seen)))
    return np.array(numbers, np.int64)
