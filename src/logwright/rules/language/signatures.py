"""Signatures: what the functions and methods of the language take and give, and how it is said.

Types are those of `tree`: bool, int, float (a number that may have a fraction or be nan), str,
strs, line, lines, window; and for arguments also: number (int or float), many bool, many number,
many str (a generator), const str (a text written out), const int, const number, pattern (a checked
regular expression).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FUNCTIONS", "METHODS", "Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What arguments a function takes, what it gives, and how a call looks; `keywords` are the
    names by which arguments from the last one backwards may be given."""

    takes: tuple[str, ...]
    gives: str
    example: str
    keywords: tuple[str, ...] = ()


FUNCTIONS = {
    "abs": Signature(("number",), "same", "abs(n)"),
    "all": Signature(("many bool",), "bool", 'all("ok" in line.text for line in w.lines)'),
    "any": Signature(("many bool",), "bool", 'any("error" in line.text for line in w.lines)'),
    "distinct": Signature(("many str",), "int", "distinct(line.host for line in w.lines)"),
    "first": Signature(("many bool",), "int", 'first("error" in line.text for line in w.lines)'),
    "followed": Signature(
        ("many bool", "many bool", "const int"),
        "bool",
        'followed(("open" in line.text for line in w.lines), '
        '("close" in line.text for line in w.lines), events=3)',
        ("events",),
    ),
    "followed_in": Signature(
        ("window", "many bool", "many bool", "const number"),
        "bool",
        'followed_in(w, ("open" in line.text for line in w.lines), '
        '("close" in line.text for line in w.lines), seconds=5)',
        ("seconds",),
    ),
    "last": Signature(("many bool",), "int", 'last("error" in line.text for line in w.lines)'),
    "len": Signature(("sized",), "int", "len(w.lines)"),
    "like": Signature(("str", "const str"), "bool", 'like(line.text, "read * of *")'),
    "longest_gap": Signature(("window",), "float", "longest_gap(w)"),
    "number": Signature(("pattern", "str"), "float", r'number(r"took (\d+) ms", line.text)'),
    "phrase": Signature(("str", "const str"), "bool", 'phrase(line.text, "data TLB error")'),
    "ratio": Signature(("number", "number"), "float", "ratio(a, b)"),
    "search": Signature(("pattern", "str"), "bool", r'search(r"core\.\d+", line.text)'),
    "sum": Signature(("many number",), "same", 'sum("error" in line.text for line in w.lines)'),
}
"""The functions with a fixed number of arguments; min, max, enumerate and range are special."""

METHODS = {
    "count": Signature(("str",), "int", 'line.text.count("x")'),
    "endswith": Signature(("str",), "bool", 'line.text.endswith("x")'),
    "lower": Signature((), "str", "line.text.lower()"),
    "startswith": Signature(("str",), "bool", 'line.text.startswith("x")'),
    "strip": Signature((), "str", "line.text.strip()"),
    "upper": Signature((), "str", "line.text.upper()"),
}
"""The methods of texts."""
