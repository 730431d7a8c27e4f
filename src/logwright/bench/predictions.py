"""Predictions: the score and the alarm of every window and run, in one Parquet file; and which
windows an expert was asked about, of runs that ask."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from logwright.bench.parts import Bools, Part
from logwright.detectors.base import Floats
from logwright.errors import LogwrightError

__all__ = ["Predictions", "beside"]

_TEXT = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema(
    [
        ("set", _TEXT),
        ("method", _TEXT),
        ("offset", pa.float32()),
        ("seed", pa.int16()),
        ("window", pa.int32()),
        ("first_line", pa.int64()),
        ("truth", pa.bool_()),
        ("score", pa.float64()),
        ("alarm", pa.bool_()),
        ("asked", pa.bool_()),
    ]
)

_RISING = ("window", "first_line")


def beside(result: Path) -> Path:
    """Where the predictions of a result file lie.

    >>> beside(Path("out/hdfs.json")).name
    'hdfs-predictions.parquet'
    """
    return result.with_name(f"{result.stem}-predictions.parquet")


class Predictions:
    """Written run by run, so that they never fill memory; the file is there whole or not at all.
    Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._work = None if path is None else path.with_name(f".{path.name}.{os.getpid()}")
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Predictions:
        if self._work is not None:
            try:
                self._writer = pq.ParquetWriter(
                    self._work,
                    _SCHEMA,
                    compression="zstd",
                    use_dictionary=["set", "method", "offset", "seed", "score"],
                    column_encoding=dict.fromkeys(_RISING, "DELTA_BINARY_PACKED"),
                )
            except OSError as error:
                raise LogwrightError(f"{self._path} cannot be written: {error}") from None
        return self

    def add(
        self,
        of: tuple[str, str, float, int],
        part: Part,
        scores: Floats,
        alarms: Bools,
        asked: Bools | None = None,
    ) -> None:
        """The windows of one run: `of` is its set, method, offset and seed, `asked` the windows
        that an expert was asked about, None where nobody is ever asked."""
        if self._writer is None:
            return
        n, windows = len(part), part.windows
        name, method, offset, seed = of
        first = np.full(n, -1, np.int64)
        some = windows.sizes > 0
        first[some] = windows.events.row[windows.bounds[:-1][some]]
        same = pa.array(np.zeros(n, np.int32))
        columns = [
            pa.DictionaryArray.from_arrays(same, [name]),
            pa.DictionaryArray.from_arrays(same, [method]),
            pa.array(np.full(n, offset, np.float32)),
            pa.array(np.full(n, seed, np.int16)),
            pa.array(np.arange(n, dtype=np.int32)),
            pa.array(first),
            pa.array(part.truth),
            pa.array(scores.astype(np.float64)),
            pa.array(alarms),
            pa.nulls(n, pa.bool_()) if asked is None else pa.array(asked),
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._writer is None or self._work is None or self._path is None:
            return
        self._writer.close()
        if kind is None:
            os.replace(self._work, self._path)
        else:
            self._work.unlink(missing_ok=True)
