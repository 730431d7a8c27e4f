"""Atoms: the conditions that a line predicate is made of, and what each is on a text that is known
in part only. Values are True, False and None, which is: the line itself has to be asked.

A text is known

* *exactly*;
* as a *level*: each digit made a 0. Most conditions take all digits alike and have the line's own
  value there; of the others, many are False there, which settles them;
* as a *shape* (`logs.shapes`): variable tokens masked. Phrases of words that are never masked have
  the line's own value there, and what stands in the constant text stands in the line.

`Atom.needs` are texts of which one must stand in the text for the atom to be True, so that a search
for all of them at once leaves few atoms to be evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from logwright.logs.shapes import DELIMITERS, is_variable, tokens
from logwright.rules.engine.patterns import is_level, level, literals
from logwright.rules.engine.pointwise import LINE, closure
from logwright.rules.language.plain import Line
from logwright.rules.language.tree import Call, Compare, Const, Expr, Field, Method
from logwright.rules.language.walk import children, mapped, walk

__all__ = ["COLUMNS", "Atom", "Need", "Truth"]

Truth = bool | None
Need = tuple[str, str]
"""How the text is written ("", "lower" or "upper") when it is searched, and what must be in it."""

COLUMNS = ("level", "component", "host", "template")
"""Fields of a line that are known without its text."""

_TEXT = Field(LINE, "text")
_CASES = ("lower", "upper")


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One condition on ``line``; `exact` evaluates it. `needs` is empty where nothing is needed."""

    expr: Expr
    exact: Callable[[Any], bool]
    needs: tuple[Need, ...]
    is_level: bool
    relaxed: Callable[[Any], bool] | None
    numbers: tuple[Callable[[Any], float], ...]
    on_words: bool
    """Whether its value on shapes is the line's own."""
    is_seen: bool
    """Whether it is True of the line where it is True of the masked text."""

    @staticmethod
    def of(expr: Expr) -> Atom:
        """The atom of a condition.

        >>> atom = Atom.of(Compare("in", Const("code 5"), Field(LINE, "text")))
        >>> atom.needs, atom.on_level(Line("code 000")), atom.on_level(Line("code x"))
        ((('', 'code 0'),), None, False)
        """
        asked = _asked(expr)
        same = _same_on_levels(expr)
        relaxed = closure(_with_zeros(expr)) if asked is not None and not same else None
        numbers = () if same or asked is not None else _numbers(expr)
        plain = asked is not None and "\0" not in asked[1]
        on_words = not _reads_text(expr) or (plain and _is_of_words(expr))
        return Atom(expr, closure(expr), _needs(expr), same, relaxed, numbers, on_words, plain)

    def on_level(self, line: Line) -> Truth:
        """Its value for all lines that have this one's text as their level."""
        if self.is_level:
            return self.exact(line)
        if self.relaxed is not None:
            return None if self.relaxed(line) else False
        if self.numbers and all(math.isnan(number(line)) for number in self.numbers):
            return self.exact(line)
        return None

    def on_shape(self, line: Line) -> Truth:
        """Its value for all lines that have this one's text, with a mask in it, as their shape."""
        if self.on_words:
            return self.exact(line)
        # The case of a letter beyond ASCII can depend on what stands beside it.
        if self.is_seen and (line.text.isascii() or not _case(self.expr)):
            return True if self.exact(line) else None
        return None


def _is_text(node: Expr) -> bool:
    """Whether it is the line's text, perhaps stripped or in another case."""
    if isinstance(node, Method) and node.name in (*_CASES, "strip"):
        return _is_text(node.of)
    return node == _TEXT


def _case(node: Expr) -> str | None:
    """The case in which the text is asked, "" for its own; None where it is changed twice."""
    cases = [n.name for n in walk(node) if isinstance(n, Method) and n.name in _CASES]
    return None if len(cases) > 1 else cases[0] if cases else ""


