"""Syntax: Python's tree of a text, of bounded size and depth; nothing in it is trusted yet."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence

from logwright.rules.language.problem import RuleError

__all__ = ["MOST_SOURCE", "is_import_re", "syntax"]

MOST_SOURCE = 16 * 1024
"""Characters of a rule's text."""

_MOST_SYNTAX, _DEEPEST_SYNTAX = 12_000, 90
"""The same of Python's tree, which is read by recursion."""


def syntax(source: str, file: str, most: int) -> Sequence[ast.stmt]:
    """Python's tree of a text, of bounded size and depth."""
    if len(source) > most:
        raise RuleError(f"the text has {len(source)} characters: at most {most} are read", file)
    if (at := source.find("\0")) >= 0:  # Pythons differ in what they say of it
        line, column = source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)
        raise RuleError("the text holds a zero byte", file, line, column)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(source)
    except SyntaxError as error:
        line, column = error.lineno or 1, max(error.offset or 1, 1)
        what = (error.msg or "").split(";")[0][:80]
        raise RuleError(f"this is not Python: {what}", file, line, column) from None
    except UnicodeEncodeError as error:
        line = source.count("\n", 0, error.start) + 1
        column = error.start - source.rfind("\n", 0, error.start)
        raise RuleError(
            r'the text holds half a character: write it as "\udc80"', file, line, column
        ) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise RuleError("the text cannot be read: it is too deep", file, 1, 1) from None
    _check_size(module, file)
    return module.body


def _check_size(module: ast.Module, file: str) -> None:
    count, stack = 0, [(node, 1) for node in module.body]
    level: list[tuple[ast.AST, int]] = list(stack)
    while level:
        node, deep = level.pop()
        count += 1
        if deep > _DEEPEST_SYNTAX or count > _MOST_SYNTAX:
            what = "stands too deep in brackets" if deep > _DEEPEST_SYNTAX else "is too much"
            line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
            raise RuleError(f"this {what} for one rule: write two", file, line, column)
        level.extend((child, deep + 1) for child in ast.iter_child_nodes(node))


def is_import_re(node: ast.stmt) -> bool:
    """Whether it is ``import re``, which models write first: `re.search` is known without it."""
    match node:
        case ast.Import(names=[ast.alias(name="re", asname=None)]):
            return True
    return False
