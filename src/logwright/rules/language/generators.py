"""Generators: what any, all, sum and the like go over, and what loops go over."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING

from logwright.rules.language import refusals
from logwright.rules.language.plain import NAMES
from logwright.rules.language.tree import (
    And,
    Arith,
    Call,
    Choice,
    Const,
    Expr,
    Gen,
    Not,
    Or,
)  # fmt: skip

if TYPE_CHECKING:
    from logwright.rules.language.expressions import Reader, Scope, Typed

__all__ = ["MOST_LOOPS", "bound", "check_name", "counted", "fix", "many"]

MOST_LOOPS = 2
"""Loops and generators inside each other."""

MOST_RANGE = 10_000
MOST_WRITTEN_OUT = 300
_RESERVED = frozenset({*NAMES, "w", "re", "Window", "rule", "bool", "int", "float", "set", "next"})
_LONGEST_NAME = 40


def check_name(reader: Reader, node: ast.AST, name: str) -> None:
    """Refuse a name that a rule may not give."""
    if name in _RESERVED:
        reader.refuse(node, f'"{name}" means something already: take another name')
    if "__" in name or not name.isascii() or len(name) > _LONGEST_NAME:
        reader.refuse(node, f"names are of at most {_LONGEST_NAME} ASCII letters, without __")


def bound(
    reader: Reader, node: ast.AST, target: ast.expr, over: ast.expr, scope: Scope
) -> tuple[tuple[str, ...], Expr, dict[str, str]]:
    """The names that a loop binds, what it goes over, and the names' types."""
    if scope.loops >= MOST_LOOPS:
        reader.refuse(node, f"loops stand at most {MOST_LOOPS} deep: write the inner one apart")
    by_place = _places(reader, target, over, scope)
    if by_place is not None:
        return by_place
    tree, kinds = _over(reader, over, scope)
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    names: list[str] = []
    for part in targets:
        if not isinstance(part, ast.Name):
            reader.refuse(part, "a loop gives names: for line in w.lines")
        check_name(reader, part, part.id)
        taken = part.id in scope.types or part.id in scope.assigned or part.id in scope.fixed
        if taken or part.id in scope.lists or part.id in names:
            reader.refuse(part, f'"{part.id}" is in use here: take another name')
        names.append(part.id)
    if len(names) != len(kinds) or isinstance(target, ast.Tuple) != (len(kinds) == 2):
        shape = "for i, line in enumerate(w.lines)" if len(kinds) == 2 else "for line in w.lines"
        reader.refuse(target, f"this loop gives {len(kinds)} at a time: write {shape}")
    reader.counters.update(n for n, kind in zip(names, kinds, strict=True) if kind == "int")
    return tuple(names), tree, dict(zip(names, kinds, strict=True))


def _places(
    reader: Reader, target: ast.expr, over: ast.expr, scope: Scope
) -> tuple[tuple[str, ...], Expr, dict[str, str]] | None:
    """``for i in range(len(w.lines))`` is ``for i, line in enumerate(w.lines)``, and inside
    ``w.lines[i]`` is ``line``."""
    match over:
        case ast.Call(
            func=ast.Name(id="range"),
            args=[
                ast.Call(
                    func=ast.Name(id="len"),
                    args=[ast.Attribute(value=ast.Name(id="w"), attr="lines") as lines],
                    keywords=[],
                )
            ],
            keywords=[],
        ) if isinstance(target, ast.Name):
            taken = {*reader.known, *scope.types}
            line = next(n for n in map("line{}".format, chain([""], count(2))) if n not in taken)
            both = ast.Tuple([target, ast.copy_location(ast.Name(line), target)])
            each = ast.copy_location(ast.Name("enumerate"), over)
            same = ast.copy_location(ast.Call(each, [lines], []), over)
            found = bound(reader, target, ast.copy_location(both, target), same, scope)
            reader.placed_lines[target.id] = line
            return found
    return None


def _over(reader: Reader, node: ast.expr, scope: Scope) -> tuple[Expr, list[str]]:
    match node:
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
            tree, kinds = _over(reader, inner, scope)
            if len(kinds) > 1 or kinds == ["int"]:
                reader.refuse(inner, "enumerate counts lines or params")
            return Call("enumerate", (tree,)), ["int", *kinds]
        case ast.Call(func=ast.Name(id="enumerate")):
            reader.refuse(node, "enumerate counts from 0: write enumerate(w.lines)")
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as most)]) if (
            not node.keywords and not isinstance(most, bool)
        ):
            if most > MOST_RANGE:
                reader.refuse(node, f"range goes up to {MOST_RANGE}")
            return Call("range", (Const(most),)), ["int"]
        case ast.Call(func=ast.Name(id="range")):
            reader.refuse(
                node, "range takes a number that is written out: for lines write w.lines, "
                "for their positions enumerate(w.lines)"
            )  # fmt: skip
    tree, kind = reader.read(node, scope)
    if kind == "window":
        reader.refuse(node, "a window is no list: write for line in w.lines")
    if kind not in ("lines", "strs"):
        reader.refuse(node, f"loops go over lines, and this is {refusals.TYPES[kind]}")
    return tree, ["line" if kind == "lines" else "str"]


