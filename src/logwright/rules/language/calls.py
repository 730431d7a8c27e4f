"""Calls: functions of the language, and Python's ways to say the same."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from logwright.rules.language import generators, refusals, regexes
from logwright.rules.language.plain import NAMES
from logwright.rules.language.problem import RuleError
from logwright.rules.language.signatures import FUNCTIONS
from logwright.rules.language.tree import Call, Choice, Const, Expr, Gen

if TYPE_CHECKING:
    from logwright.rules.language.expressions import Reader, Scope, Typed

__all__ = ["MOST_PATTERNS", "MOST_PLACES", "call", "length", "ratio"]

MOST_PATTERNS = 20
"""Regular expressions in a rule."""

MOST_PLACES = 10_000
"""The most that `range` and ``followed(events=)`` take."""

_SHOWN = {
    "max": "max(a, b) or max(number(...) for line in w.lines)",
    "min": "min(a, b) or min(number(...) for line in w.lines)",
}


def length(of: Expr) -> Expr:
    """``len(of)``."""
    return Call("len", (of,))


def ratio(left: Expr, right: Expr) -> Expr:
    """``left / right``, 0 where right is 0."""
    return Call("ratio", (left, right))


def call(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    """The call of a function, and its type."""
    name = _called(reader, node)
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            reader.refuse(arg, refusals.expression(arg))
    special = _SPECIAL.get(name)
    if special is not None:
        return special(reader, node, scope)
    if name not in FUNCTIONS:
        if name in NAMES:
            reader.refuse(node, f"{name} stands only behind in: for i, line in enumerate(w.lines)")
        reader.refuse(node.func, refusals.name(name))
    return _function(reader, node, name, scope)


def _called(reader: Reader, node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="re"), attr="search" | "match" as name):
            return f"re.{name}"
        case ast.Attribute(value=ast.Name(id="re"), attr=name):
            reader.refuse(node.func, refusals.of_re(name))
        case ast.Attribute(attr=name):
            reader.refuse(node.func, refusals.method(name, "a module"))
    raise reader.fault(node.func, "only functions of the language are called, by their names")


def _function(reader: Reader, node: ast.Call, name: str, scope: Scope) -> Typed:
    signature = FUNCTIONS[name]
    args = list(node.args)
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "followed" and "seconds" in given and len(args) == 2:
        name, signature = "followed_in", FUNCTIONS["followed_in"]
        args.insert(0, ast.copy_location(ast.Name("w"), node))
    for keyword in signature.keywords[: len(given)]:
        if keyword in given and len(args) == len(signature.takes) - 1:
            args.append(given.pop(keyword))
    if given or len(args) != len(signature.takes):
        reader.refuse(node, f"{name} is called like this: {signature.example}")
    read = [_argument(reader, arg, kind, name, scope)
            for arg, kind in zip(args, signature.takes, strict=True)]  # fmt: skip
    if name in ("any", "all", "sum") and not isinstance(read[0][0], Gen):
        return read[0]
    gives = read[0][1] if signature.gives == "same" else signature.gives
    if name == "sum" and gives == "bool":
        gives = "int"
    return Call(name, tuple(value for value, _ in read)), gives


def _argument(reader: Reader, node: ast.expr, kind: str, name: str, scope: Scope) -> Typed:
    match kind.split():
        case ["many", item]:
            return generators.many(reader, node, item, name, scope)
        case ["const", "str"]:
            value, found = reader.read(node, scope)
            if not isinstance(value, Const) or found != "str" or not value.value:
                reader.refuse(node, f"{name} needs a text that is written out here")
            return value, found
        case ["const", item]:
            return _number(reader, node, item, name, scope)
        case ["pattern"]:
            return _pattern(reader, node, name, scope), "str"
        case ["sized"]:
            return _sized(reader, node, scope)
        case ["number"]:
            value, found = reader.read(node, scope)
            if found not in ("int", "float"):
                called = refusals.TYPES[found]
                reader.refuse(node, f"{name} takes a number, and this is {called}")
            return value, found
    return reader.want(node, scope, kind, f"{name} takes"), kind


def _number(reader: Reader, node: ast.expr, item: str, name: str, scope: Scope) -> Typed:
    value, found = reader.read(node, scope)
    if not isinstance(value, Const) or found not in ("int", "float") or value.value < 0:  # type: ignore[operator]
        reader.refuse(node, f"{name} needs a number here that is written out and not below 0")
    if item == "int" and (found != "int" or not 1 <= value.value <= MOST_PLACES):  # type: ignore[operator]
        reader.refuse(node, f"{name} needs a whole number from 1 to {MOST_PLACES} here")
    return value, found


def _pattern(reader: Reader, node: ast.expr, name: str, scope: Scope) -> Const:
    value, found = reader.read(node, scope)
    if not isinstance(value, Const) or not isinstance(value.value, str) or found != "str":
        reader.refuse(node, f'{name} needs a pattern that is written out: search(r"...", text)')
    try:
        groups = regexes.check(value.value)
    except RuleError as problem:
        reader.refuse(node, problem.sentence)
    if name == "number" and not groups:
        reader.refuse(node, r'number reads the first group: write number(r"took (\d+)", text)')
    reader.patterns.add(value.value)
    if len(reader.patterns) > MOST_PATTERNS:
        reader.refuse(node, f"a rule has at most {MOST_PATTERNS} patterns: write two rules")
    return value


def _sized(reader: Reader, node: ast.expr, scope: Scope) -> Typed:
    """What `len` takes: a text, lines, params; of a list it counts, of a set it counts apart."""
    match node:
        case ast.ListComp() | ast.GeneratorExp():
            return generators.counted(reader, node, scope), "counted"
        case ast.SetComp() | ast.Call(func=ast.Name(id="set"), args=[_], keywords=[]):
            inner = node.args[0] if isinstance(node, ast.Call) else node
            return generators.many(reader, inner, "str", "distinct", scope)[0], "distinct"
    value, kind = reader.read(node, scope)
    if kind not in ("str", "strs", "lines"):
        reader.refuse(node, f"{refusals.TYPES[kind]} has no length: lines, params and texts have")
    return value, kind


def _len(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    if len(node.args) != 1 or node.keywords:
        reader.refuse(node, "len is called like this: len(w.lines)")
    value, kind = _sized(reader, node.args[0], scope)
    if kind == "counted":
        return value, "int"
    return Call("distinct" if kind == "distinct" else "len", (value,)), "int"


def _extreme(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    default = keywords.pop("default", None)
    if keywords or not node.args:
        reader.refuse(node, f"{name} is called like this: {_SHOWN[name]}")
    if len(node.args) == 1:
        value, _ = generators.many(reader, node.args[0], "number", name, scope)
        if not isinstance(value, Gen):
            reader.refuse(node, f"{name} is called like this: {_SHOWN[name]}")
        found = Call(name, (value,))
        if default is None:
            return found, "float"
        other, _ = _argument(reader, default, "number", name, scope)
        there = Call("any", (Gen(Const(True), value.names, value.over, value.where),))
        return Choice(there, found, other), "float"
    read = [_argument(reader, arg, "number", name, scope) for arg in node.args]
    kind = "int" if all(found == "int" for _, found in read) else "float"
    return Call(name, tuple(value for value, _ in read)), kind


def _converted(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    """bool(x), int(x) and float(x) of what needs no conversion."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if len(node.args) != 1 or node.keywords:
        reader.refuse(node, f"{name} takes one value")
    value, kind = reader.read(node.args[0], scope)
    if name == "bool":
        return reader.as_truth((value, kind), node.args[0]), "bool"
    if isinstance(node.args[0], ast.Constant) and name == "float":
        what = "rules write no nan and no inf: begin with a number such as -1.0, or use first, max"
        reader.refuse(node, what)
    if kind in ("str", "strs", "line", "lines", "window"):
        reader.refuse(node, r'write number(r"took (\d+) ms", text) to read a number')
    if kind == "bool":
        return Choice(value, Const(1), Const(0)), "int"
    if name == "int" and kind == "float":
        reader.refuse(node, "numbers with a fraction stay so: compare with < and >")
    return value, kind


