"""`Scene`: what happens in a material, as an engineer reads it: lines of the same shape as one
happening, with how often it stands there, what is known of it, and what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME
from logwright.reasoning.answer import Citation
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.columns import ERROR, INFO, WARNING, Columns
from logwright.reasoning.evidence.quoting import sound
from logwright.reasoning.evidence.vendor import Vendor
from logwright.reasoning.knowledge import Known, Sightings, knowledge, sightings, sightings_in
from logwright.reasoning.material import Material
from logwright.templates.wording import CAUSE, HINT, SYMPTOM, trouble

__all__ = ["Happening", "Scene", "cite", "long", "message", "numbers", "times"]

_SECOND = 1_000_000_000
_LONGEST = 160
_LEAST = 3
_SHAPES = 3_000
"""Shapes that are looked at: a material with more of them has no form to speak of."""

_HEADER = re.compile(
    r"^(?:\s|\[?\d[\d:.,/TZ+\-]*\]?(?=\s|$)|(?:AM|PM)(?=\s)"
    r"|\[?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2},?(?:\s+[\d:.]+)*\]?"
    r"|\[?(?i:trace|debug|info|information|notice|warn|warning|error|err|severe|fatal|critical)\]?"
    r"[:\s]|\[(?:[\w.]*:)?(?i:trace\d|debug|info|notice|warn|error|crit|alert|emerg)\]"
    r"|\[(?:pid|client|tid|rid)[^\]]*\]|[-|]\s)+"
)
_FRAME = re.compile(r"^\s+at\s+\S+\(|^\s*File \".+\", line \d+|^\s*\.\.\. \d+ more|^\s+\S+\.go:\d+")
_GRADES = {"critical": 4, "error": 3, "warning": 2, "info": 0}


_CHATTER = re.compile(
    r"(?i)\b(?:supported|(?:reporting|support) (?:is )?enabled|initializ\w+|registered|loaded)\b"
)
_NOTICE = 5
_BY_DIGIT = (4, 4, 3, 3, 2, 0, 0, 0)
_THING = re.compile(r"[a-z][\w.-]{3,}|\d[\w.:/-]{2,}")
_NO_THING = frozenset(
    {"after", "again", "alarm", "been", "before", "below", "cleared", "down", "error", "errors"}
    | {
        "event",
        "exceeded",
        "failed",
        "failing",
        "failure",
        "fault",
        "from",
        "info",
        "kernel",
        "line",
    }
    | {
        "lost",
        "normal",
        "number",
        "recovered",
        "recovery",
        "restored",
        "server",
        "service",
        "state",
    }
    | {"status", "system", "that", "this", "threshold", "warn", "warning", "with"}
)
"""Words that name no thing: two lines that share only these need not speak of the same one."""
_STAYS = frozenset({"certificate", "disk fault", "disk full", "hardware", "power or cooling"})
_LOST = frozenset({"network disconnection", "machine or service down", "dependency", "overload"})
_CURES = {
    "link up again": frozenset({"network disconnection"}),
    "connected again": _LOST | {"name resolution"},
    "array whole again": frozenset({"disk fault"}),
}
"""Kinds of cause that a statement of recovery speaks of, whatever it names."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Lines of one shape. `grade` is 0 where nothing is wrong, up to 4 for what is grave; `known`
    is what is known of these lines; `recovery` that they say something is well again."""

    first: int
    last: int
    count: int
    grade: int
    known: tuple[Known, ...]
    frame: bool

    @property
    def recovery(self) -> bool:
        return any(known.recovery for known in self.known)

    @property
    def wrong(self) -> bool:
        return self.grade >= _GRADES["warning"]

    @property
    def lasting(self) -> bool:
        """Whether what is wrong is of a kind that does not go away by itself."""
        bad = [known for known in self.known if not known.recovery]
        return not bad or not all(known.transient for known in bad)


@dataclass(frozen=True)
class Scene:
    """A material with its happenings, in the order in which they begin."""

    material: Material
    columns: Columns
    seen: Sightings
    usual: NDArray[np.bool_]
    """For each shape, whether it stands in a healthy run too: then it tells of no trouble."""

    @staticmethod
    def of(material: Material, healthy: Sequence[Material] = ()) -> Scene:
        """What happens in a material; `healthy` is what the same looks like when it is well."""
        return Scene.beside(Clues.of(material, healthy))

    @staticmethod
    def beside(clues: Clues) -> Scene:
        """The scene of a material whose clues are there already."""
        columns = clues.columns
        seen = sightings_in(columns.lowered, columns.start, columns.end)
        if clues.bidden:  # such an end is no trouble
            seen = seen.without([line + 1 for line in clues.bidden])
        return Scene(columns.material, columns, seen, clues.lift.share > 0)

    @cached_property
    def happenings(self) -> list[Happening]:
        """One for every shape of a line that says anything, at most 3,000."""
        shape = self.columns.shape
        size = int(shape.max(initial=-1)) + 1
        count = np.bincount(shape, minlength=size)
        last = np.zeros(size, np.int64)
        last[shape] = np.arange(len(shape))
        pairs = np.unique(shape[self.seen.line - 1] * len(knowledge()) + self.seen.entry)
        known: dict[int, list[Known]] = {}
        for pair in pairs.tolist():
            code, entry = divmod(pair, len(knowledge()))
            known.setdefault(code, []).append(knowledge()[entry])
        found = []
        for first in np.sort(self.columns.first)[:_SHAPES].tolist():
            line = self.material.lines[first]
            if not line.strip():
                continue
            code = int(shape[first])
            entries = tuple(known.get(code, ()))
            level = int(self.columns.level[first])
            frame = _FRAME.match(line) is not None
            words = trouble(line) if self.columns.worded[code] else 0
            grade = 0 if frame or self.usual[code] else _grade(line, level, words, entries)
            found.append(
                Happening(first + 1, int(last[code]) + 1, int(count[code]), grade, entries, frame)
            )
        return found

    @cached_property
    def wrong(self) -> list[Happening]:
        """What is wrong, the gravest first, of these the first."""
        bad = [happening for happening in self.happenings if happening.wrong]
        return sorted(bad, key=lambda happening: (-happening.grade, happening.first))

    @cached_property
    def recoveries(self) -> list[Happening]:
        """What says that something is well again, the latest first."""
        well = [happening for happening in self.happenings if happening.recovery]
        return sorted(well, key=lambda happening: -happening.last)

    def over(self, happening: Happening) -> Happening | None:
        """What says, after the last of these lines, that it is well again."""
        later = (well for well in self.recoveries if well.last > happening.last)
        return next((well for well in later if self._cures(well, happening)), None)

    def _cures(self, well: Happening, happening: Happening) -> bool:
        """Whether what is well again is what was wrong: a link that is up mends no disk."""
        classes = {known.cause_class for known in happening.known if not known.recovery}
        for name in {known.name for known in well.known if known.recovery}:
            if name == "finished well" and not classes & _STAYS:
                return True
            if classes & _CURES.get(name, frozenset()):
                return True
        return bool(self._things(well.last) & self._things(happening.last))

    def _things(self, line: int) -> set[str]:
        """Words of a line that could name a thing."""
        found = _THING.findall(message(self.material.text(line)).lower())
        return {word for word in found if word not in _NO_THING}

    def line_of(self, known: Known) -> int:
        """The first line that names an entry."""
        return int(self.seen.lines_of(known)[0])

    def message(self, happening: Happening) -> str:
        return message(self.material.text(happening.first))

    def seconds(self, first: int, last: int) -> float | None:
        """Seconds from one line to another; None where one of them has no time."""
        one, other = self.columns.time[first - 1], self.columns.time[last - 1]
        if NO_TIME in (one, other):
            return None
        return float(int(other) - int(one)) / _SECOND


def _grade(line: str, level: int, words: int, known: tuple[Known, ...]) -> int:
    named = max((_GRADES[entry.severity] for entry in known), default=0)
    vendor = Vendor.of(line)
    if vendor is not None and vendor.digit != _NOTICE:  # it says itself how grave it is
        by_digit = _BY_DIGIT[vendor.digit]
        return 0 if vendor.ended else max(by_digit, named) if by_digit else 0
    if any(entry.recovery for entry in known) and words < SYMPTOM and level < ERROR:
        return 0
    # A line at level INFO without a word of trouble names a setting or an end as planned.
    if level == INFO and words < HINT and named < _GRADES["critical"]:
        return 0
    if level < ERROR and _CHATTER.search(line):
        return 0  # what a machine can do, told as it starts
    # What is known is a better word than what a level or a word list says, unless these say grave.
    if named:
        return 4 if words > CAUSE else named
    by_words = {CAUSE: 3, SYMPTOM: 2}.get(words, 4 if words > CAUSE else 0)
    if level == INFO:  # its program thinks nothing of it
        return min(by_words, 2)
    return max(3 if level >= ERROR else 2 if level == WARNING else 0, by_words)


def message(line: str) -> str:
    """What a line says behind its time and level, cut where it is long: for quoting. Of a long line
    it is the part that tells of trouble.

    >>> message("2024-05-01 10:00:02,113 ERROR disk full on /dev/sda1")
    'disk full on /dev/sda1'
    >>> message("x" * 200 + " connection refused by peer")
    'connection refused by peer'
    """
    text = line.strip()
    found = _HEADER.match(text)
    rest = text[found.end() :].strip() if found else text
    text = rest if len(rest) >= _LEAST else text
    if len(text) <= _LONGEST:
        return text
    seen = sightings([line])
    words = line.encode("utf-8", "surrogatepass")
    for begin in seen.begin.tolist()[:1]:
        at = len(words[:begin].decode("utf-8", "surrogatepass")) - line.find(text)
        if at > _LONGEST // 2:
            text = text[text.rfind(" ", 0, at) + 1 :]
    return text[:_LONGEST].strip()


def cite(material: Material, line: int) -> Citation:
    """A line of a material, quoted by what it says."""
    text = material.text(line)
    return Citation(line=line, quote=sound(message(text), text))


def numbers(lines: Iterable[int]) -> str:
    """Lines by their numbers.

    >>> numbers([3]), numbers([3, 9]), numbers([1, 2, 4])
    ('line 3', 'lines 3 and 9', 'lines 1, 2 and 4')
    """
    told = [str(line) for line in lines]
    if len(told) == 1:
        return f"line {told[0]}"
    return f"lines {', '.join(told[:-1])} and {told[-1]}"


def times(count: int) -> str:
    """How often, in words.

    >>> times(1), times(2), times(1200)
    ('once', 'twice', '1,200 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def long(seconds: float) -> str:
    """A span of time, in words.

    >>> long(0.25), long(59), long(150), long(7_300), long(200_000)
    ('less than a second', '59 s', '3 min', '2 h', '2 days')
    """
    if seconds < 1:
        return "less than a second"
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{int(seconds / size + 0.5)} {unit}"
    return f"{int(seconds + 0.5)} s"
