"""Drain3 as a second parser: the same windows, other templates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logwright.bench.labelled import LabelledLines, parsed_rows
from logwright.bench.parts import Part, Split
from logwright.bench.protocol import Listed, seen_first
from logwright.bench.templates import MASKS
from logwright.errors import MissingExtraError
from logwright.logs.batch import Int32s, Int64s
from logwright.logs.coder import BLANK
from logwright.templates.template import Template
from logwright.windows.window import Events, Windows, mix

__all__ = ["drained"]


def drained(split: Split, lines: LabelledLines) -> Split:
    """The same windows of a log with the templates of Drain3, learned from the lines of train: the
    first line of each shape, in order of first sight. Shapes that only the other parts hold go to
    the group they match, or are a template each."""
    rows = split.train.windows.events.row
    texts, of_shape, learned = _learned(lines, rows)
    templates = [Template([bytes(16)], lines=((text.encode(),),)) for text in texts]
    vocabulary = Listed(mix(np.arange(1, len(texts) + 1, dtype=np.uint64)), templates)

    def other(part: Part) -> Part:
        w, e = part.windows, part.windows.events
        events = Events(of_shape[lines.shape[e.row]], e.ts, e.level, e.session, e.row)
        return replace(part, windows=Windows(w.kind, w.bounds, events, w.key, w.end, w.late))

    return seen_first(
        replace(
            split,
            train=other(split.train),
            validation=other(split.validation),
            test=other(split.test),
            vocabulary=vocabulary,
            texts=texts,
            parsed=parsed_rows(lines, rows, learned),
        )
    )


def _learned(lines: LabelledLines, rows: Int64s) -> tuple[list[str], Int32s, Int32s]:
    """The groups' texts, the group of each shape code, and the codes that were learned from."""
    try:
        from drain3 import TemplateMiner
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        raise MissingExtraError("test", "drain3") from None
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(*mask) for mask in MASKS]
    drain = TemplateMiner(config=config)
    texts = [content.decode("utf-8", "backslashreplace") for content in lines.contents]
    shapes, first = np.unique(lines.shape[rows], return_index=True)
    known = shapes[np.argsort(first, kind="stable")]
    of_shape = np.full(len(texts), -1, np.int32)
    for code in known[known != BLANK].tolist():
        of_shape[code] = int(drain.add_log_message(texts[code])["cluster_id"]) - 1
    clusters = sorted(drain.drain.clusters, key=lambda cluster: int(cluster.cluster_id))
    found = [cluster.get_template() for cluster in clusters]
    for code in np.setdiff1d(np.unique(lines.shape), np.append(known, BLANK)).tolist():
        match = drain.match(texts[code])
        of_shape[code] = len(found) if match is None else int(match.cluster_id) - 1
        if match is None:
            found.append(texts[code])
    return found, of_shape, known
