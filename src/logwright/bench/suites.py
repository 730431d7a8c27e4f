"""Suites: what each measures, which data it needs, how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SUITES", "Entry"]

_SESSIONS = "hdfs/hdfs_sequences.tsv.zst"
_RAW_SESSIONS = "hdfs/hdfs_raw_sample.tsv.zst"
_RAW = "bgl/bgl_first100k.log.zst"
_WINDOWS = "bgl/bgl_windows20.tsv.zst"
_TEXTS = "bgl/bgl_windows20_templates.json"
_APPLICATIONS = "hadoop/hadoop_apps.tar.zst"
_REASONING = "reasoning/reasoning.tar.zst"
_SYSTEMS = "loghub_2k/loghub_2k.tar.zst"


@dataclass(frozen=True, slots=True)
class Entry:
    """A suite. `minutes` is a rough time on two cores; `methods`: it takes `--methods`."""

    suite: str
    measures: str
    files: tuple[str, ...]
    minutes: float
    methods: bool = False

    def absent(self, data: Path) -> list[str]:
        """The files that are not below the folder of the data sets.

        >>> SUITES[0].absent(Path("nowhere"))
        ['hdfs/hdfs_sequences.tsv.zst']
        """
        return [name for name in self.files if not (data / name).exists()]


SUITES = (
    Entry(
        "hdfs",
        "HDFS sessions in order of time: our ladder, floors and peers",
        (_SESSIONS,),
        5,
        methods=True,
    ),
    Entry(
        "bgl-raw",
        "the first 100,000 lines of BlueGene/L by windows of lines and of time, templates and all",
        (_RAW,),
        3,
        methods=True,
    ),
    Entry(
        "bgl-windows",
        "BlueGene/L over months in windows of 20 events, also with corrected labels",
        (_WINDOWS, _TEXTS),
        4,
        methods=True,
    ),
    Entry(
        "hadoop",
        "Hadoop applications, most of them abnormal: flag-all is hard to beat",
        (_APPLICATIONS,),
        1,
        methods=True,
    ),
    Entry("log", "a labelled log of your own: --log FILE --labels FILE", (), 1, methods=True),
    Entry("feedback", "F1 by questions asked, on HDFS and BlueGene/L", (_SESSIONS, _WINDOWS), 5),
    Entry(
        "rules",
        "rules induced from labels, alone and with questions, on three logs; lines/s by rules",
        (_SESSIONS, _RAW_SESSIONS, _RAW, _WINDOWS, _TEXTS, _APPLICATIONS, _SYSTEMS),
        5,
    ),
    Entry(
        "sequence",
        "what tuning the sequence model by rewards is worth, alone and in the ladder",
        (_SESSIONS, _WINDOWS, _TEXTS),
        25,
    ),
    Entry("sequence-speed", "events/s and waiting of the sequence step", (_SESSIONS,), 2),
    Entry(
        "stream",
        "lines/s and latency of `logwright worker` by Redis, Kafka (a mock) and files",
        (_RAW_SESSIONS,),
        9,
    ),
    Entry("stream-memory", "memory of a worker over 20 million lines", (_RAW_SESSIONS,), 5),
    Entry(
        "reasoning",
        "tasks put about logs, answered from the lines alone or by a language model: --llm URL",
        (_REASONING, _APPLICATIONS),
        1.5,
    ),
    Entry("templates", "template accuracy on 12 systems, beside Drain3", (_SYSTEMS,), 1),
    Entry("formats", "formats and times of 12 systems and of sample files", (_SYSTEMS,), 0.5),
    Entry("faults", "whether `scan` names the fault in its first rows", (_APPLICATIONS,), 1),
    Entry(
        "throughput",
        "lines/s of shapes, templates and whole commands; start-up",
        (_RAW, _RAW_SESSIONS, _SYSTEMS),
        4,
    ),
    Entry("memory", "peak memory of whole commands on 5 GB", (_RAW, _RAW_SESSIONS), 6),
)
"""The suites, in the order in which people read them."""