def many(reader: Reader, node: ast.expr, item: str, name: str, scope: Scope) -> Typed:
    """What a function over many goes over: a `Gen`; or, where the values are written out, what the
    function gives of them."""
    if isinstance(node, ast.List | ast.Tuple) and name in ("any", "all", "sum") and node.elts:
        kind = "bool" if name != "sum" else "number"
        parts = [_item(reader, part, kind, name, scope) for part in node.elts]
        return _together(name, parts)
    if not isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp) or (
        isinstance(node, ast.SetComp) and name != "distinct"
    ):
        reader.refuse(node, f"{name} goes over a generator: {name}(... for line in w.lines)")
    for clause in node.generators:
        if clause.is_async:
            reader.refuse(node, "rules have no async: write for line in w.lines")
    return _nested(reader, node, list(node.generators), item, name, scope)


def counted(reader: Reader, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Expr:
    """How many values a list has."""
    one = ast.copy_location(ast.Constant(1), node.elt)
    same = ast.copy_location(ast.GeneratorExp(one, node.generators), node)
    return Call("sum", (many(reader, same, "number", "sum", scope)[0],))


def _nested(
    reader: Reader,
    node: ast.GeneratorExp | ast.ListComp | ast.SetComp,
    clauses: list[ast.comprehension],
    item: str,
    name: str,
    scope: Scope,
) -> Typed:
    clause, rest = clauses[0], clauses[1:]
    listed = reader.texts(clause.iter, scope)
    if listed is not None:
        return _written_out(reader, node, clauses, listed, item, name, scope)
    names, over, types = bound(reader, node, clause.target, clause.iter, scope)
    inner = scope.inside(types)
    where = _where(reader, clause, inner)
    if not rest:
        value, kind = _item(reader, node.elt, item, name, inner)
        return Gen(value, names, over, where), kind
    if name not in ("any", "all", "sum"):
        reader.refuse(node, f"{name} goes over one loop: write one for")
    value, kind = _called(name, _nested(reader, node, rest, item, name, inner))
    return Gen(value, names, over, where), kind


def _called(name: str, typed: Typed) -> Typed:
    value, kind = typed
    if not isinstance(value, Gen):
        return typed
    return Call(name, (value,)), "int" if name == "sum" and kind == "bool" else kind


def _where(reader: Reader, clause: ast.comprehension, scope: Scope) -> Expr | None:
    tests = tuple(reader.truth(test, scope) for test in clause.ifs)
    return None if not tests else tests[0] if len(tests) == 1 else And(tests)


def _written_out(
    reader: Reader,
    node: ast.GeneratorExp | ast.ListComp | ast.SetComp,
    clauses: list[ast.comprehension],
    listed: tuple[Const, ...],
    item: str,
    name: str,
    scope: Scope,
) -> Typed:
    """``any(x in text for x in ("a", "b"))`` is ``"a" in text or "b" in text``."""
    clause, rest = clauses[0], clauses[1:]
    if name not in ("any", "all", "sum") or not isinstance(clause.target, ast.Name):
        reader.refuse(node, f"{name} goes over lines: write for line in w.lines")
    fix(reader, clause.target, clause.target.id, listed, scope)
    parts: list[Typed] = []
    for const in listed:
        inner = replace(scope, fixed={**scope.fixed, clause.target.id: const})
        where = _where(reader, clause, inner)
        if rest:
            value, kind = _called(name, _nested(reader, node, rest, item, name, inner))
        else:
            value, kind = _item(reader, node.elt, item, name, inner)
        if where is not None:
            value, kind = _guarded(name, where, (value, kind))
        parts.append((value, kind))
    return _together(name, parts)


def fix(reader: Reader, node: ast.AST, name: str, listed: Sequence[Const], scope: Scope) -> None:
    """Check that a name may stand for one after the other of values that are written out."""
    reader.expanded += len(listed)
    if reader.expanded > MOST_WRITTEN_OUT:
        reader.refuse(node, f"lists have at most {MOST_WRITTEN_OUT} values in all: write two rules")
    check_name(reader, node, name)
    taken = name in scope.types or name in scope.assigned or name in scope.fixed
    if taken or name in scope.lists:
        reader.refuse(node, f'"{name}" is in use here: take another name')


def _guarded(name: str, where: Expr, typed: Typed) -> Typed:
    if name == "any":
        return And((where, typed[0])), "bool"
    if name == "all":
        return Or((Not(where), typed[0])), "bool"
    value, kind = _numeric(typed)
    return Choice(where, value, Const(0)), kind


def _numeric(typed: Typed) -> Typed:
    value, kind = typed
    return (Choice(value, Const(1), Const(0)), "int") if kind == "bool" else typed


def _together(name: str, parts: list[Typed]) -> Typed:
    if name != "sum":
        return (Or if name == "any" else And)(tuple(value for value, _ in parts)), "bool"
    numbers = [_numeric(part) for part in parts]
    total = numbers[0][0]
    for value, _ in numbers[1:]:
        total = Arith("+", total, value)
    return total, "float" if any(kind == "float" for _, kind in numbers) else "int"


def _item(reader: Reader, node: ast.expr, item: str, name: str, scope: Scope) -> Typed:
    """One of the values; of conditions, `sum` counts the true ones."""
    if item == "bool":
        return reader.truth(node, scope), "bool"
    value, kind = reader.read(node, scope)
    if item == "number" and kind == "bool" and name == "sum":
        return value, kind
    wanted = ("str",) if item == "str" else ("int", "float")
    if kind not in wanted:
        what = refusals.TYPES[item]
        reader.refuse(node, f"{name} goes over {what}s, and this is {refusals.TYPES[kind]}")
    return value, kind
