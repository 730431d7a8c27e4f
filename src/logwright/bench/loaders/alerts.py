"""Supercomputer logs as published by CFDR and LogHub: each line's first token is its label."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from logwright.bench.labelled import LabelledLines, read_lines
from logwright.bench.loaders.corrections import corrected_lines, read_corrections
from logwright.errors import InputError
from logwright.settings import Settings

__all__ = ["read_alerts"]


def read_alerts(path: Path, data: Path, corrections: bool, most: int | None) -> LabelledLines:
    """BGL, Thunderbird, Spirit or Liberty, the first `most` lines; with corrected labels where they
    are for this log (`corrections`) and `data` holds them."""
    lines = read_lines([str(path)], Settings(label_prefix=True, session="none"), most)
    if not lines.truth.any():
        raise InputError(
            f"{path}: none of {len(lines):,} lines is an alert: expected a label in front of each "
            "line, '-' for normal, as in '- 1117838570 2005.06.03 ...', or a file of labels"
        )
    known = read_corrections(data) if corrections else []
    return dataclasses.replace(lines, corrected=corrected_lines(lines, known))
