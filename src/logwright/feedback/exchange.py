"""Exchange: verdicts as JSON lines, from one store to another.

Reading a file twice changes nothing: an entry that is there already, all but its number, is passed
over. Undos name numbers of the file, and get those of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from pydantic import ValidationError

from logwright.errors import InputError
from logwright.feedback.kept import Kept
from logwright.feedback.standing import Standing
from logwright.feedback.verdicts import label
from logwright.findings.verdict import ENTRY, Entry, Undo, Verdict

if TYPE_CHECKING:
    from logwright.store.base import Store

__all__ = ["Imported", "import_entries", "read_entries", "write_entries"]


_MOST = 32 << 20  # characters of an entry


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `conflicts` are verdicts of different words on a pattern, of which at
    least one is new, the one that acts first."""

    added: tuple[Entry, ...]
    skipped: int
    conflicts: tuple[tuple[Verdict, ...], ...]


def write_entries(entries: Iterable[Entry], stream: TextIO) -> int:
    """Write each entry as one line of JSON; returns how many.

    >>> import io
    >>> write_entries([Undo(number=2, undoes=1)], io.StringIO())
    1
    """
    count = 0
    for entry in entries:
        stream.write(entry.model_dump_json(exclude_defaults=False) + "\n")
        count += 1
    return count


def read_entries(lines: Iterable[str], name: str) -> list[Entry]:
    """The entries in `lines`, such as an open file; `InputError` names the line that is none.

    >>> undo = Undo(number=2, undoes=1).model_dump_json()
    >>> read_entries([undo], "verdicts.jsonl")
    Traceback (most recent call last):
    logwright.errors.InputError: verdicts.jsonl, line 1: it undoes verdict 1, which is not ...
    """
    entries: list[Entry] = []
    verdicts, numbers, at = set[int](), set[int](), 0
    try:
        for at, line in enumerate(lines, start=1):
            if at == 1:
                line = line.removeprefix("\ufeff")  # editors on Windows put it there
            if not line.strip():
                continue
            where = f"{name}, line {at}"
            if len(line) > _MOST:
                size = f"{len(line) / 1e6:,.0f} MB"
                raise InputError(f"{where}: an entry of {size} is too large to be kept")
            entry = _parsed(line, where)
            if entry.number in numbers or entry.number == 0:
                raise InputError(f"{where}: number {entry.number} is 0, or there twice")
            if isinstance(entry, Undo) and entry.undoes not in verdicts:
                raise InputError(
                    f"{where}: it undoes verdict {entry.undoes}, which is not before it in the file"
                )
            numbers.add(entry.number)
            if isinstance(entry, Verdict):
                verdicts.add(entry.number)
            entries.append(entry)
    except UnicodeDecodeError as error:
        raise InputError(f"{name}, near line {at + 1}: not UTF-8 ({error.reason})") from None
    return entries


def _parsed(line: str, where: str) -> Entry:
    try:
        entry = ENTRY.validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        # The first part of the place is the tag by which pydantic chose between verdict and undo.
        key = ".".join(map(str, problem["loc"][1:]))
        raise InputError(f"{where}: no verdict or undo: {key or 'it'}: {problem['msg']}") from None
    if "time" not in entry.model_fields_set:  # it would be another one each time it is read
        raise InputError(f"{where}: no verdict or undo: time: it says when it was given")
    return entry


def import_entries(store: Store, entries: Sequence[Entry]) -> Imported:
    """Add the entries that a store does not have yet. They are later than all it has, so where they
    conflict with what stands, they act; both are kept."""
    kept = Kept.of(store)
    there = {_content(e): e.number for e in kept.entries if isinstance(e, Verdict)}
    undone = {e.undoes for e in kept.entries if isinstance(e, Undo)}
    new, numbers = list[Verdict](), dict[int, int]()
    waiting: dict[str, list[int]] = {}
    for entry in entries:
        if isinstance(entry, Undo):
            continue
        content = _content(entry)
        if content in there:
            numbers[entry.number] = there[content]
        else:
            if content not in waiting:
                new.append(entry)
            waiting.setdefault(content, []).append(entry.number)
    # All at once: a verdict that was taken back never acts, whenever this is interrupted.
    origin = {"imported": True}
    places = {number: at for at, v in enumerate(new) for number in waiting[_content(v)]}
    undos, gone = list[Undo](), set[int]()
    within: dict[int, int] = {}
    for entry in entries:
        if isinstance(entry, Undo):
            at = places.get(entry.undoes)
            if at is not None and at not in gone:
                gone.add(at)
                within[len(new) + len(undos)] = at
                undos.append(entry)
            elif at is None and numbers[entry.undoes] not in undone:
                undone.add(numbers[entry.undoes])
                undos.append(entry.model_copy(update={"undoes": numbers[entry.undoes]}))
    effects = [{**origin, "about": label(v)} for v in new] + [origin] * len(undos)
    added = store.add_entries([*new, *undos], effects, within) if effects else []
    fresh = {entry.number for entry in added}
    conflicts = Standing(store.entries()).conflicts()
    told = {
        tuple(v.number for v in group): tuple(group)
        for group in conflicts
        if fresh & {v.number for v in group}
    }
    return Imported(tuple(added), len(entries) - len(added), tuple(told.values()))


def _content(verdict: Verdict) -> str:
    """What makes a verdict the same in another store: all but its number."""
    return verdict.model_copy(update={"number": 0}).model_dump_json()
