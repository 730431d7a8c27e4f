"""The bundled sample: 40,000 real BlueGene/L lines with alert labels (attribution in NOTICE)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa

from logwright.findings.finding import Finding
from logwright.logs.reader import Reader
from logwright.logs.sources import open_sources
from logwright.logs.timestamps import iso
from logwright.model import Model
from logwright.settings import Settings

__all__ = ["Caught", "caught", "unpack"]

_HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class Caught:
    """How many lines of one alert category a finding names, of how many."""

    category: str
    caught: int
    lines: int


def unpack(folder: Path) -> tuple[Path, Path]:
    """Write the sample's first 10,000 lines as history.log, the other 30,000 as today.log."""
    packed = files("logwright") / "samples" / "bgl_40k.log.zst"
    text = pa.CompressedInputStream(pa.BufferReader(packed.read_bytes()), "zstd").read()
    lines = text.splitlines(keepends=True)
    folder.mkdir(parents=True, exist_ok=True)
    history, today = folder / "history.log", folder / "today.log"
    history.write_bytes(b"".join(lines[:_HISTORY]))
    today.write_bytes(b"".join(lines[_HISTORY:]))
    return history, today


def caught(model: Model, log: Path, findings: Sequence[Finding]) -> list[Caught]:
    """Alert lines that a finding names: one with their template, whose time spans theirs."""
    named: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for finding in findings:
        for named_template in finding.templates:
            if finding.first_seen and finding.last_seen:
                named[named_template.id].append((finding.first_seen, finding.last_seen))
    settings = Settings(label_prefix=True, session="none")
    reader = Reader(open_sources([str(log)], settings), settings)
    vocabulary = model.vocabulary()
    total: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    for batch in reader.batches():
        new = reader.take_shapes()
        vocabulary.meet_shapes(new.codes, new.keys, new.contents)
        alert = np.array([value != b"-" for value in reader.labels.values])[batch.label]
        for row in np.flatnonzero(alert).tolist():
            category = reader.labels.values[int(batch.label[row])].decode()
            total[category] += 1
            template = vocabulary.templates[int(vocabulary.of(batch.shape[row : row + 1])[0])]
            time = iso(int(batch.ts[row]))
            hit[category] += any(a <= time <= b for a, b in named[template.id])
    return [Caught(c, hit[c], n) for c, n in total.most_common()]