def _of_re(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    """``re.search(p, text, re.I)`` is ``search("(?i)p", text)``; re.match begins with ``^``."""
    args = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "flags")]
    if len(node.keywords) != len(args) - len(node.args) or not 2 <= len(args) <= 3:
        reader.refuse(node, f"search is called like this: {FUNCTIONS['search'].example}")
    head = ""
    match args[2:]:
        case [ast.Attribute(value=ast.Name(id="re"), attr="I" | "IGNORECASE")]:
            head = "(?i)"
        case [flags]:
            reader.refuse(flags, "of the flags there is only re.I: (?i) at the pattern's start")
    pattern, kind = reader.read(args[0], scope)
    is_match = isinstance(node.func, ast.Attribute) and node.func.attr == "match"
    if isinstance(pattern, Const) and isinstance(pattern.value, str) and kind == "str":
        text = pattern.value
        if text.startswith("(?i)"):
            head, text = "(?i)", text[4:]
        if is_match:
            text = f"^(?:{text})" if "|" in text else f"^{text}"
        args[0] = ast.copy_location(ast.Constant(head + text), args[0])
    same = ast.copy_location(ast.Call(node.func, args[:2], []), node)
    return _function(reader, same, "search", scope)


def _next(reader: Reader, node: ast.Call, scope: Scope) -> Typed:
    """``next((i for i, line in enumerate(w.lines) if C), -1)`` is ``first(C for ..)``."""
    match node.args:
        case [
            ast.GeneratorExp(elt=ast.Name(id=found), generators=[
                ast.comprehension(
                    target=ast.Tuple(elts=[ast.Name(id=index), ast.Name()]),
                    iter=ast.Call(func=ast.Name(id="enumerate")),
                    ifs=[test],
                )
            ]) as gen,
            ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)),
        ] if found == index and not node.keywords:  # fmt: skip
            wanted = ast.copy_location(ast.GeneratorExp(test, [gen.generators[0]]), gen)
            bare = ast.comprehension(gen.generators[0].target, gen.generators[0].iter, [], 0)
            wanted.generators = [bare]
            value, _ = generators.many(reader, wanted, "bool", "first", scope)
            return Call("first", (value,)), "int"
    raise reader.fault(
        node, "write first(... for line in w.lines): it gives -1 where there is none"
    )


_SPECIAL: dict[str, Callable[[Reader, ast.Call, Scope], Typed]] = {
    "bool": _converted, "float": _converted, "int": _converted, "len": _len, "max": _extreme,
    "min": _extreme, "next": _next, "re.match": _of_re, "re.search": _of_re,
}  # fmt: skip
