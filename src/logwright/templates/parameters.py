"""Parameters: the values of a line at its template's `<*>`, and back again.

A template is its constant parts around the parameters: ``parts[0] <*> parts[1] <*> ... parts[n]``.
Values are found by the classical wildcard walk: each constant part is looked for from where the
last one ended, so the time is linear in the line and no input can make it backtrack.
"""

from __future__ import annotations

from dataclasses import dataclass

from logwright.templates.classes import value_type

__all__ = ["LINE", "Parameter", "fit", "render", "values_of"]

LINE = "line"
"""The type of a last parameter that holds a line which does not fit its template's constants."""


@dataclass(slots=True, frozen=True)
class Parameter:
    """One value. `type` is one of `classes.value_type`'s, or "line": see `fit`."""

    value: bytes
    type: str


def _walk(parts: tuple[bytes, ...], content: bytes, least: int = 1) -> list[bytes] | None:
    """The values, each of at least `least` bytes, or None where the constants do not fit."""
    if len(parts) == 1:
        return [] if content == parts[0] else None
    if not content.startswith(parts[0]) or not content.endswith(parts[-1]):
        return None
    at, stop = len(parts[0]), len(content) - len(parts[-1])
    values = []
    for part in parts[1:-1]:
        found = content.find(part, at + least, stop)
        if found < 0:
            return None
        values.append(content[at:found])
        at = found + len(part)
    if at + least > stop:
        return None
    values.append(content[at:stop])
    return values


def fit(parts: tuple[bytes, ...], content: bytes) -> tuple[Parameter, ...]:
    """The values of a line at each `<*>`.

    Two lines of one template may differ in white space, or in punctuation inside a masked token.
    Where the constants do not hold to the byte, one more parameter of type "line" follows, with the
    whole line; the others are then read with white space squeezed, and are left out where even that
    does not fit. So `render` always gives the line back.

    >>> fit((b"took ", b" ms"), b"took 12 ms")
    (Parameter(value=b'12', type='number'),)
    >>> fit((b"took ", b" ms"), b"took  12 ms")[-1]
    Parameter(value=b'took  12 ms', type='line')
    """
    values, fits = _found(parts, content)
    found = tuple([Parameter(v, value_type(v)) for v in values])
    return found if fits else (*found, Parameter(content, LINE))


def values_of(parts: tuple[bytes, ...], content: bytes) -> list[bytes]:
    """The values that `fit` gives, without their types, and without a whole line.

    >>> values_of((b"took ", b" ms"), b"took 12 ms")
    [b'12']
    """
    return _found(parts, content)[0]


def _found(parts: tuple[bytes, ...], content: bytes) -> tuple[list[bytes], bool]:
    """The values, and whether the constants hold to the byte."""
    values = _walk(parts, content)
    if values is None:
        values = _walk(parts, content, 0)
    if values is not None and all(v == v.strip() for v in values):
        return values, True
    return _walk(parts, b" ".join(content.split())) or [], False


def render(parts: tuple[bytes, ...], parameters: tuple[Parameter, ...]) -> bytes:
    """The line that has these parameters; `ValueError` where their number is wrong.

    >>> render((b"took ", b" ms"), fit((b"took ", b" ms"), b"took 12 ms"))
    b'took 12 ms'
    """
    if parameters and parameters[-1].type == LINE:
        return parameters[-1].value
    if len(parameters) != len(parts) - 1:
        raise ValueError(f"{len(parts) - 1} parameters are needed, not {len(parameters)}")
    pieces = [parts[0]]
    for parameter, part in zip(parameters, parts[1:], strict=True):
        pieces += (parameter.value, part)
    return b"".join(pieces)
