"""Two results of one suite compared: what became worse by more than noise.

Noise of a score is its interval: the bootstrap's, else the range over offsets and seeds, of both
results. A drop counts where neither score lies within the other's interval. Noise of rates, seconds
and memory is 5 %, or the spread where a result holds several repeats; these are compared on one
machine only. Seconds that were taken once are told, but are no regression: a busy machine makes
them longer. Precision and recall are compared where there is no F1: one is traded for the other.
What finding costs (questions, alarms, time to the first alarm) may differ by 10 %; recall of single
kinds and F1 under stress by 10 % or by as much as the row's other scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from logwright.bench.grids import cell, flat
from logwright.bench.rows import identity
from logwright.errors import LogwrightError

__all__ = ["Change", "Comparison", "compare", "told"]

Row = Mapping[str, Any]
Verdict = Literal["worse", "better", "same", "gone", "new", "slower", "faster"]

_SCORES = ("f1", "pr_auc", "f1_low", "f1_distinct", "f1_corrected", "f1_answered")
_WITHOUT_F1 = (
    *("precision", "recall", "specificity", "GA", "PA", "FTA", "times", "right"),
    *("among_first_5", "accuracy", "macro_f1"),
    *("token_f1", "exact", "macro_recall", "causal_in_first_3", "bleu", "rouge_l"),
    *("answered", "well_formed", "citations_valid"),
)
_COSTS = (
    *("questions", "alarms_per_10k", "alarms_per_day"),
    *("lines_to_first_alarm", "seconds_to_first_alarm"),
)
_DETAILS = ("recall_by_kind", "stress")
_MORE = ("M_lines_per_s", "MB_per_s", "times_drain3")
_LESS = ("seconds", "peak_mib")
_NOISE = 0.005
"""Of scores without an interval: figures are rounded, and ties of scores fall this way or that."""
_RELATIVE = 0.05
_LOOSE = 0.1
_LEAST_COST = 1.0
_ONCE = 0.25
"""What seconds that were taken once may differ by before they are told."""
_LEAST_SECONDS = 0.02
_RATES_NEED = ("cpu", "cores", "kernel")
_ALSO_TOLD = ("python", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one row, before and after; `noise` is what it may differ by."""

    row: str
    figure: str
    old: float | None
    new: float | None
    noise: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures that could be compared, and what a reader has to know about them."""

    suite: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def worse(self) -> tuple[Change, ...]:
        """Regressions, and rows that are gone: they could hide one."""
        return tuple(c for c in self.changes if c.verdict in ("worse", "gone"))

    def as_json(self) -> dict[str, Any]:
        """All of it as plain objects."""
        return {
            "suite": self.suite,
            "worse": len(self.worse),
            "notes": list(self.notes),
            "changes": [asdict(change) for change in self.changes],
        }


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """Compare two results of one suite.

    >>> def result(f1):
    ...     row = {"method": "ladder", "f1": f1, "f1_ci_low": f1 - 0.01, "f1_ci_high": f1 + 0.01}
    ...     return {"suite": "hdfs", "machine": {}, "rows": [row], "summary": {}}
    >>> [c.verdict for c in compare(result(0.9), result(0.895)).changes]
    ['same']
    >>> [c.verdict for c in compare(result(0.9), result(0.8)).changes]
    ['worse']
    """
    if old["suite"] != new["suite"]:
        raise LogwrightError(f"these are results of two suites: {old['suite']} and {new['suite']}")
    notes = list(_notes(old, new))
    same_machine = all(old["machine"].get(k) == new["machine"].get(k) for k in _RATES_NEED)
    before, after = _named(old["rows"]), _named(new["rows"])
    changes: list[Change] = []
    for name, row in before.items():
        if name in after:
            changes += _row(name, row, after[name], same_machine)
        else:
            changes.append(Change(name, "row", None, None, 0.0, "gone"))
    changes += (Change(n, "row", None, None, 0.0, "new") for n in after if n not in before)
    if same_machine:
        changes += _times(old.get("times", {}), new.get("times", {}))
    return Comparison(old["suite"], tuple(changes), tuple(notes))


def _notes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    machines = old["machine"], new["machine"]
    differ = [
        f"{key} {cell(machines[0].get(key))} and {cell(machines[1].get(key))}"
        for key in (*_RATES_NEED, *_ALSO_TOLD)
        if machines[0].get(key) != machines[1].get(key)
    ]
    if any(machines[0].get(k) != machines[1].get(k) for k in _RATES_NEED):
        yield f"Other machine ({', '.join(differ)}): rates, seconds and memory are not compared."
    elif differ:
        yield f"Other versions: {', '.join(differ)}."
    for what in ("data", "settings"):
        if old.get(what) != new.get(what):
            yield (
                f"Other {what}: {cell(old.get(what))}; now {cell(new.get(what))}. "
                "Scores may differ for that alone."
            )
    if any(result.get("settings", {}).get("quick") for result in (old, new)):
        yield "A quick run measures nothing: compare whole runs."


def _named(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by name; those that nothing tells apart are numbered as they come."""
    named: dict[str, Row] = {}
    for row in rows:
        base = name = ", ".join(value for _, value in identity(row)) or "row"
        number = 1
        while name in named:
            number += 1
            name = f"{base} ({number})"
        named[name] = row
    return named


