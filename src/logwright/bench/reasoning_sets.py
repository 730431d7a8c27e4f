"""The labelled reasoning sets as items: what is asked about, what is right, and which system it is
from. They are read where they lie; nothing of them is part of the project.

An item is *seen* where workflows, models and prompts may be developed on it, and *unseen* where it
is held out: whole systems where a set names several (Zookeeper, HPC and Proxifier for templates,
Spirit for anomalies), the runs that were not developed on for incidents, whatever program they are
of, else the second half of a set by position.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from logwright.bench.loaders.applications import classes
from logwright.bench.reasoning_causal import DEVELOPED
from logwright.errors import InputError
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["SETS", "Item", "Of", "items", "part_of_run"]

Of = Literal["seen", "unseen"]
Right = Literal["verdict", "text"]

_PACKED = {"reasoning": "reasoning.tar.zst", "hadoop": "hadoop_apps.tar.zst"}
_LABELS = "abnormal_label.txt"

_PARSED = ("HDFS", "Hadoop", "Zookeeper", "BGL", "HPC", "Linux", "Proxifier")
_EACH = 200
_PARSED_UNSEEN = frozenset({"Zookeeper", "HPC", "Proxifier"})
_BGL = 194
"""Of the anomaly items these come first and are templates of BGL; the others are of Spirit."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to answer, with what is right. `place` is its position in its set, which is its
    order in time where the set has one. `right` tells how `truth` is compared: as the verdict, or
    as a text. `published` is the truth as the set has it, where experts corrected it. `telling` are
    the numbers of the lines known to tell of the fault, where the set says so."""

    set: str
    task: Task
    system: str
    part: Of
    place: int
    material: Material
    truth: str
    right: Right
    options: Options = field(default_factory=Options)
    published: str = ""
    telling: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are asked about."""
        return self.material.lines

    @property
    def name(self) -> str:
        """A name that no other item of the task has."""
        return f"{self.set}/{self.system}/{self.place}"

    def labelled(self) -> Labelled:
        """As something that examples are built from."""
        return Labelled(
            self.task,
            self.system,
            self.place,
            self.material,
            self.truth,
            self.right,
            self.options,
            self.name,
        )


@dataclass(frozen=True, slots=True)
class _Set:
    folder: str
    task: Task
    read: Callable[[Mapping[str, bytes], str], Iterator[Item]]


def items(
    task: Task, data: Path, part: Of | None = None, names: tuple[str, ...] = ()
) -> list[Item]:
    """The items of a task in the order of their sets, of all sets or of those named.

    `data` is the folder of the data sets: what is in it may be packed or not.

    Raises:
        InputError: the sets are not there, or are not what they should be.
    """
    found: list[Item] = []
    for name, one in SETS.items():
        if one.task is task and (not names or name in names):
            try:
                found += one.read(_files(data, one.folder), name)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(
                    f"the set {name!r} in {data / one.folder} is not as expected: {error!r:.200}"
                ) from error
    return found if part is None else [item for item in found if item.part == part]


def _files(data: Path, folder: str) -> Mapping[str, bytes]:
    """The files of a data folder by their paths in it."""
    packed = data / folder / _PACKED[folder]
    if packed.is_file():
        files = {}
        with (
            pa.input_stream(str(packed), compression="zstd") as stream,
            tarfile.open(fileobj=io.BytesIO(stream.read())) as tar,
        ):
            for member in tar:
                if (file := tar.extractfile(member)) is not None:
                    files[member.name.removeprefix("./")] = file.read()
        return files
    unpacked = data / folder
    found = {
        str(path.relative_to(unpacked)): path
        for ending in ("*.json", "*.log", "*.txt")
        for path in unpacked.rglob(ending)
    }
    if not found:
        raise InputError(
            f"the reasoning sets are not in {data}: expected {packed}, or what is in it unpacked; "
            "name the folder of the data sets with --data or --sets"
        )
    return {name: path.read_bytes() for name, path in found.items()}


def _records(files: Mapping[str, bytes], name: str) -> list[dict[str, Any]]:
    if name not in files:
        raise InputError(f"{name} is not among the reasoning sets: they are not whole")
    told = json.loads(files[name])
    if not isinstance(told, list):
        raise ValueError(f"{name} is no list of items")
    return told


def _half(place: int, many: int) -> Of:
    return "seen" if place < many // 2 else "unseen"


