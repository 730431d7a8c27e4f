"""Speed of rules: lines/s of reading a raw log and judging it by 10, 100 and 1,000 rules.

Seconds are those of the processor, of all threads together, so that a second core is no help:
reading, shapes, windows of 100 lines, and rules. Beside the engine stand the same rules as plain
functions, in the sandbox as the product would run them, also by the processor's time; what it takes
to hand windows over is not counted. `times_plain` compares whole ways from raw lines to answers,
both with reading.

Rules are those of `bench.rules_drawn`.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from logwright.bench import corpora
from logwright.bench.rules_drawn import MIXES, drawn
from logwright.logs.coder import BLANK
from logwright.logs.reader import Reader
from logwright.logs.sources import open_sources
from logwright.rules.engine.classing import Naming
from logwright.rules.engine.engine import Engine
from logwright.rules.language.emit import emit
from logwright.rules.language.plain import FIELDS, Line
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Sandbox
from logwright.settings import Settings
from logwright.windows.tumbling import CountWindows
from logwright.windows.window import Events

__all__ = ["BGL", "HDFS", "MIX", "rows"]

HDFS, BGL, MIX = "HDFS-like", "BGL-like", "12 systems shuffled"
"""The texts."""

_REPEATS = 3
_SIZE = 100
_SHOWN = 20_000
_PLAIN, _CALLS, _PASSES = 5_000, 100, 6
_SEED = 20_261_123
_SETTINGS = Settings(session="none")
_DEFINES, _LIMIT = "def rule(", 60.0


def rows(data: Path, quick: bool = False) -> list[dict[str, Any]]:
    """A row for each text and number of rules, beginning with none.

    Args:
        data: The folder of the data sets.
        quick: A few lines, once.
    """
    texts = {
        HDFS: b"".join(islice(corpora.hdfs(data), 1 if quick else 3)),
        BGL: b"".join(islice(corpora.bgl(data), 1 if quick else 5)),
        MIX: corpora.mixed(data, 1 if quick else 25),
    }
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = Path(folder) / "text.log"
            path.write_bytes(text)
            found += _of_text(name, path, quick)
    return found


def _of_text(name: str, path: Path, quick: bool) -> list[dict[str, Any]]:
    repeats = 1 if quick else _REPEATS
    bare = [_read(path, None) for _ in range(repeats)]
    lines, texts = bare[0].lines, _first(path)
    out: list[dict[str, Any]] = [
        {
            "what": f"{name}: reading and windows alone",
            "lines": lines,
            "M_lines_per_s": round(lines / median(r.total for r in bare) / 1e6, 3),
        }
    ]
    for mix in MIXES:
        for number in (10,) if quick else (10, 100, 1_000):
            rules = drawn(texts, number, _SEED, mix)
            runs = [_read(path, Engine(rules)) for _ in range(repeats)]
            total, alone = (median(r.total for r in runs), median(r.rules for r in runs))
            row: dict[str, Any] = {
                "what": f"{name}: {number:,} rules of {mix}",
                "lines": lines,
                "M_lines_per_s": round(lines / total / 1e6, 3),
                "seconds_of_rules_per_M_lines": round(alone / lines * 1e6, 4),
                "lines_asked_one_by_one": round(runs[0].asked / lines, 4),
                "not_compiled": runs[0].plain,
                "hits": runs[0].hits,
            }
            if number <= _CALLS:
                plain = _plainly(rules, texts[:_PLAIN], 1 if quick else _PASSES)
                read = median(r.total for r in bare)
                row["M_lines_per_s_plain"] = round(plain / 1e6, 4)
                row["times_plain"] = round((read + lines / plain) / total, 1)
                row["times_plain_without_reading"] = round(lines / plain / alone, 1)
            out.append(row)
    return out


@dataclass(frozen=True, slots=True)
class _Run:
    total: float
    rules: float
    lines: int
    hits: int = 0
    plain: int = 0
    asked: int = 0


def _read(path: Path, engine: Engine | None) -> _Run:
    """Read a log, cut it into windows, and judge them as a run of the product does."""
    began = time.process_time()
    reader = Reader(open_sources([str(path)], _SETTINGS), _SETTINGS)
    windows, row, rules, hits = CountWindows(_SIZE, _SIZE), 0, 0.0, 0
    for batch in reader.batches():
        reader.take_shapes()
        if engine is not None:
            at = time.process_time()
            engine.look(batch, row, Naming(reader.hosts.values, reader.components.values))
            rules += time.process_time() - at
        numbers = np.arange(row, row + len(batch), dtype=np.int64)
        row += len(batch)
        events = Events(batch.shape, batch.ts, batch.level, batch.session, numbers)
        closed = windows.push(events.take(batch.shape != BLANK))
        if engine is not None and len(closed):
            at = time.process_time()
            # No rule asks for keys or templates, which are not known here.
            hits += int(engine.judge(closed, list, [""]).sum())
            engine.drop(int(closed.events.row[-1]) + 1)
            rules += time.process_time() - at
    total = time.process_time() - began
    if engine is None:
        return _Run(total, 0.0, row)
    return _Run(total, rules, row, hits, len(engine.plain), engine.looked_at)


def _first(path: Path) -> list[str]:
    """The messages of the first lines."""
    reader = Reader(open_sources([str(path)], _SETTINGS), _SETTINGS)
    batch = next(iter(reader.batches()))
    shown = range(min(_SHOWN, len(batch)))
    return [batch.content(at).decode("utf-8", "surrogateescape") for at in shown]


def _plainly(rules: Mapping[str, Function], texts: Sequence[str], passes: int) -> float:
    """Lines/s of plain functions, one after the other on each window. Few are called several times,
    so that what they take is far above what handing windows over takes."""
    times = _CALLS // len(rules)
    lines = [{name: getattr(Line(text), name) for name in FIELDS} for text in texts]
    windows = [{"key": "", "lines": lines[at : at + _SIZE]} for at in range(0, len(lines), _SIZE)]
    named = {f"rule_{at}": emit(function) for at, function in enumerate(rules.values())}
    sources = [text.replace(_DEFINES, f"def {name}(", 1) for name, text in named.items()]
    calls = "".join(f"    {name}(w)\n" for name in named) * times
    every = "\n".join([*sources, f"{_DEFINES}w):\n{calls}    return True\n"])
    none = f"{_DEFINES}w):\n    return True\n"
    seconds = _sandboxed(every, windows, passes) - _sandboxed(none, windows, passes)
    return passes * times * len(lines) / seconds


def _sandboxed(source: str, windows: Sequence[Mapping[str, Any]], passes: int) -> float:
    """Processor seconds of a sandbox from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Sandbox(seconds=_LIMIT) as sandbox:
        sandbox.load("rules", source)
        for _ in range(passes):
            answers = sandbox.run("rules", windows)
            assert all(answer is True for answer in answers), answers
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
