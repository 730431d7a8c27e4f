"""The jury: the rules of a rulebook that judge windows, compiled, with their exceptions.

A rule says "abnormal" where it fires, or, if it must hold, where it does not; other normal rules
say "normal". Shadows hit as others do, and say nothing. Rules that cannot be compiled run in the
sandbox, window by window; one that fails there says nothing from then on, and `problems` tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s, LineBatch
from logwright.rules.backtest import Word
from logwright.rules.classing import Naming
from logwright.rules.engine import Engine
from logwright.rules.excuses import excused
from logwright.rules.plain import Line, Window
from logwright.rules.pointwise import LINE, Plain, closure
from logwright.rules.problem import RuleError
from logwright.rules.sandbox import Failure, Sandbox
from logwright.rules.shelved import Shelved
from logwright.rules.tree import Expr, For, Function, Gen, If, Lines, Name
from logwright.rules.tryout import said
from logwright.rules.walk import put, walk
from logwright.windows.window import Windows

__all__ = ["Jury", "Read", "plain_reasons", "reasons_in"]

Bools = NDArray[np.bool_]
Read = Callable[[Windows, int], Window]
"""A window as rules see it, by its number among windows."""

_BLOCK = 500


class Jury:
    """Compiled rules, for one run. `look` reads batches while their text is at hand; `hits` judges
    windows; `read` gives windows to the rules that run plainly."""

    def __init__(self, rules: Sequence[Shelved], read: Read | None = None) -> None:
        self.rules: list[Shelved] = []
        self.functions: dict[str, Function] = {}
        self.problems: dict[str, str] = {}
        self.spent: dict[str, float] = {}  # seconds by rule that runs plainly
        for rule in rules:
            if rule.file is None:
                continue
            try:
                made = excused(rule.file.function, rule.standing.exceptions, rule.name)
            except RuleError as error:
                self.problems[rule.name] = error.sentence
                continue
            self.functions[rule.name] = made
            self.rules.append(rule)
        self.must_hold = np.array([_meta(r).must_hold for r in self.rules], bool)
        self.words = [
            Word(r.name, r.hash, _meta(r).kind == "abnormal" or _meta(r).must_hold, _meta(r).target)
            for r in self.rules
        ]
        self.read = read
        self._engine = Engine(self.functions)
        self._sandbox: Sandbox | None = None

    @property
    def plain(self) -> dict[str, str]:
        """The rules that are not compiled, and why."""
        return self._engine.plain

    def look(self, batch: LineBatch, first_row: int, naming: Naming) -> None:
        """Read the lines of a batch, whose records are numbered from `first_row` on."""
        self._engine.look(batch, first_row, naming)

    def place(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number the lines as records are numbered now."""
        self._engine.place(now)

    def drop(self, before: int) -> None:
        """Forget lines before a row that no window is open for."""
        self._engine.drop(before)

    @property
    def kept_blocks(self) -> int:
        """Blocks of lines that are remembered for windows that are open."""
        return self._engine.kept_blocks

    def hits(
        self,
        windows: Windows,
        keys: Callable[[], Sequence[str]],
        templates: Sequence[str],
        whole: Bools | None = None,
    ) -> Bools:
        """Which rules (columns) hit each window (rows). What must hold is not asked of a window of
        which only a part is at hand."""
        runner = self._runner(windows) if self.plain and self.read is not None else None
        found = self._engine.judge(windows, keys, templates, runner)
        found[:, self.must_hold] ^= True
        if whole is not None and self.must_hold.any():
            found[np.ix_(~whole, self.must_hold)] = False
        for at, name in enumerate(self._engine.names):
            if name in self.problems or (name in self.plain and runner is None):
                found[:, at] = False
        return found

    def _runner(self, windows: Windows) -> Callable[[str, Sequence[int]], Sequence[bool]]:
        def run(name: str, numbers: Sequence[int]) -> Sequence[bool]:
            found: list[bool] = []
            began = time.perf_counter()
            for at in range(0, len(numbers), _BLOCK):
                if name in self.problems:
                    break
                assert self.read is not None
                part = [self.read(windows, i) for i in numbers[at : at + _BLOCK]]
                answers = said(self._opened(), self.functions[name], part)
                if isinstance(answers, Failure):
                    self.problems[name] = answers.sentence
                    break
                found += answers
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - began
            return [*found, *[False] * (len(numbers) - len(found))]

        return run

    def _opened(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = Sandbox().__enter__()
        return self._sandbox

    def close(self) -> None:
        """End the sandbox, if there is one."""
        if self._sandbox is not None:
            self._sandbox.__exit__()
            self._sandbox = None


def _meta(rule: Shelved) -> Any:
    assert rule.file is not None
    return rule.file.meta


def plain_reasons(rules: Sequence[Shelved]) -> dict[str, str]:
    """Why rules cannot be compiled, or not be run at all, by name."""
    jury = Jury(rules)
    return {**jury.plain, **jury.problems}


def reasons_in(function: Function, lines: Sequence[Line]) -> list[int]:
    """The places of the lines that a rule's conditions on single lines are true of: what it points
    at. Conditions that most lines meet, or none, point at nothing.

    >>> from logwright.rules.language import parse
    >>> rule = parse("def rule(w):\\n    return any('full' in x.text for x in w.lines)\\n")
    >>> reasons_in(rule, [Line("ok"), Line("disk full"), Line("ok")])
    [1]
    """
    found: set[int] = set()
    for predicate in _predicates(function):
        try:
            holds = closure(predicate)
        except Plain:  # it reads more than the line
            continue
        true = [at for at, line in enumerate(lines) if holds(line)]
        if len(lines) < 3 or len(true) <= len(lines) // 2:
            found.update(true)
    return sorted(found)


def _predicates(function: Function) -> list[Expr]:
    """Conditions on one line, with the line as `LINE`."""
    found: list[Expr] = []
    for node in walk(function):
        tests: list[Expr] = []
        if isinstance(node, Gen) and len(node.names) == 1 and node.over == Lines():
            tests = [node.value] if node.where is None else [node.where, node.value]
            name = node.names[0]
        elif isinstance(node, For) and len(node.names) == 1 and node.over == Lines():
            tests = [part.test for part in walk(node) if isinstance(part, If)]
            name = node.names[0]
        for test in tests:
            if any(isinstance(part, Name) for part in walk(test)):
                found.append(put(test, {name: LINE}))
    return found
