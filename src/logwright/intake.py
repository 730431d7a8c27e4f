"""The intake of a run: its sources read once, recorded, timed, and their shapes collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from logwright.errors import InputError
from logwright.findings.run import SourceInfo
from logwright.logs.batch import NO_TIME, Int32s
from logwright.logs.kernel import BACKEND
from logwright.logs.reader import Reader
from logwright.logs.recording import TEXT_LIMIT, Recording
from logwright.logs.sources import open_sources
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.timeline import TimelineCounter
from logwright.windows.plan import check_window
from logwright.windows.sessions import typical_gap

__all__ = ["Intake", "Progress"]

_LOOKED_AT = 1_000_000  # records that the session gap is worked out from

Progress = Callable[[int, int | None, int], None]
"""Called with bytes read, bytes in all (None where unknown) and lines read."""


class Intake:
    """One pass over the input; `first` and `last` are the span of its times (ns, or `NO_TIME`)."""

    def __init__(self, inputs: Sequence[str], settings: Settings) -> None:
        check_window(settings)
        self.settings = settings
        self.sources = open_sources(inputs, settings)
        self.reader = Reader(self.sources, settings)
        paths = [s.plain_path for s in self.sources.sources]
        limit = min(TEXT_LIMIT, settings.max_line_bytes)
        self.recording = Recording(paths, text_limit=limit)
        self.timeline = TimelineCounter()
        self.first = self.last = NO_TIME
        self.timed = 0
        self._codes: list[Int32s] = []
        self._notes: list[str] = []

    def read(self, miner: Miner, progress: Progress | None) -> None:
        """Record everything, and give all shapes to the miner."""
        for batch in self.reader.batches():
            self.recording.append(batch)
            shapes = self.reader.take_shapes()
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
            raise InputError(f"{names} holds no lines")

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
        notes = self.reader.notes
        names = {s.stats.name for s in self.sources.sources}
        infos = []
        for i, source in enumerate(self.sources.sources):
            stats, detected = source.stats, self.reader.formats.get(i)
            title = detected.format.title if detected else ""
            infos.append(
                SourceInfo(
                    name=stats.name,
                    lines=stats.lines,
                    bytes=stats.bytes,
                    format=title,
                    reason=detected.reason.removeprefix(f"{title}: ") if detected else "",
                    notes=tuple(n.text for n in notes if n.source == stats.name),
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
