r"""Sigma: rules in the exchange format of security teams (one YAML text per rule).

Sigma judges single events. What can be said in it: that some line of the window has certain words,
texts, patterns, a level, a host or a component, joined by and, or, not. Counts, order, absence and
times over a window cannot: such a rule is refused with the reason. A phrase of whole words becomes
a keyword, which Sigma finds inside longer words as well; the text says so.

The YAML is written here, without a library: all texts stand in double quotes.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from logwright.rules.book.excuses import predicate
from logwright.rules.book.standing import Excuse, State
from logwright.rules.language.emit import emit_expr
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import (
    And,
    Call,
    Compare,
    Const,
    Expr,
    Field,
    Function,
    Gen,
    Lines,
    Method,
    Name,
    Not,
    Or,
    Return,
)  # fmt: skip
from logwright.rules.language.walk import put

__all__ = ["sigma"]

_STATUS: dict[State, str] = {
    "draft": "experimental", "shadow": "test", "active": "stable", "retired": "deprecated",
}  # fmt: skip
_FIELDS = {"text": "message", "host": "host", "component": "component"}
_LEVELS = ("unknown", "trace", "debug", "info", "notice", "warning", "error", "critical")
_HEX = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def sigma(
    name: str,
    function: Function,
    *,
    hash: str,
    severity: str,
    state: State,
    made: datetime,
    excuses: Sequence[Excuse] = (),
) -> str:
    """A rule as a Sigma text; `RuleError` with the reason where Sigma cannot say it.

    >>> from datetime import UTC
    >>> from logwright.rules.language.gate import parse
    >>> rule = parse("def rule(w):\\n    return any(phrase(line.text, 'disk full') "
    ...              "for line in w.lines)\\n")
    >>> text = sigma("disk", rule, hash="ab", severity="high", state="active",
    ...              made=datetime(2026, 1, 2, tzinfo=UTC))
    >>> print(text[text.index("detection:"):], end="")
    detection:
      words1:
        - "disk full"
      condition: words1
    level: high
    """
    selections = _Selections(name)
    condition = selections.condition(_of_a_line(function, name))
    for excuse in excuses:
        apart = selections.condition(predicate(excuse, name))
        condition = f"({condition}) and not ({apart})"
    said = function.doc.strip() or name
    if selections.words:
        said += "\nLogwright looks for whole words; Sigma finds them inside longer words, too."
    lines = [
        f"title: {_quoted(name.replace('_', ' '))}",
        f"id: {uuid.uuid5(uuid.NAMESPACE_OID, f'logwright rule {hash}')}",
        f"status: {_STATUS[state]}",
        f"description: {_quoted(said)}",
        f"date: {made:%Y-%m-%d}",
        "logsource:",
        "  category: application",
        "detection:",
        *selections.lines,
        f"  condition: {condition}",
        f"level: {severity}",
    ]
    return "\n".join(lines) + "\n"


def _of_a_line(function: Function, name: str) -> Expr:
    """The condition on one line that the rule comes to."""
    match function.body:
        case (Return(value),):
            return _single(value, name)
    raise _cannot(name, "it takes several steps")


def _single(node: Expr, name: str) -> Expr:
    match node:
        case Or(parts):
            return Or(tuple(_single(part, name) for part in parts))
        case Call("any", (Gen(value, (line,), Lines(), where),)):
            if line != "line":
                value, where = _renamed(value, line), where and _renamed(where, line)
            return value if where is None else And((where, value))
    raise _cannot(name, f"'{_short(node)}' speaks of the window, not of a single line")


def _renamed(node: Expr, line: str) -> Expr:
    changed: Expr = put(node, {line: Name("line")})
    return changed


def _cannot(name: str, why: str) -> RuleError:
    return RuleError(f"cannot be said in Sigma: {why}", name)


def _short(node: Expr) -> str:
    text = emit_expr(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Selections:
    """The named parts of a detection."""

    def __init__(self, name: str) -> None:
        self.lines: list[str] = []
        self.words = False
        self._name, self._number = name, 0

    def condition(self, node: Expr) -> str:
        """The condition in Sigma's words; its leaves become selections."""
        match node:
            case And(parts):
                return " and ".join(map(self._bracketed, parts))
            case Or(parts):
                return " or ".join(map(self._bracketed, parts))
            case Not(part):
                return f"not {self._bracketed(part)}"
            case Compare("not in", left, right):
                return f"not {self.condition(Compare('in', left, right))}"
            case Compare("!=", left, right):
                return f"not {self.condition(Compare('==', left, right))}"
        return self._leaf(node)

    def _bracketed(self, node: Expr) -> str:
        told = self.condition(node)
        return f"({told})" if isinstance(node, And | Or) else told

    def _leaf(self, node: Expr) -> str:
        match node:
            case Call("phrase", (Field(_, "text"), Const(str(words)))):
                self.words = True
                return self._add("words", [f"- {self._value(words)}"])
            case Call("like", (Field(_, name), Const(str(pattern)))) if name in _FIELDS:
                parts = [self._escaped(part) for part in pattern.split("*")]
                return self._field(_FIELDS[name], "*".join(parts), escape=False)
            case Call("search", (Const(str(pattern)), Field(_, name))) if name in _FIELDS:
                return self._field(f"{_FIELDS[name]}|re", pattern, escape=False)
            case Compare("in", Const(str(part)), Field(_, name)) if name in _FIELDS:
                return self._field(f"{_FIELDS[name]}|contains", part)
            case Method(Field(_, name), ("startswith" | "endswith") as how, (Const(str(part)),)):
                if name in _FIELDS:
                    return self._field(f"{_FIELDS[name]}|{how}", part)
            case Compare("==", Field(_, name), Const(str(text))) if name in _FIELDS:
                return self._field(_FIELDS[name], text)
            case Compare(("==" | ">=" | ">" | "<" | "<=") as op, Field(_, "level"), Const(int(n))):
                wanted = [name for code, name in enumerate(_LEVELS) if _holds(code, op, n)]
                if wanted:
                    return self._add("level", ["level:", *(f"  - {level}" for level in wanted)])
        raise _cannot(self._name, f"'{_short(node)}' has no counterpart")

    def _field(self, field: str, text: str, escape: bool = True) -> str:
        value = self._value(text, escape)
        return self._add("field", [f"{field}: {value}"])

    def _value(self, text: str, escape: bool = True) -> str:
        if any(0xD800 <= ord(char) < 0xE000 for char in text):
            raise _cannot(self._name, "it looks for bytes that are not UTF-8 text")
        return _quoted(self._escaped(text) if escape else text)

    @staticmethod
    def _escaped(text: str) -> str:
        """The text with Sigma's wildcards taken as they stand."""
        return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")

    def _add(self, kind: str, lines: Sequence[str]) -> str:
        self._number += 1
        name = f"{kind}{self._number}"
        self.lines += [f"  {name}:", *(f"    {line}" for line in lines)]
        return name


def _holds(code: int, op: str, n: int) -> bool:
    return {"==": code == n, ">=": code >= n, ">": code > n, "<": code < n, "<=": code <= n}[op]


def _quoted(text: str) -> str:
    r"""A YAML scalar in double quotes.

    >>> print(_quoted('a "b"\n\x1b'))
    "a \"b\"\n\x1B"
    """
    return '"' + "".join(map(_char, text)) + '"'


def _char(char: str) -> str:
    if char in _HEX:
        return _HEX[char]
    # YAML counts some characters as ends of lines, or does not take them at all.
    if char.isprintable():
        return char
    code = ord(char)
    return (
        f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}" if code < 65536 else f"\\U{code:08X}"
    )