def _templates(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
    options = Options(rendering="characters")
    told = _records(files, "logParsing_with_reason.json")
    if len(told) != _EACH * len(_PARSED):
        raise ValueError(f"{len(told)} templates, expected {_EACH * len(_PARSED)}")
    for place, one in enumerate(told):
        system = _PARSED[place // _EACH]
        yield Item(
            name,
            Task.PARSE,
            system,
            "unseen" if system in _PARSED_UNSEEN else "seen",
            place % _EACH,
            Material.of_lines([one["input"]]),
            one["label"],
            "verdict",
            options,
        )


def _anomalies(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
    mended = {one["input"]: one["rectified"] for one in _records(files, "label_corrections.json")}
    for place, one in enumerate(_records(files, "AnomalyDetection_with_reason.json")):
        seen = place < _BGL
        yield Item(
            name,
            Task.ANOMALY,
            "BGL" if seen else "Spirit",
            "seen" if seen else "unseen",
            place if seen else place - _BGL,
            Material.of_lines([one["input"]]),
            mended.get(one["input"], one["label"]),
            "verdict",
            published=one["label"],
        )


def _apache(file: str, task: Task) -> Callable[[Mapping[str, bytes], str], Iterator[Item]]:
    def read(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
        told = _records(files, file)
        for place, one in enumerate(told):
            yield Item(
                name,
                task,
                "Apache",
                _half(place, len(told)),
                place,
                Material.of_lines(_unfenced(one["input"])),
                one["label"],
                "text",
                Options(question=one["instruction"]),
            )

    return read


def _unfenced(text: str) -> list[str]:
    """The lines of a text that may stand between fences.

    >>> _unfenced("```\\na\\nb\\n```"), _unfenced("a")
    (['a', 'b'], ['a'])
    """
    return [line for line in text.strip().splitlines() if line.strip() not in ("```", "```log")]


def _switch(kind: str, task: Task) -> Callable[[Mapping[str, bytes], str], Iterator[Item]]:
    def read(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
        told = _records(files, f"loginstruct/{kind}_hwswitch.json")
        failing = {"True": "failure", "False": "no failure"}
        for place, one in enumerate(told):
            yield Item(
                name,
                task,
                "switch",
                _half(place, len(told)),
                place,
                Material.of_lines([one["input"].strip()]),
                failing[one["output"]] if task is Task.FAILURE else one["output"],
                "verdict" if task is Task.FAILURE else "text",
            )

    return read


def _faults(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
    told = [one for file in ("train", "dev") for one in _records(files, f"lofi/{file}.json")]
    for place, one in enumerate(told):
        lines = [
            f"{when} {level} {text}"
            for when, level, text in zip(one["time"], one["levels"], one["raw_log"], strict=True)
        ]
        yield Item(
            name,
            Task.INTERPRET,
            "Spark and HDFS",
            _half(place, len(told)),
            place,
            Material.of_lines(lines, "-", one["ori_line"][0]),
            one["summary"],
            "text",
            telling=tuple(at for at, bad in enumerate(one["ad_label"], 1) if bad),
        )


def _incidents(files: Mapping[str, bytes], name: str) -> Iterator[Item]:
    """The failed runs of each application, told apart from its own healthy ones. A run is all its
    container logs, one after another."""
    labels = files[_LABELS].decode("utf-8", "replace")
    for system, told in _sections(labels):
        runs = {run: material for run in told if len(material := _run(files, run))}
        healthy = tuple(runs[run] for run in runs if not told[run])
        failed = [run for run in sorted(runs) if told[run]]
        for place, run in enumerate(failed):
            yield Item(
                name,
                Task.ROOT_CAUSE,
                system,
                part_of_run(runs[run]),
                place,
                runs[run],
                told[run].lower(),
                "verdict",
                Options(healthy=healthy),
            )


def part_of_run(run: Material) -> Of:
    """Whether a run was developed on, by the folder its lines are of. All failed runs of PageRank
    are of one class: held out by program, a constant would find every cause."""
    return "seen" if run.where(1).partition("/")[0] in DEVELOPED else "unseen"


def _sections(labels: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each application with the class of each of its runs, "" for healthy ones.

    >>> labels = "### Sort\\nNormal:\\n+ application_1_1\\nDisk full:\\n+ application_1_2\\n"
    >>> list(_sections(labels))
    [('Sort', {'application_1_1': '', 'application_1_2': 'Disk full'})]
    """
    for section in labels.split("### ")[1:]:
        head, _, body = section.partition("\n")
        yield head.strip(), classes(body)


def _run(files: Mapping[str, bytes], run: str) -> Material:
    """A run's container logs in the order of their names."""
    return Material.joined(
        [
            Material.of_text(files[path].decode("utf-8", "surrogateescape"), path)
            for path in sorted(path for path in files if path.startswith(f"{run}/"))
        ]
    )


SETS: Mapping[str, _Set] = {
    "templates": _Set("reasoning", Task.PARSE, _templates),
    "anomalies": _Set("reasoning", Task.ANOMALY, _anomalies),
    "apache-interpretation": _Set(
        "reasoning", Task.INTERPRET, _apache("LogInterpretation_with_reason.json", Task.INTERPRET)
    ),
    "apache-cause": _Set(
        "reasoning", Task.ROOT_CAUSE, _apache("RootCauseAnalysis_with_reason.json", Task.ROOT_CAUSE)
    ),
    "apache-solution": _Set(
        "reasoning",
        Task.SOLUTION,
        _apache("SolutionRecommendation_with_reason.json", Task.SOLUTION),
    ),
    "switch-interpretation": _Set(
        "reasoning", Task.INTERPRET, _switch("interpretation", Task.INTERPRET)
    ),
    "switch-solution": _Set("reasoning", Task.SOLUTION, _switch("solution", Task.SOLUTION)),
    "switch-failure": _Set("reasoning", Task.FAILURE, _switch("failure", Task.FAILURE)),
    "faults": _Set("reasoning", Task.INTERPRET, _faults),
    "incidents": _Set("hadoop", Task.ROOT_CAUSE, _incidents),
}
"""By name. The switch vendor's alarm types and message names are left out: they name a sort of
message, no cause of anything."""
