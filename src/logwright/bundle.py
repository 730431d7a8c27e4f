"""The bundle: the files of a model's folder, read and written without trust (contract 8).

There is no pickle anywhere. Loading believes nothing: it reads only files that the manifest names
with their hashes, the manifest holds a hash of itself, and every value has bounds. What does not
fit, or was written by a newer format, is a `ModelError`. The hashes tell damage, not forgery: who
can write to the folder can write new hashes.

What belongs to the user lies beside the hashed part and survives when a folder is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from logwright.detectors.base import State
from logwright.detectors.ladder import Ladder, Reads, Rung
from logwright.detectors.period import Period
from logwright.detectors.rate import Rate
from logwright.detectors.saved import empty
from logwright.detectors.thresholds import Threshold
from logwright.errors import ModelError
from logwright.settings import Settings
from logwright.templates.edits import EDITS
from logwright.windows.plan import WindowPlan

__all__ = [
    "JOINED_SINCE",
    "MODEL_FORMAT",
    "Bundle",
    "History",
    "check_target",
    "replacing",
    "seal",
    "untrusted",
    "write_ladder",
]

MODEL_FORMAT = 3
"""Since 3, a detector may have files of its own; a model without them is written as 2."""

JOINED_SINCE = 2
"""Since 2, lines that continue a record are joined to it before anything is learned."""

_USERS_FILES = (EDITS, "rules", "store.db", "store.db-wal", "store.db-shm", "store.llm.jsonl")
_OWN_FILES = ("manifest.json", "templates.parquet", "thresholds.json")
"""A folder that holds these is a model, perhaps a damaged one, and may be replaced."""

_BYTE = re.compile("[\udc80-\udcff]")
_UNTRUE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    pa.ArrowException,
    re.error,
)
"""What reading a file that is not as we wrote it can raise."""


class History(BaseModel):
    """What a model was learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = ()
    lines: int = Field(default=0, ge=0)
    first: str | None = None
    last: str | None = None
    notes: tuple[str, ...] = ()

    @field_validator("sources", "notes")
    @classmethod
    def _as_text(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Names of files need not be UTF-8; what is told of them is."""
        told = (_BYTE.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", text) for text in texts)
        return tuple(text.encode("utf-8", "backslashreplace").decode() for text in told)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Manifest(_Strict):
    """What the manifest holds."""

    format: Annotated[int, Field(ge=1, le=MODEL_FORMAT)]
    settings: dict[str, Any]
    session: str | None
    session_reason: str
    plan: WindowPlan
    history: History
    sha256: dict[str, str]
    own: str = Field(alias="self")


class _SavedRung(_Strict):
    detector: str
    unit: str
    reads: Reads
    threshold: float = Field(allow_inf_nan=False)
    threshold_reason: str
    reason: str
    tables: list[Annotated[str, Field(pattern=r"^\w{1,40}$")]]
    files: list[Annotated[str, Field(pattern=r"^\w{1,40}\.onnx$")]] = []


class _SavedLadder(_Strict):
    rungs: list[_SavedRung]
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model's folder whose files are as the manifest says: no other file is read."""

    path: Path
    manifest: Manifest

    @classmethod
    def read(cls, path: Path) -> Bundle:
        """Read the manifest, checking format, bounds and hashes of all files."""
        body = _read_json(path / "manifest.json", path)
        version = body.get("format")
        if type(version) is not int or not 1 <= version <= MODEL_FORMAT:  # True is an int, too
            raise ModelError(
                f"{path} has model format {version!r:.40}; this version reads up to "
                f"{MODEL_FORMAT}: upgrade Logwright, or learn the model again"
            )
        # As JSON again: only there a strict list of texts may become a tuple.
        manifest = Manifest.model_validate_json(json.dumps(body), strict=True)
        Settings(**manifest.settings)
        if manifest.session is not None:
            re.compile(manifest.session.encode("latin-1"))
        for name in manifest.sha256:
            if not _is_inside(path, name):
                raise ModelError(f"{path}: {name:.80} is missing")
        if _digest({k: v for k, v in body.items() if k != "self"}) != manifest.own:
            raise ModelError(f"{path}: manifest.json was changed or damaged since it was learned")
        for name, digest in manifest.sha256.items():
            if _sha256(path / name) != digest:
                raise ModelError(f"{path}: {name} was changed or damaged since it was learned")
        return cls(path, manifest)

    def table(self, name: str) -> pa.Table:
        """The table in a file."""
        return pq.read_table(self._named(name))

    def ladder(self) -> Ladder:
        """The ladder, with what its detectors learned."""
        saved = _SavedLadder.model_validate_json(json.dumps(self._values("thresholds.json")))
        rungs = []
        for i, r in enumerate(saved.rungs):
            detector = empty(r.detector, r.unit)
            stem = f"detectors/{i}-{r.detector}"
            tables = {
                name: {
                    c: column.to_numpy()
                    for c, column in zip(t.column_names, t.columns, strict=True)
                }
                for name in r.tables
                for t in [self.table(f"{stem}.{name}.parquet")]
            }
            files = {name: self._named(name).read_bytes() for name in r.files}
            detector.load(State(self._values(f"{stem}.json"), tables, files))
            interval = self.manifest.plan.interval
            if isinstance(detector, Rate | Period) and detector.interval != interval:
                raise ModelError(
                    f"{self.path}: {stem}.json is of another interval than the windows"
                )
            threshold = Threshold(r.threshold, r.threshold_reason)
            rungs.append(Rung(detector, threshold, r.reads, r.reason))
        return Ladder(rungs, saved.reasons)

    def _values(self, name: str) -> dict[str, Any]:
        return _read_json(self._named(name), self.path)

    def _named(self, name: str) -> Path:
        """The path of a file that may be read, because the manifest holds its hash."""
        if name not in self.manifest.sha256:
            raise ModelError(f"{self.path}: {name} is not among the files of the manifest")
        return self.path / name


@contextmanager
def untrusted(path: Path) -> Iterator[None]:
    """While a model is read: what does not fit is a `ModelError`, in one sentence."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{path} is not a whole model: {key}: {first['msg'].lower()}") from None
    except _UNTRUE as error:
        raise ModelError(f"{path} is not a whole model: {_why(error)}") from None


def check_target(folder: str | os.PathLike[str]) -> Path:
    """The folder that a model would be written to, links followed; `ModelError` if it cannot be."""
    name = os.fspath(folder)
    try:
        target = Path(os.path.realpath(name))
        _refuse_target(name, target)
        parent = target.parent
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir():
            raise ModelError(f"{name} cannot be written: {parent} is a file, not a folder")
        probe = parent / f".model.{secrets.token_hex(8)}"
        probe.mkdir()
        probe.rmdir()
    except (OSError, ValueError) as error:
        raise ModelError(f"{name} cannot be written: {_why(error)}") from None
    return target


@contextmanager
def replacing(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder to write a model to, which then takes the place of `folder`, whole or not at
    all; the user's files that were there are kept.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp(), "model")
    >>> with replacing(folder) as work:
    ...     _ = (work / "card.md").write_text("# Model card")
    >>> [file.name for file in folder.iterdir()]
    ['card.md']
    """
    target = check_target(folder)
    # Short names, whatever the target's: a name may be as long as the file system allows.
    work, old = (target.with_name(f".model.{secrets.token_hex(8)}") for _ in range(2))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
        yield work
        if target.exists():
            for name in _USERS_FILES:
                if (target / name).exists():
                    _keep(target / name, work / name)
            os.replace(target, old)
            try:
                os.replace(work, target)
            except OSError:
                os.replace(old, target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(work, target)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {_why(error)}") from None
    finally:
        if work.exists():
            shutil.rmtree(work)


def write_ladder(folder: Path, ladder: Ladder) -> None:
    """Write the ladder, and what its detectors learned."""
    (folder / "detectors").mkdir()
    rungs = []
    for i, rung in enumerate(ladder.rungs):
        state = rung.detector.save()
        stem = f"{i}-{rung.detector.name}"
        _write_json(folder / "detectors" / f"{stem}.json", state.meta)
        for name, columns in state.tables.items():
            pq.write_table(pa.table(columns), folder / "detectors" / f"{stem}.{name}.parquet")
        for name, content in state.files.items():
            (folder / name).write_bytes(content)
        rungs.append(
            {
                "detector": rung.detector.name,
                "unit": rung.detector.unit,
                "reads": rung.reads,
                "threshold": rung.threshold.value,
                "threshold_reason": rung.threshold.reason,
                "reason": rung.reason,
                "tables": sorted(state.tables),
                **({"files": sorted(state.files)} if state.files else {}),
            }
        )
    _write_json(folder / "thresholds.json", {"rungs": rungs, "reasons": ladder.reasons})


def seal(folder: Path, facts: dict[str, Any]) -> None:
    """Write the manifest: these facts, and the hashes of all files that are there by now."""
    hashes = {
        str(p.relative_to(folder)): _sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()
    }
    own = any(path.suffix == ".onnx" for path in folder.iterdir())
    version = MODEL_FORMAT if own else MODEL_FORMAT - 1
    manifest = {"format": version, **facts, "sha256": hashes}
    _write_json(folder / "manifest.json", {**manifest, "self": _digest(manifest)})
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def _refuse_target(name: str, target: Path) -> None:
    """`ModelError` where something is in the way that must not be replaced."""
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return
    if not target.is_dir():
        raise ModelError(f"{name} is a file: expected a folder to write the model to")
    held = any(target.iterdir())
    if held and not all((target / own).is_file() for own in _OWN_FILES):
        raise ModelError(f"{name} exists and is not a model: choose another folder")
    if os.path.ismount(target) or Path.cwd().is_relative_to(target):
        what = "a mount point" if os.path.ismount(target) else "the working folder"
        raise ModelError(
            f"{name} is {what}, which cannot be replaced: name a folder in it, such as "
            f"{os.path.join(name, 'model')}"
        )


def _keep(old: Path, new: Path) -> None:
    """Give a user's file a second name: who has it open, such as a store, goes on writing to it."""
    if old.is_dir():
        shutil.copytree(old, new, copy_function=lambda a, b: _keep(Path(a), Path(b)))
        return
    try:
        os.link(old, new)
    except OSError:  # a file system without links
        shutil.copy2(old, new)


def _is_inside(path: Path, name: str) -> bool:
    """Whether `name` is a file in the folder; names that no file can have are not."""
    try:
        file = (path / name).resolve()
        return file.is_relative_to(path.resolve()) and file.is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(body: dict[str, Any]) -> str:
    """The hash of a JSON object, however it is laid out."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _write_json(path: Path, value: Any) -> None:
    # In JSON text the backslash escape of a lone surrogate is JSON's own.
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8", "backslashreplace")


def _read_json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} is not a model: there is no {path.name} in it") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {_why(error)}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected a JSON object")
    return value


def _why(error: BaseException) -> str:
    """An error as a clause in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return " ".join(str(error).split())[:200] or type(error).__name__
