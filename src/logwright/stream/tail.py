"""The tail: one path as a feed, over all files that are there one after the other.

A file that is renamed, deleted and made anew, or truncated in place after a copy was made is read
to its end, and the next one follows; after a restart the file of the checkpoint is looked for among
the rotated ones. A last line without its newline waits for it. A file is left once there is
something in the next one and nothing was written to it for `patience` seconds; a line that has no
newline by then ends there. What is written to a file later than that is counted and told, not read.

Left out: lines that a rotation loses by itself (written between the copy and the truncation); a
truncated file that grows beyond the old place with the same first 1,024 bytes; files deleted while
nobody reads; UTF-16.
"""

from __future__ import annotations

import os
import time
from collections import Counter

from logwright.logs.streams import BOMS, Notify
from logwright.stream.cutter import Cutter
from logwright.stream.feed import Entry
from logwright.stream.generation import Generation, Place, find
from logwright.stream.rotation import rotated

__all__ = ["FileFeed"]

_BUSY = 1.0  # s after data for which polling stays quick
_QUICK, _SLOW = 0.002, 0.05
_RETRY = 0.5  # s between tries to open
_WATCHED = 60.0  # s for which a file that was left is looked at
_UTF8 = next(bom for bom, name in BOMS.items() if name == "UTF-8")
_WIDE = tuple(bom for bom in BOMS if bom != _UTF8)


