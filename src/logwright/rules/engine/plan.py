"""Plan: a rule as one expression over facts of windows, such as how many lines a predicate holds.

`planned` turns a rule's body into a tree whose leaves are the facts below; `Plain` says why a rule
has none. Facts name line predicates by their expression over ``line``, and by `Held` once they are
numbered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logwright.rules.engine.pointwise import LINE, Plain, closure
from logwright.rules.language.kinds import Kinds
from logwright.rules.language.plain import Line
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
    Function,
    Gen,
    If,
    Item,
    Key,
    Lines,
    Name,
    Neg,
    Not,
    Or,
    Return,
    Slice,
    Statement,
)  # fmt: skip
from logwright.rules.language.walk import depth, mapped, put, size, walk

__all__ = [
    "At", "Count", "Distinct", "Fact", "Followed", "FollowedIn", "Gap", "Held", "KeyIs", "Length",
    "Place", "Time", "is_whole", "planned",
]  # fmt: skip

_MOST_SIZE, _MOST_DEPTH = 20_000, 100
_MOST_COUNT = 2.0**31
_EXACT = 2.0**53
_KINDS = Kinds()
_NO_LINE = Line()


@dataclass(frozen=True, slots=True)
class Held:
    """A line predicate by number; `turned` where the number stands for its opposite."""

    number: int
    turned: bool


@dataclass(frozen=True, slots=True)
class Length:
    """How many lines ``w.lines[low:high]`` has."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many lines of ``w.lines[low:high]`` the predicate holds for."""

    line: Expr | Held
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the first (or last) such line stands, -1 where there is none."""

    line: Expr | Held
    low: int | None
    high: int | None
    last: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """``followed`` of two predicates over all lines."""

    a: Expr | Held
    b: Expr | Held
    events: int


@dataclass(frozen=True, slots=True)
class FollowedIn:
    """``followed_in`` of two predicates over all lines."""

    a: Expr | Held
    b: Expr | Held
    seconds: float


@dataclass(frozen=True, slots=True)
class Gap:
    """``longest_gap(w)``."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different templates the lines have."""


@dataclass(frozen=True, slots=True)
class At:
    """Whether the predicate holds for ``w.lines[index]``; `missing` is its value for no line."""

    line: Expr | Held
    index: int
    missing: bool


@dataclass(frozen=True, slots=True)
class Time:
    """``w.lines[index].ts``."""

    index: int


@dataclass(frozen=True, slots=True)
class KeyIs:
    """A condition on the key alone."""

    expr: Expr


Fact = Length | Count | Place | Followed | FollowedIn | Gap | Distinct | At | Time | KeyIs


def planned(function: Function) -> Any:
    """The rule's value over facts; `Plain` where it cannot be written so.

    >>> from logwright.rules.language.tree import Call
    >>> planned(Function("", (Return(Compare(">", Call("len", (Lines(),)), Const(3))),)))
    Compare(op='>', left=Length(low=None, high=None), right=Const(value=3, kind='int'))
    """
    value = _value(function.body, {}, [0])
    if depth(value) > _MOST_DEPTH:  # it is read by recursion
        raise Plain("its values depend on each other too often")
    fact = _fact(value)
    _bound(fact)
    return fact


def _value(body: tuple[Statement, ...], held: Mapping[str, Expr], spent: list[int]) -> Expr:
    """What statements return, as one expression."""
    names = dict(held)
    for at, node in enumerate(body):
        match node:
            case Assign(name, value):
                names[name] = _put(value, names, spent)
            case Bump(name, op, value):
                names[name] = _put(Arith(op[0], Name(name), value), names, spent)
            case Return(value):
                return _put(value, names, spent)
            case If(test, then, orelse):
                rest = body[at + 1 :]
                yes = _value((*then, *rest), names, spent)
                no = _value((*orelse, *rest), names, spent)
                return Choice(_put(test, names, spent), yes, no)
            case _:
                raise Plain("it loops over lines with statements of its own")
    return Const(False)


def _put(value: Expr, names: Mapping[str, Expr], spent: list[int]) -> Expr:
    found: Expr = put(value, dict(names))
    spent[0] += size(found)
    if spent[0] > _MOST_SIZE:
        raise Plain("it has too many branches")
    return found


def _fact(node: Expr) -> Any:
    """A window's expression over facts."""
    match node:
        case Call("any", (Gen() as gen,)):
            return Compare(">", Count(*_each(gen, "any")), Const(0))  # type: ignore[arg-type]
        case Call("all", (Gen() as gen,)):
            line, low, high = _each(gen, "all")
            return Compare("==", Count(Not(line), low, high), Const(0))  # type: ignore[arg-type]
        case Call("sum", (Gen(Const(int() as value)) as gen,)):
            # Each line counts as much.
            counted = Gen(Const(True), gen.names, gen.over, gen.where)
            count: Any = Count(*_each(counted, "any"))
            return Arith("*", count, Const(int(value)))
        case Call("sum", (Gen(value) as gen,)) if _KINDS.is_bool(value):
            return Count(*_each(gen, "any"))
        case Call("first" | "last" as name, (Gen(_, _, _, None) as gen,)):
            return Place(*_each(gen, "any"), name == "last")
        case Call("followed", (Gen() as a, Gen() as b, Const(int() as events))):
            return Followed(_whole(a), _whole(b), events)
        case Call("followed_in", (_, Gen() as a, Gen() as b, Const(int() | float() as seconds))):
            return FollowedIn(_whole(a), _whole(b), float(seconds))
        case Call("len", (Lines() | Slice(Lines()) as over,)):
            return Length(*_range(over))
        case Call("longest_gap", _):
            return Gap()
        case Call("distinct", (Gen(Field(Name(name), "template"), (bound,), Lines(), None),)):
            if name == bound:
                return Distinct()
        case Field(Item(Lines(), Const(at)), "ts"):
            return Time(int(at))
        case Const() | And() | Or() | Not() | Neg():
            return _above(node)
        case Arith() | Choice() | Call("abs" | "ratio" | "min" | "max") | Compare():
            return _single(node) or _above(node)
    found = _single(node)
    if found is None:
        what = f"{node.name}()" if isinstance(node, Call) else type(node).__name__.lower()
        raise Plain(f"it asks a window for {what} of what varies")
    return found


