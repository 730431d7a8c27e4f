"""Hadoop as published by LogHub: a folder of container logs per application, labels in a text."""

from __future__ import annotations

import dataclasses
import re
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from logwright.bench.archives import unpack_stream
from logwright.bench.labelled import LabelledLines, read_lines
from logwright.errors import InputError
from logwright.settings import Settings

__all__ = ["classes", "read_applications"]

_LABELS = "abnormal_label.txt"
_CLASS = re.compile(r"^([A-Z][\w ]*):\s*$")
_RUN = re.compile(r"^\+\s*(application_\d+_\d+)\s*$")


def classes(text: str, name: str = _LABELS) -> dict[str, str]:
    """The class of each application, "" for normal.

    >>> classes("Normal:\\n+ application_1_0001\\n\\nDisk full:\\n+ application_1_0002\\n")
    {'application_1_0001': '', 'application_1_0002': 'Disk full'}
    """
    found: dict[str, str] = {}
    kind: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if match := _CLASS.match(line):
            kind = "" if match[1].lower() == "normal" else match[1]
        elif match := _RUN.match(line):
            if kind is None:
                raise InputError(f"{name}:{number}: {match[1]} before any class such as 'Normal:'")
            found[match[1]] = kind
    if not found:
        raise InputError(f"{name}: no application named: expected '+ application_...' lines")
    return found


def read_applications(path: Path) -> LabelledLines:
    """All applications of a folder, or of a tar.zst of it; a session is an application: the lines
    of its containers in order of time."""
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    with tempfile.TemporaryDirectory() as folder:
        stream = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            unpack_stream(tar, Path(folder))
        return _of_folder(Path(folder))


def _of_folder(folder: Path) -> LabelledLines:
    labels = next(iter(sorted(folder.rglob(_LABELS))), None)
    if labels is None:
        raise InputError(f"{folder}: expected {_LABELS} in it")
    of = classes(labels.read_text("utf-8", "backslashreplace"), str(labels))
    logs = [
        (app, log)
        for app in sorted(p for p in labels.parent.rglob("application_*") if p.is_dir())
        if app.name in of
        for log in sorted(app.rglob("*.log"))
    ]
    if not logs:
        raise InputError(f"{folder}: expected folders application_.../ with container logs")
    lines = read_lines([str(log) for _, log in logs], Settings(session="none"), by_time=True)
    names = sorted({app.name for app, _ in logs})
    session = np.array([names.index(app.name) for app, _ in logs], np.int32)
    kinds = ["", *sorted({of[name] for name in names} - {""})]
    kind = np.array([kinds.index(of[name]) for name in names], np.int32)
    session = session[lines.source]
    return dataclasses.replace(
        lines,
        session=session,
        sessions=names,
        kind=kind[session],
        kinds=kinds,
        truth=kind[session] > 0,
    )
