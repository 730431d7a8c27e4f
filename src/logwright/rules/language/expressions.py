"""Expressions: from Python's syntax tree to ours, with every name, type and bound checked.

What is not known here is refused: there is no way through by default. Names that a rule may read
are in a `Scope`; their types are known before they are read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from logwright.rules.language import calls, refusals
from logwright.rules.language.plain import FIELDS, NAMES
from logwright.rules.language.problem import RuleError
from logwright.rules.language.signatures import METHODS
from logwright.rules.language.simple import MOST_INT
from logwright.rules.language.tree import (
    And,
    Arith,
    Choice,
    Compare,
    Const,
    Expr,
    Field,
    Item,
    Key,
    Lines,
    Method,
    Name,
    Neg,
    Not,
    Or,
    Slice,
)  # fmt: skip

__all__ = ["MOST_TEXT", "Reader", "Scope", "Typed"]

MOST_TEXT = 500
"""Characters of a text that a rule writes out."""

Typed = tuple[Expr, str]
_NUMBERS = ("int", "float")
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """What may be read at a place: names with their types, names that are written out in place, how
    many loops stand around, and all names that the rule assigns anywhere."""

    types: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[Const, ...]] = field(default_factory=dict)
    fixed: dict[str, Const] = field(default_factory=dict)
    loops: int = 0
    assigned: frozenset[str] = frozenset()

    def inside(self, types: dict[str, str]) -> Scope:
        """The scope of a loop's or generator's inside."""
        return replace(self, types={**self.types, **types}, loops=self.loops + 1)


class Reader:
    """Reads the expressions of one text; `known` are all names that stand in it."""

    def __init__(self, file: str, known: frozenset[str] = frozenset()) -> None:
        self.file, self.known = file, known
        self.places: dict[int, tuple[int, int]] = {}
        self.patterns: set[str] = set()
        self.counters: set[str] = set()
        self.placed_lines: dict[str, str] = {}  # by a loop's position, the name of the line there
        self.expanded = 0
        self._kept: list[object] = []

    def refuse(self, node: ast.AST, sentence: str) -> NoReturn:
        """Raise, with the place of the node."""
        raise self.fault(node, sentence)

    def fault(self, node: ast.AST, sentence: str) -> RuleError:
        """What to raise, with the place of the node."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        return RuleError(sentence, self.file, line, column)

    def placed(self, tree: object, node: ast.AST) -> None:
        """Remember where a node of our tree came from."""
        self._kept.append(tree)
        self.places[id(tree)] = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1

    def read(self, node: ast.expr, scope: Scope) -> Typed:
        """The expression and its type."""
        value, kind = self._read(node, scope)
        self.placed(value, node)
        return value, kind

    def truth(self, node: ast.expr, scope: Scope) -> Expr:
        """The expression as a condition, as Python takes numbers, texts and lines for one."""
        return self.as_truth(self.read(node, scope), node)

    def as_truth(self, typed: Typed, node: ast.expr) -> Expr:
        """The same of what has been read."""
        value, kind = typed
        if isinstance(value, Const) and kind != "bool" and isinstance(node, ast.Constant):
            raise self.fault(node, refusals.always(kind))
        match kind:
            case "bool":
                return value
            case "int" | "float":
                return Compare("!=", value, Const(0))
            case "str":
                return Compare("!=", value, Const(""))
            case "lines" | "strs":
                return Compare("!=", calls.length(value), Const(0))
        raise self.fault(node, f"this is {_a(kind)}, and a condition is needed: compare it")

    def want(self, node: ast.expr, scope: Scope, kind: str, why: str) -> Expr:
        """The expression, if it has the type; number stands for int and float."""
        value, found = self.read(node, scope)
        if found != kind and not (kind == "number" and found in _NUMBERS):
            self.refuse(node, f"{why} {_a(kind)}, and this is {_a(found)}{_hint(found, kind)}")
        return value

    def constant(self, node: ast.Constant) -> Typed:
        """A value that is written out."""
        value = node.value
        if isinstance(value, bool):
            return Const(value), "bool"
        if isinstance(value, int):
            if abs(value) > MOST_INT:
                self.refuse(node, f"whole numbers go up to {MOST_INT} (2**53)")
            return Const(value), "int"
        if isinstance(value, float):
            if not math.isfinite(value):
                self.refuse(node, "this number is too large: write one below 1e308")
            return Const(value), "float"
        if isinstance(value, str):
            if len(value) > MOST_TEXT:
                self.refuse(node, f"a text has at most {MOST_TEXT} characters: write what matters")
            return Const(value), "str"
        raise self.fault(node, refusals.constant(value))

    def texts(self, node: ast.expr, scope: Scope) -> tuple[Const, ...] | None:
        """The values of a list, tuple or set that is written out, or of a name of one."""
        if isinstance(node, ast.Name) and node.id in scope.lists:
            return scope.lists[node.id]
        if not isinstance(node, ast.List | ast.Tuple | ast.Set):
            return None
        values: list[Const] = []
        kinds: set[str] = set()
        for part in node.elts:
            value, kind = self._const(part, scope)
            values.append(value)
            kinds.add("number" if kind in _NUMBERS else kind)
        if len(kinds) != 1:
            self.refuse(node, "a list holds texts or numbers that are written out, of one type")
        return tuple(values)

    def _const(self, node: ast.expr, scope: Scope) -> tuple[Const, str]:
        value, kind = self.read(node, scope)
        if isinstance(value, Neg) and isinstance(value.part, Const):
            inner = value.part.value
            assert not isinstance(inner, str)
            value = Const(-inner)
        if not isinstance(value, Const):
            self.refuse(node, "this must be written out: a text in quotes or a number")
        return value, kind

    def _read(self, node: ast.expr, scope: Scope) -> Typed:
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name(id=name):
                return self._name(node, name, scope)
            case ast.Attribute(value=of, attr=name):
                return self._attribute(node, of, name, scope)
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.truth(value, scope) for value in values)
                return (And(parts) if isinstance(op, ast.And) else Or(parts)), "bool"
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return Not(self.truth(part, scope)), "bool"
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=part):
                value, kind = self.read(part, scope)
                if kind not in _NUMBERS:
                    self.refuse(part, f"a sign needs a number, and this is {_a(kind)}")
                return (Neg(value) if isinstance(op, ast.USub) else value), kind
            case ast.BinOp():
                return self.arithmetic(node, node.left, node.op, node.right, scope)
            case ast.Compare():
                return self._compare(node, scope)
            case ast.IfExp(test=test, body=yes, orelse=no):
                a, b = self.read(yes, scope), self.read(no, scope)
                kind = self.joined(a[1], b[1], node)
                return Choice(self.truth(test, scope), a[0], b[0]), kind
            case ast.Call(func=ast.Attribute(value=of, attr=name)) if not _is_re(of):
                return self._method(node, of, name, scope)
            case ast.Call():
                return calls.call(self, node, scope)
        raise self.fault(node, refusals.expression(node))

    def joined(self, a: str, b: str, node: ast.AST) -> str:
        """The type of what has one of two types."""
        if a == b:
            return a
        if a in _NUMBERS and b in _NUMBERS:
            return "float"
        raise self.fault(node, f"this is {_a(a)} here and {_a(b)} there: keep to one type")

    def _name(self, node: ast.Name, name: str, scope: Scope) -> Typed:
        if name == "w":
            return Name("w"), "window"
        if name in scope.fixed:
            value = scope.fixed[name]
            return value, value.kind
        if name in scope.types:
            return Name(name), scope.types[name]
        if name in scope.lists:
            self.refuse(
                node, f"a list can be used as: text in {name}, or any(x in t for x in {name})"
            )
        if name in scope.assigned:
            self.refuse(node, f'"{name}" may have no value yet here: assign it before')
        if name in NAMES:
            self.refuse(node, f"{name} is a function: call it")
        raise self.fault(node, refusals.name(name))

    def _attribute(self, node: ast.Attribute, of: ast.expr, name: str, scope: Scope) -> Typed:
        value, kind = self.read(of, scope)
        if kind == "window":
            if name in ("lines", "key"):
                return (Lines(), "lines") if name == "lines" else (Key(), "str")
            raise self.fault(node, f'a window has .lines and .key, and no "{name}"')
        if kind == "line":
            if name in FIELDS:
                return Field(value, name), FIELDS[name]
            self.refuse(node, refusals.field(name, FIELDS))
        if kind == "str" and name in METHODS:
            self.refuse(node, f"{name} is a method: call it")
        raise self.fault(node, f'"{name}" cannot be read of {_a(kind)}: rules read fields of lines')

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Typed:
        value, kind = self.read(node.value, scope)
        if kind == "str":
            self.refuse(node, "texts have no positions: use startswith, endswith, search or like")
        if kind not in ("lines", "strs"):
            self.refuse(node, f"{_a(kind)} has no positions: lines and params have")
        if not isinstance(node.slice, ast.Slice):
            at = self.want(node.slice, scope, "int", "a position is")
            if isinstance(at, Name) and value == Lines():
                line = self.placed_lines.get(at.id, "")
                if scope.types.get(line) == "line" and at.id not in scope.assigned:
                    return Name(line), "line"
            return Item(value, at), ("line" if kind == "lines" else "str")
        if kind == "strs":
            self.refuse(node, "params have positions but no slices: write line.params[0]")
        if node.slice.step is not None:
            self.refuse(node.slice.step, "slices have no step: write w.lines[a:b]")
        ends = [
            None if end is None else self.want(end, scope, "int", "the end of a slice is")
            for end in (node.slice.lower, node.slice.upper)
        ]
        return Slice(value, ends[0], ends[1]), "lines"

    def arithmetic(
        self, node: ast.AST, a: ast.expr, op: ast.operator, b: ast.expr, scope: Scope
    ) -> Typed:
        """``a op b`` of numbers; a division by what varies is a `ratio`."""
        sign = _SIGNS.get(type(op), "")
        if not sign:
            self.refuse(node, "numbers have + - * / // and % only")
        left, kind = self.read(a, scope)
        right, other = self.read(b, scope)
        for part, found in ((a, kind), (b, other)):
            if found not in _NUMBERS:
                self.refuse(part, refusals.operand(sign, found, _a(found)))
        result = "int" if kind == other == "int" and sign != "/" else "float"
        if sign == "*" and not (_is_const(left) or _is_const(right)):
            self.refuse(node, "one side of * must be a number that is written out")
        if sign in ("/", "//", "%"):
            if _is_zero(right):
                self.refuse(b, "this divides by zero")
            if not _is_const(right):
                if sign == "/":
                    return calls.ratio(left, right), "float"
                self.refuse(b, f"the right side of {sign} must be a number that is written out")
        return Arith(sign, left, right), result

    def _compare(self, node: ast.Compare, scope: Scope) -> Typed:
        sides = [node.left, *node.comparators]
        parts = tuple(
            self._pair(sides[i], _SIGNS[type(op)], sides[i + 1], scope)
            for i, op in enumerate(node.ops)
        )
        return (parts[0] if len(parts) == 1 else And(parts)), "bool"

    def _pair(self, a: ast.expr, op: str, b: ast.expr, scope: Scope) -> Expr:
        listed = self.texts(b, scope) if op in ("in", "not in") else None
        left, kind = self.read(a, scope)
        if listed is not None:
            return self._among(a, left, kind, listed, op)
        if isinstance(b, ast.Constant) and b.value is None and kind == "bool":
            return Not(left) if op in ("is", "==") else left
        right, other = self.read(b, scope)
        if kind == other == "bool" and op in ("is", "==", "is not", "!="):
            if not isinstance(right, Const):
                return Compare("==" if op in ("is", "==") else "!=", left, right)
            return left if right.value == (op in ("is", "==")) else Not(left)
        if op in ("is", "is not"):
            self.refuse(b, 'compare with == or !=; "is" has no meaning in rules')
        if op in ("in", "not in"):
            if kind != "str":
                self.refuse(a, f'"{op}" looks for a text, and this is {_a(kind)}')
            if other == "line":
                self.refuse(b, f'a line is no text: write "..." {op} line.text')
            if other not in ("str", "strs"):
                self.refuse(b, f'"{op}" looks in a text, params or a list, and this is {_a(other)}')
            return Compare(op, left, right)
        numbers = kind in _NUMBERS and other in _NUMBERS
        if not numbers and not (kind == other == "str" and op in ("==", "!=")):
            if "str" in (kind, other) and any(_is_level(side) for side in (left, right)):
                self.refuse(b, refusals.LEVELS)
            self.refuse(b, refusals.comparison(op, _a(kind), _a(other)))
        return Compare(op, left, right)

    def _among(
        self, node: ast.expr, left: Expr, kind: str, listed: Sequence[Const], op: str
    ) -> Expr:
        wanted = ("str",) if listed[0].kind == "str" else _NUMBERS
        if kind not in wanted:
            self.refuse(node, f"the list holds {listed[0].kind}, and this is {_a(kind)}")
        found = Or(tuple(Compare("==", left, value) for value in listed))
        return found if op == "in" else Not(found)

    def _method(self, node: ast.Call, of: ast.expr, name: str, scope: Scope) -> Typed:
        value, kind = self.read(of, scope)
        signature = METHODS.get(name)
        if kind != "str" or signature is None:
            self.refuse(node, refusals.method(name, _a(kind)))
        if len(node.args) != len(signature.takes) or node.keywords:
            self.refuse(node, f"{name} is called like this: {signature.example}")
        if not signature.takes:
            return Method(value, name, ()), signature.gives
        listed = self.texts(node.args[0], scope)
        if listed is not None and name != "count" and listed[0].kind == "str":
            return Or(tuple(Method(value, name, (text,)) for text in listed)), "bool"
        given = self.want(node.args[0], scope, "str", f"{name} takes")
        return Method(value, name, (given,)), signature.gives


def _is_level(node: Expr) -> bool:
    return isinstance(node, Field) and node.name == "level"


def _is_re(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "re"


def _is_const(node: Expr) -> bool:
    return isinstance(node.part if isinstance(node, Neg) else node, Const)


def _is_zero(node: Expr) -> bool:
    inner = node.part if isinstance(node, Neg) else node
    return isinstance(inner, Const) and inner.value == 0


def _a(kind: str) -> str:
    return refusals.TYPES.get(kind, kind)


def _hint(found: str, kind: str) -> str:
    if (found, kind) == ("float", "int"):
        return ": first, last, len and sum of conditions give whole numbers"
    return ""
