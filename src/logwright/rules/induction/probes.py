"""Probes: conditions on what a line holds at a place, that a person can read."""

from __future__ import annotations

from dataclasses import dataclass

from logwright.rules.induction.places import Place, escaped
from logwright.rules.language.words import quoted

__all__ = ["Probe", "written"]


@dataclass(frozen=True, slots=True)
class Probe:
    r"""A condition on what a line holds at a place: a number above `high` or below `low`; or, where
    `words` are given, one of them (or, `others`, none of them). `pattern` has the number as its
    group 1; `names` tells what is allowed, with words.

    >>> Probe(Place("took ", " ms", False, True), r"(\d+)", high=500).source
    'number(r"\\btook (\\d+) ms$", line.text) > 500'
    >>> up = Probe(Place("link is ", "", True, True), words=("up", "down"), others=True)
    >>> print(up.source)
    search(r"^link is \S+$", line.text) and not search("^link is (up|down)$", line.text)
    """

    place: Place
    held: str = ""
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    others: bool = False

    @property
    def source(self) -> str:
        """The condition in the language of rules, on `line`."""
        if self.words:
            words = "|".join(map(escaped, self.words))
            told = words if len(self.words) == 1 else f"({words})"
            mine = f"search({quoted(self.place.pattern(told), raw=True)}, line.text)"
            any_word = quoted(self.place.pattern(r"\S+"), raw=True)
            return f"search({any_word}, line.text) and not {mine}" if self.others else mine
        read = f"number({quoted(self.place.pattern(self.held), raw=True)}, line.text)"
        parts = [] if self.low is None else [f"{read} < {written(self.low)}"]
        parts += [] if self.high is None else [f"{read} > {written(self.high)}"]
        return " or ".join(parts)

    @property
    def told(self) -> str:
        """The condition in words, after "a line has"."""
        where = f"in '{self.place.told}'"
        if self.words:
            words = ", ".join(f"'{word}'" for word in self.words)
            return f"another word than {words} {where}" if self.others else f"{words} {where}"
        if self.low is None:
            assert self.high is not None
            return f"a number above {written(self.high)} {where}"
        if self.high is None:
            return f"a number below {written(self.low)} {where}"
        if self.low == self.high:
            return f"another number than {written(self.low)} {where}"
        return f"a number below {written(self.low)} or above {written(self.high)} {where}"

    @property
    def label(self) -> str:
        """A name of small letters, digits and underscores."""
        return f"{'word' if self.words else 'number'}_{self.place.label}"


def written(value: float) -> str:
    """A number as rules write it.

    >>> written(500.0), written(0.25)
    ('500', '0.25')
    """
    return str(int(value)) if value == int(value) else str(value)