def _row(name: str, old: Row, new: Row, same_machine: bool) -> Iterator[Change]:
    width = max(_half(old), _half(new), _NOISE)
    for key in _SCORES if "f1" in old else _WITHOUT_F1:
        a, b = _number(old.get(key)), _number(new.get(key))
        if a is None or b is None:
            if a is not None:
                yield Change(name, key, a, None, 0.0, "gone")
            continue
        if key == "f1":
            yield _f1(name, old, new, a, b)
        else:
            yield Change(name, key, a, b, width, _verdict(b - a, width))
    yield from _costs(name, old, new)
    yield from _details(name, old, new, width)
    if not same_machine:
        return
    for key, sign in (*((k, 1) for k in _MORE), *((k, -1) for k in _LESS)):
        a, b = _number(old.get(key)), _number(new.get(key))
        if a is not None and b is not None:
            noise = max(abs(a) * _RELATIVE, _LEAST_SECONDS if key == "seconds" else 0.0)
            yield Change(name, key, a, b, noise, _verdict(sign * (b - a), noise))


def _costs(name: str, old: Row, new: Row) -> Iterator[Change]:
    """Less is better, also of alarms: where fewer are fewer true ones, recall and F1 tell it."""
    for key in _COSTS:
        a, b = _number(old.get(key)), _number(new.get(key))
        if a is not None and b is not None:
            noise = max(abs(a) * _LOOSE, _LEAST_COST)
            yield Change(name, key, a, b, noise, _verdict(a - b, noise))


def _details(name: str, old: Row, new: Row, width: float) -> Iterator[Change]:
    """Scores by kind of anomaly and by stress; those that only one result holds are left out, as
    kinds depend on the data and stress on what is installed."""
    for key in _DETAILS:
        before, after = old.get(key), new.get(key)
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            continue
        now = dict(flat(after))
        for leaf, value in flat(before):
            a, b = _number(value), _number(now.get(leaf))
            if a is not None and b is not None:
                noise = max(width, abs(a) * _LOOSE)
                yield Change(name, f"{key}: {leaf}", a, b, noise, _verdict(b - a, noise))


def _f1(name: str, old: Row, new: Row, a: float, b: float) -> Change:
    """The same where one score lies within the other's interval."""
    (low, high), (new_low, new_high) = _interval(old, a), _interval(new, b)
    verdict: Verdict = "better" if b > a else "worse"
    if low <= b <= high or new_low <= a <= new_high:
        verdict = "same"
    return Change(name, "f1", a, b, round(max(_half(old), _half(new)), 4), verdict)


def _interval(row: Row, value: float) -> tuple[float, float]:
    for low, high in (("f1_ci_low", "f1_ci_high"), ("f1_low", "f1_high")):
        ends = _number(row.get(low)), _number(row.get(high))
        if ends[0] is not None and ends[1] is not None:
            return min(ends[0], value - _NOISE), max(ends[1], value + _NOISE)
    return value - _NOISE, value + _NOISE


def _half(row: Row) -> float:
    """Half of the F1's interval: what other scores of the row are granted."""
    value = _number(row.get("f1"))
    if value is None:
        return 0.0
    low, high = _interval(row, value)
    return (high - low) / 2


def _times(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(flat(old)), dict(flat(new))
    for name, value in before.items():
        a, b = _repeats(value), _repeats(after.get(name))
        if not a or not b:
            continue
        middle, now = median(a), median(b)
        spread = max(max(a) - min(a), max(b) - min(b))
        if len(a) > 1 and len(b) > 1:
            noise = max(spread, _LEAST_SECONDS)
            verdict = _verdict(middle - now, noise)
        else:
            noise = max(middle * _ONCE, _LEAST_SECONDS)
            verdict = _TOLD[_verdict(middle - now, noise)]
        yield Change(name, "seconds", middle, now, noise, verdict)


_TOLD: Mapping[Verdict, Verdict] = {"worse": "slower", "better": "faster", "same": "same"}


def _repeats(value: object) -> list[float]:
    values = value if isinstance(value, list) else [value]
    numbers = [_number(one) for one in values]
    return [number for number in numbers if number is not None]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _verdict(gain: float, noise: float) -> Verdict:
    # A hair more than the noise, as differences of rounded figures are never exact.
    if abs(gain) <= noise + 1e-9:
        return "same"
    return "better" if gain > 0 else "worse"


def told(comparison: Comparison) -> Sequence[Sequence[str]]:
    """What changed as rows of text, worst kind first, the head before them; what did not change is
    not in it."""
    order: tuple[Verdict, ...] = ("worse", "gone", "better", "new", "slower", "faster")
    shown = [c for verdict in order for c in comparison.changes if c.verdict == verdict]
    return [
        ("", "row", "figure", "old", "new", "noise"),
        *(
            (c.verdict, c.row, c.figure, cell(c.old), cell(c.new), cell(c.noise or None))
            for c in shown
        ),
    ]
