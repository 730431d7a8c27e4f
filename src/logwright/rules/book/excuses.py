"""Excuses: what an exception does to a rule. The rule then judges each window as if the lines that
the exception names were not in it.

The code in the rule's file stays as it is, and so does its hash; what runs is made from both. Rules
that read lines by their place, or gaps between them, have no such form: they say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logwright.rules.book.standing import Excuse
from logwright.rules.language.emit import emit
from logwright.rules.language.gate import parse
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import (
    And,
    Call,
    Compare,
    Const,
    Continue,
    Expr,
    Field,
    For,
    Function,
    Gen,
    If,
    Item,
    Key,
    Lines,
    Name,
    Not,
    Or,
    Return,
    Slice,
)  # fmt: skip
from logwright.rules.language.walk import assigned, mapped, names, put, walk

__all__ = ["excused", "predicate"]

_LINE = "line"
_BY_PLACE = ("followed_in", "longest_gap")


def predicate(excuse: Excuse, file: str = "<exception>") -> Expr:
    """The condition on `line` that an exception is; `RuleError` where its text is none.

    >>> from datetime import UTC, datetime
    >>> excuse = Excuse(where="host", text="test-7", by="ann", at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> from logwright.rules.language.emit import emit_expr
    >>> emit_expr(predicate(excuse))
    'line.host == "test-7"'
    """
    line = Name(_LINE)
    if excuse.where == "phrase":
        return Call("phrase", (Field(line, "text"), Const(excuse.text)))
    if excuse.where != "line":
        return Compare("==", Field(line, excuse.where), Const(excuse.text))
    if "\n" in excuse.text or "\r" in excuse.text:
        raise RuleError(f"{excuse.text!r:.80} is not one condition on `line`", file)
    try:
        given = parse(f"def rule(w):\n    return any(({excuse.text}) for line in w.lines)\n", file)
    except RuleError as error:
        raise RuleError(f"{excuse.text!r:.80}: {error.sentence}", file) from None
    match given.body:
        case (Return(Call("any", (Gen(value, _, Lines(), None),))),) if _is_of_line(value):
            return value
    raise RuleError(f"{excuse.text!r:.80} is no condition on `line` alone", file)


def _is_of_line(node: Expr) -> bool:
    reads_window = any(isinstance(part, Key | Lines) for part in walk(node))
    return not reads_window and names(node)[_LINE] > 0 and names(node)["w"] == 0


def excused(function: Function, excuses: Sequence[Excuse], file: str = "<rule>") -> Function:
    """The rule as it judges windows without the lines that exceptions name.

    >>> from datetime import UTC, datetime
    >>> rule = parse("def rule(w):\\n    return any('disk' in line.text for line in w.lines)\\n")
    >>> excuse = Excuse(where="host", text="t", by="ann", at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> print(emit(excused(rule, [excuse])).splitlines()[-1].strip())
    return any(line.host != "t" and "disk" in line.text for line in w.lines)
    """
    if not excuses:
        return function
    parts = tuple(predicate(excuse, file) for excuse in excuses)
    excuse = parts[0] if len(parts) == 1 else Or(parts)
    inner = {*assigned(excuse), *(n for g in walk(excuse) if isinstance(g, Gen) for n in g.names)}

    def kept(name: str) -> Expr:
        if name in inner:
            raise RuleError(f"the exception and the rule both use the name {name}", file)
        return Not(put(excuse, {_LINE: Name(name)}))

    def change(node: Any) -> Any:
        match node:
            case Gen(value, (name,), Lines(), where):
                alone = kept(name)
                both = alone if where is None else And((alone, change(where)))
                return Gen(change(value), (name,), Lines(), both)
            case For((name,), Lines(), body):
                skip = If(Not(kept(name)), (Continue(),))
                return For((name,), Lines(), (skip, *map(change, body)))
            case Call("len", (Lines(),)):
                return Call("sum", (Gen(kept(_LINE), (_LINE,), Lines()),))
            case Call(name, _) if name in _BY_PLACE:
                raise _by_place(name, file)
            case Item(Lines(), _) | Slice(_, _, _) | Lines():
                raise _by_place("the place of lines", file)
        return mapped(node, change)

    # Read anew, so that it has the form in which the gate leaves rules.
    return parse(emit(change(function)), file)


def _by_place(what: str, file: str) -> RuleError:
    return RuleError(
        f"goes by {what}, so that no line can be taken out of its sight: write the exception into "
        "the rule itself",
        file,
    )
