"""Grids: which tables a result makes, of which columns, as text that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logwright.bench.peers import notes
from logwright.bench.rows import APART, is_floor

__all__ = ["Grid", "Section", "cell", "flat", "sections", "times_of"]

Row = Mapping[str, Any]

_TABLES = {
    "no labels": "No anomaly labels were learned from; labels used tells whether labels chose the "
    "normal windows of history (semi-supervised) or nothing at all (none).",
    "questions asked": "An expert answered so many questions about the test part. Where labels "
    "used says so, labels had also chosen the normal windows of history.",
    "labels": "Every window of training came with its label.",
    APART: "Not comparable with the other tables: as in papers, what is fitted or tuned has seen "
    "the test part. It only shows whether a re-implementation reaches the published figure.",
    "whole set": "One cut of the whole set: history is its first part, all that follows is judged.",
    "templates": "Systems of unseen items were not looked at while engines were written. Token F1: "
    "which tokens vary; exact: the template is the set's, in its own way of writing it.",
    "anomalies": "Templates, one at a time, by the labels as experts corrected them. What is not "
    "answered is no alarm.",
    "failures ahead": "Messages of switches: does it tell of a failure? The label is the vendor's.",
    "incidents": "Runs with an injected fault, beside healthy runs of the same program. Macro "
    "recall: the fault's class named first, the mean over classes.",
    "runs": "The same runs and the healthy ones: abnormal or normal? Beside it, the shares of "
    "healthy runs for which a cause is named, or a failure told, all the same.",
    "texts": "Overlap with texts that people or models wrote: likeness of wording, not truth.",
    "cost": "For an answer to a held-out item: medians, and the most.",
    "answer first": "Tokens before the answer's first word, and until its first line is whole, in "
    "full and in fast mode.",
}
_KNOWN = ("labels_used", "questions", "llm_calls", "llm_cost")
_LOWEST = 6


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    keys: tuple[str, ...]
    text: Callable[[Row], str]

    def value(self, row: Row) -> Any:
        """What the column is sorted by."""
        if self.keys == ("stress",):
            return _stresses(row).get(self.head)
        return row.get(self.keys[0])


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: heads; for each row its cells, what they are sorted by, and if it is a floor."""

    name: str
    heads: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    values: tuple[tuple[Any, ...], ...]
    floors: tuple[bool, ...]
    named: int
    """The column that holds the method's name, where a floor is marked."""


@dataclass(frozen=True, slots=True)
class Section:
    """What is read together: rows on the same windows. `facts` hold for all of them, `notes` tell
    how far single methods are from what was published for them."""

    title: str
    note: str
    caption: str
    facts: tuple[tuple[str, str], ...]
    grids: tuple[Grid, ...]
    apart: bool = False
    notes: tuple[str, ...] = ()


def cell(value: object) -> str:
    """A value as people read it.

    >>> cell(12345), cell(0.98765), cell(True), cell(None), cell({"a": 0.5, "b": [1, 2]})
    ('12,345', '0.9877', 'yes', '', 'a 0.5, b 1 / 2')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(one)}" for name, one in flat(value))
    if isinstance(value, list | tuple):
        return " / ".join(map(cell, value))
    return str(value)


def flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of objects in objects, with their names.

    >>> list(flat({"hdfs": {"fit": 1.5, "score": 2}, "all": 4}))
    [('hdfs, fit', 1.5), ('hdfs, score', 2), ('all', 4)]
    """
    for name, one in value.items():
        path = f"{before}{name}"
        if isinstance(one, Mapping):
            yield from flat(one, f"{path}, ")
        else:
            yield path, one


def times_of(result: Mapping[str, Any]) -> Grid | None:
    """The seconds of a result as a table: a row for each object that holds some."""
    rows: dict[str, dict[str, Any]] = {}

    def collect(times: Mapping[str, Any], path: tuple[str, ...]) -> None:
        for name, value in times.items():
            if isinstance(value, Mapping):
                collect(value, (*path, name))
            elif path:
                rows.setdefault(", ".join(path), {})[name] = value
            else:
                rows.setdefault(name, {})["seconds"] = value

    collect(result.get("times", {}), ())
    if not rows:
        return None
    columns = [_plain(key, key) for key in dict.fromkeys(k for row in rows.values() for k in row)]
    named = [{"of": name, **row} for name, row in rows.items()]
    return _grid("Seconds", [_plain("of", "of"), *columns], named)


def _plain(head: str, key: str) -> _Column:
    return _Column(head, (key,), lambda row: cell(row.get(key)))


def _score(head: str, key: str) -> _Column:
    return _Column(head, (key,), lambda row: _fixed(row.get(key), 4))


