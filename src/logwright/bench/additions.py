"""A user's own sets in the folder of data sets: ``own/NAME`` with the log, its labels, a manifest.

The manifest names the files with their sizes and SHA-256, so that a result can be told to be of the
same data. A file that is linked stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logwright.errors import InputError

__all__ = ["Own", "add", "own_sets"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Own:
    """A set that a user added; without `labels` each line's first token is its label. `session` is
    the regular expression of its session keys, where one was given."""

    name: str
    log: Path
    labels: Path | None
    size: int
    session: str | None = None


def _folder(data: Path) -> Path:
    return data / "own"


def own_sets(data: Path) -> list[Own]:
    """The user's own sets, by name."""
    return [_read(path.parent) for path in sorted(_folder(data).glob(f"*/{_MANIFEST}"))]


def _read(folder: Path) -> Own:
    path = folder / _MANIFEST
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
        files: dict[str, dict[str, Any]] = value["files"]
        log, labels = str(value["log"]), value["labels"]
        session = value.get("session")
        if not isinstance(session, str | None):
            raise TypeError(f"session is {session!r}")
        for name, told in files.items():
            held = (folder / name).stat().st_size
            if held != told["bytes"]:
                raise InputError(
                    f"{folder / name} has {held:,} bytes, {told['bytes']:,} when it was added: "
                    "add it again"
                )
        size = int(files[log]["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no manifest of a data set: {error}") from None
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from None
    given = None if labels is None else folder / labels
    return Own(folder.name, folder / log, given, size, session)


def add(
    data: Path,
    name: str,
    log: Path,
    labels: Path | None,
    link: bool,
    taken: frozenset[str],
    session: str | None = None,
) -> Own:
    """Copy or link a log and its labels into `data` as a set called `name`, which may be none of
    those `taken`. A set of that name that was added before is replaced."""
    if not _NAME.fullmatch(name) or name in taken:
        why = "is the name of a set that is known" if name in taken else "is no name for a set"
        raise InputError(
            f"{name!r} {why}: expected letters a-z, digits, '.', '_', '-', as 'shop-1'"
        )
    given = [log] if labels is None else [log, labels]
    for path in given:
        if not path.is_file():
            raise InputError(f"{path} is not there, or is no file")
    if labels is not None and labels.name == log.name:
        raise InputError(f"{log} and {labels} have the same name: rename one of them")
    if _MANIFEST in {path.name for path in given}:
        raise InputError(f"{_MANIFEST} is taken by the set's own manifest: rename the file")
    folder = _folder(data) / name
    work = folder.with_name(f".{name}.adding")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        files = {path.name: _placed(path, work / path.name, link) for path in given}
        manifest = {
            "name": name,
            "log": log.name,
            "labels": None if labels is None else labels.name,
            "session": session,
            "linked": link,
            "files": files,
        }
        (work / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(work, folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _read(folder)


def _placed(path: Path, target: Path, link: bool) -> dict[str, Any]:
    if link:
        target.symlink_to(path.resolve())
    else:
        shutil.copyfile(path, target)
    with open(target, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": target.stat().st_size, "sha256": digest}
