"""The sinks that need nothing installed: standard output, a file of JSON lines, the store."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from logwright.errors import SettingsError, StoreError
from logwright.findings.finding import Finding
from logwright.findings.run import Run
from logwright.store import open_store
from logwright.store.base import Store
from logwright.stream.sink import SinkError

__all__ = ["FileSink", "Numbered", "StoreSink", "TextSink"]

_OURS = b'{"schema_version":'
_PLACE = 42


@runtime_checkable
class Numbered(Protocol):
    """A sink that can tell by the numbers of the outbox what it was given before."""

    def begin(self, sequence: int) -> None:
        """The next `put` begins at this number; one that was given before comes with its own."""


class TextSink:
    """Standard output: JSON lines, or what `show` writes of a finding for a person. `stream` gives
    where JSON lines go, asked anew each time as standard output may be replaced.

    >>> import sys
    >>> TextSink(lambda: sys.stdout).put([b'{"id": "f-1"}'])
    {"id": "f-1"}
    """

    name = "stdout"

    def __init__(
        self, stream: Callable[[], TextIO], show: Callable[[Finding], None] | None = None
    ) -> None:
        self._stream, self._show = stream, show

    def put(self, findings: Sequence[bytes]) -> None:
        """See `Sink.put`."""
        if self._show is not None:
            for json in findings:
                self._show(Finding.model_validate_json(json))
            return
        stream = self._stream()
        stream.write("".join(json.decode() + "\n" for json in findings))
        stream.flush()

    def close(self) -> None:
        """See `Sink.close`."""


class FileSink:
    """A file of JSON lines, one for each finding, each put synced to the disk.

    Where the last put began, and with which number, is kept in a small file beside it
    (``.NAME.place``): one that was cut short, or that nobody learned of, is undone before it is
    made again, so that each finding stands in the file once. That small file is locked while a put
    lasts. A worker that slept before one, while another took over from it, finds what it was about
    to write, and leaves it. The file may be renamed away by whoever rotates logs; a new one is
    begun then.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, f"file:{path.resolve()}"
        self._beside = path.with_name(f".{path.name}.place")
        self._fd, self._first = -1, 0
        try:
            if path.exists() and not path.is_file():
                raise SettingsError(f"--out {path} is not a file")
            if path.exists() and not _OURS.startswith(_head(path)):  # a kill may have cut it short
                raise SettingsError(
                    f"--out {path} exists and holds no findings: choose another name"
                )
            self._open()
        except OSError as error:
            raise SettingsError(
                f"--out {path} cannot be written: {error.strerror or error}"
            ) from None

    def begin(self, sequence: int) -> None:
        """See `Numbered.begin`."""
        self._first = sequence

    def put(self, findings: Sequence[bytes]) -> None:
        """See `Sink.put`."""
        data = b"".join(json + b"\n" for json in findings)
        try:
            with self._alone() as beside:
                self._open()
                place = _place(beside)
                if self._has(data, place):
                    os.fsync(self._fd)
                    return
                size = self._undone(data, place)
                os.pwrite(beside, b"%020d %020d\n" % (self._first, size), 0)
                try:
                    _write(self._fd, data)
                    os.fsync(self._fd)
                except OSError:
                    os.ftruncate(self._fd, size)
                    raise
        except BlockingIOError:
            raise SinkError(f"{self.path} is being written by another worker") from None
        except OSError as error:
            raise SinkError(f"{self.path} cannot be written: {error.strerror or error}") from None

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """The file that says where the last put began, locked."""
        fd = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield fd
        finally:
            os.close(fd)

    def _open(self) -> None:
        """The file, anew where it was renamed away or removed."""
        if self._fd >= 0:
            mine = os.fstat(self._fd)
            try:
                there = os.stat(self.path)
            except FileNotFoundError:
                there = None
            if there is not None and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
                return
            self.close()
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "it is not a file")
        self._fd = fd

    def _has(self, data: bytes, place: tuple[int, int] | None) -> bool:
        """Whether this put is there, and perhaps later ones, which another worker made."""
        if place is None or place[0] < self._first or not os.fstat(self._fd).st_size:
            return False
        with mmap.mmap(self._fd, 0, access=mmap.ACCESS_READ) as there:
            return there.rfind(data) >= 0

    def _undone(self, data: bytes, place: tuple[int, int] | None) -> int:
        """The size of the file once the last put is undone, if that was this one."""
        size = os.fstat(self._fd).st_size
        if place is not None and place[0] == self._first and place[1] < size:
            written = os.pread(self._fd, size - place[1], place[1])
            if data.startswith(written):
                os.ftruncate(self._fd, place[1])
                return place[1]
        return size

    def close(self) -> None:
        """See `Sink.close`."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class StoreSink:
    """The store at `path`, where verdicts are given on findings. A finding is known by its id, so
    that one that comes again changes nothing."""

    name = "store"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store: Store | None = None
        self._run = f"r-{secrets.token_hex(8)}"
        self._started = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
        open_store(path).close()  # what is wrong with it is said now

    def put(self, findings: Sequence[bytes]) -> None:
        """See `Sink.put`."""
        found = [Finding.model_validate_json(json) for json in findings]
        run = Run(title="logwright worker", started=self._started)
        try:
            if self._store is None:  # a store belongs to the thread that opened it
                self._store = open_store(self.path)
            self._store.add_run(self._run, run, found, {})
        except StoreError as error:
            self.close()
            raise SinkError(str(error)) from None

    def close(self) -> None:
        """See `Sink.close`."""
        if self._store is not None:
            self._store.close()
            self._store = None


def _place(fd: int) -> tuple[int, int] | None:
    """With which number the last put began, and where; None before the first one, or torn: then a
    put may be there twice."""
    try:
        first, size = os.pread(fd, _PLACE, 0).split()
        return int(first), int(size)
    except ValueError:
        return None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_OURS))


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
