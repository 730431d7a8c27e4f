"""Values: what the parameters of lines hold, as columns by record.

Messages are read twice: some of each template tell which places hold numbers or a few words, then
all that such a place may be in are read. Identifiers, counters and places where anything may stand
are left out. What is kept is a number for each line that has the place.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.rules.induction.places import Place, escaped, places
from logwright.rules.induction.probes import Probe
from logwright.rules.language.plain import compiled
from logwright.rules.language.problem import RuleError
from logwright.rules.language.regexes import check
from logwright.windows.window import UInt64s, Windows, mix

__all__ = ["Column", "Messages", "Values", "sampled"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Messages = Callable[[Int64s], Sequence[str]]
"""The messages of records (what stands after the header) by their row numbers."""

_SHOWN = 20
"""Lines of a template that are looked at as a whole."""

_SAMPLED, _LEAST = 200, 30
"""Lines of a template that tell what its parameters are, and with fewer they are not asked."""

_PLACES = 400
"""Places that are read, of the commonest templates first."""

_AT_ONCE = 8_192
_WORDS, _MOST_WORDS = 8, 64
"""Different words among the sampled lines, and among all, up to which a place holds a few."""

_NUMBER = re.compile(r"(-?)(\d+)(\.\d+)?([A-Za-z%]{0,3})")
_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]{0,29}")
_NUMBERS = 0.95
"""The share of sampled lines from which on a place is of numbers; others say "n/a" or the like."""

_LONG, _DISTINCT = 7, 0.9
_MOVES = 0.9
"""Numbers that go with their order as closely as this count something, or are times."""


@dataclass(slots=True, eq=False)
class Column:
    """What one place held: `rows` of records, ascending, and the `numbers` there; of words, their
    places in `words`. `held` is the expression for a number there."""

    place: Place
    held: str
    words: list[str] = field(default_factory=list)
    rows: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    numbers: Floats = field(default_factory=lambda: np.empty(0))
    _pattern: re.Pattern[str] = field(init=False)
    _rows: array[int] = field(default_factory=lambda: array("q"))
    _numbers: array[float] = field(default_factory=lambda: array("d"))

    def at(self, rows: Int64s) -> Floats:
        """The numbers of some records; nan where there are none."""
        if not len(self.rows):
            return np.full(len(rows), np.nan)
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[at] == rows, self.numbers[at], np.nan)

    def __post_init__(self) -> None:
        self._pattern = compiled(self.place.pattern(self.held or r"(\S+?)"))

    def take(self, row: int, text: str) -> bool:
        """Take a line, in order of rows; False where it shows that the place tells nothing."""
        match = self._pattern.search(text)
        if match is None:
            return True
        held = match.group(1)
        if self.held:
            value = float(held)
        elif held in self.words:
            value = float(self.words.index(held))
        else:
            value = float(len(self.words))
            self.words.append(held)
        self._rows.append(row)
        self._numbers.append(value)
        # Of a place that a line has twice nobody could say which one is meant.
        twice = not self.held and self._pattern.search(text, match.end()) is not None
        return not twice and len(self.words) <= _MOST_WORDS

    def finish(self) -> None:
        """Nothing more will be taken."""
        self.rows = np.array(self._rows, np.int64)
        self.numbers = np.array(self._numbers, np.float64)
        self._rows, self._numbers = array("q"), array("d")


def sampled(windows: Windows, messages: Messages, template: int) -> Sequence[str]:
    """Some messages of a template, spread over history."""
    mine = np.flatnonzero(windows.events.template == template)
    at = np.linspace(0, len(mine) - 1, min(len(mine), _SHOWN)).astype(np.int64)
    return messages(windows.events.row[mine[at]])


class Values:
    """The columns of a history.

    >>> windows = Windows.of_sequences([[0]] * 90)
    >>> messages = [f"took {n * 7 % 50} ms" for n in range(90)]
    >>> values = Values.of(windows, ["took <*> ms"], lambda rows: [messages[r] for r in rows])
    >>> [(c.place.told, c.held, float(c.numbers.max())) for c in values.columns]
    [('took * ms', '(\\\\d+)', 49.0)]
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._of = {column.place: column for column in columns}

    def holds(self, probe: Probe, rows: Int64s) -> Bools:
        """Whether a probe holds for each of some records."""
        column = self._of[probe.place]
        found = column.at(rows)
        if probe.words:
            asked = [i for i, word in enumerate(column.words) if word in probe.words]
            mine: Bools = np.isin(found, asked)
            return ~np.isnan(found) & ~mine if probe.others else mine
        out = np.zeros(len(rows), bool)
        if probe.low is not None:
            out |= found < probe.low
        if probe.high is not None:
            out |= found > probe.high
        return out

    def marks(self, probe: Probe, rows: Int64s) -> UInt64s:
        """Numbers that differ where values differ for which a probe holds; 0 where it does not."""
        hashes = mix(self._of[probe.place].at(rows).view(np.uint64) ^ np.uint64(1))
        return np.where(self.holds(probe, rows), hashes, np.uint64(0))

    @staticmethod
    def of(windows: Windows, texts: Sequence[str], messages: Messages) -> Values:
        """Read the places of the templates in some windows."""
        rows, first = np.unique(windows.events.row, return_index=True)
        template = windows.events.template[first]
        reading = _Reading(rows, template, texts, messages)
        columns = reading.judged()
        reading.read(columns)
        return Values([column for column in columns if len(column.rows)])


