"""Corrected labels: the 225 BGL and Spirit templates whose public label is wrong.

RationAnomaly's authors published them as texts with ``<*>``. A line changes where its text fits
such a template and its public label is the one that was found wrong. A ``<*>`` stands for one word
or a part of it, and so does a number: those in a template are those of one of its lines.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from logwright.bench.labelled import Bools, LabelledLines

__all__ = ["FILE", "Correction", "corrected_lines", "corrected_windows", "read_corrections"]

FILE = "reasoning/reasoning.tar.zst"
_MEMBER = "label_corrections.json"
_VARIABLE = re.compile(r"<\*>|[0-9]+")


@dataclass(frozen=True, slots=True)
class Correction:
    """A template and what its lines are in truth.

    >>> c = Correction.of("parity error in bank <*> on line 1", abnormal=True)
    >>> bool(c.pattern.fullmatch("parity  error in bank 0x7, on line 12"))
    True
    """

    text: str
    pattern: re.Pattern[str]
    abnormal: bool

    @staticmethod
    def of(text: str, abnormal: bool) -> Correction:
        """Of a template's text."""
        words = (_word(word) for word in text.split())
        return Correction(text, re.compile(r"\s+".join(words)), abnormal)


def _word(word: str) -> str:
    if word == "<*>":
        return r"\S+"
    # A number in hexadecimal, or in texts of templates a `<*>` in its place.
    variable = r"(?:<\*>|[0-9A-Fa-fx]*[0-9][0-9A-Fa-fx]*)"
    parts = [re.escape(part) for part in _VARIABLE.split(word)]
    return (r"\S*" if "<*>" in word else variable).join(parts)


def read_corrections(data: Path) -> list[Correction]:
    """The corrections in a folder of data sets; none where they are not there."""
    path = data / FILE
    if not path.is_file():
        return []
    stream = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            file = tar.extractfile(member) if Path(member.name).name == _MEMBER else None
            if file is not None:
                return _parsed(json.load(file))
    return []


def _parsed(rows: Iterable[dict[str, Any]]) -> list[Correction]:
    return [Correction.of(row["input"], row["rectified"] == "abnormal") for row in rows]


def _told(texts: Sequence[str], corrections: Sequence[Correction]) -> tuple[Bools, Bools]:
    """Which texts are abnormal, and which normal, by a correction."""
    verdicts: tuple[Bools, Bools] = (np.zeros(len(texts), bool), np.zeros(len(texts), bool))
    for at, text in enumerate(texts):
        for correction in corrections:
            if correction.pattern.fullmatch(text.strip()):
                verdicts[0 if correction.abnormal else 1][at] = True
    return verdicts


def corrected_lines(lines: LabelledLines, corrections: Sequence[Correction]) -> Bools | None:
    """The truth of lines after correction, None where there are no corrections."""
    if not corrections:
        return None
    texts = [content.decode("utf-8", "backslashreplace") for content in lines.contents]
    bad, good = _told(texts, corrections)
    corrected: Bools = np.where(lines.truth, ~good[lines.shape], bad[lines.shape])
    return corrected


def corrected_windows(
    truth: Bools, holds: Sequence[Sequence[int]], texts: Sequence[str], found: Sequence[Correction]
) -> Bools | None:
    """The truth of windows of template numbers after correction. Only normal windows change: which
    of its lines made a window abnormal is not told, so that none is taken back."""
    if not found:
        return None
    bad, _ = _told(texts, found)
    marked = set(np.flatnonzero(bad).tolist())
    corrected: Bools = truth | np.array([not marked.isdisjoint(w) for w in holds], bool)
    return corrected
