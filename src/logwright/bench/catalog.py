"""The catalog: where the standard labelled logs are published, how large they are, their checksums.

Sizes and MD5 sums are those of the record at Zenodo; what nobody publishes is left empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from logwright.errors import InputError

__all__ = ["SOURCES", "Source", "source_of"]

_LOGHUB = "https://zenodo.org/records/8196385/files/"
_CFDR = "http://0b4af6cdc2f0c5998459-c0245c5c937c5dedcca3f1764ecc9b2f.r43.cf2.rackcdn.com/hpc4/"
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Source:
    """A published set: `file` at `url` with `size` bytes and `md5` (None: not published). Unpacked
    it has at most `unpacked` bytes, and `holds` these files (patterns)."""

    name: str
    title: str
    file: str
    url: str
    size: int | None
    md5: str | None
    lines: int | None
    unpacked: int
    holds: tuple[str, ...]

    def archive(self, data: Path) -> Path:
        """Where its file is, or is to be put by hand, in a folder of data sets."""
        return data / "loghub" / self.file

    def folder(self, data: Path) -> Path:
        """Where it is unpacked."""
        return data / "loghub" / self.name

    def find(self, data: Path, pattern: str) -> Path | None:
        """An unpacked file, wherever in the folder it lies."""
        return next(iter(sorted(self.folder(data).rglob(pattern))), None)

    def present(self, data: Path) -> bool:
        """Whether all its files are there."""
        return all(self.find(data, pattern) is not None for pattern in self.holds)


def _loghub(
    name: str,
    title: str,
    file: str,
    size: int,
    md5: str,
    lines: int,
    unpacked: int,
    holds: tuple[str, ...],
) -> Source:
    return Source(name, title, file, f"{_LOGHUB}{file}", size, md5, lines, unpacked, holds)


SOURCES = (
    _loghub(
        "hdfs-v1",
        "HDFS v1: 575,061 blocks in 38.7 hours, 16,838 abnormal",
        "HDFS_v1.zip",
        186_645_559,
        "76a24b4d9a6164d543fb275f89773260",
        11_175_629,
        4 * _GIB,
        ("HDFS.log", "anomaly_label.csv"),
    ),
    _loghub(
        "bgl",
        "BlueGene/L: 214.7 days, a label per line",
        "BGL.zip",
        57_489_019,
        "4452953c470f2d95fcb32d5f6e733f7a",
        4_747_963,
        2 * _GIB,
        ("BGL.log",),
    ),
    _loghub(
        "thunderbird",
        "Thunderbird: 244 days, a label per line",
        "Thunderbird.tar.gz",
        2_016_100_298,
        "0891b048df2919dc78c99c4428686b44",
        211_212_192,
        40 * _GIB,
        ("Thunderbird.log",),
    ),
    Source(
        "spirit",
        "Spirit, from CFDR (LogHub does not have it): a label per line",
        "spirit2.gz",
        f"{_CFDR}spirit2.gz",
        None,
        None,
        None,
        60 * _GIB,
        ("spirit2",),
    ),
    _loghub(
        "hadoop-full",
        "Hadoop: 55 applications, classes of faults",
        "Hadoop.zip",
        3_416_419,
        "34e28a9943704fd54933e2b455829fcc",
        394_308,
        _GIB,
        ("abnormal_label.txt", "application_*"),
    ),
    _loghub(
        "openstack",
        "OpenStack: virtual machines, four of them abnormal",
        "OpenStack.tar.gz",
        5_394_691,
        "66bd42c07837a094d9b0ea2d036b5713",
        207_820,
        _GIB,
        ("openstack_*.log", "anomaly_labels.txt"),
    ),
)
"""What `logwright data get` can fetch."""


def source_of(name: str) -> Source:
    """The published set of this name.

    >>> source_of("bgl").file
    'BGL.zip'
    """
    for source in SOURCES:
        if source.name == name:
            return source
    names = ", ".join(source.name for source in SOURCES)
    raise InputError(f"no published set is called {name!r}: expected one of {names}")
