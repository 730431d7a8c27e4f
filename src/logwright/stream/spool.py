"""The spool: lines that cannot be read again, on disk before their sender is answered.

A spool is a folder of segments (`stream.segments`), written by one process at a time. Positions
count the bytes of all records ever written, and are never given twice. A record is *durable* once
`sync` is back from it; the feed gives no others, so that nothing a worker has seen can be missing
after a power cut. What a crash left half written at the end is dropped on opening: nobody was
answered for it.

Disk: `most_bytes` in all. Beyond it, or where the disk is full, `append` raises `SpoolFullError`
and keeps nothing: the sender is to wait (back-pressure) until the worker's checkpoints have let
segments go. Nothing that was taken in is ever dropped to make room.

Left out: several writers; compression; repair of a segment's middle (what is damaged there is
skipped to the segment's end, counted and told).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import threading
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING

from logwright.errors import InputError, LogwrightError
from logwright.logs.streams import Notify
from logwright.stream.segments import HEADER, RECORD, Segment, found, header, packed

if TYPE_CHECKING:
    from logwright.stream.spooled import SpoolFeed

__all__ = ["Spool", "SpoolFullError"]

_SEGMENT = 64 << 20
_SHARE = 4  # of the room for one segment at most: whole segments are let go, the others must fit
_FAILURES = 64


class SpoolFullError(LogwrightError):
    """The spool has no room now: nothing was kept, and it is to be tried again later."""


class Spool:
    """A folder that takes lines (`append`, `sync`) and gives them back (`feed`).

    May be used by many threads. `counts` has "appended_bytes", "full" (appends that were refused),
    "dropped_bytes" (half written, found on opening) and "damaged_bytes".

    >>> import tempfile
    >>> spool = Spool(Path(tempfile.mkdtemp()))
    >>> position = spool.append(b"one\\ntwo\\n", 7)
    >>> spool.sync()
    >>> [entry.data for entry in spool.feed("spool:x", "x").read(1000, 0)]
    [b'one\\ntwo\\n']
    >>> spool.close()
    """

    def __init__(
        self, folder: Path, most_bytes: int = 1 << 30, notify: Notify = lambda text: None
    ) -> None:
        self.folder, self.most_bytes, self.notify = folder, most_bytes, notify
        self.counts: Counter[str] = Counter()
        self.durable = threading.Condition()
        """Notified when more is durable, and when the spool is closed."""
        self.closed = False
        self._segment_bytes = min(_SEGMENT, most_bytes // _SHARE)
        self._lock = threading.RLock()  # of what follows
        self._syncing = threading.Lock()  # taken before `_lock`, never after it
        self._mine = threading.local()
        self._failed: deque[tuple[int, int]] = deque(maxlen=_FAILURES)
        self._file = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(f"the spool {folder} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._segments, dropped = found(folder)
            self.id = self._identity()
        except BlockingIOError:
            os.close(self._lock_file)
            raise InputError(f"the spool {folder} is in use by another process") from None
        except (OSError, InputError) as error:
            os.close(self._lock_file)
            raise InputError(f"the spool {folder} cannot be opened: {error}") from None
        if dropped:
            self.counts["dropped_bytes"] = dropped
            notify(f"the spool {folder}: {dropped:,} bytes at its end were half written: dropped")
        self._end = self._segments[-1].end if self._segments else 0
        self.end = self._end
        """The position up to which all is durable."""
        self._on_disk = sum(s.size for s in self._segments)

    @property
    def bytes_on_disk(self) -> int:
        return self._on_disk

    def append(self, data: bytes, arrived: int) -> str:
        """Take whole lines, which are safe once `sync` is back; gives the position after them.

        A newline that is missing at the end is added. `SpoolFullError` where there is no room."""
        if not data.endswith(b"\n"):
            data += b"\n"
        size = RECORD.size + len(data)
        if size > self.most_bytes // _SHARE:
            some = f"{len(data):,} bytes at once are too many"
            raise InputError(f"{some} for a spool of {self.most_bytes:,} bytes")
        with self._lock:
            if self.closed:
                raise InputError(f"the spool {self.folder} is closed")
            if self._on_disk + size + HEADER.size > self.most_bytes:
                self.counts["full"] += 1
                raise SpoolFullError(
                    f"the spool {self.folder} is full: {self._on_disk:,} of {self.most_bytes:,} "
                    "bytes wait for the worker"
                )
            try:
                self._write(packed(data, arrived))
            except OSError as error:
                self.counts["full"] += 1
                raise SpoolFullError(
                    f"the spool {self.folder} cannot be written: {error.strerror}"
                ) from None
            self.counts["appended_bytes"] += len(data)
            self._mine.end = self._end
            return self.position(self._end)

    def sync(self, position: str | None = None) -> None:
        """Wait until all that this thread has appended (or all up to `position`) is durable.

        One fsync serves all who wait for it. `SpoolFullError` where some could not be kept."""
        target = self.parse(position) if position else getattr(self._mine, "end", 0)
        if target is None:
            return
        if target > self.end:
            with self._syncing:
                if target > self.end:
                    self._sync()
        if any(low < target <= high for low, high in list(self._failed)):
            raise SpoolFullError(f"the spool {self.folder} could not be written: send it again")

    def feed(self, name: str, source: str) -> SpoolFeed:
        """What is durable, from the oldest record that is still held on. One for a spool."""
        from logwright.stream.spooled import SpoolFeed

        return SpoolFeed(self, name, source)

    def position(self, end: int) -> str:
        """A position as text; it names the spool, so that another one's is not mistaken for it."""
        return f"{self.id}-{end}"

    def parse(self, position: str) -> int | None:
        """The number of a position, None where it is another spool's."""
        match = re.fullmatch(r"([0-9a-f]{16})-(\d{1,18})", position)
        if match is None:
            raise InputError(f"{position!r} is no position of a spool")
        return int(match[2]) if match[1] == self.id else None

    def segment_at(self, position: int) -> Segment | None:
        """The segment of the first record at or after `position`; None where there is none."""
        with self._lock:
            return next((s for s in self._segments if s.end > position), None)

    def goes_on_from(self, position: int) -> None:
        """Use no position below this one: a worker has seen up to it."""
        with self._lock:
            if position > self._end:
                self._shut()
                self._end = self.end = position

    def done(self, position: int) -> None:
        """Let go of the segments that end at or before `position`."""
        with self._lock:
            if self.closed:
                return
            while self._segments and self._segments[0].end <= position:
                segment = self._segments[0]
                if len(self._segments) == 1:  # there is always one, to know the position by
                    if segment.size < self._segment_bytes // _SHARE:
                        return
                    try:
                        self._roll()
                    except OSError:
                        return  # another time
                segment.path.unlink(missing_ok=True)
                self._on_disk -= segment.size
                self._segments.remove(segment)

    def close(self) -> None:
        """Make durable what is written, and let the folder go."""
        with self._lock:
            if self.closed:
                return
            self._sync()
            self.closed = True
            self._shut()
            os.close(self._lock_file)
        with self.durable:
            self.durable.notify_all()

    def _write(self, record: bytes) -> None:
        segment = self._segments[-1] if self._segments else None
        if self._file < 0 or segment is None or self._is_full(segment, len(record)):
            self._roll()
            segment = self._segments[-1]
        view, done = memoryview(record), 0
        try:
            while done < len(record):
                done += os.pwrite(self._file, view[done:], segment.byte(segment.end) + done)
        except OSError:
            if done:
                os.ftruncate(self._file, segment.byte(segment.end))
            raise
        segment.end += len(record)
        self._end = segment.end
        self._on_disk += len(record)

    def _is_full(self, segment: Segment, more: int) -> bool:
        return segment.end > segment.start and segment.size + more > self._segment_bytes

    def _roll(self) -> None:
        """Begin a segment; the one before it is made durable first. Where that fails nothing is
        begun: who appended what is lost is to learn of it before anything comes after it."""
        if not self._sync():
            raise OSError(errno.EIO, "what was written before could not be kept")
        segment = Segment.at(self.folder, self._end)
        is_new = not self._segments or self._segments[-1].path != segment.path
        file = os.open(segment.path, os.O_RDWR | os.O_CREAT, 0o600)
        if is_new:
            try:
                os.pwrite(file, header(segment.start), 0)
                _sync_folder(self.folder)
            except OSError:
                os.close(file)
                segment.path.unlink(missing_ok=True)
                raise
            self._segments.append(segment)
            self._on_disk += segment.size
        self._shut()
        self._file = file

    def _sync(self) -> bool:
        """Make all that is written durable; False where that failed, and some was given up."""
        with self._lock:
            if self._file < 0:
                return True
            # A roll may close the file meanwhile; it waits for an fsync of its own.
            file, end = os.dup(self._file), self._end
        try:
            os.fsync(file)
        except OSError:
            self._fail()
            return False
        finally:
            os.close(file)
        # Where another thread's fsync failed meanwhile, `_failed` tells in spite of this success.
        with self._lock, self.durable:
            if end > self.end:
                self.end = end
                self.durable.notify_all()
        return True

    def _fail(self) -> None:
        """Give up what is not durable, as nobody can tell what of it is on the disk; its positions
        are not used again."""
        with self._lock:
            self.counts["full"] += 1
            segment, end = self._segments[-1], max(self.end, self._segments[-1].start)
            self._failed.append((self.end, self._end))
            self._on_disk -= segment.end - end
            segment.end = end
            # Should it be there on opening all the same: its sender was told to send it again.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, segment.byte(end))
            self._shut()

    def _shut(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _identity(self) -> str:
        """The spool's own id, made with it."""
        text = os.pread(self._lock_file, 64, 0)
        if not re.fullmatch(rb"[0-9a-f]{16}", text):
            text = secrets.token_hex(8).encode()
            os.ftruncate(self._lock_file, 0)
            os.pwrite(self._lock_file, text, 0)
            os.fsync(self._lock_file)
            _sync_folder(self.folder)
        return text.decode()


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
