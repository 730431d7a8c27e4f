"""Diff: what changed between two files, folders, periods or hosts, or since a model was learned.

Both sides are read by one reader and grouped into templates together, so that a template is the
same on both. The statistics are those of `logwright.compare`.

>>> import tempfile, pathlib
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> calm = [f"job {i} done in {i % 7 + 10} ms\\n" for i in range(900)]
>>> slow = [f"job {i} done in {i % 7 + 70} ms\\n" for i in range(900, 1800)]
>>> slow[20] = "disk full\\n"
>>> for name, lines in (("before.log", calm), ("after.log", slow)):
...     _ = (folder / name).write_text("".join(lines))
>>> found = diff(str(folder / "before.log"), str(folder / "after.log"))
>>> [(c.kind, c.clear, c.text) for c in found.changes]
[('new', False, 'disk full'), ('changed', True, 'job <*> done in <*> ms')]
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from logwright.diff.comparison import Comparison
from logwright.errors import InputError, SettingsError
from logwright.findings.change import Diff
from logwright.intake import Intake, Progress
from logwright.logs.batch import Note
from logwright.logs.recording import TEXT_LIMIT
from logwright.logs.sources import expand
from logwright.logs.timestamps import zone_of
from logwright.model import Model
from logwright.settings import Settings, load_settings
from logwright.sides import Condition, SidedRecording
from logwright.tallies import Tallies
from logwright.templates.miner import Miner

__all__ = ["Diff", "diff"]

_REMEMBERED = ("format", "label_prefix", "timezone", "max_line_bytes")


def diff(
    a: str,
    b: str | None = None,
    *,
    at: str | None = None,
    only_a: str | None = None,
    only_b: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Diff:
    """What changed from `a` to `b`: files, globs, folders, '-', or the folder of a model.

    Without `b`, the sides are two parts of `a`: before and after the time `at`, or the lines for
    which `only_a` and `only_b` hold (`logwright.sides.Condition`; all other lines for the one that
    is not given). `options` are settings.
    """
    settings = settings or load_settings(**options)
    conditions = _conditions(b, at, only_a, only_b)
    names = [a] if b is None else [a, b]
    models = [_is_model(name) for name in names]
    if all(models):
        raise InputError(f"{a} is a model, which holds no lines: name a log to compare it with")
    model = Model.load(names[models.index(True)]) if any(models) else None
    if model is not None:
        known = {k: model.settings[k] for k in _REMEMBERED if k in model.settings}
        settings = settings.model_copy(update=known)
    notes: list[Note] = []
    files = [[] if m else expand([n], notes) for n, m in zip(names, models, strict=True)]
    if len(files) == 2 and (
        shared := set(map(os.path.realpath, files[0])).intersection(map(os.path.realpath, files[1]))
    ):
        raise InputError(f"{min(shared)} is on both sides: expected two that differ")
    given = Intake([name for side in files for name in side], settings)
    try:
        for note in notes:
            given.note(f"{note.source}: {note.text}")
        plain = [s.plain_path for s in given.sources.sources]
        limit = min(TEXT_LIMIT, settings.max_line_bytes)
        rows = SidedRecording(plain, given.reader, len(files[0]), conditions, limit)
        given.recording = rows
        miner = Miner(settings.max_shapes)
        given.read(miner, progress)
        if model is not None:
            miner = model.miner.merge(miner)
        vocabulary = given.group(miner)
        tallies = Tallies(rows, vocabulary, zone_of(settings.timezone))
        if model is not None:
            tallies.enter(model, models.index(True))
        titles = (a, b) if b is not None else _titles(a, at, only_a, only_b)
        terms = [c for c in conditions or () if c is not None]
        return Comparison(given, vocabulary, tallies, titles, terms).result()
    finally:
        given.close()


def _conditions(
    b: str | None, at: str | None, only_a: str | None, only_b: str | None
) -> tuple[Condition | None, Condition | None] | None:
    """What tells the lines of both sides apart; None where they are different files."""
    if sum((b is not None, at is not None, only_a is not None or only_b is not None)) != 1:
        raise SettingsError(
            "expected two sides: two files, or one and a time (--at), or one and what holds for "
            "its lines (--a, --b)"
        )
    if b is not None:
        return None
    if at is not None:
        return Condition(at, until=at), Condition(at, since=at)
    first, second = (None if t is None else Condition.parse(t) for t in (only_a, only_b))
    return first, second


def _titles(a: str, at: str | None, only_a: str | None, only_b: str | None) -> tuple[str, str]:
    if at is not None:
        return f"{a} before {at}", f"{a} from {at} on"
    return f"{a}, {only_a or 'all other lines'}", f"{a}, {only_b or 'all other lines'}"


def _is_model(name: str) -> bool:
    return all((Path(name) / own).is_file() for own in ("manifest.json", "thresholds.json"))
