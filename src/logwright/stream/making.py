"""Making: a model's pipeline for each feed, with rules, the ignore file and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from logwright.feedback.judge import Judge
from logwright.findings.finding import Finding
from logwright.findings.sieve import Sieve
from logwright.findings.verdict import Entry as Word
from logwright.findings.verdict import Undo
from logwright.logs.batch import NO_TIME
from logwright.model import Model
from logwright.settings import Settings
from logwright.store import open_store
from logwright.stream.feed import Entry, Feed
from logwright.stream.metrics import Metrics
from logwright.stream.running import Running

__all__ = ["Maker"]

_SECOND = 1_000_000_000


class Maker:
    """Gives pipelines of one model; `store` is where verdicts are given (None: nowhere), which act
    on the next batch. Those that are given from now on are counted, once for all pipelines. To be
    used by one thread.

    >>> import tempfile, logwright as lw
    >>> log = Path(tempfile.mkdtemp(), "app.log")
    >>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)))
    >>> from logwright.stream.files import Files
    >>> (feed,), _ = Files([str(log)]).feeds()
    >>> judged = Maker(lw.learn(str(log)), Settings(), None, print)(feed, None)
    >>> _ = judged.push([Entry(b"disk full\\n", "1", 0)])
    >>> [finding.summary for finding in judged.finish()]
    ["new: 'disk full', seen once, never in the 50 lines of history"]
    """

    def __init__(
        self,
        model: Model,
        settings: Settings,
        store: Path | None,
        say: Callable[[str], None],
        metrics: Metrics | None = None,
    ) -> None:
        self._model, self._settings, self._say = model, settings, say
        self._metrics = metrics or Metrics()
        self._store = None if store is None else open_store(store)
        self._heard = 0 if self._store is None else self._store.newest()
        self._told = set(model.notes())
        Sieve(settings, 0)  # an ignore file that cannot be read is told before the work
        for note in self._told:
            say(note)

    def __call__(self, feed: Feed, snapshot: bytes | None) -> _Judged:
        """See `judging.Make`."""
        args = self._model, self._settings, feed.source
        if snapshot is None:
            running = Running(*args, judge=self._judge())
        else:
            running = Running.restored(*args, snapshot, judge=self._judge())
        for note in running.notes:
            if note not in self._told:
                self._told.add(note)
                self._say(note)
        return _Judged(running, Sieve(self._settings, 0))

    def _judge(self) -> Judge | None:
        if self._store is None:
            return None
        return Judge(lambda: (t.text for t in self._model.templates), self._words)

    def _words(self, after: int) -> Iterable[Word]:
        assert self._store is not None
        if self._store.newest() <= after:
            return ()
        entries = self._store.entries(after)
        for entry in entries:
            if entry.number > self._heard:
                self._heard = entry.number
                self._metrics.count("verdicts", "undo" if isinstance(entry, Undo) else entry.word)
        return entries

    def close(self) -> None:
        """Let the store go."""
        if self._store is not None:
            self._store.close()


class _Judged:
    """A running pipeline without the findings that the ignore file leaves out."""

    def __init__(self, running: Running, sieve: Sieve) -> None:
        self._running, self._sieve = running, sieve

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        """See `judging.Judging.push`."""
        return self._sieve.known(self._running.push(entries))

    def advance(self, seconds: float) -> list[Finding]:
        """See `judging.Judging.advance`."""
        # By the log's own clock: one that is read late, or tells of last year, is not moved to now.
        newest = self._running.newest
        now = newest if newest == NO_TIME else newest + int(seconds * _SECOND)
        return self._sieve.known(self._running.advance(now))

    def finish(self) -> list[Finding]:
        """See `judging.Judging.finish`."""
        return self._sieve.known(self._running.finish())

    def snapshot(self) -> bytes:
        """See `judging.Judging.snapshot`."""
        return self._running.snapshot()

    def paused(self) -> Callable[[], bytes]:
        """See `judging.Judging.paused`."""
        return self._running.paused()

    @property
    def lines(self) -> int:
        """See `judging.Judging.lines`."""
        return self._running.taken

    @property
    def open_windows(self) -> int:
        """See `judging.Judging.open_windows`."""
        return self._running.pipeline.open_windows

    @property
    def evicted(self) -> Mapping[str, int]:
        """See `judging.Judging.evicted`."""
        return self._running.pipeline.dropped

    def close(self) -> None:
        """See `judging.Judging.close`."""
        self._running.close()
