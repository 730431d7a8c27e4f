"""The engine: a rulebook compiled into line predicates, evaluated once per shape or level of text,
and facts of windows, worked out as columns. Results are those of the plain functions.

`Engine.look` reads the lines of a batch while their text is at hand and keeps a number for each;
`Engine.judge` says which rules hold for windows that close. Rules that cannot be compiled are in
`Engine.plain`, each with the reason, and run through a function that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int32s, Int64s, LineBatch
from logwright.rules.engine.classing import Classer, Naming
from logwright.rules.engine.combine import Facts, seconds, value
from logwright.rules.engine.gating import leveled
from logwright.rules.engine.kept import Kept
from logwright.rules.engine.plan import (
    At,
    Count,
    Fact,
    Followed,
    FollowedIn,
    Length,
    Place,
    planned,
)  # fmt: skip
from logwright.rules.engine.pointwise import Plain
from logwright.rules.engine.shapewise import Predicates
from logwright.rules.engine.table import Table
from logwright.rules.language.tree import Function
from logwright.rules.language.walk import mapped
from logwright.snapshot import State
from logwright.windows.window import Windows

__all__ = ["Bools", "Engine", "Runner"]

Bools = NDArray[np.bool_]
Runner = Callable[[str, Sequence[int]], Sequence[bool]]
"""Runs a rule plainly, by its name, on windows by their numbers."""

_BY_PLACES = (Count, Place, Followed, FollowedIn)
_BY_SETS = (Count, Place, Followed, Length, At)
_FEW = 512  # windows: a push of a stream; columns of more are quicker than looking each up
_MEMO = 32 << 20  # bytes
_EACH = 200  # bytes that one costs beside its own


class _Rule:
    """A compiled rule: its value over facts, the predicates that it reads, its value in windows
    where none of them holds anywhere, None where that varies; and whether windows whose lines have
    the same sets of predicates have the same value."""

    __slots__ = ("by_sets", "reads", "usual", "value")

    def __init__(self, name: str, plan: Any, predicates: Predicates) -> None:
        self.reads: set[int] = set()
        self.by_sets = local = True

        def numbered(node: Any) -> Any:
            nonlocal local
            if not isinstance(node, Fact):
                return mapped(node, numbered) if hasattr(node, "__slots__") else node
            changes: dict[str, Any] = {}
            for field in fields(node):
                part = getattr(node, field.name)
                if field.name in ("line", "a", "b"):
                    held = predicates.add(part)
                    self.reads.add(held.number)
                    local = local and not held.turned
                    part = held
                changes[field.name] = part
            local = local and isinstance(node, _BY_PLACES)
            self.by_sets = self.by_sets and isinstance(node, _BY_SETS)
            return type(node)(**changes)

        self.value = numbered(plan)
        self.usual: bool | None = None
        if local:
            self.usual = bool(np.all(value(self.value, _nothing())))


class Engine:
    """Rules by name, compiled. One engine serves one run: it remembers the shapes it has seen.

    >>> from logwright.rules.language.tree import *
    >>> from logwright.rules.language.plain import Window
    >>> line = Gen(Call("phrase", (Field(Name("l"), "text"), Const("full"))), ("l",), Lines())
    >>> engine = Engine({"full": Function("", (Return(Call("any", (line,))),))})
    >>> table = Table.of_windows([Window.of_texts(["disk full"]), Window.of_texts(["ok"])])
    >>> engine.of_table(table).tolist()
    [[True], [False]]
    """

    def __init__(self, rules: Mapping[str, Function]) -> None:
        self.names = list(rules)
        # The same for the same rules in the same order, in which predicates are numbered.
        told = repr(list(rules.items())).encode("utf-8", "backslashreplace")
        self._mark = blake2b(told, digest_size=16).hexdigest()
        self.plain: dict[str, str] = {}
        self._predicates = Predicates()
        self._rules: dict[int, _Rule] = {}
        for i, (name, function) in enumerate(rules.items()):
            try:
                self._rules[i] = _Rule(name, planned(function), self._predicates)
            except Plain as why:
                self.plain[name] = str(why)
        self._classer = Classer(self._predicates)
        self._kept = Kept()
        self._memo: dict[bytes, Bools] = {}  # by the sets of a window's lines
        self._spent = 0

    def look(self, batch: LineBatch, first_row: int, naming: Naming | None = None) -> None:
        """Read the lines of a batch, whose records are numbered from `first_row` on."""
        if self._rules:
            codes = self._classer.codes(batch, naming or Naming())
            self._kept.add(first_row, codes)

    def place(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number the lines as records are numbered now; before the first windows are judged."""
        self._kept.renumber(now)

    def drop(self, before: int) -> None:
        """Forget lines before a row that no window is open for."""
        self._kept.drop(before)

    def keep(self, rows: Int64s) -> None:
        """Forget all lines but these, which are sorted."""
        self._kept.keep(rows)

    def paused(self) -> State:
        """What is remembered of lines, once `keep` was called."""
        held = [list(numbers) for numbers in self._classer.sets.held]
        return State({"rules": self._mark, "sets": held}, {"lines": self._kept.paused()})

    def resume(self, state: State) -> bool:
        """Go on from there; False, and nothing is remembered, where the rules were others."""
        if state.meta["rules"] != self._mark:
            return False
        sets, columns = self._classer.sets, dict(state.tables["lines"])
        codes = [sets.code(tuple(numbers)) for numbers in state.meta["sets"]]
        columns["code"] = np.array(codes, np.int32)[columns["code"]]
        self._kept.resume(columns)
        return True

    @property
    def looked_at(self) -> int:
        """Lines that had to be asked one by one, because rules tell digits apart."""
        return self._classer.looked_at

    @property
    def kept_blocks(self) -> int:
        """Blocks of lines that are remembered for windows that are open."""
        return len(self._kept)

    def judge(
        self,
        windows: Windows,
        keys: Callable[[], Sequence[str]],
        templates: Sequence[str],
        runner: Runner | None = None,
    ) -> Bools:
        """Whether each rule holds (columns, in the order of `names`) for each window (rows).

        `keys` gives the windows' keys, `templates` are ids by index. Without a `runner` rules that
        are not compiled hold for none.
        """
        events = windows.events
        facts = Facts(
            windows.bounds,
            self._kept.at(events.row) if self._rules else np.zeros(len(events), np.int32),
            self._classer.sets.held,
            lambda: seconds(events.ts),
            lambda: _numbers(templates)[events.template],
            keys,
        )
        return self._judged(facts, runner)

    def _recall(self, facts: Facts, out: Bools) -> None:
        """The values of the rules that tell windows apart by sets alone: most windows of a stream
        are like others before."""
        if self._spent > _MEMO:
            self._memo, self._spent = {}, 0
        alike = facts.alike
        new = [i for i, sets in enumerate(alike) if sets not in self._memo]
        if new:
            found = np.zeros((len(new), len(self.names)), bool)
            rules = {i: rule for i, rule in self._rules.items() if rule.by_sets}
            _value(rules, facts.only(np.array(new)), found)
            self._memo.update(zip([alike[i] for i in new], found, strict=True))
            self._spent += sum(len(alike[i]) + len(self.names) + _EACH for i in new)
        for i, sets in enumerate(alike):
            out[i] |= self._memo[sets]

    def of_table(self, table: Table, runner: Runner | None = None) -> Bools:
        """The same for the windows of a table."""
        sets = self._classer.sets
        codes = np.zeros(len(table.lines), np.int32)
        if self._rules:
            texts = [leveled(line.text.encode("utf-8", "surrogateescape")) for line in table.lines]
            known = self._predicates.known(texts, table.lines.__getitem__, "exact")
            for i, found in known.items():
                codes[i] = sets.code(found.true)
        ids = _numbers([line.template for line in table.lines])
        facts = Facts(
            table.bounds,
            codes[table.code],
            sets.held,
            lambda: table.ts,
            lambda: ids[table.code],
            lambda: table.keys,
        )
        return self._judged(facts, runner)

    def _judged(self, facts: Facts, runner: Runner | None) -> Bools:
        out = np.zeros((len(facts), len(self.names)), bool, order="F")
        if len(facts) > _FEW:
            _value(self._rules, facts, out)
        else:
            _value({i: rule for i, rule in self._rules.items() if not rule.by_sets}, facts, out)
            self._recall(facts, out)
        if runner is not None:
            every = range(len(facts))
            for i, name in enumerate(self.names):
                if name in self.plain:
                    out[:, i] = runner(name, every)
        return out


def _value(rules: Mapping[int, _Rule], facts: Facts, out: Bools) -> None:
    """The values of rules, into their columns."""
    if not rules:
        return
    met = facts.met
    with np.errstate(all="ignore"):
        for i, rule in rules.items():
            if rule.usual is not None and met.isdisjoint(rule.reads):
                out[:, i] = rule.usual
            else:
                out[:, i] = value(rule.value, facts)


def _numbers(names: Sequence[str]) -> Int64s:
    """Numbers that are equal where names are."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)


def _nothing() -> Facts:
    """Facts of one window without lines."""
    none: Int32s = np.empty(0, np.int32)
    bounds = np.zeros(2, np.int64)
    times, templates = np.empty(0), np.empty(0, np.int64)
    return Facts(bounds, none, [()], lambda: times, lambda: templates, lambda: [""])