def _reads_text(expr: Expr) -> bool:
    return any(isinstance(n, Field) and n.name not in COLUMNS for n in walk(expr))


def _asked(expr: Expr) -> tuple[Expr, str] | None:
    """The text and the constant of a condition that, where it is True, has the constant (of a
    `like`: its pieces) in the text, and that stays True when digits of both are made 0."""
    match expr:
        case (
            Call("phrase" | "like", (of, Const(str() as text)))
            | Compare("in", Const(str() as text), of)
            | Compare("==", of, Const(str() as text))
            | Method(of, "startswith" | "endswith", (Const(str() as text),))
        ) if _is_text(of):
            return of, text
    return None


def _same_on_levels(node: Expr) -> bool:
    """Whether a value is the same on a text and on its level."""
    match node:
        case Call("len", (of,)) if _is_text(of):
            return True
        case Call("search", (Const(str() as pattern), of)) if _is_text(of):
            return is_level(pattern)
        case (
            Call("phrase" | "like", (of, Const(str() as text)))
            | Compare("in" | "not in" | "==" | "!=", Const(str() as text), of)
            | Compare("in" | "not in" | "==" | "!=", of, Const(str() as text))
            | Method(of, "startswith" | "endswith" | "count", (Const(str() as text),))
        ) if _is_text(of):
            return not any("0" <= char <= "9" for char in text)
        case Field(_, name):
            return name in COLUMNS
    return all(_same_on_levels(part) for part in children(node))  # type: ignore[arg-type]


def _with_zeros(expr: Expr) -> Expr:
    """The condition with the digits of its constant texts made 0."""
    if isinstance(expr, Const):
        return Const(level(expr.value)) if isinstance(expr.value, str) else expr
    changed: Expr = mapped(expr, _with_zeros)
    return changed


def _numbers(expr: Expr) -> tuple[Callable[[Any], float], ...]:
    """The numbers that it reads from the text, where it depends on digits by them alone and their
    patterns take all digits alike: without a match they are nan, whatever the digits are."""
    found = []

    def without(node: Any) -> Any:
        match node:
            case Call("number", (Const(str() as pattern), of)) if _is_text(of):
                if is_level(pattern):
                    found.append(closure(node))
                    return Const(0.0)
                return node
        return mapped(node, without)

    return tuple(found) if _same_on_levels(without(expr)) else ()


def _is_of_words(expr: Expr) -> bool:
    """Whether it asks the text as it is for a phrase of words that are never masked."""
    match expr:
        case Call("phrase", (of, Const(str() as words))) if of == _TEXT and words:
            found = tokens(words.encode("utf-8", "surrogateescape"))
            ends = (found[0], found[-1])
            return not any(map(is_variable, found)) and not any(e in DELIMITERS for e in ends)
    return False


def _needs(expr: Expr) -> tuple[Need, ...]:
    """Texts of which one stands in the levelled text wherever the condition is True."""
    texts: tuple[str, ...] = ()
    case = _case(expr)
    match expr:
        case Call("like", (of, Const(str() as text))) if _is_text(of):
            texts = (max(text.split("*"), key=len),)
        case (
            Call("search", (Const(str() as pattern), of))
            | Compare("<" | "<=" | ">" | ">=" | "==", Call("number", (Const(str() as pattern), of)))
            | Compare(
                "<" | "<=" | ">" | ">=" | "==", _, Call("number", (Const(str() as pattern), of))
            )
        ) if _is_text(of):
            folded, texts = literals(pattern)
            if folded:
                case = None if case == "upper" else "lower"
        case Compare(
            ">" | ">=" as op, Method(of, "count", (Const(str() as text),)), Const(int() as least)
        ) if _is_text(of) and least >= (op == ">="):
            texts = (text,)
        case _:
            asked = _asked(expr)
            texts = () if asked is None else (asked[1],)
    if case is None or any(not text or "\0" in text for text in texts):
        return ()
    return tuple((case, level(text)) for text in texts)
