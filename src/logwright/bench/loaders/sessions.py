"""Logs whose labels are those of sessions: HDFS blocks, OpenStack instances."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from logwright.bench.labelled import LabelledLines, read_lines
from logwright.errors import InputError
from logwright.labels import session_labels
from logwright.settings import Settings

__all__ = ["read_hdfs", "read_hdfs_sample", "read_openstack", "with_sessions"]

_BLOCK = r"blk_-?\d+"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def with_sessions(lines: LabelledLines, labels: Mapping[str, str], where: Path) -> LabelledLines:
    """The lines of labelled sessions; lines of others, and of none, are left out and counted."""
    known = np.array([name in labels for name in lines.sessions] + [False])
    found = [labels.get(name, "") for name in lines.sessions]
    if not known.any():
        seen = next((name for name in lines.sessions if name), "")
        told = f"the log's first is {seen!r}" if seen else "the log has none"
        raise InputError(f"{where}: none of its {len(labels):,} sessions is in the log; {told}")
    kinds = ["", *sorted({label for label in found if label})]
    code = {kind: number for number, kind in enumerate(kinds)}
    of_session = np.array([code[label] for label in found] + [0], np.int32)
    left = int(np.count_nonzero(~known[lines.session]))
    notes = [*lines.notes, f"{left:,} lines belong to no labelled session: left out"]
    kind = of_session[lines.session]
    marked = dataclasses.replace(
        lines, truth=kind > 0, kind=kind, kinds=kinds, notes=notes if left else lines.notes
    )
    return marked.take(np.flatnonzero(known[lines.session])) if left else marked


def read_hdfs(log: Path, labels: Path, most: int | None = None) -> LabelledLines:
    """HDFS.log with anomaly_label.csv. With `most`, a block that goes on beyond it is cut."""
    return with_sessions(
        read_lines([str(log)], Settings(session=_BLOCK), most), session_labels(labels), labels
    )


def read_hdfs_sample(path: Path, most: int | None = None) -> LabelledLines:
    """Raw HDFS lines as a table: block, anomaly (0 or 1), then the fields of the line."""
    labels: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "HDFS.log")
        with open(log, "w", encoding="utf-8") as out:
            for number, line in enumerate(_table(path), 2):
                fields = line.rstrip("\n").split("\t", 7)
                if len(fields) != 8 or fields[1] not in ("0", "1"):
                    raise InputError(f"{path}:{number}: expected 8 columns, the second 0 or 1")
                labels[fields[0]] = "" if fields[1] == "0" else "Anomaly"
                out.write(" ".join(fields[2:]) + "\n")
        lines = read_lines([str(log)], Settings(session=_BLOCK), by_time=True)
    lines = with_sessions(lines, labels, path)
    return lines if most is None else lines.take(np.arange(min(most, len(lines))))


def _table(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    raw = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    lines = raw.read().decode("utf-8", "backslashreplace").splitlines()
    return iter(lines[1:])


def read_openstack(folder: Path, most: int | None = None) -> LabelledLines:
    """openstack_normal1.log, openstack_normal2.log and openstack_abnormal.log by virtual machine;
    anomaly_labels.txt names the abnormal ones."""
    logs = sorted(folder.glob("openstack_*.log"))
    named = folder / "anomaly_labels.txt"
    if not logs or not named.is_file():
        raise InputError(f"{folder}: expected openstack_*.log and anomaly_labels.txt in it")
    bad = set(re.findall(_UUID, named.read_text("utf-8", "backslashreplace")))
    if not bad:
        raise InputError(f"{named}: no instance named: expected UUIDs, one a line")
    settings = Settings(session=rf"\[instance: ({_UUID})\]")
    lines = read_lines([str(log) for log in logs], settings, by_time=True)
    labels = {name: "Anomaly" if name in bad else "" for name in lines.sessions if name}
    lines = with_sessions(lines, labels, named)
    return lines if most is None else lines.take(np.arange(min(most, len(lines))))
