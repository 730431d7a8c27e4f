"""Kinds: which expressions are surely bools or whole numbers, as far as the tree shows.

Rewriting asks this: numbers with a fraction may not be added in another order, and a bool can join
a condition. Where nothing is sure the answer is no.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    Field,
    For,
    Function,
    Gen,
    Item,
    Lines,
    Method,
    Name,
    Neg,
    Not,
    Or,
    Slice,
)  # fmt: skip
from logwright.rules.language.walk import walk

__all__ = ["Kinds", "is_lines"]

_BOOLS = frozenset({"all", "any", "followed", "followed_in", "like", "phrase", "search"})
_INTS = frozenset({"distinct", "first", "last", "len"})


def is_lines(node: Expr) -> bool:
    """Whether it is surely lines, not texts."""
    return isinstance(node, Lines) or (isinstance(node, Slice) and is_lines(node.of))


@dataclass(frozen=True)
class Kinds:
    """What is known of the names of a rule."""

    bools: frozenset[str] = frozenset()
    ints: frozenset[str] = frozenset()

    @staticmethod
    def of(function: Function) -> Kinds:
        """The names that hold a bool, or a whole number, wherever they are assigned.

        >>> body = (Assign("n", Const(0)), Bump("n", "+=", Call("len", (Lines(),))))
        >>> Kinds.of(Function("", body)).ints
        frozenset({'n'})
        """
        values: dict[str, list[Expr | None]] = {}
        for node in walk(function):
            if isinstance(node, Assign | Bump):
                values.setdefault(node.name, []).append(node.value)
            elif isinstance(node, For | Gen):
                counted = isinstance(node.over, Call)
                for i, name in enumerate(node.names):
                    values.setdefault(name, []).append(Const(0) if counted and i == 0 else None)
        kinds = Kinds(frozenset(values), frozenset(values))
        while True:
            told = Kinds(
                frozenset(n for n in kinds.bools if all(map(kinds.is_bool, values[n]))),
                frozenset(n for n in kinds.ints if all(map(kinds.is_int, values[n]))),
            )
            if told == kinds:
                return kinds
            kinds = told

    def is_bool(self, node: Expr | None) -> bool:
        """Whether it is surely a bool."""
        match node:
            case Const(value):
                return isinstance(value, bool)
            case And() | Or() | Not() | Compare():
                return True
            case Call(name, _):
                return name in _BOOLS
            case Method(_, name, _):
                return name in ("startswith", "endswith")
            case Choice(_, yes, no):
                return self.is_bool(yes) and self.is_bool(no)
            case Name(id):
                return id in self.bools
        return False

    def is_int(self, node: Expr | None) -> bool:
        """Whether it is surely a whole number."""
        match node:
            case Const(value):
                return isinstance(value, int) and not isinstance(value, bool)
            case Field(_, name):
                return name == "level"
            case Method(_, name, _):
                return name == "count"
            case Call("sum", (Gen(value, _, _, _),)):
                return self.is_bool(value) or self.is_int(value)
            case Call("abs", (value,)) | Neg(value):
                return self.is_int(value)
            case Call("min" | "max", (Item() | Name() | Const() | Arith(), _, *_) as args):
                return all(map(self.is_int, args))
            case Call(name, _):
                return name in _INTS
            case Arith(op, left, right):
                return op != "/" and self.is_int(left) and self.is_int(right)
            case Choice(_, yes, no):
                return self.is_int(yes) and self.is_int(no)
            case Name(id):
                return id in self.ints
        return False
