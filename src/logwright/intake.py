"""The intake of a run: its sources read once, recorded, timed, and their shapes collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np

from logwright.errors import InputError
from logwright.findings.run import SourceInfo
from logwright.logs.batch import NO_TIME, Int32s, Int64s, LineBatch
from logwright.logs.coder import NewShapes
from logwright.logs.kernel import BACKEND
from logwright.logs.reader import Reader
from logwright.logs.recording import TEXT_LIMIT, Recording
from logwright.logs.sources import Source, Sources, open_sources
from logwright.logs.texts import Texts
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.templates.values import Sketch, Values
from logwright.templates.vocabulary import Vocabulary
from logwright.timeline import TimelineCounter
from logwright.windows.plan import check_window
from logwright.windows.sessions import typical_gap

__all__ = ["Intake", "Look", "Progress"]

_LOOKED_AT = 300_000  # records that the session gap is worked out from

Progress = Callable[[int, int | None, int], None]
"""Called with bytes read, bytes in all (None where unknown) and lines read."""

Look = Callable[[LineBatch, int], None]
"""Called with a batch and the row of its first record, as rows are read."""


class Intake:
    """One pass over the input; `first` and `last` are the span of its times (ns, or `NO_TIME`).

    An input that is a `Source` has no end, and somebody else gives its blocks: `written` says when
    it was last written (seconds since 1970).
    """

    def __init__(
        self, inputs: Sequence[str] | Source, settings: Settings, written: float | None = None
    ) -> None:
        check_window(settings)
        self.settings = settings
        if isinstance(inputs, Source):
            self.sources = Sources([inputs])
        else:
            self.sources = open_sources(inputs, settings)
        self.reader = Reader(self.sources, settings, written)
        self.recording: Recording
        if isinstance(inputs, Source):
            self.recording = self.texts()
        else:
            paths = [s.plain_path for s in self.sources.sources]
            self.recording = Recording(paths, text_limit=self._limit)
        self.timeline = TimelineCounter()
        self.first = self.last = NO_TIME
        self.timed = 0
        self.values = Values()
        self._codes: list[Int32s] = []
        self._notes: list[str] = []
        self._met: list[tuple[Int32s, Int64s]] = []  # shapes, their first rows in a source
        self._texts: list[bytes] = []  # by shape
        self._source = -1
        self._met_codes = np.zeros(0, bool)

    @property
    def _limit(self) -> int:
        return min(TEXT_LIMIT, self.settings.max_line_bytes)

    def texts(self, past: Recording | None = None) -> Texts:
        """A recording without an end, after those rows."""
        return Texts(self._limit, past, lambda text: self.digest(0, text))

    def digest(self, source_id: int, text: bytes) -> bytes:
        """What stands for a line in the names of findings: a hash of its message."""
        message = text[self.reader.message_at(source_id, text) :]
        return blake2b(message, digest_size=8).digest()

    def read(self, miner: Miner, progress: Progress | None, look: Look | None = None) -> None:
        """Record everything, and give all shapes to the miner; `look` is shown each batch while its
        text is at hand."""
        for batch in self.reader.batches():
            self.values.look(batch, self.recording.rows)
            shapes = self.reader.take_shapes()
            self._meet(batch, shapes)
            if look is not None:
                look(batch, self.recording.rows)
            self.recording.append(batch)
            miner.add(shapes.keys, shapes.contents)
            self._codes.append(shapes.codes)
            self.timeline.add(batch.ts, batch.level)
            timed = batch.ts[batch.ts != NO_TIME]
            if len(timed):
                low, high = int(timed.min()), int(timed.max())
                self.first = low if self.first == NO_TIME else min(self.first, low)
                self.last = max(self.last, high)
                self.timed += len(timed)
            self.tell(progress)
        if not self.recording.rows:
            names = ", ".join(s.stats.name for s in self.sources.sources[:3])
            left = self.reader.left_out
            why = f"no line in the selection ({left:,} are outside)" if left else "no lines"
            raise InputError(f"{names} holds {why}")

    def _meet(self, batch: LineBatch, shapes: NewShapes) -> None:
        """Note where shapes came first in a source."""
        if batch.source_id != self._source:
            self._source = batch.source_id
            self._met_codes[:] = False
        if not len(batch):
            return
        room = int(batch.shape.max()) + 1
        if room > len(self._met_codes):
            more = max(room, 2 * len(self._met_codes)) - len(self._met_codes)
            self._met_codes = np.concatenate((self._met_codes, np.zeros(more, bool)))
        fresh = np.flatnonzero(~self._met_codes[batch.shape])
        if not len(fresh):
            return
        codes, first = np.unique(batch.shape[fresh], return_index=True)
        self._met_codes[codes] = True
        text = dict(zip(shapes.codes[::-1].tolist(), shapes.contents[::-1], strict=True))
        self._texts += [b""] * (room - len(self._texts))
        for code, content in text.items():
            if code < room and not self._texts[code]:
                self._texts[code] = content
        self._met.append((codes, self.recording.rows + fresh[first]))

    def note(self, text: str) -> None:
        """Say something in the summary."""
        self._notes.append(text)

    def tell(self, progress: Progress | None) -> None:
        """Report how far reading has come."""
        if progress is not None:
            progress(self.sources.position, self.sources.total, self.recording.rows)

    def group(self, miner: Miner) -> Vocabulary:
        """Group the shapes, and enter every shape code of this run."""
        vocabulary = Vocabulary(miner, miner.group())
        codes = np.unique(np.concatenate(self._codes))
        vocabulary.learn_shapes(codes, self.reader.shapes.keys(codes))
        return vocabulary

    def sort(self) -> None:
        """Put records of several sources that overlap in time in order of time."""
        if len(self.sources.sources) > 1:
            note = self.recording.sort_by_time(int(self.settings.lateness * 1e9))
            if note is not None:
                self._notes.append(note)

    def shapes(self) -> tuple[Int32s, Int64s, list[bytes]]:
        """Shape codes with the rows of their first lines in each source, as rows are numbered now,
        and contents by code."""
        codes = np.concatenate([codes for codes, _ in self._met])
        rows = np.concatenate([rows for _, rows in self._met])
        return codes, self.recording.now(rows), self._texts

    def sketches(self) -> list[tuple[int, int, int, Sketch]]:
        """What the slots of all shapes held, with rows as they are numbered now."""
        found = self.values.sketches()
        return [(code, n, at, sketch.moved(self.recording.now)) for code, n, at, sketch in found]

    @property
    def span(self) -> int:
        """The time the log covers, ns; 0 where most lines have no time."""
        # Stack traces have few lines with a time, which those behind them share.
        if self.timed < 0.1 * self.recording.rows:
            return 0
        return max(min(self.last - self.first, self.timeline.span), 1)

    def settings_for_plan(self) -> Settings:
        """The settings, with the session gap that the log's own sessions ask for."""
        most = int(self.settings.session_gap * 1e9)
        for _, columns in self.recording.read(0, min(self.recording.rows, _LOOKED_AT), _LOOKED_AT):
            gap = typical_gap(columns["session"], columns["ts"], most)
            return self.settings.model_copy(update={"session_gap": gap / 1e9})
        return self.settings

    def infos(self) -> tuple[tuple[SourceInfo, ...], list[str]]:
        """What a report says of each source, and notes that belong to none."""
        notes, formats = self.reader.notes, self.reader.formats
        of_source: dict[str, list[str]] = {}
        for n in notes:
            of_source.setdefault(n.source, []).append(n.text)
        names = {s.stats.name for s in self.sources.sources}
        infos = []
        for i, source in enumerate(self.sources.sources):
            stats, detected = source.stats, formats.get(i)
            title = detected.format.title if detected else ""
            infos.append(
                SourceInfo(
                    name=stats.name,
                    lines=stats.lines,
                    bytes=stats.bytes,
                    format=title,
                    reason=detected.reason.removeprefix(f"{title}: ") if detected else "",
                    notes=tuple(of_source.get(stats.name, ())),
                )
            )
        others = [n for n in notes if n.source not in names]
        told = [n.text if n.source == "all" else f"{n.source}: {n.text}" for n in others]
        told = [*self._notes, *told]
        if not BACKEND.startswith("C"):
            told.append(f"running on the {BACKEND}")
        return tuple(infos), told

    def all_notes(self) -> list[str]:
        """Every note as a sentence, each said once."""
        infos, told = self.infos()
        by_note: dict[str, list[str]] = {}
        for info in infos:
            for note in info.notes:
                by_note.setdefault(note, []).append(info.name)
        shared = [
            f"{names[0] if len(names) == 1 else f'{len(names)} sources'}: {note}"
            for note, names in by_note.items()
        ]
        return [*told, *shared]

    def close(self) -> None:
        """Let temporary files go."""
        self.recording.close()