def _between(head: str, low: str, high: str) -> _Column:
    def text(row: Row) -> str:
        if row.get(low) is None or row.get(high) is None:
            return ""
        return f"{_fixed(row[low], 3)} to {_fixed(row[high], 3)}"

    return _Column(head, (low, high), text)


def _share(head: str, key: str) -> _Column:
    def text(row: Row) -> str:
        value = row.get(key)
        return cell(value) if not isinstance(value, float) else f"{value * 100:.3g} %"

    return _Column(head, (key,), text)


def _fixed(value: object, digits: int) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if number else cell(value)


def _by_kind(row: Row) -> str:
    """How many kinds of anomaly are found in full, and those that are found least."""
    value = row.get("recall_by_kind")
    if not isinstance(value, Mapping) or not all(
        isinstance(v, int | float) for v in value.values()
    ):
        return cell(value)
    missed = sorted((v, name) for name, v in value.items() if v < 1)
    said = [f"{len(value) - len(missed)} of {len(value)} in full"]
    said += [f"{name} {v:.2f}" for v, name in missed[:_LOWEST]]
    if len(missed) > _LOWEST:
        said.append(f"{len(missed) - _LOWEST} more")
    return ", ".join(said)


_ANSWERS = (
    _plain("of", "source"),
    _score("token F1", "token_f1"),
    _between("95 % interval of token F1", "token_f1_low", "token_f1_high"),
    _score("exact", "exact"),
    _between("95 % interval of exact", "exact_low", "exact_high"),
    _score("macro recall", "macro_recall"),
    _between("95 % interval of macro recall", "macro_recall_low", "macro_recall_high"),
    _score("causal line in first 3", "causal_in_first_3"),
    _share("causes on healthy", "causes_told_on_healthy"),
    _share("failures on healthy", "failures_told_on_healthy"),
    _score("BLEU-4", "bleu"),
    _score("ROUGE-1", "rouge1"),
    _score("ROUGE-2", "rouge2"),
    _score("ROUGE-L", "rouge_l"),
    _score("F1, published labels", "f1_published"),
    _share("answered", "answered"),
    _share("well-formed", "well_formed"),
    _share("citations valid", "citations_valid"),
    _plain("CPU ms", "cpu_ms_median"),
    _plain("CPU ms, most", "cpu_ms_most"),
    _plain("seconds", "seconds_median"),
    _plain("tokens", "tokens_mean"),
    _plain("before, full mode", "tokens_before_full"),
    _plain("before, answer first", "tokens_before_fast"),
    _plain("times fewer before", "times_fewer_before"),
    _plain("until whole, full mode", "tokens_full"),
    _plain("until whole, answer first", "tokens_fast"),
    _plain("times fewer", "times_fewer"),
)
"""Of the suite of reasoning."""
_QUALITY = (
    _score("F1", "f1"),
    _between("range", "f1_low", "f1_high"),
    _between("95 % interval", "f1_ci_low", "f1_ci_high"),
    _score("precision", "precision"),
    _score("recall", "recall"),
    _score("accuracy", "accuracy"),
    _between("95 % interval of accuracy", "accuracy_low", "accuracy_high"),
    _score("macro-F1", "macro_f1"),
    _between("95 % interval of macro-F1", "macro_f1_low", "macro_f1_high"),
    _score("specificity", "specificity"),
    _score("PR-AUC", "pr_auc"),
    _plain("alarms per 10,000 windows", "alarms_per_10k"),
    _plain("alarms a day", "alarms_per_day"),
    *_ANSWERS,
)
_DETAIL = (
    _score("F1, distinct windows", "f1_distinct"),
    _score("F1, answers applied", "f1_answered"),
    _score("F1, corrected labels", "f1_corrected"),
    _score("F1, random split (leaks)", "f1_random_split"),
    _plain("lines to first alarm", "lines_to_first_alarm"),
    _plain("seconds to first alarm", "seconds_to_first_alarm"),
    _plain("asked by", "unit"),
    _plain("answers benign", "benign"),
    _Column("recall by kind of anomaly", ("recall_by_kind",), _by_kind),
)
_DATA = (
    _plain("extent", "lines"),
    _plain("grouping", "grouping"),
    _plain("window", "window"),
    _plain("test windows", "windows"),
    _share("abnormal", "positive_rate"),
    _plain("distinct windows", "distinct_windows"),
    _share("test windows seen in training", "test_seen_in_train"),
    _plain("offsets", "offsets"),
    _plain("offset of the figures", "offset"),
    _plain("seeds", "seeds"),
    _plain("labels used", "labels_used"),
    _plain("questions", "questions"),
    _plain("LLM calls", "llm_calls"),
    _plain("LLM cost", "llm_cost"),
)
_PLACED = {"table", "set", "method", "stress", "history", "note"}
_PLACED |= {key for column in (*_QUALITY, *_DETAIL, *_DATA) for key in column.keys}
_SAME_WINDOWS = ("set", "lines", "grouping", "window", "history")


