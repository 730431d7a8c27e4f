r"""Abstraction: whether a rule says what is wrong, or only where and when it once was.

Two checks. The texts in a rule may hold no timestamps, addresses, names of machines, long numbers
or other identifiers, nor anything that redaction hides. And a rule must go on firing when the
parameters of a window are others: `Paraphrase` changes the digits of values that vary in history.
Of plain numbers the first digit and the length stay, and small ones stay whole, so that a rule may
compare sizes; of names and identifiers every digit changes, everywhere in the same way.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator

from logwright.llm.placeholders import Placeholders
from logwright.logs.shapes import is_variable, mask, tokens
from logwright.rules.language.plain import Line, Window
from logwright.rules.language.tree import Call, Compare, Const, Field, Function, Key, Method
from logwright.rules.language.walk import children, walk

__all__ = ["Paraphrase", "literals"]

_FIXED = {
    "a date": re.compile(r"\d{4}([-/.])\d\d?\1\d\d?|(?<!\d)\d\d?[-/]\d\d?[-/]\d{2,4}(?!\d)"),
    "a time of day": re.compile(r"(?<!\d)\d\d:\d\d(?::\d\d)?(?![\d:])"),
    "an address": re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|(?:[0-9a-fA-F]{2}:){5}"),
    "an identifier": re.compile(
        r"(?<![0-9A-Za-z])(?:0x)?(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}(?![0-9A-Za-z])"
        r"|[A-Za-z]+\d+[-_:.][A-Za-z]+\d+|[A-Za-z]{2,}[-_.]\d{3,}"
    ),
    "a long number": re.compile(r"\d{5,}"),
    "a hidden value": re.compile(r"REDACTED_[A-Z]{1,8}_\d"),
}
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|\\[A-Za-z]")
"""What stands in a pattern for a choice: no literal text."""

_PATTERNS = {"search", "number"}
_LONGEST_SMALL = 3
_LATE = 1e6
"""Seconds: a constant beyond it beside a time is a date."""

_MOST_FORMS = 20_000
_NUMBER = re.compile(r"[+-]?\d+")


def literals(
    function: Function, names: Collection[str] = (), hidden: Placeholders | None = None
) -> list[str]:
    """What a rule names that will be another next time, a sentence each. `names` are those of
    hosts and keys in history, `hidden` the values that the model was not to see.

    >>> from logwright.rules.language.gate import parse
    >>> literals(parse('def rule(w):\\n    return any("R02-M1 lost" in l.text for l in w.lines)'))
    ['"R02-M1 lost" holds an identifier: test the words around it']
    """
    found = dict.fromkeys(_compared(function))
    for text, pattern in _texts(function):
        found.update(dict.fromkeys(_held(text, pattern, names, hidden)))
    return list(found)


def _held(
    text: str, pattern: bool, names: Collection[str], hidden: Placeholders | None
) -> Iterator[str]:
    plain = _CLASS.sub(" ", text).replace("\\", "") if pattern else text
    shown = text if len(text) <= 80 else text[:80] + "..."
    for what, form in _FIXED.items():
        if form.search(plain):
            yield f'"{shown}" holds {what}: test the words around it'
            return
    held = {token.decode("utf-8", "replace") for token in tokens(plain.encode("utf-8", "replace"))}
    if any(token in names for token in held if len(token) > 1):
        yield f'"{shown}" names a host or key of history: test the words around it'
    elif hidden is not None and hidden.mask(plain) != plain:
        yield f'"{shown}" holds a value that was hidden: test the words around it'


def _texts(function: Function) -> Iterator[tuple[str, bool]]:
    """The texts of a rule, and whether each is a pattern."""
    for node in walk(function):
        for at, child in enumerate(children(node)):
            if isinstance(child, Const) and isinstance(child.value, str):
                pattern = isinstance(node, Call) and node.name in _PATTERNS and at == 0
                yield child.value, pattern


def _compared(function: Function) -> Iterator[str]:
    for node in walk(function):
        match node:
            case Compare(_, left, right):
                pair = (left, right)
            case Method(of, "startswith" | "endswith", (argument, *_)):
                pair = (of, argument)
            case _:
                continue
        for one, other in (pair, pair[::-1]):
            match one, other:
                case (Key() | Field(name="host"), Const(str() as text)) if text:
                    yield "it names a host or a key, which will be another next time"
                case (Field(name="template"), Const(str() as text)) if text:
                    yield "it names a template's id: test the words of the line"
                case (Field(name="ts"), Const(int() | float() as at)) if abs(at) > _LATE:
                    yield "it compares a time with a date: only differences of times come again"


class Paraphrase:
    """Windows with other parameters. What is a parameter is learnt from `windows`: a token that has
    one value in all lines of its form (two at least) is none.

    >>> lines = ["cpu1 failed at R02-M1", "cpu1 failed at R03-M0"]
    >>> Paraphrase([Window.of_texts(lines)])(Window.of_texts(lines)).lines[0].text
    'cpu1 failed at R23-M6'
    """

    def __init__(self, windows: Iterable[Window]) -> None:
        self._values: dict[bytes, list[bytes | None]] = {}
        self._seen: set[bytes] = set()
        for window in windows:
            for line in window.lines:
                self._learn(_bytes(line.text))

    def __call__(self, window: Window) -> Window:
        """The window with other values for its parameters."""
        return Window(map(self._line, window.lines), _other(window.key))

    def _learn(self, text: bytes) -> None:
        form = mask(text)
        values: list[bytes | None] = [t for t in tokens(text) if is_variable(t)]
        known = self._values.get(form)
        if known is None:
            if len(self._values) < _MOST_FORMS:
                self._values[form] = values
            return
        self._seen.add(form)
        self._values[form] = [a if a == b else None for a, b in zip(known, values, strict=True)]

    def _line(self, line: Line) -> Line:
        text = _bytes(line.text)
        form, changed = mask(text), {}
        one = self._values.get(form) if form in self._seen else None
        values, at = [], 0
        for token in tokens(text):
            if is_variable(token):
                constant = one is not None and one[at] == token
                at += 1
                if not constant:
                    other = _other(_text(token)).encode("utf-8", "surrogateescape")
                    changed[_text(token)] = _text(other)
                    token = other
            values.append(token)
        return Line(
            _text(b"".join(values)),
            line.ts,
            line.level,
            line.template,
            [changed.get(value, value) for value in line.params],
            line.component,
            _other(line.host),
        )


def _other(value: str) -> str:
    """A value with other digits, the same for the same value."""
    if _NUMBER.fullmatch(value):
        digits = len(value.lstrip("+-"))
        if digits <= _LONGEST_SMALL:
            return value
        kept = len(value) - digits + 1
        return value[:kept] + _shifted(value[kept:], value)
    return _shifted(value, value)


def _shifted(text: str, seed: str) -> str:
    # Every digit moves by 1 to 9, by the value it is part of: two equal values stay equal.
    step = zlib.crc32(seed.encode("utf-8", "surrogatepass"))

    def turned(digit: re.Match[str]) -> str:
        return str((int(digit[0]) + 1 + (step >> digit.start() % 24) % 9) % 10)

    return re.sub(r"[0-9]", turned, text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
