"""Templates on the LogHub 2k samples, beside Drain3: grouping, parsing and template accuracy.

Truth is the corrected `EventTemplate` column; no label is used and every system runs with the same
defaults. Each system is mined alone from its `Content` column, with up to `EXEMPLARS_MAX` lines per
shape, as the reader supplies them.

* GA (Zhu et al. 2019): share of lines whose predicted group is exactly their true group.
* PA (Dai et al. 2020): share of lines whose template text equals the true one.
* FTA (Khan et al. 2022): F1 over templates; a predicted one is right when its lines are exactly
  those of one true template and the texts are equal. Precision counts against the templates found,
  recall against the true ones.

Before texts are compared both are normalised as the public evaluators do: runs of white space are
one space, and `<*><*>` is `<*>`.

Not measured here: speed, and the correctness of single parameters.
"""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from logwright.errors import InputError, MissingExtraError
from logwright.logs.shapes import mask, shape_key
from logwright.templates.miner import Miner

__all__ = ["run", "scores"]

MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
    (r"(?<=executed cmd )(\".+?\")", "CMD"),
)
"""The seven masks of Drain3's own example configuration."""

_SPACES = re.compile(r"\s+")
_ANY_MASK = re.compile(r"<(?:ID|IP|SEQ|HEX|NUM|CMD)>")


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Scores per system in `rows` and their means in `summary`.

    `data` holds `loghub_2k.tar.zst` or the extracted folders, itself or in `loghub_2k/`. `quick`
    takes the first 500 lines of each system. There is one default configuration.
    """
    rows = []
    for system, contents, truth in _systems(data):
        if quick:
            contents, truth = contents[:500], truth[:500]
        found = _mine(contents)
        row: dict[str, Any] = {
            "system": system,
            "lines": len(contents),
            "found": len(set(found[0])),
            "true": len(set(truth)),
            **scores(*found, truth),
        }
        for name, masks in (("drain3", ()), ("drain3_masks", MASKS)):
            for key, value in scores(*drain3_groups(contents, masks), truth).items():
                row[f"{name}_{key}"] = value
        rows.append(row)
    if not rows:
        raise InputError(f"{data} holds no LogHub 2k system (…_2k.structured.csv)")
    names = [key for key in rows[0] if key.endswith("A")]
    summary = {key: round(sum(row[key] for row in rows) / len(rows), 4) for key in names}
    lines = sum(row["lines"] for row in rows)
    return {
        "data": f"loghub_2k with corrected templates: {len(rows)} systems, {lines:,} lines",
        "settings": {"labels used": 0, "quick": quick},
        "rows": rows,
        "summary": summary,
    }


def scores(groups: Sequence[int], texts: Sequence[str], truth: Sequence[str]) -> dict[str, float]:
    """GA, PA and FTA of a grouping and its texts (one entry per line) against the true templates.

    >>> scores([0, 0, 1], ["a <*>", "a <*>", "b"], ["a <*>", "a <*>", "c"])
    {'GA': 1.0, 'PA': 0.6667, 'FTA': 0.5}
    """
    texts, truth = [_normal(t) for t in texts], [_normal(t) for t in truth]
    sizes, wanted = Counter(groups), Counter(truth)
    # a group is exact when it meets one true template only and both have the same size
    meets: dict[int, set[str]] = defaultdict(set)
    for group, true in zip(groups, truth, strict=True):
        meets[group].add(true)
    exact = {
        group: next(iter(trues))
        for group, trues in meets.items()
        if len(trues) == 1 and wanted[next(iter(trues))] == sizes[group]
    }
    text_of = dict(zip(groups, texts, strict=True))
    right = sum(text_of[group] == true for group, true in exact.items())
    equal = sum(text == true for text, true in zip(texts, truth, strict=True))
    return {
        "GA": round(sum(sizes[group] for group in exact) / len(truth), 4),
        "PA": round(equal / len(truth), 4),
        "FTA": round(2 * right / (len(sizes) + len(wanted)), 4),
    }


def _normal(text: str) -> str:
    text = _SPACES.sub(" ", text).strip()
    while "<*><*>" in text:
        text = text.replace("<*><*>", "<*>")
    return text


def _mine(contents: Sequence[str]) -> tuple[list[int], list[str]]:
    lines = [c.encode("utf-8", "surrogateescape") for c in contents]
    keys = np.array([shape_key(mask(line)) for line in lines], np.uint64)
    miner = Miner()
    miner.add(keys, lines)
    texts = [template.text for template in miner.group()]
    groups = miner.of(keys).tolist()
    return groups, [texts[group] for group in groups]


def drain3_groups(
    contents: Sequence[str], masks: Sequence[tuple[str, str]]
) -> tuple[list[int], list[str]]:
    try:
        from drain3 import TemplateMiner
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        raise MissingExtraError("test", "drain3") from None
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(*m) for m in masks]
    drain = TemplateMiner(config=config)
    groups = [int(drain.add_log_message(c)["cluster_id"]) for c in contents]
    texts = {
        cluster.cluster_id: _ANY_MASK.sub("<*>", cluster.get_template())
        for cluster in drain.drain.clusters
    }
    return groups, [texts[group] for group in groups]


def _systems(data: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, contents and true templates of each system, by name."""
    for name, text in sorted(_tables(data)):
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        system = name.removesuffix("_2k.structured.csv")
        yield system, [r["Content"] for r in rows], [r["EventTemplate"] for r in rows]


def _tables(data: Path) -> Iterator[tuple[str, str]]:
    pattern = "*_2k.structured.csv"
    folders = [f for f in (data, data / "loghub_2k") if f.is_dir()]
    for folder in folders:
        files = sorted({*folder.glob(pattern), *folder.glob(f"*/{pattern}")})
        if files:
            for file in files:
                yield file.name, file.read_text("utf-8", "surrogateescape")
            return
    for archive in (data, data / "loghub_2k.tar.zst", data / "loghub_2k" / "loghub_2k.tar.zst"):
        if archive.is_file():
            with (
                pa.input_stream(str(archive), compression="zstd") as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                for member in tar:
                    taken = tar.extractfile(member) if Path(member.name).match(pattern) else None
                    if taken is not None:
                        text = taken.read().decode("utf-8", "surrogateescape")
                        yield Path(member.name).name, text
            return
