"""Files that are followed: paths, globs and folders as feeds, one for each path.

``logs/app.log``, ``/var/log/*.log``, ``/var/log/app`` (a folder: all text files in it), each with
``?from=end`` to begin with what comes next, not with what is there (``?from=begin``, the default).
A path that was named is waited for; globs and folders are looked through twice a second. Rotated
files (`stream.rotation`) that a glob meets belong to the feed of the file that they were, and are
no feeds of their own. At most `MOST` files are followed; those beyond wait until others are gone.
"""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Sequence

from logwright.errors import InputError
from logwright.logs.inputs import expand
from logwright.logs.streams import Notify
from logwright.stream.feed import Feed
from logwright.stream.rotation import bases
from logwright.stream.tail import FileFeed

__all__ = ["MOST", "Files"]

MOST = 500
_LOOK = 0.5  # s between looks for new files
_GONE = 60.0  # s after which a file of a glob that is there no more is given up
_OPTION = re.compile(r"\?(?:from=(\w+))?$")
_MAGIC = re.compile(r"[*?[]")


class Files:
    """The files that `given` (paths, globs, folders) stand for, now and later.

    `limit` is the length at which lines are cut, bytes. Files that come up later are read from
    their beginning, whatever `from` says. `waiting` counts those that are beyond `MOST`.

    >>> feeds, lost = Files(["/var/log/no such.log?from=end"]).feeds()
    >>> [feed.name for feed in feeds], lost
    (['file:/var/log/no such.log'], [])
    """

    def __init__(
        self,
        given: Sequence[str],
        *,
        limit: int = 1 << 20,
        patience: float = 1.0,
        notify: Notify = lambda text: None,
    ) -> None:
        self.waiting = 0
        self._limit, self._patience, self._notify = limit, patience, notify
        self._at_end: dict[str, bool] = {}
        for each in given:
            path, at_end = _parsed(each)
            self._at_end[path] = at_end
        self._feeds: dict[str, FileFeed] = {}  # by absolute path
        self._missing: dict[str, float] = {}  # since when, of paths that a glob found
        self._named = {os.path.abspath(p) for p in self._at_end if not _stands_for_many(p)}
        self._found: dict[str, tuple[list[str], list[str]]] = {}  # listing, and files in it
        self._looked = float("-inf")
        self._is_first = True

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """Files that came up, and names of those that are gone for a minute."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return [], []
        self._looked = now
        wanted: dict[str, tuple[str, bool]] = {}  # absolute path -> as it was named, at the end
        for given, at_end in self._at_end.items():
            for path in self._paths(given):
                wanted.setdefault(os.path.abspath(path), (path, at_end))
        known = {*wanted, *self._feeds}
        lost = self._gone(wanted, now)
        gained: list[Feed] = []
        self.waiting = 0
        for path, (name, at_end) in wanted.items():
            if path in self._feeds or (path not in self._named and _was(path, known)):
                continue
            if len(self._feeds) >= MOST:
                self.waiting += 1
                continue
            feed = FileFeed(
                name,
                limit=self._limit,
                at_end=at_end and self._is_first,
                patience=self._patience,
                notify=self._notify,
            )
            self._feeds[path] = feed
            gained.append(feed)
        if self.waiting and self._is_first:
            self._notify(f"{self.waiting:,} files beyond the {MOST} that are followed wait")
        self._is_first = False
        return gained, lost

    def close(self) -> None:
        for feed in self._feeds.values():
            feed.close()

    def _paths(self, given: str) -> list[str]:
        """The files that `given` stands for now."""
        if not _stands_for_many(given):
            return [given]
        listing = _listing(given)
        if given not in self._found or self._found[given][0] != listing:
            self._found[given] = listing, _texts(given, listing)
        return self._found[given][1]

    def _gone(self, wanted: dict[str, tuple[str, bool]], now: float) -> list[str]:
        """Names of feeds whose files a glob does not find any more."""
        lost = []
        for path, feed in list(self._feeds.items()):
            if path in wanted:
                self._missing.pop(path, None)
            elif now - self._missing.setdefault(path, now) >= _GONE:
                del self._feeds[path], self._missing[path]
                lost.append(feed.name)
        return lost


def _parsed(given: str) -> tuple[str, bool]:
    """A path, and whether to begin at the end.

    >>> _parsed("file:app?.log?from=end")
    ('app?.log', True)
    """
    path = given.removeprefix("file:")
    match = _OPTION.search(path)
    if match is None or os.path.lexists(path):
        start = None
    else:
        path, start = path[: match.start()], match[1]
    if not path:
        raise InputError(f"{given!r} names no file")
    if start not in (None, "begin", "end"):
        raise InputError(f"{given!r}: 'from' is {start!r}, expected 'begin' or 'end'")
    return path, start == "end"


def _stands_for_many(given: str) -> bool:
    if os.path.lexists(given):
        return os.path.isdir(given)
    return bool(_MAGIC.search(given)) or given.endswith(os.sep)


def _listing(given: str) -> list[str]:
    """All names under a folder, or that match a glob."""
    if not os.path.isdir(given):
        return sorted(f for f in glob.glob(given, recursive=True) if not os.path.isdir(f))
    found = []
    for folder, folders, names in os.walk(given):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(folder, n) for n in names if not n.startswith(".")]
    return sorted(found)


def _texts(given: str, listing: list[str]) -> list[str]:
    """Those of the names that are to be followed: in a folder no binary files; each file once."""
    try:
        real = {os.path.realpath(file) for file in expand([given])}
    except InputError:
        return []  # nothing yet
    own = [name for name in listing if not os.path.islink(name)]
    # Under which name a file is followed must not depend on what a link points to today.
    known = {os.path.realpath(name) for name in own}
    links = [n for n in listing if os.path.islink(n) and os.path.realpath(n) not in known]
    return [name for name in [*own, *links] if os.path.realpath(name) in real]


def _was(path: str, known: set[str]) -> bool:
    """Whether the file was once at one of the paths that are known."""
    folder, name = os.path.split(path)
    return any(os.path.join(folder, base) in known for base in bases(name))
