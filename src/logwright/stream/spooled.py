"""The feed of a spool: what is durable in it, read behind its writer."""

from __future__ import annotations

import os
from collections import Counter

from logwright.stream.feed import Entry
from logwright.stream.segments import RECORD, Record, Segment, record_at
from logwright.stream.spool import Spool

__all__ = ["SpoolFeed"]


class SpoolFeed:
    """A spool's records as entries; `done` lets the spool's segments go."""

    def __init__(self, spool: Spool, name: str, source: str) -> None:
        self.name, self.source = name, source
        self._spool = spool
        self._at = 0
        self._file, self._segment = -1, ""
        self._bytes = self._lines = 0

    def seek(self, position: str | None) -> None:
        """Go on from `position`; None, or another spool's: from the oldest record held."""
        at = None if position is None else self._spool.parse(position)
        if at is None:
            if position is not None:
                self._spool.notify(
                    f"the spool {self._spool.folder} is another one than the last run's: read from "
                    "its beginning"
                )
            at = 0
        self._spool.goes_on_from(at)
        self._at = at

    def read(self, most: int, timeout: float) -> list[Entry]:
        spool = self._spool
        with spool.durable:
            spool.durable.wait_for(lambda: spool.end > self._at or spool.closed, timeout)
        taken: list[memoryview] = []
        size, arrived = 0, 0
        while size < most and (segment := spool.segment_at(self._at)) is not None:
            records = self._records(segment, most - size)
            if not records and spool.end <= self._at:
                break
            for record in records:
                taken.append(record.data)
                size += record.size
                arrived = record.arrived
        if not taken:
            return []
        data = b"".join(taken)
        self._bytes += len(data)
        self._lines += data.count(b"\n")
        return [Entry(data, spool.position(self._at), arrived)]

    def done(self, position: str) -> None:
        at = self._spool.parse(position)
        if at is not None:
            self._spool.done(at)

    def lag(self) -> int | None:
        """Lines not read yet, by their length so far; 0 only where all is read."""
        behind = max(self._spool.end - self._at, 0)
        if not self._lines:
            return None if behind else 0
        return -(-behind * self._lines // self._bytes)

    @property
    def counts(self) -> Counter[str]:
        """Those of the spool."""
        return self._spool.counts

    @property
    def bytes_on_disk(self) -> int:
        """What waits on disk, read or not."""
        return self._spool.bytes_on_disk

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file, self._segment = -1, ""

    def _records(self, segment: Segment, most: int) -> list[Record]:
        """Records of a segment from the present place on, one at least if there is one."""
        self._at = max(self._at, segment.start)
        end = min(segment.end, self._spool.end)
        if end <= self._at:
            return []
        if str(segment.path) != self._segment:
            self.close()
            self._file = os.open(segment.path, os.O_RDONLY)
            self._segment = str(segment.path)
        want = max(min(most, end - self._at), RECORD.size)
        while True:
            chunk = os.pread(self._file, want, segment.byte(self._at))
            view, at = memoryview(chunk), 0
            records = []
            while isinstance(record := record_at(view, at), Record):
                records.append(record)
                at += record.size
            if records or record == 0 or self._at + record > end or len(chunk) < want:
                break
            want = record  # the first one is larger than that
        self._at += at
        if not records:
            lost = end - self._at
            self._spool.counts["damaged_bytes"] += lost
            self._spool.notify(
                f"{segment.path} is damaged: {lost:,} bytes are left out, up to the segment's end"
            )
            self._at = end
        return records