class _Reading:
    def __init__(
        self, rows: Int64s, template: NDArray[np.int32], texts: Sequence[str], messages: Messages
    ) -> None:
        self.rows, self.template, self.texts, self.messages = rows, template, texts, messages
        self.count = np.bincount(template, minlength=len(texts))

    def judged(self) -> list[Column]:
        """The places worth reading, by some lines of the template that has each most often."""
        found: dict[Place, Column | None] = {}
        for template in np.argsort(-self.count, kind="stable").tolist():
            fresh = [p for p in places(self.texts[template]) if p not in found]
            if self.count[template] < _LEAST or len(found) >= _PLACES:
                break
            if fresh:
                mine = self.rows[self.template == template]
                at = np.linspace(0, len(mine) - 1, min(len(mine), _SAMPLED)).astype(np.int64)
                lines = self.messages(mine[at])
                found.update({place: _judged(place, lines) for place in fresh})
        return [column for column in found.values() if column is not None]

    def read(self, columns: list[Column]) -> None:
        """Read all lines that a place may be in."""
        held = np.flatnonzero(self.count).tolist()
        of = {t: [c for c in columns if c.place.may_be_in(self.texts[t])] for t in held}
        asked = np.isin(self.template, [t for t, mine in of.items() if mine])
        rows, template = self.rows[asked], self.template[asked]
        given_up: set[int] = set()
        for begin in range(0, len(rows), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            lines = zip(
                rows[part].tolist(),
                template[part].tolist(),
                self.messages(rows[part]),
                strict=True,
            )
            for row, t, text in lines:
                for column in of[t]:
                    if not column.take(row, text):
                        given_up.add(id(column))
            if given_up:
                of = {t: [c for c in mine if id(c) not in given_up] for t, mine in of.items()}
        columns[:] = [column for column in columns if id(column) not in given_up]
        for column in columns:
            column.finish()


def _judged(place: Place, lines: Sequence[str]) -> Column | None:
    """The column for a place, by what stands there in some lines, in order; None where it is not
    worth one."""
    tokens = [t for line in lines for t in compiled(place.pattern(r"(\S+?)")).findall(line)]
    if len(tokens) < _LEAST:
        return None
    parts = [_NUMBER.fullmatch(token) for token in tokens]
    matches = [part for part in parts if part is not None]
    if len(matches) >= _NUMBERS * len(tokens):
        held = _number(matches, place.named)
        made = None if held is None else Column(place, held)
    else:
        few = len(set(tokens)) <= _WORDS and all(map(_WORD.fullmatch, tokens))
        made = Column(place, "") if few else None
    try:
        for inner in () if made is None else ([made.held] if made.held else [r"\S+", "x"]):
            check(place.pattern(inner))
    except RuleError:  # the gate has the last word
        return None
    return made


def _number(matches: Sequence[re.Match[str]], called: bool) -> str | None:
    """The expression for the numbers of a place; None where they are names (as the word before them
    says, if `called`; of a few, such as ids of users, each is worth knowing) or count something."""
    signs, wholes, parts, units = zip(*(match.groups() for match in matches), strict=True)
    if len(set(units)) > 1 or any(whole[0] == "0" and len(whole) > 1 for whole in wholes):
        return None
    numbers = np.array(
        [
            float(match.group(0)[: match.end(3) if match.group(3) else match.end(2)])
            for match in matches
        ]
    )
    distinct = np.unique(numbers)
    widths = set(map(len, wholes))
    named = len(widths) == 1 or len(distinct) > _DISTINCT * len(numbers)
    if (max(widths) >= _LONG and named) or (called and len(distinct) > _WORDS):
        return None
    if len(distinct) > _WORDS:
        rank = np.searchsorted(distinct, numbers)
        if abs(float(np.corrcoef(rank, np.arange(len(rank)))[0, 1])) > _MOVES:
            return None
    sign = "-?" if any(signs) else ""
    fraction = r"(?:\.\d+)?" if any(parts) else ""
    return rf"({sign}\d+{fraction}){escaped(units[0])}"
