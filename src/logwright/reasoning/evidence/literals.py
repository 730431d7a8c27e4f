"""Literals: what stands in every text that a regular expression matches.

A text in which none of an expression's literals stands need not be searched for it, and whether one
does is told for thousands of expressions at once by an automaton.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["literals"]

_TOKEN = re.compile(
    r"(?P<look>\(\?<?[!=])|(?P<open>\((?:\?(?:[imsx-]*:)?)?)|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<many>[*?]|\{0,\d*\})|(?P<again>\+|\{\d+(?:,\d*)?\})|(?P<set>\[\^?\]?(?:\\.|[^\]])*\])"
    r"|(?P<any>\\[wWdDsSbBAZ]|[.^$])|(?P<plain>\\.|.)"
)
_ITEM = frozenset[str] | str | None
"""A letter, the literals of a group, or None for what stands for many things."""


def literals(pattern: str) -> frozenset[str]:
    """Texts in small letters, one of which stands in every match; empty where none can be told.

    >>> sorted(literals(r"un(?:handled|caught) \\w+"))
    ['caught', 'handled']
    >>> sorted(literals(r"(?:is |was )?full|can ?not\\b"))
    ['can', 'full']
    >>> literals(r"\\d+|panic")
    frozenset()
    """
    found, _ = _either(list(_tokens(pattern)), 0)
    return found


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(pattern):
        yield match.lastgroup or "", match[0]


def _either(tokens: list[tuple[str, str]], at: int) -> tuple[frozenset[str], int]:
    """The literals of what may stand here, up to the bracket that ends it, and where that is."""
    found: list[frozenset[str]] = []
    items: list[_ITEM] = []
    while at < len(tokens) and tokens[at][0] != "close":
        kind, text = tokens[at]
        if kind == "bar":
            found.append(_best(items))
            items = []
        elif kind in ("open", "look"):
            inner, at = _either(tokens, at + 1)
            items.append(inner if kind == "open" else None)
        elif kind == "many":  # it may be missing
            items[-1] = None
        elif kind == "again":
            items.append(None)
        elif kind == "plain":
            items.append(text[-1].lower())
        else:
            items.append(None)
        at += 1
    found.append(_best(items))
    return frozenset().union(*found) if all(found) else frozenset(), at


def _best(items: list[_ITEM]) -> frozenset[str]:
    """Of what stands one after another, the literals that tell most."""
    runs: list[frozenset[str]] = []
    run = ""
    for item in [*items, None]:
        if isinstance(item, str):
            run += item
            continue
        runs += [frozenset({run})] if run else []
        run = ""
        runs += [item] if item else []
    return max(runs, key=lambda run: (min(map(len, run)), -len(run)), default=frozenset())
