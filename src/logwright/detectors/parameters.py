"""Parameters: what the digits in a line say, where history shows that they have settled.

Looks at variable tokens (slots, see `templates.values`) of templates, and flags single lines:

* `high`, `low`: a number far beyond history. Its chance comes from a generalised Pareto tail over
  the logarithm of history's 64 most extreme numbers, on either side, never lighter than exponential
  (a power law in the numbers themselves) and never narrower than 5 %, widened by two standard
  errors. Most data have lighter tails, so this errs on the quiet side.
* `value`: a value that a field of at most 64 values never had.
* `form`: a kind of character, a length (over twice the longest) or a token that is no number where
  history held none such.

A window scores by its most improbable line, in decimal digits. Numbers whose extremes come mostly
late grow, and are left out; so are fields in whose recent past something new came. All of it is
tried on the last part of history, and what breaks the alarm budget there is left out.

Peaks over threshold: Siffer et al., KDD 2017. The chance of something new: Good-Turing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State
from logwright.detectors.flags import Flag, Flags
from logwright.detectors.slots import (
    COLUMNS,
    FORM_NEW,
    HIGH,
    LOW,
    NO_NUMBER,
    SIDES,
    VALUE_NEW,
    Pair,
    Side,
    Slot,
    row_of,
    settle,
    sound,
)
from logwright.detectors.thresholds import Tail
from logwright.detectors.usual import Usual, examples, shown
from logwright.detectors.words import WORD, word_hash, words_of
from logwright.findings.run import many
from logwright.logs.batch import Int64s, LineBatch
from logwright.logs.coder import BLANK
from logwright.logs.kernel import FORM, NUMBER, VALUE
from logwright.logs.redaction import redact
from logwright.snapshot import Moved
from logwright.templates.values import FEW
from logwright.templates.vocabulary import Vocabulary
from logwright.templates.watcher import Watcher, kinds_of, layout_of
from logwright.windows.window import Windows

__all__ = ["Parameters"]

_CITED, _NAMED = 5, 5
_KINDS = ("high", "low", "value", "form")
_U64 = (1 << 64) - 1


class Parameters:
    """Scores windows by their most improbable parameter.

    `learn` takes the sketches of history, `look` the batches of a run before their windows are
    scored, and `place` numbers the lines that were flagged as the windows' rows are.
    """

    name = "parameters"
    unit = "value"

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(0, kind) for name, kind in COLUMNS.items()
        }
        self._labels: list[str] = []
        self._shown: list[dict[str, str]] = []
        self._known: list[set[int]] = []
        self._sides: list[Pair] = []
        self._watcher: Watcher | None = None
        self._met = np.zeros(0, bool)  # shape codes
        self._odd_shapes: dict[int, list[tuple[int, bytes]]] = {}
        self._of_template: dict[int, dict[int, dict[int, int]]] = {}
        self._flags = Flags()

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def watched(self) -> tuple[int, int, int]:
        """How many numbers, fields of few values, and forms are watched."""
        c = self._columns
        number = ~(np.isnan(c["high_limit"]) & np.isnan(c["low_limit"]))
        each = (number, c["value_digits"] > 0, c["form_digits"] > 0)
        numbers, values, forms = (int(np.count_nonzero(e)) for e in each)
        return numbers, values, forms

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Windows hold no digits: `learn` takes them from elsewhere."""

    def learn(
        self, slots: list[Slot], cut: int, stop: int, alarms: float, exemplars: bool = True
    ) -> list[str]:
        """Learn from rows before `stop`, trying on those from `cut` on; flag those from `stop` on.

        `alarms` is how many normal data may raise in as long a time as history. Gives sentences
        about what is left out.
        """
        said = []
        for what, left in settle(slots, cut, stop, alarms):
            if left:
                named = ", ".join(f"'{label}'" for label in left[:_NAMED])
                more = f" and {len(left) - _NAMED:,} more" if len(left) > _NAMED else ""
                said.append(f"{what} that have not settled: {named}{more}")
        slots = [s for s in slots if s.sides != (None, None) or s.digits]
        self._take([row_of(s, stop) for s in slots])
        self._labels = [s.label for s in slots]
        self._shown = [examples(s, stop) if exemplars else {} for s in slots]
        self._known = [_values(s, stop) if VALUE_NEW in s.digits else set() for s in slots]
        self._flags = Flags(len(slots))
        for i, slot in enumerate(slots):
            self._flag_history(i, slot, stop)
        self._flags.settle()
        return said

    def _take(self, rows: Sequence[dict[str, Any]]) -> None:
        self._columns = {
            name: np.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()
        }

    def _flag_history(self, i: int, slot: Slot, stop: int) -> None:
        """Flag what stands out from row `stop` on (`scan`, which looks at a log's own past)."""
        for row, number, digits, kind in slot.outside(slot.sides, stop, 1 << 62):
            self._flags.add(row, i, kind, digits, f"{number:.15g}".encode())
        longest = int(self._columns["longest"][i])
        kinds = int(self._columns["kinds"][i])
        for kind, digits in slot.digits.items():
            for r in slot.news(kind):
                number = r.what == NO_NUMBER
                known = kind == FORM_NEW and not (number or r.what & ~kinds or r.length > longest)
                if r.row >= stop and not known:
                    self._flags.add(r.row, i, kind, digits, r.text)

    # --- running ----------------------------------------------------------------------------------

    def _begin(self) -> Watcher:
        """The watcher of a run, made when it is first needed."""
        if self._watcher is not None:
            return self._watcher
        self._watcher = watcher = Watcher()
        c = self._columns
        for i in range(len(self)):
            slot = watcher.add()
            record = watcher.slots[slot]
            record["low"] = -np.inf if np.isnan(c["low_limit"][i]) else c["low_limit"][i]
            record["high"] = np.inf if np.isnan(c["high_limit"][i]) else c["high_limit"][i]
            bounded = not (np.isnan(c["low_limit"][i]) and np.isnan(c["high_limit"][i]))
            odd = c["form_digits"][i] > 0 and c["kinds"][i] == NO_NUMBER
            form = c["form_digits"][i] > 0 and not odd
            record["mode"] = (
                NUMBER * (bounded or odd) + VALUE * (c["value_digits"][i] > 0) + FORM * form
            )
            record["classes"], record["longest"] = c["kinds"][i], c["longest"][i]
            watcher.know(i, sorted(self._known[i]))
            of_tokens = self._of_template.setdefault(int(c["template"][i]), {})
            of_tokens.setdefault(int(c["tokens"][i]), {})[int(c["ordinal"][i])] = i
        return watcher

    def look(self, batch: LineBatch, first_row: int, vocabulary: Vocabulary) -> None:
        """Flag lines of a batch, whose records are numbered from `first_row`."""
        if not len(self) or not len(batch):
            return
        watcher = self._begin()
        room = int(batch.shape.max()) + 1
        if room > len(self._met):
            more = max(room, 2 * len(self._met)) - len(self._met)
            self._met = np.concatenate((self._met, np.zeros(more, bool)))
        new = np.flatnonzero(~self._met[batch.shape])
        if len(new):
            codes, first = np.unique(batch.shape[new], return_index=True)
            self._met[codes] = True
            for code, row in zip(codes.tolist(), new[first].tolist(), strict=True):
                self._place(code, batch.content(row), vocabulary, watcher)
        if self._odd_shapes:
            self._flag_words(batch, first_row)
        found, numbers = watcher.walk(batch)
        for at in range(len(found)):
            row, slot, begin, stop, _, value = found[at].tolist()
            if self._flags.is_loud(slot, first_row + row):
                continue
            text = batch.buf[begin:stop]
            told = self._judge(slot, float(numbers[at]), text, value)
            if told is not None:
                self._flags.meet(first_row + row, slot, *told, text)
        self._flags.bound()

    def _flag_words(self, batch: LineBatch, first_row: int) -> None:
        codes = np.fromiter(self._odd_shapes, np.int32)
        table = np.zeros(max(int(batch.shape.max()), int(codes.max())) + 1, bool)
        table[codes] = True
        for row in np.flatnonzero(table[batch.shape]).tolist():
            for slot, word in self._odd_shapes[int(batch.shape[row])]:
                if not self._flags.is_loud(slot, first_row + row):
                    digits = float(self._columns["value_digits"][slot])
                    self._flags.meet(first_row + row, slot, VALUE_NEW, digits, word)

    def _place(self, code: int, content: bytes, vocabulary: Vocabulary, watcher: Watcher) -> None:
        """Watch the slots of a shape that is met for the first time, and look at its words."""
        at = -1 if code == BLANK else int(vocabulary.of(np.array([code]))[0])
        slots = self._of_template.get(int(vocabulary.hashes[at]), {}) if at >= 0 else {}
        if not slots:
            return
        words = slots.get(WORD, {})
        if words:
            seen = words_of(vocabulary.templates[at], redact(content)).items()
            mine = [(words[place], word) for place, word in seen if place in words]
            odd = [(slot, word) for slot, word in mine if word_hash(word) not in self._known[slot]]
            if odd:
                self._odd_shapes[code] = odd
        layout = layout_of(content)
        here = slots.get(layout.tokens, {}) if layout else {}
        if layout is not None and here:
            watcher.place(code, layout, [here.get(ordinal, -1) for ordinal in layout.ordinals])

    def _judge(self, slot: int, number: float, text: bytes, value: int) -> tuple[int, float] | None:
        """Kind and digits of a token that the kernel told of."""
        best: tuple[float, int] = (0.0, 0)
        if math.isnan(number):
            if self._columns["kinds"][slot] == NO_NUMBER:
                best = (float(self._columns["form_digits"][slot]), FORM_NEW)
        else:
            for kind, side in zip((HIGH, LOW), self._pair(slot), strict=True):
                if side is not None and side.beyond(np.array([number]))[0]:
                    best = (side.digits(number), kind)
        digits = float(self._columns["value_digits"][slot])
        if digits and not best[0] and value & _U64 not in self._known[slot]:
            best = (digits, VALUE_NEW)
        digits = float(self._columns["form_digits"][slot])
        kinds, longest = self._columns["kinds"][slot], self._columns["longest"][slot]
        if digits and kinds != NO_NUMBER and (len(text) > longest or kinds_of(text) & ~kinds):
            best = (digits, FORM_NEW)
        return (best[1], best[0]) if best[0] else None

    def _pair(self, slot: int) -> Pair:
        if not self._sides:
            self._sides = [self._pair_of(i) for i in range(len(self))]
        return self._sides[slot]

    def _pair_of(self, i: int) -> Pair:
        sides: list[Side | None] = []
        for name, sign in zip(SIDES, (1.0, -1.0), strict=True):
            names = (*Tail.__slots__, "unit", "limit", "most")
            c = {k: float(self._columns[f"{name}_{k}"][i]) for k in names}
            tail = Tail(*(c[k] for k in Tail.__slots__))
            side = Side(sign, c["unit"], tail, c["limit"], c["most"])
            sides.append(None if math.isnan(side.limit) else side)
        return sides[0], sides[1]

    def place(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number the lines flagged since the last call as records are numbered now."""
        self._flags.place(now)

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The digits of the most improbable line of each window, 0 where none stands out."""
        out = np.zeros(len(windows))
        for at, flag in self._flags.among(windows.events.row):
            owner = int(np.searchsorted(windows.bounds, at, side="right")) - 1
            out[owner] = max(out[owner], flag.score)
            flag.judged = True
        return out

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """One entry per parameter and kind that stands out in window `i`."""
        span = windows.span(i)
        found: dict[tuple[int, int, int], list[Flag]] = {}
        for at, flag in self._flags.among(windows.events.row[span]):
            if flag.score >= threshold:
                template = int(windows.events.template[span.start + at])
                found.setdefault((template, flag.slot, flag.kind), []).append(flag)
        return [self._told(key, flags, vocabulary) for key, flags in found.items()]

    def _told(
        self, key: tuple[int, int, int], flags: list[Flag], vocabulary: Vocabulary
    ) -> Evidence:
        template, slot, kind = key
        top = max(flags, key=lambda f: (f.score, -f.row))
        rows = sorted({f.row for f in flags})
        value = shown(self._labels[slot], top.text)
        history = self._usual(slot)
        times = f" ({many(len(rows), 'line')})" if len(rows) > 1 else ""
        cited = sorted({top.row, *rows[: _CITED - 1]})
        place = "word" if self._columns["tokens"][slot] == WORD else "parameter"
        position, usual = int(self._columns["ordinal"][slot]), history.of(kind)
        return Evidence(
            score=top.score,
            summary=history.summary(kind, value, top.score) + times,
            expected=usual,
            seen=f"{value}{times}",
            rows=cited,
            key_rows=cited,
            templates=[template],
            parts=[vocabulary.templates[template].id, f"{place}={position}", _KINDS[kind]],
            count=len(rows),
            usual={template: usual},
        )

    def _usual(self, slot: int) -> Usual:
        c = self._columns
        return Usual(
            self._labels[slot],
            int(c["lines"][slot]),
            self._shown[slot],
            len(self._known[slot]),
            int(c["kinds"][slot]),
            int(c["longest"][slot]),
        )

    def drop(self, before: int) -> None:
        """Forget flags of lines before a row, of which no open window holds one."""
        self._flags.drop(before)

    def paused(self) -> State:
        """The lines that were flagged, and how many each slot flagged."""
        return self._flags.paused()

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there; another model has other slots: then nothing is flagged."""
        self._flags.resume(state)

    def cites(self) -> Int64s:
        """Nothing but what open windows hold."""
        return np.empty(0, np.int64)

    def save(self) -> State:
        """What is watched, and the hashes of known values."""
        sizes = [len(known) for known in self._known]
        values: dict[str, NDArray[Any]] = {
            "slot": np.repeat(np.arange(len(self), dtype=np.int32), sizes),
            "hash": np.array([v for known in self._known for v in sorted(known)], np.uint64),
        }
        meta = {"labels": self._labels, "shown": self._shown}
        return State(meta, {"slots": dict(self._columns), "values": values})

    def load(self, state: State) -> None:
        """Take over what is watched; lines flagged in another run are none of this one."""
        columns = state.tables["slots"]
        self._columns = {name: np.asarray(columns[name], kind) for name, kind in COLUMNS.items()}
        self._labels = [str(label) for label in state.meta["labels"]]
        self._shown = [{str(k): str(v) for k, v in s.items()} for s in state.meta["shown"]]
        size = len(self._columns["template"])
        sizes = {len(self._labels), len(self._shown), *map(len, self._columns.values())}
        if sizes != {size}:
            raise ValueError("tables of parameters are not of one length")
        if not sound(self._columns):
            raise ValueError("parameters hold numbers that are out of range")
        values = state.tables["values"]
        pairs = list(zip(values["slot"].tolist(), values["hash"].tolist(), strict=True))
        in_order = all(one < other for one, other in pairwise(pairs))
        if not in_order or any(not 0 <= slot < size for slot, _ in pairs):
            raise ValueError("values of parameters are not in order")
        self._known = [set() for _ in range(size)]
        for slot, value in pairs:
            self._known[slot].add(int(value))
        if any(len(known) > FEW for known in self._known):
            raise ValueError(f"a parameter has more than {FEW} values")
        self._sides, self._watcher, self._met = [], None, np.zeros(0, bool)
        self._odd_shapes, self._of_template = {}, {}
        self._flags = Flags(size)


def _values(slot: Slot, stop: int) -> set[int]:
    return {r.what for r in slot.sketch.values if r.row < stop}
