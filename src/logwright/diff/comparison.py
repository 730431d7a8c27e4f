"""Comparison: tests what was counted on both sides, and words what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.compare import Family, Floats, family, of_bursts, pace
from logwright.errors import InputError
from logwright.findings.change import CLEAR, Change, Diff, DiffSide, Kind, severity_of, summary_of
from logwright.findings.finding import SEVERITIES, CitedLine
from logwright.findings.severity import rank
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME
from logwright.logs.recording import Place
from logwright.logs.redaction import redact
from logwright.logs.timestamps import iso
from logwright.sides import Condition
from logwright.tallies import NO_ROW, Tallies, Tally
from logwright.telling import cite
from logwright.templates.parameters import LINE
from logwright.templates.vocabulary import Vocabulary
from logwright.values import ValueChange, compare_values

__all__ = ["Comparison"]

_FAMILIES = 2
"""Counts and values share the level."""

_LEAST_RATIO = 1.5
_LIKELY = 2 / 3
"""A template on one side only is told where chance deals it so no more often than this."""

_MOST_WATCHED = 50_000
_LEAST_LINES = 16  # on each side, for values to be compared
_MOST_SAMPLED = 600
_MOST_CHANGED = 3

Samples = dict[tuple[int, int], list[tuple[int, int]]]
Ranked = tuple[tuple[int, bool, float, str], Change]


class Comparison:
    """What was counted of both sides, and what changed: `result`."""

    def __init__(
        self,
        given: Intake,
        vocabulary: Vocabulary,
        tallies: Tallies,
        titles: tuple[str, str],
        conditions: Sequence[Condition],
    ) -> None:
        self.given, self.vocabulary, self.tallies, self.titles = given, vocabulary, tallies, titles
        self.a, self.b = tallies.a, tallies.b
        for name, tally in (("A", self.a), ("B", self.b)):
            if not tally.lines:
                span = ""
                if given.first != NO_TIME:
                    span = f": the log runs from {iso(given.first)} to {iso(given.last)}"
                raise InputError(f"side {name} ({titles['AB'.index(name)]}) holds no lines{span}")
        self.exposures = tallies.exposures
        self.share = self.exposures[1] / sum(self.exposures)
        self.not_told = 0
        self.defining = {value.encode() for c in conditions for _, value in c.terms}

    def result(self) -> Diff:
        """What changed."""
        a, b = self.a, self.b
        level = CLEAR / _FAMILIES
        templates = self._watched(level)
        sampled = self._sampled()
        templates = np.union1d(templates, sampled)
        samples = self.tallies.look(templates, sampled)
        known = np.fmax(np.fmax(a.bursts, b.bursts), 1.0)
        busy = pace(a.count[templates], b.count[templates], known, self.share)
        self.share = busy * self.exposures[1] / (self.exposures[0] + busy * self.exposures[1])
        tested = family(a.count + b.count, self.share, level)
        changes = self._counts(templates, known, tested)
        values, parameters = self._values(
            samples, dict(zip(templates.tolist(), known.tolist(), strict=True))
        )
        changes += values
        return Diff(
            a=self._side(a, self.titles[0]),
            b=self._side(b, self.titles[1]),
            changes=tuple(change for _, change in sorted(changes, key=lambda ranked: ranked[0])),
            by="time" if self.tallies.timed else "lines",
            pace=busy,
            common=int(((a.count > 0) & (b.count > 0)).sum()),
            tested=int(tested.tested.sum()),
            parameters=parameters,
            not_told=self.not_told,
            notes=self._notes(),
        )

    @staticmethod
    def _side(tally: Tally, title: str) -> DiffSide:
        first, last = tally.side.first, tally.side.last
        return DiffSide(
            name=title,
            lines=tally.lines,
            templates=int((tally.count > 0).sum()),
            first=None if first == NO_TIME else iso(first),
            last=None if last == NO_TIME else iso(last),
            seconds=tally.seconds or None,
        )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if not self.tallies.timed and self.given.first != NO_TIME:
            notes.append("one side has no times: templates are compared by their share of lines")
        if self.a.is_model or self.b.is_model:
            notes.append("a model keeps counts, not lines: parameters are not compared")
        return (*notes, *self.given.all_notes())

    # --- how often templates come -----------------------------------------------------------------

    def _watched(self, level: float) -> NDArray[np.intp]:
        """The templates that are looked at closely: those that can be told apart (by a wide margin,
        as the share may change with the pace), and those on one side only."""
        x, y = self.a.count, self.b.count
        often = family(x + y, self.share, level).tested | (x + y >= _LEAST_LINES)
        watched = np.flatnonzero(often | ((x == 0) != (y == 0)))
        if len(watched) > _MOST_WATCHED:
            most = np.argsort(-(x + y)[watched], kind="stable")[:_MOST_WATCHED]
            watched = np.sort(watched[most])
        return watched

    def _counts(self, templates: NDArray[np.intp], known: Floats, tested: Family) -> list[Ranked]:
        """What is new, gone, faster and slower."""
        a, b = self.a, self.b
        x, y = a.count[templates], b.count[templates]
        alone = of_bursts(x / known, y / known, self.share)
        unknown = np.zeros(len(templates), bool)
        for tally in (a, b):  # of bursts that a model does not know, nothing can be said
            unknown |= np.isnan(tally.bursts) & (tally.count[templates] > 0)
        alone[unknown] = 1.0
        chance = np.minimum(alone * tested.factor * _FAMILIES, 1.0)
        chance[~tested.tested[templates]] = 1.0
        odds = self.share / (1 - self.share)
        found: list[Ranked] = []
        told = (x + y > 0) & ~self.tallies.left_out[templates]
        for i in np.flatnonzero(told).tolist():
            t, clear = int(templates[i]), bool(chance[i] <= CLEAR)
            kind: Kind
            ratio = None
            if x[i] and y[i]:
                ratio = float(y[i] / x[i] / odds)
                kind = "faster" if ratio > 1 else "slower"
                if not clear or max(ratio, 1 / ratio) < _LEAST_RATIO:
                    continue
            else:
                kind = "gone" if x[i] else "new"
                share = self.share if kind == "new" else 1 - self.share
                likely = share ** max((x[i] + y[i]) / known[i], 1.0) > _LIKELY
                # New trouble is told, whatever chance would have: that is what one looks for.
                text = self.vocabulary.templates[t].text
                bad = kind == "new" and rank(int(b.level[t]), [text]) > 0
                if not clear and not bad and (likely or unknown[i]):
                    self.not_told += 1
                    continue
            effect = abs(float(np.log((y[i] + 0.5) / (x[i] + 0.5) / odds)))
            change = self._change(kind, t, float(chance[i]), float(alone[i]), ratio=ratio)
            found.append((_rank(change, effect), change))
        return found

    def _change(
        self,
        kind: Kind,
        t: int,
        chance: float,
        alone: float,
        row: int | None = None,
        **more: Any,
    ) -> Change:
        a, b = self.a, self.b
        template = self.vocabulary.templates[t]
        before, after = int(a.count[t]), int(b.count[t])
        if row is None:
            rows = (a.last[t], b.first[t]) if kind == "gone" else (b.first[t], a.last[t])
            row = next((int(r) for r in rows if r != NO_ROW), NO_ROW)
        clear = chance <= CLEAR
        change = Change(
            kind=kind,
            severity=severity_of(kind, int(max(a.level[t], b.level[t])), template.text, clear),
            clear=clear,
            chance=chance,
            alone=alone,
            template=template.id,
            text=template.text,
            before=before,
            after=after,
            rate_before=before / self.exposures[0],
            rate_after=after / self.exposures[1],
            line=None if row == NO_ROW else self._line(row, template.id),
            summary="",
            **more,
        )
        return change.model_copy(update={"summary": summary_of(change)})

    def _line(self, row: int, template: str) -> CitedLine:
        place = self.given.recording.place(row)
        text = redact(place.text, self.given.settings.emails)
        begin = self.given.reader.message_at(place.source_id, text)
        return cite(self.given, row, place, text, begin, template=template, highlight=True)

    # --- values of parameters ---------------------------------------------------------------------

    def _sampled(self) -> NDArray[np.intp]:
        """The templates whose values are compared: those with most lines on both sides."""
        if self.a.is_model or self.b.is_model:
            return np.empty(0, np.intp)
        least = np.minimum(self.a.count, self.b.count)
        often = np.flatnonzero((least >= _LEAST_LINES) & ~self.tallies.left_out)
        often = often[np.argsort(-least[often], kind="stable")]
        worded = [t for t in often.tolist() if len(self.vocabulary.templates[t].parts) > 1]
        return np.array(sorted(worded[:_MOST_SAMPLED]), np.intp)

    def _values(self, samples: Samples, known: dict[int, float]) -> tuple[list[Ranked], int]:
        """The parameters that changed, at most three of a template; and how many were tested."""
        changed: dict[int, list[tuple[float, int, int, ValueChange]]] = {}
        tests = parameters = 0
        for t in sorted({t for t, _ in samples}):
            sides = [self._columns(t, samples.get((t, code), [])) for code in (0, 1)]
            rows, columns = zip(*sides, strict=True)
            bursts = (self.a.count[t] / known[t], self.b.count[t] / known[t])
            for p, (before, after) in enumerate(zip(*columns, strict=True)):
                value = compare_values(before, after, *bursts)
                tests += value.tests
                parameters += value.tests > 0
                if value.chance < 1 and value.shown not in self.defining:
                    side, column = (1, after) if value.shown in after else (0, before)
                    row = rows[side][column.index(value.shown)]
                    changed.setdefault(t, []).append((value.chance, p, row, value))
        found: list[Ranked] = []
        least = [
            (t, *each)
            for t, all_ in changed.items()
            for each in sorted(all_, key=lambda v: v[:2])[:_MOST_CHANGED]
        ]
        for t, alone, p, row, value in least:
            chance = min(alone * tests * _FAMILIES, 1.0)
            if chance > CLEAR:
                continue
            change = self._change(
                "changed",
                t,
                chance,
                min(alone * value.tests, 1.0),
                row=row,
                ratio=value.after / value.before if value.before and value.after else None,
                parameter=p + 1,
                measure=value.measure,
                value_before=value.before,
                value_after=value.after,
                unit=value.unit,
            )
            found.append((_rank(change, value.effect), change))
        return found, parameters

    def _columns(
        self, t: int, sample: list[tuple[int, int]]
    ) -> tuple[list[int], list[list[bytes]]]:
        """The rows of a sample in order of time, and their values at each `<*>`."""
        template = self.vocabulary.templates[t]
        number = len(template.parts) - 1
        rows: list[int] = []
        columns: list[list[bytes]] = [[] for _ in range(number)]
        for _, row in sorted(sample):
            values = template.parameters(self._content(self.given.recording.place(row)))
            if len(values) != number or values[-1].type == LINE:
                continue
            rows.append(row)
            for column, value in zip(columns, values, strict=True):
                column.append(value.value)
        return rows, columns

    def _content(self, place: Place) -> bytes:
        """A line's message, secrets removed."""
        text = redact(place.text, self.given.settings.emails)
        content = text[self.given.reader.message_at(place.source_id, text) :]
        if self.given.reader.formats[place.source_id].format.kind == "json":
            try:  # the rest of a JSON object: its message is the string that begins here
                decoded, _ = json.JSONDecoder(strict=False).raw_decode(
                    '"' + content.decode("utf-8", "surrogateescape")
                )
            except ValueError:
                return content
            return str(decoded).encode("utf-8", "surrogateescape")
        return content


def _rank(change: Change, effect: float) -> tuple[int, bool, float, str]:
    """Worst first; clear ones before the others; then what changed most."""
    return (
        -SEVERITIES.index(change.severity),
        not change.clear,
        -round(effect, 6),
        f"{change.template} {change.parameter}",
    )
