"""Rows: what lines of text, of JSON, and of both are as columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logwright.logs.batch import NO_TIME
from read_rows import BGL, Read, timed


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def test_a_label_prefix_is_hidden_from_content_shapes_and_templates(log: Path) -> None:
    rows = [
        BGL.format(["-", "KERNDTLB"][n % 7 == 0], 1117838570 + n, ["INFO", "FATAL"][n % 2], "up 7")
        for n in range(300)
    ]
    log.write_text("".join(rows))
    found = Read(log, label_prefix=True)
    assert set(found.content) == {b"up 7"}
    assert len(set(found.keys)) == 1
    assert set(found.shapes.contents) == {b"up 7"}
    assert found.label == [[b"-", b"KERNDTLB"][n % 7 == 0] for n in range(300)]
    assert found.level == [[3, 7][n % 2] for n in range(300)]
    assert found.ts[5] // 10**9 == 1117838575

    unasked = Read(log)
    assert set(unasked.label) == {None}
    assert unasked.reader.labels.values == []


def test_a_label_prefix_is_hidden_where_no_format_fits(log: Path) -> None:
    log.write_text(
        "".join(f"{'ALERT' if n % 3 else '-'} the thing n{n} moved\n" for n in range(90))
    )
    found = Read(log, label_prefix=True)
    assert set(found.label) == {b"ALERT", b"-"}
    assert len(set(found.keys)) == 1
    assert not any(b"ALERT" in c for c in found.shapes.contents)


def test_json_and_text_sources_in_one_run(tmp_path: Path) -> None:
    text, objects = tmp_path / "a.log", tmp_path / "b.jsonl"
    text.write_text("".join(timed(n, f"job {n} done") for n in range(50)))
    objects.write_text(
        "".join(
            json.dumps(
                {
                    "time": f"2024-05-01T10:00:{n:02}Z",
                    "level": "error",
                    "host": {"name": "web1"},
                    "msg": f"job {n} done",
                }
            )
            + "\n"
            for n in range(50)
        )
        + "not JSON\n"
    )
    found = Read(text, objects)
    assert len(found.text) == 101
    assert len(set(found.keys[:100])) == 1  # the same statement from both
    assert found.ts[:50] == found.ts[50:100]
    assert set(found.level[:50]) == {3}
    assert set(found.level[50:100]) == {6}
    assert [n for _, n, _ in found.place] == [*range(1, 51), *range(1, 52)]
    assert found.text[-1] == b"not JSON"
    assert found.level[-1] == 0
    assert found.ts[-1] == NO_TIME
    formats = found.reader.formats
    assert formats[0].reason.endswith("100 % of 50 sampled lines")
    assert formats[1].format.kind == "json"
    assert any("1 line is not JSON" in n.text for n in found.reader.notes)


def test_hosts_components_and_levels_are_read(log: Path) -> None:
    log.write_text(
        "".join(
            f"Jun 14 15:16:{n:02} web{n % 2} sshd[{n}]: check pass; user unknown\n"
            for n in range(40)
        )
    )
    found = Read(log)
    assert set(found.host) == {b"web0", b"web1"}
    assert found.reader.formats[0].format.name == "syslog"
    assert all(c is not None and c.startswith(b"sshd") for c in found.component)
    assert {c.strip() for c in found.content} == {b"check pass; user unknown"}


def test_text_between_json_lines_is_read_by_its_own_format(log: Path) -> None:
    json = [
        f'{{"ts":"2024-05-01T10:00:{n:02}Z","level":"info","msg":"step {n}"}}' for n in range(9)
    ]
    text = [f"2024-05-01 11:00:{n:02} ERROR disk {n} failed" for n in range(9)]
    both = [line for pair in zip(json, text, strict=True) for line in pair]
    log.write_text("\n".join(both) + "\n", "utf-8")
    found = Read(log)
    assert found.content[:2] == [b"step 0", b"disk 0 failed"]
    assert found.level == [3, 6] * 9
    assert [t // 10**9 % 86400 // 3600 for t in found.ts] == [10, 11] * 9
    assert found.reader.message_at(0, text[0].encode()) == text[0].index("disk")


def test_the_template_that_a_record_names_is_its_shape(log: Path) -> None:
    lines = [
        f'{{"body":"{name} bought tea req-9f{n:04x}","attributes":{{"log.record.template":'
        f'"{{user}} bought {{what}} {{id}}"}}}}'
        for n, name in enumerate(["ann", "bob", "cyd", "dan"] * 10)
    ]
    log.write_text("\n".join([*lines, '{"body":"no template here"}']) + "\n", "utf-8")
    found = Read(log, session="req-[0-9a-f]+")
    assert len(set(found.codes)) == 2
    assert found.content[0] == b"ann bought tea req-9f0000"
    assert b"{user} bought {what} {id}" in found.shapes.contents
    assert len(set(found.session[:-1])) == 40
