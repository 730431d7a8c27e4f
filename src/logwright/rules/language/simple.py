"""Simple: expressions in one form out of several that mean the same, on every window.

All expressions are total and have no effects, so parts may be left out, merged and moved. What is
done keeps to what is exact with nan too: ``not (a < b)`` stays, ``not (a == b)`` is ``a != b``.
"""

from __future__ import annotations

import math
from typing import Any

from logwright.rules.language.kinds import Kinds, is_lines
from logwright.rules.language.tree import (
    And,
    Arith,
    Call,
    Choice,
    Compare,
    Const,
    Expr,
    For,
    Gen,
    Neg,
    Not,
    Or,
    Slice,
)  # fmt: skip
from logwright.rules.language.walk import mapped, names

__all__ = ["MOST_INT", "both", "either", "inverse", "simple"]

MOST_INT = 2**53
"""The largest whole number a rule may write; up to here whole numbers are exact as floats."""

_TRUE, _FALSE, _ZERO, _ONE = Const(True), Const(False), Const(0), Const(1)
_OPPOSITE = {"==": "!=", "!=": "==", "in": "not in", "not in": "in"}


def simple(node: Any, kinds: Kinds) -> Any:
    """The tree with all its expressions simplified.

    >>> from logwright.rules.language.tree import Key
    >>> simple(Not(Or((Not(Key()), Const(False)))), Kinds())
    Key()
    """
    node = mapped(node, lambda part: simple(part, kinds))
    changed = _step(node, kinds)
    return node if changed is node else simple(changed, kinds)


def inverse(node: Expr) -> Expr:
    """``not node``."""
    return _not(Not(node))


def both(*parts: Expr) -> Expr:
    """All of them."""
    return _junction(And(parts), _TRUE, _FALSE)


def either(*parts: Expr) -> Expr:
    """Any of them."""
    return _junction(Or(parts), _FALSE, _TRUE)


def _step(node: Any, kinds: Kinds) -> Any:
    match node:
        case Not():
            return _not(node)
        case And():
            return _junction(node, _TRUE, _FALSE)
        case Or():
            return _junction(node, _FALSE, _TRUE)
        case Neg(Neg(part)):
            return part
        case Neg(Const(value)) if not isinstance(value, str | bool):
            return Const(-value)
        case Arith():
            return _arith(node, kinds)
        case Choice():
            return _choice(node, kinds)
        case Slice(of, None, None):
            return of
        case Slice(of, Const(0), high):
            return Slice(of, None, high)
        case Call("any" | "all" | "sum", (Gen() as gen,)):
            return _many(node, gen, kinds)
        case Gen(value, (index, name), Call("enumerate", (over,)), where):
            if not any(names(part)[index] for part in (value, where) if part is not None):
                return Gen(value, (name,), over, where)
        case For((index, name), Call("enumerate", (over,)), body):
            if not any(names(part)[index] for part in body):
                return For((name,), over, body)
    return node


def _not(node: Not) -> Expr:
    match node.part:
        case Const(value):
            return Const(not value)
        case Not(part):
            return part
        case Compare(op, left, right) if op in _OPPOSITE:
            return Compare(_OPPOSITE[op], left, right)
    return node


def _junction(node: And | Or, neutral: Const, final: Const) -> Expr:
    parts: dict[Expr, None] = {}
    for part in node.parts:
        inner = part.parts if isinstance(part, type(node)) else (part,)
        parts.update(dict.fromkeys(p for p in inner if p != neutral))
    if final in parts:
        return final
    left = tuple(parts)
    if len(left) < 2:
        return left[0] if left else neutral
    return node if left == node.parts else type(node)(left)


def _arith(node: Arith, kinds: Kinds) -> Expr:
    match node:
        case Arith(op, Const(a), Const(b)) if not isinstance(a, str) and not isinstance(b, str):
            value = _value(op, a, b)
            if math.isfinite(value) and abs(value) <= MOST_INT:
                return Const(value)
        case Arith("+", Const(0, "int"), other) if kinds.is_int(other):
            return other
        case Arith("+" | "-", other, Const(0, "int")) if kinds.is_int(other):
            return other
    return node


def _value(op: str, a: float, b: float) -> float:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    if not b:
        return math.nan
    return a / b if op == "/" else a // b if op == "//" else a % b


def _choice(node: Choice, kinds: Kinds) -> Expr:
    match node:
        case Choice(Const(value), yes, no):
            return yes if value else no
        case Choice(_, yes, no) if yes == no:
            return yes
        case Choice(Not(test), yes, no):
            return Choice(test, no, yes)
        case Choice(test, yes, no) if _TRUE in (yes, no) or _FALSE in (yes, no):
            if yes == _TRUE:
                return either(test, no)
            if yes == _FALSE:
                return both(inverse(test), no)
            return either(inverse(test), yes) if no == _TRUE else both(test, yes)
    return node


def _many(node: Call, gen: Gen, kinds: Kinds) -> Expr:
    """Conditions of generators go into the value, and counting ones is counting."""
    where = _TRUE if gen.where is None else gen.where
    value: Expr | None = None
    if node.name == "all":
        value = either(inverse(where), gen.value)
    elif node.name == "any" or kinds.is_bool(gen.value):
        value = both(where, gen.value)
    elif gen.value == _ONE and gen.where is not None:
        value = where
    elif isinstance(gen.value, Choice) and (gen.value.yes, gen.value.no) == (_ONE, _ZERO):
        value = both(where, gen.value.test)
    elif gen.value == _ONE and is_lines(gen.over):
        return Call("len", (gen.over,))
    if value is None or (gen.where is None and value == gen.value):
        return node
    return Call(node.name, (Gen(value, gen.names, gen.over),))
