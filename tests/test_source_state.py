"""The state of a source: what one of its lines says, without a batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logwright.logs.source_state import SourceState
from logwright.settings import Settings
from read_rows import BGL, Read, timed

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def test_a_message_begins_behind_the_header_of_its_own_source(tmp_path: Path) -> None:
    one, two = tmp_path / "a.log", tmp_path / "b.log"
    one.write_text(timed(1, "job 1 done") * 5)
    two.write_text("nothing in front\n" * 5)
    found = Read(one, two)
    line = timed(9, "job 9 done").strip().encode()
    assert line[found.reader.message_at(0, line) :] == b"job 9 done"
    assert found.reader.message_at(1, line) == 0


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.log")), ids=lambda path: path.stem)
def test_one_line_names_the_host_and_component_that_its_batch_has(path: Path) -> None:
    found = Read(path)
    lines = path.read_bytes().split(b"\n")
    for (source, number, _), host, component in zip(
        found.place, found.host, found.component, strict=True
    ):
        line = lines[number - 1].removesuffix(b"\r")
        named = found.reader.names_at(source, line)
        assert named == (host or b"", component or b""), line


def test_samples_name_hosts_and_components() -> None:
    """So that the test above compares something: text, JSON, and both."""
    for name, host, component in (
        ("syslog_rfc5424", True, True),
        ("journald_json", True, True),
        ("mixed_json_in_syslog", True, True),
    ):
        found = Read(SAMPLES / f"{name}.log")
        assert (any(found.host), any(found.component)) == (host, component), name


def test_names_are_read_behind_a_label(log: Path) -> None:
    lines = [BGL.format("-", 1117838570 + n, "INFO", "up") for n in range(50)]
    log.write_text("".join(lines))
    found = Read(log, label_prefix=True)
    assert found.host[7] == b"R02-M1-N0-C:J12-U11"
    assert found.reader.names_at(0, lines[7].encode()) == (found.host[7], found.component[7])


def test_names_are_read_from_odd_json(log: Path) -> None:
    records = [
        {"host": "web1", "service": "shop", "msg": "up"},
        {"host": 7, "service": {"name": "x"}, "msg": "up"},
        {"host": "", "service": "a\\b é", "msg": "up"},
        {"host": None, "msg": "up"},
    ]
    log.write_text("".join(json.dumps(r) + "\n" for r in records * 20) + "plain\n" * 3)
    found = Read(log)
    named = [found.reader.names_at(0, line) for line in log.read_bytes().splitlines()]
    pairs = zip(found.host, found.component, strict=True)
    assert named == [(host or b"", component or b"") for host, component in pairs]
    assert named[:4] == [
        (b"web1", b"shop"),
        (b"7", b""),
        (b"", "a\\b é".encode()),
        (b"", b""),
    ]
    assert named[-1] == (b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.log")), ids=lambda path: path.stem)
def test_messages_of_a_sample_end_as_those_of_its_batches(path: Path) -> None:
    state = SourceState.begin(path.read_bytes(), Settings(), 0.0, ())
    messages = [text.rstrip(b"\r") for text in state.messages(path.read_bytes())]
    found = Read(path, session="none")
    assert len(messages) >= len([content for content in found.content if content])
    for content in found.content:
        assert any(text.endswith(content) for text in messages)
    if state.json is not None:
        assert state.json.not_json == 0  # nothing of a sample is counted
