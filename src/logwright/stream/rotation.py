"""Rotation: which files were once at a path, and in what order.

Names are those that logrotate, the logging libraries and people give: ``app.log.1``,
``app.log-20240501.gz``, ``app.log.2024-05-01``, ``app-2024-05-01.log``, ``app.log.old``. Files in
another folder (logrotate's `olddir`) are not looked for.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

__all__ = ["bases", "rotated"]

_PACKED = re.compile(r"\.(?:gz|gzip|zst|zstd|bz2|xz)$")
_PART = re.compile(r"[._-](?:\d[\dT:]*Z?|old|bak|prev)$")
_DATED = re.compile(r"[._-]\d{4}-?\d\d-?\d\d[\dT:._-]*Z?(?=\.[A-Za-z]+$)")
_NUMBERED = re.compile(r"[._-](\d{1,5})")


def bases(name: str) -> Iterator[str]:
    """The names that the file `name` may have had before it was rotated.

    >>> list(bases("app.log.1.gz"))
    ['app.log.1', 'app.log']
    >>> list(bases("app-2024-05-01.log"))
    ['app.log']
    >>> list(bases("worker-1.log"))
    []
    """
    rest = _PACKED.sub("", name)
    if rest != name:
        yield rest
    dated = _DATED.sub("", rest)
    if dated != rest and dated:
        yield dated
    while (part := _PART.search(rest)) and part.start():
        rest = rest[: part.start()]
        yield rest


def rotated(path: str) -> list[str]:
    """The files that were once at `path`, oldest first; the one that is there now is not among
    them.

    Numbers order them where all have one (1 is the youngest), otherwise the time of their last
    change. Of a file and its compressed copy only the file is given.
    """
    folder, name = os.path.split(path)
    names = {name}
    if os.path.islink(path):  # to a file that has a date in its name, say
        folder, target = os.path.split(os.path.realpath(path))
        names = {target, *bases(target)}
    now = _status(path)
    found: dict[str, tuple[int, str]] = {}
    try:
        with os.scandir(folder or ".") as entries:
            candidates = [e.path for e in entries if names.intersection(bases(e.name))]
    except OSError:
        return []
    for candidate in sorted(candidates):
        status = _status(candidate)
        if status is None or (now is not None and os.path.samestat(status, now)):
            continue
        # A file sorts in front of its compressed copy.
        found.setdefault(_PACKED.sub("", candidate), (status.st_mtime_ns, candidate))
    numbers = [_number(plain, names) for plain in found]
    if None not in numbers:
        pairs = zip(numbers, found.values(), strict=True)
        return [each for _, (_, each) in sorted(pairs, key=lambda p: -(p[0] or 0))]
    return [each for _, each in sorted(found.values())]


def _number(plain: str, names: set[str]) -> int | None:
    name = os.path.basename(plain)
    for base in names:
        match = _NUMBERED.fullmatch(name[len(base) :]) if name.startswith(base) else None
        if match:
            return int(match[1])
    return None


def _status(path: str) -> os.stat_result | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None
