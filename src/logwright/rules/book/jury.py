"""The jury: the rules of a rulebook that judge windows, compiled, with their exceptions.

A rule says "abnormal" where it fires, or, if it must hold, where it does not; other normal rules
say "normal". Shadows hit as others do, and say nothing. Rules that cannot be compiled run in the
sandbox, window by window. Of a window for which one fails there it says nothing; after 3 failures,
or when its time for the run is used up, it says nothing from then on. `problems` tells of both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s, LineBatch
from logwright.rules.book.backtest import Word
from logwright.rules.book.excuses import excused
from logwright.rules.book.shelved import Shelved
from logwright.rules.engine.classing import Naming
from logwright.rules.engine.engine import Engine
from logwright.rules.engine.pointwise import LINE, Plain, closure
from logwright.rules.language.emit import emit
from logwright.rules.language.plain import Line, Window
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import (
    Const,
    Expr,
    For,
    Function,
    Gen,
    If,
    Item,
    Lines,
    Name,
    Not,
    Return,
)  # fmt: skip
from logwright.rules.language.walk import put, walk
from logwright.rules.sandbox.sandbox import Failure, Sandbox
from logwright.rules.synthesis.tryout import plainly
from logwright.snapshot import State
from logwright.windows.window import Windows

__all__ = ["Jury", "Read", "plain_reasons", "reasons_in"]

Bools = NDArray[np.bool_]
Read = Callable[[Windows, int], Window]
"""A window as rules see it, by its number among windows."""

_BLOCK = 50
"""Windows that go to the sandbox at once; after each block the rule's time is looked at."""

_STRIKES = 3
_MOST_SECONDS = 300.0
"""The time of a rule that runs plainly, in a run: some million windows of 100 lines."""


class Jury:
    """Compiled rules, for one run. `look` reads batches while their text is at hand; `hits` judges
    windows; `read` gives windows to the rules that run plainly."""

    def __init__(self, rules: Sequence[Shelved], read: Read | None = None) -> None:
        self.rules: list[Shelved] = []
        self.functions: dict[str, Function] = {}
        self.problems: dict[str, str] = {}
        self.spent: dict[str, float] = {}  # seconds by rule that runs plainly
        self._failed: dict[str, int] = {}
        self._off: set[str] = set()
        self._loaded: set[str] = set()
        self._unsaid: dict[str, list[int]] = {}  # windows of the call that a rule said nothing of
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

    def keep(self, rows: Int64s) -> None:
        """Forget all lines but these, which are sorted."""
        self._engine.keep(rows)

    def paused(self) -> State:
        """What is remembered of lines, and which rules failed how often."""
        state = self._engine.paused()
        failed = {"failed": self._failed, "off": sorted(self._off), "problems": self.problems}
        state.meta["jury"] = failed | {"spent": self.spent}
        return state

    def resume(self, state: State) -> bool:
        """Go on from there; False where the rules were others."""
        if not self._engine.resume(state):
            return False
        told = state.meta["jury"]
        self._failed, self._off = dict(told["failed"]), set(told["off"])
        self.problems, self.spent = dict(told["problems"]), dict(told["spent"])
        return True

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
        self._unsaid = {}
        found = self._engine.judge(windows, keys, templates, runner)
        found[:, self.must_hold] ^= True
        if whole is not None and self.must_hold.any():
            found[np.ix_(~whole, self.must_hold)] = False
        for at, name in enumerate(self._engine.names):
            if name in self.plain and runner is None:
                found[:, at] = False
            found[self._unsaid.get(name, []), at] = False
        return found

    def _runner(self, windows: Windows) -> Callable[[str, Sequence[int]], Sequence[bool]]:
        def run(name: str, numbers: Sequence[int]) -> Sequence[bool]:
            assert self.read is not None
            shown = (self.read(windows, i) for i in numbers)
            answers = list(self._answers(name, self.functions[name], shown))
            unsaid = [i for i, answer in zip(numbers, answers, strict=False) if answer is None]
            self._unsaid[name] = [*unsaid, *numbers[len(answers) :]]
            found = [answer is True for answer in answers]
            return [*found, *[False] * (len(numbers) - len(found))]

        return run

    def _answers(
        self, name: str, function: Function, windows: Iterable[Window]
    ) -> Iterator[bool | None]:
        """What a function says of windows, None where it fails, for the time that its rule has and
        until the rule goes off."""
        shown = iter(windows)
        while name not in self._off:
            began = time.perf_counter()
            block = [plainly(window) for window in islice(shown, _BLOCK)]
            if not block:
                return
            for answer in self._run(emit(function), block):
                failed = isinstance(answer, Failure)
                yield None if failed else answer is True
                if isinstance(answer, Failure) and self._strike(name, answer):
                    break
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - began
            if self.spent[name] > _MOST_SECONDS:
                self._off.add(name)
                said = f"it used up its {_MOST_SECONDS:g} s for a run, and says no more"
                self.problems.setdefault(name, said)

    def _strike(self, name: str, failure: Failure) -> bool:
        """Count a failure; whether the rule goes off."""
        count = self._failed[name] = self._failed.get(name, 0) + 1
        what = f"it says nothing of {count} window{'s' * (count > 1)}"
        if count == _STRIKES:
            self._off.add(name)
            what = f"it failed {_STRIKES} times, and says nothing from then on"
        self.problems[name] = f"{what}: {failure.sentence}"
        return count == _STRIKES

    def _run(self, source: str, windows: Sequence[Mapping[str, Any]]) -> Sequence[bool | Failure]:
        if self._sandbox is None:
            self._sandbox = Sandbox().__enter__()
        if source not in self._loaded:
            self._loaded.add(source)
            self._sandbox.load(source, source)
        return self._sandbox.run(source, windows)

    def points_at(self, name: str, lines: Sequence[Line]) -> list[int]:
        """What `reasons_in` finds for a rule. Rules that run plainly are asked in the sandbox here,
        too."""
        function = self.functions[name]
        if name not in self.plain:
            return reasons_in(function, lines)

        def ask(predicate: Expr) -> list[bool]:
            value = Not(Not(put(predicate, {LINE.id: Item(Lines(), Const(0))})))
            alone = (Window([line]) for line in lines)
            answers = self._answers(name, Function("", (Return(value),)), alone)
            return [answer is True for answer in answers]

        return _pointed(function, len(lines), ask)

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

    >>> from logwright.rules.language.gate import parse
    >>> rule = parse("def rule(w):\\n    return any('full' in x.text for x in w.lines)\\n")
    >>> reasons_in(rule, [Line("ok"), Line("disk full"), Line("ok")])
    [1]
    """

    def ask(predicate: Expr) -> list[bool]:
        return list(map(closure(predicate), lines))

    return _pointed(function, len(lines), ask)


def _pointed(function: Function, lines: int, ask: Callable[[Expr], list[bool]]) -> list[int]:
    found: set[int] = set()
    for predicate in _predicates(function):
        try:
            closure(predicate)
        except Plain:  # it reads more than the line
            continue
        true = [at for at, holds in enumerate(ask(predicate)) if holds]
        if lines < 3 or len(true) <= lines // 2:
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
