"""Edits: what users say of templates. They lie in `edits.jsonl` beside a model (contract 8).

One JSON object a line, appended and never changed, in terms of shape keys: ids and indices of
templates change with what is learned, keys do not. `undo` takes back the last edit that stands.
What edits do to groups is told in `templates.regrouping`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from logwright.errors import LogwrightError, ModelError
from logwright.templates.template import Template

__all__ = [
    "EDITS",
    "MOST_SHAPES",
    "Edit",
    "MergeEdit",
    "MuteEdit",
    "NameEdit",
    "SplitEdit",
    "UndoEdit",
    "add_edit",
    "keys_for_edit",
    "read_edits",
    "write_edits",
]

EDITS = "edits.jsonl"
"""The file's name in a model's folder."""

MOST_SHAPES = 10_000
"""Shape keys that one edit names. Of templates that have more, the smallest stand for all."""

_MOST_BYTES = 64 << 20
_MOST_OF_LINE = 1 << 20
_MOST_EDITS = 100_000

_Key = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Keys = Annotated[tuple[_Key, ...], Field(min_length=1, max_length=MOST_SHAPES)]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    time: AwareDatetime = Field(default_factory=_now)
    by: Annotated[str, Field(max_length=200)] | None = None

    def _summary(self, what: str, shapes: int) -> str:
        by = f" by {self.by}" if self.by else ""
        number = f"{shapes:,} shape{'' if shapes == 1 else 's'}"
        return f"{what} ({number}), {self.time:%Y-%m-%d %H:%M:%S %Z}{by}"


class _OfShapes(_Entry):
    action: str
    shapes: _Keys

    @property
    def summary(self) -> str:
        """The edit in a line."""
        return self._summary(self.action, len(self.shapes))

    def shape_keys(self) -> list[bytes]:
        """The shape keys, 16 bytes each."""
        return [bytes.fromhex(key) for key in self.shapes]


class NameEdit(_OfShapes):
    """Gives the templates of these shapes a name; the empty one takes it away."""

    action: Literal["name"] = "name"
    name: Annotated[str, Field(max_length=200)]

    @property
    def summary(self) -> str:
        """The edit in a line."""
        return self._summary(f"name '{self.name}'", len(self.shapes))


class MuteEdit(_OfShapes):
    """Findings whose only templates are these are no longer raised, or again (`unmute`)."""

    action: Literal["mute", "unmute"] = "mute"


class SplitEdit(_OfShapes):
    """These shapes leave their templates and are one of their own."""

    action: Literal["split"] = "split"


class MergeEdit(_Entry):
    """The templates of all these shapes are one from now on."""

    action: Literal["merge"] = "merge"
    groups: Annotated[tuple[_Keys, ...], Field(min_length=2, max_length=MOST_SHAPES)]

    @field_validator("groups")
    @classmethod
    def _bounded(cls, groups: tuple[_Keys, ...]) -> tuple[_Keys, ...]:
        if sum(map(len, groups)) > MOST_SHAPES:
            raise ValueError(f"an edit names at most {MOST_SHAPES:,} shapes")
        return groups

    @property
    def summary(self) -> str:
        """The edit in a line."""
        return self._summary(f"merge of {len(self.groups):,} templates", len(self.shape_keys()))

    def shape_keys(self) -> list[bytes]:
        """The shape keys of all groups, 16 bytes each."""
        return [bytes.fromhex(key) for group in self.groups for key in group]


class UndoEdit(_Entry):
    """Takes back the last edit that stands."""

    action: Literal["undo"] = "undo"


Edit = NameEdit | MuteEdit | SplitEdit | MergeEdit
"""An edit that stands."""

_LINE: TypeAdapter[Edit | UndoEdit] = TypeAdapter(
    Annotated[Edit | UndoEdit, Field(discriminator="action")]
)


def keys_for_edit(templates: Sequence[Template]) -> list[tuple[str, ...]]:
    """Shape keys of each template, as an edit names them: never more than `MOST_SHAPES` in all."""
    share = max(MOST_SHAPES // max(len(templates), 1), 1)
    return [tuple(t.keys[:share]) for t in templates]


def read_edits(folder: str | os.PathLike[str]) -> tuple[Edit, ...]:
    """The edits of a model's folder that stand, in order; none where there is no file.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> add_edit(folder, NameEdit(shapes=("ab" * 16,), name="disk full"))
    >>> add_edit(folder, MuteEdit(shapes=("ab" * 16,)))
    >>> add_edit(folder, UndoEdit())
    >>> [edit.action for edit in read_edits(folder)]
    ['name']
    """
    return _parsed(_raw(folder), folder)


def add_edit(folder: str | os.PathLike[str], edit: Edit | UndoEdit) -> None:
    """Append an edit to a model's folder. The file is written whole and then renamed, so that it is
    never seen half written; who comes second waits for the first."""
    with _alone(folder):
        _add_edit(folder, edit)


@contextmanager
def _alone(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Wait until nobody else writes edits to the folder (where the system can tell)."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError:  # said by who reads or writes it
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _add_edit(folder: str | os.PathLike[str], edit: Edit | UndoEdit) -> None:
    before = _raw(folder)
    if before and not before.endswith(b"\n"):
        before += b"\n"
    after = before + _line(edit)
    if len(after) > _MOST_BYTES:
        raise ModelError(f"{Path(folder) / EDITS} is full: {_MOST_BYTES >> 20} MiB are the most")
    if not _parsed(before, folder) and isinstance(edit, UndoEdit):
        raise LogwrightError(f"{folder} has no edit to take back")
    write_edits(folder, after)


def write_edits(folder: str | os.PathLike[str], edits: bytes | Iterable[Edit]) -> None:
    """Write the whole file, under another name first."""
    path = Path(folder) / EDITS
    work = path.with_name(f".{EDITS}.{secrets.token_hex(8)}")
    try:
        try:
            with open(work, "xb") as file:
                file.write(edits if isinstance(edits, bytes) else b"".join(map(_line, edits)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(work, path)
        finally:
            work.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path} cannot be written: {error.strerror or error}") from None


def _line(edit: Edit | UndoEdit) -> bytes:
    return edit.model_dump_json(exclude_none=True).encode() + b"\n"


def _raw(folder: str | os.PathLike[str]) -> bytes:
    path = Path(folder) / EDITS
    try:
        if not os.path.lexists(path):
            return b""
        if not path.is_file():
            raise ModelError(f"{path} is not a file")
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"{path} cannot be read: {why}") from None
    if len(raw) > _MOST_BYTES:
        raise ModelError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
    return raw


def _parsed(raw: bytes, folder: str | os.PathLike[str]) -> tuple[Edit, ...]:
    path = Path(folder) / EDITS
    standing: list[Edit] = []
    number = 0
    for at, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        number += 1
        if len(line) > _MOST_OF_LINE or number > _MOST_EDITS:
            most = "a line of 1 MiB" if number <= _MOST_EDITS else f"{_MOST_EDITS:,} edits"
            raise ModelError(f"{path} line {at}: more than {most}, which is the most")
        try:
            edit = _LINE.validate_json(line)
        except ValidationError as error:
            raise ModelError(f"{path} line {at} is not an edit: {_why(error)}") from None
        if not isinstance(edit, UndoEdit):
            standing.append(edit)
        elif standing:
            standing.pop()
        else:
            raise ModelError(f"{path} line {at}: undo, but no edit before it stands")
    return tuple(standing)


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    told = f"{where}: {first['msg']}" if where else first["msg"]
    return " ".join(told.split())[:200]
