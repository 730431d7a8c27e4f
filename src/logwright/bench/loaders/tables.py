"""Sets that are published as windows of event numbers: a head line, then label, tab, numbers."""

from __future__ import annotations

import json
from pathlib import Path

from logwright.bench.hdfs import read
from logwright.bench.loaders.corrections import corrected_windows, read_corrections
from logwright.bench.parts import Part
from logwright.errors import InputError
from logwright.windows.window import Windows

__all__ = ["read_table", "texts_of"]


def texts_of(path: Path, size: int) -> list[str]:
    """The texts of event numbers below `size`, from a JSON object."""
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    named = json.loads(path.read_text("utf-8"))
    absent = [number for number in range(size) if str(number) not in named]
    if absent:
        raise InputError(f"{path}: no text for event {absent[0]}, which the windows hold")
    return [named[str(number)] for number in range(size)]


def read_table(
    path: Path, texts: Path | None, data: Path, most: int | None = None
) -> tuple[Part, list[str] | None]:
    """All windows of a table in its order, which is that of time, and the events' texts; with
    corrected labels where there are texts and `data` holds corrections."""
    truth, sequences = read(path, most)
    # Sessions are published by themselves; a table with texts holds windows that were cut from one
    # log, so that abnormal ones beside each other are one anomaly.
    windows = Windows.of_sequences(sequences, "session" if texts is None else "count")
    if texts is None:
        return Part(windows, truth), None
    named = texts_of(texts, int(windows.events.template.max()) + 1)
    corrected = corrected_windows(truth, sequences, named, read_corrections(data))
    return Part(windows, truth, corrected=corrected), named
