"""Answers and corrections in the SQLite store: the part of `SQLiteStore` that keeps them."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from logwright.errors import InputError, StoreError
from logwright.store.kept_answers import AnswerRow, Correction
from logwright.store.opening import told
from logwright.store.rows import dump, dump_model, micros, moment_of, now, packed

__all__ = ["KeepsAnswers", "prune_answers"]

_T = TypeVar("_T")

_LONGEST = 64 << 20  # bytes of one answer with its lines
_ANSWERS = "SELECT id, made, body FROM answers "
_PUT = """
    INSERT INTO answers (id, made, task, engine, finding, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET made = excluded.made
"""
_CORRECTIONS = """
    SELECT answer, number, undone, json FROM corrections
    WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY number
"""
_PUT_AUDIT = """
    INSERT INTO audit (time, by, action, subject, entry, changed) VALUES (?, ?, ?, ?, NULL, ?)
"""
_OLD = """
    DELETE FROM answers WHERE made < ?
    AND NOT EXISTS (SELECT 1 FROM corrections WHERE corrections.answer = answers.id)
"""
_ROW: TypeAdapter[AnswerRow] = TypeAdapter(AnswerRow)
_CORRECTION: TypeAdapter[Correction] = TypeAdapter(Correction)


class KeepsAnswers:
    """What `Store` says of answers, for a class that has a database."""

    path: Path
    _db: sqlite3.Connection
    _writing: Callable[[], AbstractContextManager[sqlite3.Connection]]
    _rows: Callable[[str, tuple[Any, ...], Callable[[tuple[Any, ...]], Any]], list[Any]]
    _one: Callable[[str, str, str], tuple[Any, ...]]

    def add_answer(self, row: AnswerRow) -> None:
        """See `Store.add_answer`."""
        text = dump(row.model_dump(mode="json", exclude={"id", "made", "corrections"}))
        if len(text) > _LONGEST // 2:
            raise InputError(f"an answer about {len(text) / 1e6:,.0f} MB is too large to be kept")
        answer = row.answer
        values = (row.id, micros(row.made), answer.task.value, answer.engine, row.finding)
        with self._writing() as db:
            db.execute(_PUT, (*values, packed(text)))

    def answers(self, limit: int | None = None) -> list[AnswerRow]:
        """See `Store.answers`."""
        most = -1 if limit is None else max(limit, 0)
        found = self._rows(_ANSWERS + "ORDER BY made DESC, id LIMIT ?", (most,), _answer_of)
        return self._with_corrections(found)

    def answer(self, prefix: str) -> AnswerRow:
        """See `Store.answer`."""
        with told(self.path):
            row = _answer_of(self._one("answer", _ANSWERS + "WHERE id", prefix))
        return self._with_corrections([row])[0]

    def add_correction(self, correction: Correction) -> Correction:
        """See `Store.add_correction`."""
        time = micros(correction.time)
        changed = correction.model_dump(mode="json", include={"verdict", "text", "note"})
        with self._writing() as db:
            number = db.execute(
                "INSERT INTO corrections (answer, time, json) VALUES (?, ?, ?) RETURNING number",
                (correction.answer, time, dump_model(correction)),
            ).fetchone()[0]
            what = {key: value for key, value in changed.items() if value}
            values = (time, correction.by, "correct", correction.answer, dump(what))
            db.execute(_PUT_AUDIT, values)
        return correction.model_copy(update={"number": number})

    def undo_correction(self, number: int, by: str) -> Correction:
        """See `Store.undo_correction`."""
        time = now()
        with self._writing() as db:
            row = db.execute(
                "SELECT answer, number, undone, json FROM corrections WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                raise InputError(f"there is no correction {number}")
            if row[2] is not None:
                raise InputError(f"correction {number} is taken back already")
            db.execute("UPDATE corrections SET undone = ? WHERE number = ?", (time, number))
            values = (time, by, "undo", f"correction {number}", dump({"answer": row[0]}))
            db.execute(_PUT_AUDIT, values)
        return _correction_of((*row[:2], time, row[3]))

    def _with_corrections(self, found: list[AnswerRow]) -> list[AnswerRow]:
        ids = json.dumps([row.id for row in found])
        said: dict[str, list[Correction]] = {}
        for each in self._rows(_CORRECTIONS, (ids,), _correction_of):
            said.setdefault(each.answer, []).append(each)
        return [
            row.model_copy(update={"corrections": tuple(said[row.id])}) if row.id in said else row
            for row in found
        ]


def prune_answers(db: sqlite3.Connection, before: int) -> int:
    """Inside a transaction: take away answers made before a time that nobody corrected."""
    return db.execute(_OLD, (before,)).rowcount


def _answer_of(row: tuple[Any, ...]) -> AnswerRow:
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(row[2], _LONGEST)
        if not reader.eof:  # cut short, or made by a stranger to fill the memory
            raise _damaged("answers")
        values = json.loads(text)
        return _ROW.validate_python({**values, "id": row[0], "made": moment_of(row[1])})
    except (zlib.error, ValueError, TypeError):  # of which `ValidationError` is one
        raise _damaged("answers") from None


def _correction_of(row: tuple[Any, ...]) -> Correction:
    try:
        found = _CORRECTION.validate_json(row[3])
    except ValidationError:
        raise _damaged("corrections") from None
    # The number is known only once the row is there, and so is when it is taken back.
    update = {"answer": row[0], "number": row[1], "undone": moment_of(row[2])}
    return found.model_copy(update=update)


def _damaged(what: str) -> StoreError:
    return StoreError(f"is damaged: a row of its {what} cannot be read")
