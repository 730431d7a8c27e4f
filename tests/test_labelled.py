"""Labels of one's own logs: both forms are read alike, and every mistake is told where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from logwright.errors import InputError
from logwright.reasoning.building.labelled import Labelled, read_labels, whole
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "shop.log"
    path.parent.mkdir()
    path.write_text("all well\ndisk full on sda\nall well again\n")
    return path


def read(tmp_path: Path, text: str, *logs: Path) -> list[Labelled]:
    path = tmp_path / "labels"
    path.write_text(text)
    return list(read_labels(path, logs))


def test_both_forms_say_the_same(tmp_path: Path, log: Path) -> None:
    item = {"task": "anomaly", "lines": "shop.log:2-3", "answer": "abnormal"}
    (told,) = read(tmp_path, json.dumps(item), log)
    table = "task\tlines\tanswer\nanomaly\tshop.log:2-3\tabnormal\n"
    (same,) = read(tmp_path, table, log)
    assert replace(same, source="") == replace(told, source="")
    assert (told.source, same.source) == ("labels:1", "labels:2")
    assert (told.task, told.truth, told.form) == (Task.ANOMALY, "abnormal", "verdict")
    assert told.material.lines == ("disk full on sda", "all well again")
    assert told.material.where(1).endswith("shop.log:2")
    assert told.system == "shop"


def test_everything_that_may_be_said(tmp_path: Path, log: Path) -> None:
    item = {
        "task": "root-cause",
        "lines": ["a 1", "b"],
        "answer": "disk full",
        "system": "billing",
        "time": "2026-01-31T23:59:00",
        "question": "Why?",
        "rendering": "characters",
        "healthy": ["shop.log:1"],
    }
    (told,) = read(tmp_path, json.dumps(item), log.parent)
    assert (told.system, told.time) == ("billing", 1769903940 * 10**9)
    assert told.options.question == "Why?"
    assert told.options.rendering == "characters"
    assert [run.lines for run in told.options.healthy] == [("all well",)]


def test_items_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    line = json.dumps({"task": "parse", "lines": ["a 1"], "answer": "a <*>"})
    assert [one.time for one in read(tmp_path, f"{line}\n\n{line}\n")] == [1, 2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no items"),
        ("nothing of the kind", "a first line that names the columns"),
        ("task\tlines\tanswer\nparse\ta", r":2: 2 columns, expected 3"),
        ('{"task": "parse"', r":1: this is not JSON"),
        ('{"task": "guess", "lines": ["a"], "answer": "b"}', r":1: there is no task 'guess'"),
        ('{"task": "parse", "lines": ["a"], "anwser": "b"}', "unknown key 'anwser'"),
        ('{"task": "parse", "lines": ["a"], "answer": " "}', "no answer"),
        ('{"task": "parse", "lines": [], "answer": "b"}', "no lines"),
        ('{"task": "parse", "lines": 7, "answer": "b"}', "lines is 7"),
        ('{"task": "anomaly", "lines": ["a"], "answer": "bad"}', "expected abnormal or normal"),
        ('{"task": "parse", "lines": "none.log:1", "answer": "b"}', "in none of the logs"),
        ('{"task": "parse", "lines": "shop.log:9", "answer": "b"}', "has no line 9"),
        ('{"task": "parse", "lines": ["a"], "answer": "b", "time": "noon"}', "expected ISO 8601"),
        ('{"task": "parse", "lines": ["a"], "answer": "b", "rendering": "x"}', "words or char"),
        ('{"task": "parse", "lines": ["a"], "answer": "b", "healthy": "x"}', "expected a list"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, log: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(tmp_path, text, log)


def test_a_name_that_fits_two_logs_is_asked_about(tmp_path: Path, log: Path) -> None:
    other = tmp_path / "more" / "shop.log"
    other.parent.mkdir()
    other.write_text("else\n")
    item = json.dumps({"task": "parse", "lines": "shop.log:1", "answer": "else"})
    with pytest.raises(InputError, match="name more of it"):
        read(tmp_path, item, log, other)
    more = json.dumps({"task": "parse", "lines": "more/shop.log:1", "answer": "else"})
    assert read(tmp_path, more, log, other)[0].material.lines == ("else",)
    with pytest.raises(InputError, match="is not there"):
        read(tmp_path, item, tmp_path / "none")


def test_bytes_that_are_no_text_are_replaced() -> None:
    material = Material.of_lines(["bad \udcff byte"], "a.log", 4)
    assert whole(material).text(1).encode() == b"bad ? byte"
    assert whole(material).where(1) == "a.log:4"