def _above(node: Expr) -> Any:
    if isinstance(node, Call) and node.name in ("min", "max") and len(node.args) < 2:
        raise Plain(f"it asks for the {node.name}() of many values")
    return mapped(node, _fact)


def _single(node: Expr) -> Any:
    """A condition on one line, given by its place, or on the key alone; None for others."""
    if not _KINDS.is_bool(node):
        return None
    leaves = [n for n in walk(node) if isinstance(n, Lines | Key | Name | Gen)]
    if not leaves:
        return None
    if all(isinstance(leaf, Key) for leaf in leaves):
        closure(node)
        return KeyIs(node)
    items = {n for n in walk(node) if isinstance(n, Item) and isinstance(n.of, Lines)}
    if len(items) != 1 or not all(isinstance(leaf, Lines) for leaf in leaves):
        return None
    item = items.pop()
    if not isinstance(item.index, Const) or _count(node, Lines) != _count_equal(node, item):
        return None
    if any(isinstance(n, Field) and n.name == "ts" for n in walk(node)):
        return None

    def moved(part: Any) -> Any:
        return LINE if part == item else mapped(part, moved)

    line: Expr = moved(node)
    return At(line, int(item.index.value), bool(closure(line)(_NO_LINE)))


def _count(node: Expr, kind: type) -> int:
    return sum(isinstance(n, kind) for n in walk(node))


def _count_equal(node: Expr, item: Expr) -> int:
    return sum(n == item for n in walk(node))


def _each(gen: Gen, how: str) -> tuple[Expr, int | None, int | None]:
    """The line predicate of a generator, and the part of the lines that it goes over."""
    if len(gen.names) != 1 or not isinstance(gen.over, Lines | Slice):
        raise Plain("it goes over something else than lines")
    if not _KINDS.is_bool(gen.value):
        raise Plain("what it collects are no conditions")
    low, high = _range(gen.over)
    value: Expr = gen.value
    if gen.where is not None:
        parts = (gen.where, value)
        value = And(parts) if how == "any" else Or((Not(gen.where), value))
    (name,) = gen.names
    line: Expr = put(value, {name: LINE}) if name != LINE.id else value
    return line, low, high


def _whole(gen: Gen) -> Expr:
    line, low, high = _each(gen, "any")
    if gen.where is not None or (low, high) != (None, None):
        raise Plain("it asks what follows in a part of the lines")
    return line


def _range(over: Expr) -> tuple[int | None, int | None]:
    if isinstance(over, Slice):
        if not isinstance(over.of, Lines):
            raise Plain("it slices a slice")
        ends = []
        for end in (over.low, over.high):
            if end is not None and not (isinstance(end, Const) and isinstance(end.value, int)):
                raise Plain("it slices by what varies")
            ends.append(None if end is None else int(end.value))
        return ends[0], ends[1]
    return None, None


def _bound(node: Any) -> float:
    """How large a whole number can become; `Plain` where columns would not hold it exactly."""
    match node:
        case Const(value):
            found = abs(value) if isinstance(value, int | float) else 0.0
            if isinstance(value, int) and found > _EXACT:
                raise Plain("it counts beyond what columns hold")
            return float(found)
        case Arith("+" | "-", left, right):
            found = _bound(left) + _bound(right)
        case Arith("*", left, right):
            found = _bound(left) * _bound(right)
        case Arith("/" | "//" | "%" as op, left, right):
            found = max(_bound(left), _bound(right))
            if op != "/" and not (is_whole(left) and is_whole(right)):
                raise Plain(f"it uses {op} on numbers with a fraction")
        case And() | Or() | Not() | Neg() | Compare() | Choice() | Call():
            parts = [getattr(node, name) for name in node.__slots__]
            flat = [p for part in parts for p in (part if isinstance(part, tuple) else (part,))]
            found = max((_bound(p) for p in flat if not isinstance(p, str)), default=0.0)
        case _:
            return _MOST_COUNT
    if found > _EXACT and is_whole(node):
        raise Plain("it counts beyond what columns hold")
    return found


def is_whole(node: Any) -> bool:
    """Whether a value over facts is a whole number (or a bool)."""
    match node:
        case Const(value):
            return isinstance(value, int)
        case Arith(op, left, right):
            return op != "/" and is_whole(left) and is_whole(right)
        case Neg(part) | Call("abs", (part,)):
            return is_whole(part)
        case Call("min" | "max", args):
            return all(map(is_whole, args))
        case Choice(_, yes, no):
            return is_whole(yes) and is_whole(no)
        case Call() | Gap() | Time():
            return False
    return True
