"""Inputs: what a person names on the command line, turned into the files to read.

Left out: object stores and URLs; a pipe into standard input serves them.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence

from logwright.errors import InputError
from logwright.logs.batch import Note
from logwright.logs.decompress import MAGICS
from logwright.logs.streams import BOMS

__all__ = ["expand"]

_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")


def expand(inputs: Sequence[str], notes: list[Note] | None = None) -> list[str]:
    """The files that `inputs` stand for: files, globs, folders (all that is in them), '-'.

    Folders and globs are sorted; in folders hidden files and binary ones are skipped, the latter
    with a note; a file met twice (under two names, too) is read once. An input that stands for
    nothing is an `InputError`.

    >>> expand(["-"])
    ['-']
    """
    notes = [] if notes is None else notes
    found: dict[str, str] = {}  # real path -> name
    for given in inputs:
        if given == "-" or os.path.lexists(given):
            names = [given]
        else:
            names = sorted(glob.glob(given, recursive=True))
            if not names:
                raise InputError(f"no file or folder matches {given!r}")
        for name in names:
            is_folder = name != "-" and os.path.isdir(name)
            files = _in_folder(name, notes) if is_folder else [name]
            if not files and name == given:
                raise InputError(f"the folder {given!r} holds no text file")
            for file in files:
                real = file if file == "-" else os.path.realpath(file)
                first = found.setdefault(real, file)
                if first != file:
                    notes.append(Note(file, f"is the same file as {first}: read once"))
    if not found:
        raise InputError(
            "no input was named" if not inputs else f"{inputs[0]!r} holds no text file"
        )
    return list(found.values())


def _in_folder(folder: str, notes: list[Note]) -> list[str]:
    def unreadable(error: OSError) -> None:
        notes.append(Note(error.filename, f"folder left out: {error.strerror}"))

    files = []
    for path, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(path, name)
            # No pipes, sockets or devices: nobody named them, and they may block.
            if name.startswith(".") or not os.path.isfile(file):
                continue
            if _is_binary(file):
                notes.append(Note(file, "binary file: left out"))
            else:
                files.append(file)
    return sorted(files)


def _is_binary(file: str) -> bool:
    """Whether a file is obviously no text; one that cannot be opened is for the reader to tell."""
    if file.lower().endswith(_ARCHIVES):
        return True
    try:
        with open(file, "rb", buffering=0) as opened:
            head = opened.read(1024)
    except OSError:
        return False
    # A log that was truncated in place may begin with a hole, read as NULs.
    return not head.startswith((*MAGICS, *BOMS)) and b"\0" in head.lstrip(b"\0")
