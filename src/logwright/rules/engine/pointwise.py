"""Pointwise: an expression over one line as a function of Python, made of closures.

The closures call the functions of `plain` and nothing else, so they give what the plain rule gives
for the line. No text is generated or executed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from logwright.rules.language.plain import NAMES
from logwright.rules.language.tree import (
    And,
    Arith,
    Call,
    Choice,
    Compare,
    Const,
    Expr,
    Field,
    Item,
    Key,
    Method,
    Name,
    Neg,
    Not,
    Or,
)  # fmt: skip

__all__ = ["LINE", "Plain", "closure", "compare"]

LINE = Name("line")
"""The one variable of an expression over a line."""

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_CALLS = frozenset({"abs", "len", "like", "max", "min", "number", "phrase", "ratio", "search"})


class Plain(Exception):  # noqa: N818 - no error: the rule runs plainly, and this says why
    """A rule, or a part of one, is not compiled; the message is the reason, one clause."""


def closure(node: Expr) -> Callable[[Any], Any]:
    """The value of an expression as a function of the line; `Plain` where it reads anything else.

    An expression over the key alone (`Key`) is a function of the window.

    >>> from logwright.rules.language.plain import Line
    >>> test = closure(Compare("in", Const("disk"), Field(LINE, "text")))
    >>> test(Line("disk full")), test(Line("ok"))
    (True, False)
    """
    match node:
        case Const(value):
            return lambda line: value
        case Key():
            return operator.attrgetter("key")
        case Field(of, name) if of == LINE:
            return operator.attrgetter(name)
        case Item(Field(of, "params"), Const(at)) if of == LINE:
            return lambda line: line.params[at]
        case And(parts):
            tests = [closure(part) for part in parts]
            return lambda line: all(test(line) for test in tests)
        case Or(parts):
            tests = [closure(part) for part in parts]
            return lambda line: any(test(line) for test in tests)
        case Not(part):
            test = closure(part)
            return lambda line: not test(line)
        case Neg(part):
            number = closure(part)
            return lambda line: -number(line)
        case Choice(condition, yes, no):
            test, first, second = closure(condition), closure(yes), closure(no)
            return lambda line: first(line) if test(line) else second(line)
        case Compare(op, a, b) | Arith(op, a, b):
            run, left, right = _OPS[op], closure(a), closure(b)
            return lambda line: run(left(line), right(line))
        case Call(name, args) if name in _CALLS:
            return _called(NAMES[name], args)
        case Method(of, name, args):
            return _called(getattr(str, name), (of, *args))
    raise Plain(_reason(node))


def compare(op: str, limit: Any, flipped: bool) -> Callable[[Any], Any]:
    """The comparison of a number or a column with a constant, which stands on the left if flipped.

    >>> compare("<", 3, flipped=True)(5)
    True
    """
    run = _OPS[op]
    return (lambda value: run(limit, value)) if flipped else (lambda value: run(value, limit))


def _called(function: Callable[..., Any], args: tuple[Expr, ...]) -> Callable[[Any], Any]:
    given = [closure(arg) for arg in args]
    if len(given) == 1:
        (one,) = given
        return lambda line: function(one(line))
    if len(given) == 2:
        a, b = given
        return lambda line: function(a(line), b(line))
    return lambda line: function(*[value(line) for value in given])


def _reason(node: Expr) -> str:
    if isinstance(node, Name):
        return f"what it asks of a line depends on the name {node.id}"
    what = f"{node.name}()" if isinstance(node, Call) else type(node).__name__.lower()
    return f"what it asks of a line holds {what}"
