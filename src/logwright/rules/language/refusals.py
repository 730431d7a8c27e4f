"""Refusals: what is said about what rules cannot do, and what to write instead."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = [
    "LEVELS",
    "TYPES",
    "always",
    "comparison",
    "constant",
    "expression",
    "field",
    "method",
    "name",
    "of_re",
    "operand",
    "statement",
]  # fmt: skip

TYPES = {
    "bool": "a condition",
    "int": "a whole number",
    "float": "a number",
    "number": "a number",
    "str": "a text",
    "strs": "a list of texts",
    "line": "a line",
    "lines": "lines",
    "window": "a window",
}
"""How types are called."""

_EXPRESSIONS = {
    ast.Lambda: "rules have no lambda: write the condition where it is used",
    ast.JoinedStr: "rules have no f-strings: write the text out",
    ast.NamedExpr: "rules have no :=, assign on a line of its own",
    ast.Await: "rules cannot await",
    ast.Yield: "rules cannot yield: return True or False",
    ast.YieldFrom: "rules cannot yield: return True or False",
    ast.Starred: "rules have no * before an argument: write the arguments out",
    ast.Dict: "rules have no dictionaries: use one name per count",
    ast.DictComp: "rules have no dictionaries: use one name per count",
    ast.Set: "a set stands only behind in: text in {...}",
    ast.List: "a list stands only behind in, or is given a name: WORDS = [...]",
    ast.Tuple: "a tuple stands only behind in, or in startswith and endswith",
    ast.ListComp: "a list stands only inside any, all, sum, first, last, distinct and the like",
    ast.SetComp: "a set stands only inside len: len({...}) or distinct(...)",
    ast.GeneratorExp: "a generator stands only inside any, all, sum, first, last and the like",
    ast.Slice: "slices are taken of w.lines only",
    ast.UnaryOp: "numbers have no ~: write not for conditions",
}
_STATEMENTS = {
    ast.Import: "rules cannot import: search, number, phrase and like are there already",
    ast.ImportFrom: "rules cannot import: search, number, phrase and like are there already",
    ast.FunctionDef: "rules have no functions inside: write the condition where it is used",
    ast.AsyncFunctionDef: "rules are plain functions: write def rule(w: Window) -> bool:",
    ast.ClassDef: "rules have no classes",
    ast.While: "rules have no while: write for line in w.lines",
    ast.AsyncFor: "rules have no async: write for line in w.lines",
    ast.AsyncWith: "rules have no with",
    ast.With: "rules have no with",
    ast.Try: "rules have no try: nothing in the language can raise",
    ast.Raise: "rules cannot raise: return True or False",
    ast.Assert: "rules have no assert: return True or False",
    ast.Delete: "rules have no del",
    ast.Global: "rules have no global: names are local to the rule",
    ast.Nonlocal: "rules have no nonlocal: names are local to the rule",
    ast.Match: "rules have no match: write if and elif",
    ast.AnnAssign: "names have no annotations: write name = value",
    ast.Expr: "this line has no effect: assign it, return it or leave it out",
}
_METHODS = {
    "append": "rules keep no lists: count with sum, or find a place with first",
    "find": 'write "x" in text',
    "format": "rules make no texts: write the text out",
    "get": "rules have no dictionaries: use one name per count",
    "group": r'write number(r"took (\d+) ms", text) for a number',
    "groups": r'write number(r"took (\d+) ms", text) for a number',
    "index": 'write "x" in text, or first(...) for the position of a line',
    "isalpha": r'write search(r"^[A-Za-z]+$", text)',
    "isdigit": r'write search(r"^\d+$", text)',
    "join": "look at lines one by one: any(... for line in w.lines)",
    "lstrip": "write strip, startswith or search",
    "match": 'write search(r"^...", text)',
    "rstrip": "write strip, endswith or search",
    "replace": "rules change no texts: use search or like",
    "search": "write search(pattern, text)",
    "split": "write phrase(text, words), search(pattern, text) or number(pattern, text)",
}
_NAMES = {
    "sorted": "rules do not sort: use min, max, first and last",
    "reversed": "write last(...) for the last line that has something",
    "list": "rules keep no lists: use w.lines, slices of it, any and sum",
    "set": "write distinct(line.host for line in w.lines)",
    "dict": "rules have no dictionaries: use one name per count",
    "str": "rules make no texts: compare numbers as numbers",
    "map": "write a generator: any(... for line in w.lines)",
    "filter": "write a generator: any(... for line in w.lines)",
    "zip": "write for i, line in enumerate(w.lines), and w.lines[i + 1] for the next one",
    "print": "rules print nothing: return True or False",
    "round": "numbers are not rounded: compare with < and >",
    "re": "write search(pattern, text)",
    "window": "the window is called w",
    "lines": "the lines are called w.lines",
    "line": "a line is there inside a loop only: for line in w.lines",
    "math": "rules cannot import: numbers have + - * / // and %",
    "Counter": "count with sum(... for line in w.lines)",
}


LEVELS = "levels are numbers: 1 trace, 2 debug, 3 info, 4 notice, 5 warning, 6 error, 7 critical"
"""What is said where a level is taken for a text."""

_LEVEL_NAMES = frozenset({
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "CRITICAL", "FATAL",
})  # fmt: skip
_OF_RE = {
    "compile": 'write the pattern where it is used: search(r"...", text), or give it a name: '
    'PATTERN = r"..."',
    "findall": 'count in a text with text.count("x"), over lines with '
    "sum(search(...) for line in w.lines)",
    "finditer": 'count in a text with text.count("x"), over lines with '
    "sum(search(...) for line in w.lines)",
    "fullmatch": 'write search(r"^...$", text)',
    "sub": "rules change no texts: use search or like",
    "split": "write phrase(text, words), search(pattern, text) or number(pattern, text)",
}
_FIELDS = {
    "message": "text", "msg": "text", "content": "text", "raw": "text", "body": "text",
    "timestamp": "ts", "time": "ts", "severity": "level", "service": "component",
    "logger": "component", "hostname": "host", "template_id": "template", "event_id": "template",
    "parameters": "params",
}  # fmt: skip


def of_re(called: str) -> str:
    """What is said about a function of `re` that rules have not.

    >>> of_re("fullmatch")
    'there is no re.fullmatch: write search(r"^...$", text)'
    """
    return f"there is no re.{called[:40]}: {_OF_RE.get(called, 'write search(pattern, text)')}"


def field(unknown: str, known: Iterable[str]) -> str:
    """What is said about a field that lines have not.

    >>> field("message", ("text", "ts"))
    'a line has no "message": write .text'
    """
    if unknown in _FIELDS:
        return f'a line has no "{unknown}": write .{_FIELDS[unknown]}'
    return f'a line has .{", .".join(known)}, and no "{unknown[:40]}"'


def expression(node: ast.expr) -> str:
    """What is said about an expression that the language has not."""
    return _EXPRESSIONS.get(type(node), "rules have no such expression")


def statement(node: ast.stmt) -> str:
    """What is said about a statement that the language has not."""
    return _STATEMENTS.get(type(node), "rules have no such statement")


def method(called: str, kind: str) -> str:
    """What is said about a call of something's method.

    >>> method("split", "a text")
    'write phrase(text, words), search(pattern, text) or number(pattern, text)'
    """
    known = "startswith, endswith, lower, upper, strip and count"
    if kind == TYPES["line"] and called in known:
        return f"a line is no text: write line.text.{called}(...)"
    return _METHODS.get(called, f'"{called}" cannot be called on {kind}: texts have {known}')


def name(unknown: str) -> str:
    """What is said about a name that means nothing."""
    what = LEVELS if unknown in _LEVEL_NAMES else _NAMES.get(unknown)
    what = what or "a rule knows w, its own names and the functions of the language"
    return f'there is no "{unknown[:40]}" here: {what}'


def constant(value: object) -> str:
    """What is said about a value that is written out and no bool, number or text."""
    if value is None:
        return "rules have no None: number gives nan, first and last give -1 where there is nothing"
    if value is ...:
        return "rules have no ...: write the rule out"
    return f"rules have no {type(value).__name__}: write texts, numbers, True and False"


def always(kind: str) -> str:
    """What is said about a value that is written out where a condition belongs."""
    if kind == "str":
        return 'a text by itself is no condition: write "a" in text or "b" in text'
    return "a number by itself is no condition: write True or False"


def operand(sign: str, kind: str, called: str) -> str:
    """What is said about an operand that is no number."""
    if kind == "bool":
        return f"{sign} needs numbers: count conditions with sum, or join them with and, or"
    if kind == "str":
        return f"{sign} needs numbers: rules make no texts, look for each part with in"
    return f"{sign} needs numbers, and this is {called}"


def comparison(op: str, left: str, right: str) -> str:
    """What is said about a comparison of what cannot be compared."""
    if TYPES["line"] in (left, right):
        return "a line is no text and no number: compare line.text, line.level and the like"
    if left == right == TYPES["str"]:
        return "texts have no order: compare them with == or !=, or read number(pattern, text)"
    return (
        f"{op} compares numbers with numbers and texts with texts, and this is {left} and {right}"
    )