def sections(result: Mapping[str, Any]) -> Iterator[Section]:
    """The tables of a result: those of detection apart by what was known of labels and by windows;
    any other suite is one table."""
    rows: list[Row] = result["rows"]
    others = [row for row in rows if "table" not in row]
    if others:
        yield _other(others)
    kinds = dict.fromkeys(row["table"] for row in rows if "table" in row)
    known = list(_TABLES)
    for kind in sorted(kinds, key=lambda k: known.index(k) if k in known else len(known)):
        parts: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            if row.get("table") == kind:
                parts.setdefault(tuple(str(row.get(k, "")) for k in _SAME_WINDOWS), []).append(row)
        for part in parts.values():
            yield _detection(str(kind), part)


def _detection(kind: str, rows: list[Row]) -> Section:
    # Stable: ties as in the file. Classes have an accuracy in place of F1.
    rows = sorted(rows, key=lambda row: -float(row.get("f1", row.get("accuracy")) or 0))
    method = _plain("method", "method")
    varying = [c for c in _DATA if _distinct(rows, c) > 1]
    facts = [(c.head, c.text(rows[0])) for c in _DATA if c not in varying and _held(rows, c)]
    silent = [c.head for c in _DATA if c.keys[0] in _KNOWN and not _held(rows, c)]
    if silent:
        facts.append(("not stated", ", ".join(silent)))
    rest = dict.fromkeys(key for row in rows for key in row if key not in _PLACED)
    detail = list(_DETAIL)
    for column in (*(_plain(key, key) for key in rest), _plain("note", "note")):
        if len(rows) > 1 and _distinct(rows, column) == 1:
            if text := column.text(rows[0]):
                facts.append((column.head, text))
        else:
            detail.append(column)
    # What was known or asked is read together with the figures; the rest of the data is not.
    known = [c for c in varying if c.keys[0] in _KNOWN]
    varying = [c for c in varying if c not in known]
    wide = [
        ("", [*known, *_QUALITY]),
        ("More of the same rows", detail),
        ("F1 under stress", _stress(rows)),
        ("Data and costs", varying),
    ]
    shown = [(name, [c for c in columns if _held(rows, c)]) for name, columns in wide]
    grids = [
        _grid(name, [method, *columns], [row for row in rows if not name or _says(row, columns)])
        for name, columns in shown
        if columns
    ]
    caption = ", ".join(
        str(rows[0][key]) for key in ("set", "grouping", "window", "history") if rows[0].get(key)
    )
    return Section(
        kind,
        _TABLES.get(kind, ""),
        caption,
        tuple(facts),
        tuple(grids),
        kind == APART,
        tuple(notes(rows)),
    )


def _says(row: Row, columns: Sequence[_Column]) -> bool:
    return any(column.value(row) is not None for column in columns)


def _stress(rows: Sequence[Row]) -> list[_Column]:
    """A column for each kind of stress."""

    def column(name: str) -> _Column:
        return _Column(name, ("stress",), lambda row: _fixed(_stresses(row).get(name), 4))

    return [column(name) for name in dict.fromkeys(name for row in rows for name in _stresses(row))]


def _stresses(row: Row) -> dict[str, Any]:
    value = row.get("stress")
    return dict(flat(value)) if isinstance(value, Mapping) else {}


def _other(rows: list[Row]) -> Section:
    names = list(dict.fromkeys(key for row in rows for key in row))
    columns = [_plain(name, name) for name in names]
    same = [c for c in columns if len(rows) > 1 and _distinct(rows, c) == 1]
    facts = tuple((c.head, c.text(rows[0])) for c in same)
    grid = _grid("", [c for c in columns if c not in same], rows)
    return Section("", "", "", facts, (grid,))


def _grid(name: str, columns: Sequence[_Column], rows: Sequence[Row]) -> Grid:
    return Grid(
        name,
        tuple(c.head for c in columns),
        tuple(tuple(c.text(row) for c in columns) for row in rows),
        tuple(tuple(c.value(row) for c in columns) for row in rows),
        tuple(map(is_floor, rows)),
        next((i for i, c in enumerate(columns) if c.keys[0] == "method"), 0),
    )


def _distinct(rows: Sequence[Row], column: _Column) -> int:
    return len({repr([row.get(key) for key in column.keys]) for row in rows})


def _held(rows: Sequence[Row], column: _Column) -> bool:
    return any(row.get(key) is not None for row in rows for key in column.keys)
