"""Magnitudes: no whole number of a rule can grow beyond 62 bits, whatever the window.

So that whole numbers are the same in Python and in the engine's columns, and none can become too
large for a float. Of each number the most is worked out that it can be, without its sign. Counts
are taken for at most 2**22 (lines of a window, characters of a line, and so rounds of a loop). What
a loop changes may in the loop grow only by what it does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from logwright.rules.language.tree import (
    And,
    Arith,
    Assign,
    Bump,
    Call,
    Choice,
    Compare,
    Const,
    Expr,
    For,
    Function,
    Gen,
    If,
    Name,
    Neg,
    Not,
    Or,
    Statement,
)  # fmt: skip
from logwright.rules.language.walk import children, names, walk

__all__ = ["check_magnitudes"]

MOST_BITS = 62
_COUNT = 2**22

Refuse = Callable[[object, str], NoReturn]


def check_magnitudes(function: Function, ints: frozenset[str], refuse: Refuse) -> None:
    """Call `refuse` with the node whose number can grow too large; `ints` are the names that hold
    whole numbers."""
    _Magnitudes(ints, refuse).block(function.body)


def _stored(loop: For, loops: int) -> Iterator[tuple[Assign | Bump, int]]:
    """The assignments of a loop, each with the number of loops around it."""
    stack: list[Statement] = list(loop.body)
    while stack:
        node = stack.pop()
        match node:
            case Assign() | Bump():
                yield node, loops
            case If(_, yes, no):
                stack.extend((*yes, *no))
            case For():
                yield from _stored(node, loops + 1)


class _Magnitudes:
    def __init__(self, ints: frozenset[str], refuse: Refuse) -> None:
        self.ints, self.refuse = ints, refuse
        self.most: dict[str, int] = {}

    def block(self, body: Sequence[Statement]) -> None:
        for node in body:
            match node:
                case Assign(name, value):
                    self._keep(name, self.of(value))
                case Bump(name, op, value):
                    self._keep(name, self.of(Arith(op[0], Name(name), value), node))
                case If(test, yes, no):
                    self.of(test)
                    self.block(yes)
                    self.block(no)
                case For():
                    self._loop(node)
                case _:
                    for child in children(node):
                        self.of(child)  # type: ignore[arg-type]

    def _keep(self, name: str, most: int) -> None:
        self.most[name] = max(most, self.most.get(name, 0))

    def _loop(self, loop: For) -> None:
        stored = list(_stored(loop, 1))
        carried = {node.name for node, _ in stored} & self.ints
        before = dict(self.most)
        self.most.update(dict.fromkeys(carried, 0))
        most = max((before.get(name, 0) for name in carried), default=0)
        for node, loops in stored:
            if node.name not in carried:
                continue
            if isinstance(node, Bump) and self._reads(node.value, carried):
                self._grows(node)
            for part in walk(node.value):
                if isinstance(part, Arith) and part.op in "+-*":
                    sides = [self._reads(side, carried) for side in (part.left, part.right)]
                    if all(sides) or (part.op == "*" and any(sides)):
                        self._grows(part)
                if isinstance(part, Call) and part.name == "sum" and self._reads(part, carried):
                    self._grows(part)
            most += self.of(node.value) * _COUNT**loops
        self.most.update(before)
        self.most.update(dict.fromkeys(carried, most))
        for part in walk(loop):
            if isinstance(part, If):
                self.of(part.test)
            elif isinstance(part, Assign | Bump) and part.name not in carried:
                self.of(part.value)

    def _reads(self, node: Expr, carried: set[str]) -> bool:
        return any(names(node)[name] for name in carried)

    def _grows(self, node: object) -> NoReturn:
        self.refuse(
            node,
            "in a loop a number grows only by what the loop does not change: "
            "write n += 1, or count with sum",
        )

    def of(self, node: Expr, place: object = None) -> int:
        """The most that the expression's number can be; 0 where it is none or has a fraction."""
        parts = [self.of(child) for child in children(node)]  # type: ignore[arg-type]
        most = self._most(node, parts)
        if most > 2**MOST_BITS:
            self.refuse(
                place or node,
                f"this number can grow beyond 2**{MOST_BITS}: use smaller numbers or fewer sums",
            )
        return most

    def _most(self, node: Expr, parts: list[int]) -> int:
        match node:
            case Const(value):
                return abs(value) if isinstance(value, int) else 0
            case Name(id):
                return self.most.get(id, _COUNT) if id in self.ints else 0
            case Arith("+" | "-", _, _):
                return sum(parts)
            case Arith("*", _, _):
                return parts[0] * parts[1]
            case Arith("//", _, _):
                return parts[0]
            case Arith("%", _, _):
                return parts[1]
            case Neg():
                return parts[0]
            case Choice():
                return max(parts[1:])
            case Gen():
                return parts[0]
            case Call("sum", _):
                return max(parts[0], 1) * _COUNT
            case Call("abs" | "min" | "max", _):
                return max(parts)
            case And() | Or() | Not() | Compare():
                return 0
        return _COUNT