class FileFeed:
    """The lines that come to `path`. `counts` has "rotations", "truncations", "cut_lines",
    "nul_bytes", "late_bytes" (written to a file after it was left) and "gone" (files of a
    checkpoint that are nowhere).

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     feed = FileFeed(file.name)
    ...     _ = file.write(b"one\\ntwo\\nthr"), file.flush()
    ...     [entry.data for entry in feed.read(1000, 1)]
    [b'one\\ntwo\\n']
    >>> feed.close()
    """

    def __init__(
        self,
        path: str,
        *,
        limit: int = 1 << 20,
        at_end: bool = False,
        patience: float = 1.0,
        notify: Notify = lambda text: None,
    ) -> None:
        self.path = os.path.abspath(path)
        self.name, self.source = f"file:{self.path}", path
        self.counts: Counter[str] = Counter()
        self._limit, self._at_end, self._patience = limit, at_end, patience
        self._notify = notify
        self._said = ""
        self._place: Place | None = None  # where to go on once a file is open
        self._file: Generation | None = None
        self._offset = 0  # of `_held` in the file's text
        self._held = b""  # the beginning of a line
        self._unfit = False
        self._cutter = Cutter(limit)
        self._left: tuple[Generation, float] | None = None
        self._heard = self._grew = self._looked = self._tried = float("-inf")
        self._lines = self._bytes = 0

    # -- the verbs of a feed

    def seek(self, position: str | None) -> None:
        self.close()
        self._place = None if position is None else Place.parse(position)
        self._tried = float("-inf")

    def read(self, most: int, timeout: float) -> list[Entry]:
        until, pause = time.monotonic() + timeout, _QUICK
        while True:
            entry = None
            try:
                entry = self._step(most)
            except OSError as error:
                self._failed(error)
            now = time.monotonic()
            if entry is not None:
                self._heard = self._grew = now
                self._lines += entry.data.count(b"\n")
                self._bytes += len(entry.data)
                return [entry]
            if now >= until:
                return []
            pause = _QUICK if now - self._heard < _BUSY else min(pause * 1.5, _SLOW)
            time.sleep(min(pause, until - now))

    def done(self, position: str) -> None:
        """Files stay as they are."""

    def lag(self) -> int | None:
        """Lines not read yet in the file that is read, by the length of those that were."""
        if self._file is None:
            return None
        behind = self._file.unread
        if behind is None or not self._lines:
            return behind and None
        return -(-behind * self._lines // self._bytes)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._left is not None:
            self._left[0].close()
            self._left = None

    # -- one look at the file

    def _step(self, most: int) -> Entry | None:
        """The next lines; None where there are none now."""
        while True:
            file = self._file or self._open()
            if file is None:
                return None
            while data := file.read(most):
                if (entry := self._take(file, data)) is not None:
                    return entry
            if file.replaced:
                entry = self._truncated(file)
            elif file.unread:  # it has changed in between
                continue
            else:
                self._look_back()
                if file.is_compressed and self._held and self._is_quiet(file):
                    return self._last_line(file)  # nobody adds to it
                following = self._next(file)
                if following is None:
                    return None
                entry = self._leave(file, following)
            if entry is not None:
                return entry

    def _failed(self, error: OSError) -> None:
        """The file cannot be read any more (a server that went away): found anew when it can."""
        self._say(f"{self.path} cannot be read: {error.strerror}; trying again")
        self._tried = time.monotonic()
        if self._file is not None:
            self._place = self._file.place(self._offset, self._cutter.skipping)
            self.close()

    def _take(self, file: Generation, data: bytes) -> Entry | None:
        data = self._held + data if self._held else data
        if self._offset == 0:
            if data.startswith(_WIDE):
                self._unfit = True
                self._say(f"{self.path} is {_wide(data)}: not followed (UTF-8 is)")
            elif data.startswith(_UTF8):
                data, self._offset = data[len(_UTF8) :], len(_UTF8)
        if self._unfit:
            self._offset += len(data)
            self._held = b""
            return None
        before = self._cutter.cut_lines, self._cutter.nul_bytes
        lines, used = self._cutter.cut(data)
        self.counts["cut_lines"] += self._cutter.cut_lines - before[0]
        self.counts["nul_bytes"] += self._cutter.nul_bytes - before[1]
        self._offset += used
        self._held = data[used:]
        return self._entry(file, lines) if lines else None

    def _entry(self, file: Generation, lines: bytes) -> Entry:
        place = file.place(self._offset, self._cutter.skipping)
        return Entry(lines, str(place), min(file.status.st_mtime_ns, time.time_ns()))

    def _last_line(self, file: Generation) -> Entry | None:
        """The line whose newline does not come any more."""
        line, self._held = self._held, b""
        self._offset += len(line)
        return self._entry(file, line + b"\n") if line else None

    # -- from file to file

    def _open(self) -> Generation | None:
        """The file in which the feed goes on."""
        now = time.monotonic()
        if now - self._tried < _RETRY:
            return None
        self._tried = now
        place = self._place
        if place is not None:
            older = rotated(self.path)
            file = find([self.path, *reversed(older)], place, self._say)
            if file is not None:
                return self._begin(file, place.offset, place.skipping)
            later = [p for p in older if _changed(p) > place.changed]
        else:
            later = []
        path = next(iter(later), self.path)
        if (file := self._opened(path)) is None:
            return None
        if place is not None and place.offset:
            self.counts["gone"] += 1
            self._say(
                f"{self.path}: the file that was read last is gone, with what was not read of it: "
                f"going on with {path}"
            )
        begin = 0
        if self._at_end and place is None:
            begin = file.last_line(self._limit)
            self._at_end = False
        return self._begin(file, begin)

    def _opened(self, path: str) -> Generation | None:
        try:
            return Generation(path, self._say)
        except FileNotFoundError:
            self._say(f"{path} is not there: waiting for it")
        except OSError as error:
            self._say(f"{path} cannot be read: {error.strerror}; trying again")
        return None

    def _begin(self, file: Generation, offset: int = 0, skipping: bool = False) -> Generation:
        file.go_to(offset)
        self._file, self._place = file, None
        self._offset, self._held, self._unfit = offset, b"", False
        self._cutter = Cutter(self._limit, skipping)
        self._said = ""
        self._looked = float("-inf")
        self._grew = time.monotonic()
        return file

    def _next(self, file: Generation) -> str | None:
        """The path of the file that follows `file`, once `file` is to be left."""
        now = time.monotonic()
        # Where nothing is in the next file yet, only its coming is waited for at that pace.
        if now - self._looked < (_SLOW if _size(self.path) else _RETRY):
            return None
        self._looked = now
        if file.is_at(self.path):
            return None
        older = rotated(self.path)
        at = next((i for i, path in enumerate(older) if file.is_at(path)), None)
        if at is None and (found := find(older, file.place(0, False), self._say)) is not None:
            at = older.index(found.path)  # it was compressed in the meantime
            found.close()
        if at is not None:
            later = older[at + 1 :]
        else:
            later = [p for p in older if _changed(p) > file.status.st_mtime_ns]
        following = next((p for p in [*later, self.path] if _size(p)), None)
        return following if file.moved or self._is_quiet(file) else None

    def _is_quiet(self, file: Generation) -> bool:
        quiet = max(time.monotonic() - self._grew, time.time() - file.status.st_mtime)
        return quiet >= self._patience

    def _leave(self, file: Generation, following: str) -> Entry | None:
        if (entry := self._last_line(file)) is not None:
            return entry
        opened = self._opened(following)
        if opened is None:
            return None
        self.counts["rotations"] += 1
        if self._left is not None:
            self._left[0].close()
        self._left = file, time.monotonic()
        self._begin(opened)
        return None

    def _truncated(self, file: Generation) -> Entry | None:
        """The file holds something else now: what was not read may be in a copy of it."""
        self.counts["truncations"] += 1
        place = file.place(self._offset, self._cutter.skipping)
        copy = find(list(reversed(rotated(self.path))), place, self._say)
        if copy is not None:
            file.close()
            copy.moved = True
            self._begin(copy, self._offset, self._cutter.skipping)
            return None
        line = self._held
        path = self.path if file.is_at(self.path) else file.path
        opened = self._opened(path)
        if opened is None:
            return None
        file.close()
        self._begin(opened)
        return self._entry(opened, line + b"\n") if line else None

    def _look_back(self) -> None:
        """Whether a file that was left has grown."""
        if self._left is None:
            return
        file, since = self._left
        before = file.at
        while file.read(1 << 20):
            pass
        late = file.at - before
        if late:
            self.counts["late_bytes"] += late
            self._say(f"{file.path}: {late:,} bytes came after the next file was begun: not read")
        if time.monotonic() - since > _WATCHED or file.replaced:
            file.close()
            self._left = None

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._notify(text)


def _wide(data: bytes) -> str:
    return next(name for bom, name in BOMS.items() if data.startswith(bom))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
