"""The usual: what history held in a slot, in words for people, beside what it holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from logwright.detectors.slots import (
    GROWN,
    GROWN_BY,
    HIGH,
    LOW,
    NO_NUMBER,
    SIDES,
    VALUE_NEW,
    Slot,
)
from logwright.findings.run import many
from logwright.logs.redaction import redact

__all__ = ["Usual", "examples", "shown"]

_NAMED, _TEXT = 5, 60
_HIDDEN = "[redacted]"
_KINDS = {
    1: "digits",
    2: "lower-case letters",
    4: "lower-case letters",
    8: "capitals",
    16: "capitals",
    32: "bytes beyond ASCII",
    64: "control characters",
    128: "punctuation",
    **{256 << i: f"'{c}'" for i, c in enumerate("-._/@%")},
}


@dataclass(frozen=True, slots=True)
class Usual:
    """A slot's history: what `examples` showed of it, in how many lines, how many values it had,
    and, of forms, the kinds of character and the length up to which it is quiet.

    >>> history = Usual("took <*> ms", 2400, {"high": "284"})
    >>> history.summary(HIGH, "48,210", 7.0)
    "'took <*> ms' was 48,210; in 2,400 lines of history never above 284 \
(expected less than once in 10^7 lines)"
    >>> Usual("code <*>", 10, {"values": "200"}, values=1).of(VALUE_NEW)
    '200'
    """

    label: str
    lines: int
    shown: Mapping[str, str]
    values: int = 0
    kinds: int = 0
    longest: int = 0

    def of(self, kind: int) -> str:
        """What was usual, where something of this kind stands out."""
        if kind in (HIGH, LOW):
            bound = self.shown.get(SIDES[kind - HIGH], "")
            return f"never {'above' if kind == HIGH else 'below'} {bound or 'what is usual'}"
        if kind != VALUE_NEW:
            return self._form()
        values = self.shown.get("values", "")
        if self.values == 1:
            return values or "the same value"
        return f"one of {many(self.values, 'value')}" + (f", such as {values}" * bool(values))

    def summary(self, kind: int, value: str, digits: float) -> str:
        """The sentence that tells of a value (as `shown` gives it) that stands out."""
        number = kind in (HIGH, LOW)
        usual = self.of(kind) if number else f"always {self.of(kind)}"
        told = f"'{self.label}' was {value}; in {many(self.lines, 'line')} of history {usual}"
        rare = f" (expected less than once in {_power(digits)} lines)"
        return told + rare * number

    def _form(self) -> str:
        if self.kinds == NO_NUMBER:
            return "a number"
        most = (self.longest - GROWN_BY) // GROWN
        names = [name for bit, name in _KINDS.items() if self.kinds & bit]
        return f"up to {many(most, 'character')}, {', '.join(dict.fromkeys(names))} only"


def examples(slot: Slot, stop: int) -> dict[str, str]:
    """What history (rows before `stop`) held, for people: the extremes, and some values."""
    out = {}
    extremes = zip(SIDES, (max, min), (slot.sketch.high, slot.sketch.low), strict=True)
    for name, extreme, (rows, numbers) in extremes:
        past = numbers[rows < stop].tolist()
        if past:
            out[name] = shown(slot.label, f"{extreme(past):.15g}".encode())
    seen = dict.fromkeys(r.text for r in slot.sketch.values if r.row < stop)
    values = [shown(slot.label, text) for text in list(seen)[:_NAMED]]
    if VALUE_NEW in slot.digits and _HIDDEN not in values:
        out["values"] = ", ".join(sorted(values))
    return out


def shown(label: str, text: bytes) -> str:
    """A value for people: thousands apart, and nothing of a secret.

    >>> shown("took <*> ms", b"48210"), shown("login password=<*>", b"hunter22")
    ('48,210', '[redacted]')
    """
    before = label.partition("<*>")[0].encode("utf-8", "replace")
    text = text[:_TEXT]
    if redact(before + text) != before + text:
        return _HIDDEN
    if text.isdigit() and len(text) > 3 and text[:1] != b"0":
        return f"{int(text):,}"
    return text.decode("utf-8", "backslashreplace")


def _power(digits: float) -> str:
    return f"{10**digits:,.0f}" if digits < 6 else f"10^{digits:.0f}"
