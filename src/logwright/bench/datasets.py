"""Data sets: labelled logs by name, in order of time, ready to be cut by the protocol.

Some come as windows of event numbers (`series.Ready`), the others as lines (`series.Lines`): these
are cut first, then templates are learned from train alone, then windows are made within parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from logwright.bench.additions import own_sets
from logwright.bench.catalog import SOURCES, source_of
from logwright.bench.hdfs import EventIds
from logwright.bench.labelled import SESSION, LabelledLines
from logwright.bench.loaders.alerts import read_alerts
from logwright.bench.loaders.applications import read_applications
from logwright.bench.loaders.own import read_own
from logwright.bench.loaders.sessions import read_hdfs, read_hdfs_sample, read_openstack
from logwright.bench.loaders.tables import read_table
from logwright.bench.parts import Part
from logwright.bench.protocol import Series
from logwright.bench.series import Lines, Ready
from logwright.errors import InputError
from logwright.logs.batch import NO_TIME
from logwright.settings import Settings, load_settings

__all__ = ["LINE_WINDOWS", "Dataset", "check_session", "known", "of_files", "open_dataset"]

LINE_WINDOWS = ("20", "100", "200", "1h")
"""Windows that logs without sessions are judged by; hours where a log has many of them."""

_MANY_HOURS = 500

_READY = "session"
_MOST_OF = {"thunderbird": 10_000_000, "spirit": 5_000_000}
"""Lines that are read of sets too large for memory, as others read them."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A labelled log. `lines` tells the range that was read; `grouping` what a window is;
    `windows` those it is judged by; `per_day` how many windows came in a day where the set has no
    times; `held` its lines, or its windows where it is published as these."""

    name: str
    title: str
    lines: str
    grouping: str
    windows: tuple[str, ...]
    held: LabelledLines | Part
    texts: Sequence[str] | None = None
    per_day: float | None = None
    notes: Sequence[str] = ()

    def series(self, window: str | None = None) -> Series:
        """The set in order of time, by one of its windows (the first where none is named).

        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.log").write_text("job 1 done\\n" * 200)
        >>> _ = (folder / "a.labels").write_text("0\\n" * 200)
        >>> series = of_files(folder / "a.log", folder / "a.labels").series("20")
        >>> from logwright.bench.protocol import Cut
        >>> split = series.split(Cut(0.0, slice(0, 120), slice(120, 140), slice(160, 200)))
        >>> len(split.train), len(split.validation), len(split.test), split.texts
        (6, 1, 2, ['job <*> done'])
        """
        window = window or self.windows[0]
        if isinstance(self.held, Part):
            if window not in self.windows:
                raise InputError(
                    f"{self.name}: window {window}: it comes as windows of "
                    f"'{self.windows[0]}', which cannot be cut anew"
                )
            size = int(self.held.windows.events.template.max()) + 1
            return Ready(self.held, EventIds(size), self.texts)
        if (window == SESSION) != (self.windows == (SESSION,)):
            raise InputError(f"{self.name}: window {window}: expected {', '.join(self.windows)}")
        return Lines(self.held, window)


@dataclass(frozen=True, slots=True)
class _Known:
    """How a named set is read, and the file by which it is told to be there."""

    file: str
    title: str
    read: Callable[[Path, int | None], Dataset]


def _range(name: str, held: int, whole: int | None = None) -> str:
    of = f" of {whole:,}" if whole is not None and whole != held else ""
    return f"{name} 1-{held:,}{of}"


def _hdfs(data: Path, most: int | None) -> Dataset:
    part, _ = read_table(data / _KNOWN["hdfs"].file, None, data, most)
    told = f"{_range('blocks', len(part), 575_061)}, 75 events of each at most"
    return Dataset("hdfs", "HDFS", told, "block", (_READY,), part, per_day=356_600)


def _bgl_windows(data: Path, most: int | None) -> Dataset:
    path = data / _KNOWN["bgl-windows20"].file
    part, texts = read_table(path, path.with_name("bgl_windows20_templates.json"), data, most)
    told = _range("windows", len(part), 231_562)
    windows = ("20 lines",)
    return Dataset("bgl-windows20", "BGL", told, "20 lines", windows, part, texts, 1_109)


def _bgl_raw(data: Path, most: int | None) -> Dataset:
    lines = read_alerts(data / _KNOWN["bgl-raw"].file, data, True, most)
    return _of_lines("bgl-raw", "BGL", lines, _range("lines", len(lines), 4_747_963))


def _hadoop(data: Path, most: int | None) -> Dataset:
    lines = read_applications(data / _KNOWN["hadoop"].file)
    return _of_sessions("hadoop", "Hadoop", lines, "application", _range("lines", len(lines)))


def _hdfs_raw(data: Path, most: int | None) -> Dataset:
    lines = read_hdfs_sample(data / _KNOWN["hdfs-raw"].file, most)
    told = f"{len(lines):,} lines of 2 % of the blocks"
    return _of_sessions("hdfs-raw", "HDFS", lines, "block", told)


def _of_lines(name: str, title: str, lines: LabelledLines, told: str) -> Dataset:
    timed = lines.ts[lines.ts != NO_TIME]
    hours = (int(timed.max()) - int(timed.min())) / 3600e9 if len(timed) else 0.0
    windows = LINE_WINDOWS if hours >= _MANY_HOURS else LINE_WINDOWS[:-1]
    return Dataset(name, title, told, "lines", windows, lines, notes=lines.notes)


def _of_sessions(name: str, title: str, lines: LabelledLines, grouping: str, told: str) -> Dataset:
    return Dataset(name, title, told, grouping, (SESSION,), lines, notes=lines.notes)


def _published(name: str, data: Path, most: int | None) -> Dataset:
    source = source_of(name)
    found = {pattern: source.find(data, pattern) for pattern in source.holds}
    absent = [pattern for pattern, path in found.items() if path is None]
    if absent:
        raise InputError(
            f"{source.folder(data)} holds no {absent[0]}: fetch it with 'logwright data get {name}'"
        )
    first = next(path for path in found.values() if path is not None)
    if name == "hdfs-v1":
        labels = source.find(data, "anomaly_label.csv")
        assert labels is not None
        lines = read_hdfs(first, labels, most)
        return _of_sessions(name, "HDFS", lines, "block", _range("lines", len(lines), source.lines))
    if name == "hadoop-full":
        lines = read_applications(source.folder(data))
        told = _range("lines", len(lines), source.lines)
        return _of_sessions(name, "Hadoop", lines, "application", told)
    if name == "openstack":
        lines = read_openstack(first.parent, most)
        told = _range("lines", len(lines), source.lines)
        return _of_sessions(name, "OpenStack", lines, "virtual machine", told)
    lines = read_alerts(first, data, name in ("bgl", "spirit"), most or _MOST_OF.get(name))
    return _of_lines(name, name.capitalize(), lines, _range("lines", len(lines), source.lines))


def of_files(
    log: Path, labels: Path | None, settings: Settings | None = None, most: int | None = None
) -> Dataset:
    """A user's own labelled log; without `labels` each line's first token is its label."""
    if labels is None:
        if not log.is_file():
            raise InputError(f"{log} is not there")
        lines, told = read_alerts(log, log.parent, False, most), "lines"
        if lines.truth.all():
            raise InputError(
                f"{log} has no labels: give them with --labels FILE, or in front of each line, '-' "
                "for normal, which none of its lines has"
            )
    else:
        lines, by_session = read_own(log, labels, settings, most)
        told = "labelled sessions' lines" if by_session else "lines"
        if by_session:
            return _of_sessions(log.name, log.name, lines, "session", _range(told, len(lines)))
    return _of_lines(log.name, log.name, lines, _range(told, len(lines)))


def check_session(session: str | None, dataset: Dataset) -> None:
    """`InputError` where an expression for sessions was given, and the set has no labels of any."""
    if session is not None and dataset.windows != (SESSION,):
        raise InputError(
            f"--session {session}: {dataset.name} has a label for each line: expected a CSV file "
            "with the head line 'session,label'"
        )


_KNOWN = {
    "hdfs": _Known("hdfs/hdfs_sequences.tsv.zst", "HDFS blocks as event numbers", _hdfs),
    "hdfs-raw": _Known("hdfs/hdfs_raw_sample.tsv.zst", "raw lines of 2 % of HDFS", _hdfs_raw),
    "bgl-raw": _Known("bgl/bgl_first100k.log.zst", "the first 100,000 lines of BGL", _bgl_raw),
    "bgl-windows20": _Known(
        "bgl/bgl_windows20.tsv.zst", "BGL as windows of 20 template numbers", _bgl_windows
    ),
    "hadoop": _Known("hadoop/hadoop_apps.tar.zst", "Hadoop applications", _hadoop),
}


def known(data: Path) -> dict[str, tuple[str, bool]]:
    """Every set that has a name: its title, and whether it is in the folder."""
    found = {name: (one.title, (data / one.file).is_file()) for name, one in _KNOWN.items()}
    found |= {source.name: (source.title, source.present(data)) for source in SOURCES}
    return found | {own.name: ("added by you", True) for own in own_sets(data)}


def open_dataset(name: str, data: Path, most: int | None = None) -> Dataset:
    """Read a set by its name; `most`: only so many of its first lines or windows, for a quick look
    (Hadoop is always read whole)."""
    if name in _KNOWN:
        path = data / _KNOWN[name].file
        if not path.is_file():
            raise InputError(f"{path} is not there: name the folder of the data sets with --data")
        return _KNOWN[name].read(data, most)
    for own in own_sets(data):
        if own.name == name:
            settings = load_settings(session=own.session)
            found = of_files(own.log, own.labels, settings, most)
            return replace(found, name=name, title=name)
    if name not in {source.name for source in SOURCES}:
        raise InputError(
            f"no data set is called {name!r}: expected one of {', '.join(known(data))}"
        )
    return _published(name, data, most)
