"""The reader: every line in is one row out, and where blocks end does not matter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.logs.reader import BLANK, OVERFLOW, Reader
from logwright.logs.selection import holds
from logwright.logs.shapes import mask, shape_key
from logwright.logs.sources import open_sources
from logwright.settings import Settings


class Read:
    """All rows of a run, as plain values that do not depend on this process's codes."""

    def __init__(self, *paths: Path | str, **options: object) -> None:
        given_settings = Settings(**options)
        self.reader = Reader(open_sources([str(p) for p in paths], given_settings), given_settings)
        self.batches = list(self.reader.batches())
        self.shapes = self.reader.take_shapes()
        r, rows = self.reader, [(b, i) for b in self.batches for i in range(len(b))]
        self.text = [b.text(i) for b, i in rows]
        self.content = [b.content(i) for b, i in rows]
        self.codes = [int(b.shape[i]) for b, i in rows]
        self.keys = [tuple(k) for k in r.shapes.keys(np.array(self.codes, np.int32)).tolist()]
        self.ts = [int(b.ts[i]) for b, i in rows]
        self.level = [int(b.level[i]) for b, i in rows]
        self.place = [(b.source_id, int(b.line_no[i]), int(b.offset[i])) for b, i in rows]
        self.host, self.component, self.label = (
            [None if (c := int(getattr(b, name)[i])) < 0 else names.values[c] for b, i in rows]
            for name, names in (
                ("host", r.hosts),
                ("component", r.components),
                ("label", r.labels),
            )
        )
        coded = np.array([int(b.session[i]) for b, i in rows], np.int32)
        self.session: list[tuple[int, int] | None] = [None] * len(coded)
        if r.session is not None:
            for at in np.flatnonzero(coded >= 0).tolist():
                self.session[at] = tuple(r.session.table.keys(coded[at : at + 1])[0].tolist())

    def same_rows(self, other: Read) -> None:
        for name in ("text", "content", "keys", "ts", "level", "place", "host", "component"):
            assert getattr(self, name) == getattr(other, name), name
        assert self.session == other.session


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def timed(number: int, message: str) -> str:
    return f"2024-05-01 10:{number // 60 % 60:02}:{number % 60:02},000 INFO app.main: {message}\n"


def requests(number: int) -> str:
    steps = ("accept", "store", "reply")
    return "".join(timed(n, f"{step} req_{n:05}x") for n in range(number) for step in steps)


piece = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"\n", b"\r\n", b"\n\n", b" ", b"job 17 done", b"\xff", b"\x00", b" \t\n"]),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(piece, max_size=20).map(b"".join),
    last=piece,
    block=st.sampled_from([4096, 5000, 1 << 20]),
)
def test_every_line_is_a_record_or_continues_one(
    log: Path, pieces: bytes, last: bytes, block: int
) -> None:
    raw = b"x" + pieces * 150 + last  # the first byte: this is about lines, not encodings
    log.write_bytes(raw)
    found = Read(log, block_bytes=block, format="plain")
    lines = raw.split(b"\n")
    lines = lines[:-1] if raw.endswith(b"\n") else lines
    ended = len(lines) - (not raw.endswith(b"\n"))
    heads = [n - 1 for _, n, _ in found.place]
    texts = [x.removesuffix(b"\r") if i < ended else x for i, x in enumerate(lines)]
    assert found.text == [texts[n] for n in heads]
    offsets = [0, *np.cumsum([len(x) + 1 for x in lines[:-1]])]
    assert [o for _, _, o in found.place] == [offsets[n] for n in heads]
    rest = sorted(set(range(len(lines))) - set(heads))
    assert len(rest) == found.reader.joined
    assert all(texts[n][:1] in (b" ", b"\t") and texts[n].strip() for n in rest)
    assert found.reader.sources.sources[0].stats.lines == len(lines)
    for text, code, key in zip(found.text, found.codes, found.keys, strict=True):
        if text.strip():
            assert key == shape_key(mask(text))
        else:
            assert code == BLANK


@pytest.mark.parametrize("block", [4096, 10_000, 65_536])
def test_block_size_does_not_change_what_is_read(log: Path, block: int) -> None:
    log.write_text(requests(1500) + "\n \nstack trace\n\tat x.y\n" + requests(20))
    whole = Read(log, session=r"req_\d+x")
    parts = Read(log, session=r"req_\d+x", block_bytes=block)
    assert len(parts.batches) > 1
    parts.same_rows(whole)
    assert sum(s is not None for s in whole.session) == 3 * 1520
    assert len(set(whole.session)) == 1501


def test_new_shapes_come_once_with_a_line_of_theirs(log: Path) -> None:
    log.write_text("".join(f"job {n} done\nuser u{n} in\n" for n in range(3000)) + "disk full\n")
    found = Read(log, block_bytes=4096)
    keys = [tuple(k) for k in found.shapes.keys.tolist()]
    assert len(set(keys)) == 3
    assert set(keys) == set(found.keys)
    for key, content in zip(keys, found.shapes.contents, strict=True):
        assert shape_key(mask(content)) == key
    # A few lines for the miner, not all.
    assert max(keys.count(k) for k in set(keys)) <= 8
    assert len(found.reader.take_shapes().contents) == 0


def test_secrets_do_not_reach_the_miner(log: Path) -> None:
    log.write_text("login password=hunterX ok\n" * 3)
    found = Read(log)
    assert found.shapes.contents == [b"login password=[redacted secret] ok"]
    assert found.keys[0] == shape_key(mask(b"login password=hunterX ok"))


BGL = (
    "{} {} 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 "
    "R02-M1-N0-C:J12-U11 RAS KERNEL {} {}\n"
)


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


def test_blank_lines_are_rows_of_no_template(log: Path) -> None:
    log.write_text("up\n\n   \n\t\ndown\n")
    found = Read(log)
    assert [code == BLANK for code in found.codes] == [False, True, True, True, False]
    assert sorted(found.shapes.contents) == [b"down", b"up"]


def word(number: int) -> str:
    return "".join(chr(103 + (number >> shift & 7)) for shift in (0, 3, 6, 9))


def test_shapes_beyond_the_limit_are_counted_as_one(log: Path) -> None:
    log.write_text(
        "".join(f"{word(n)} start\n" * 3 for n in range(60))
        + "job 1 done\n" * 2000
        + "".join(f"{word(n)} again\n" for n in range(1000))
        + "job 2 done\n"
    )
    found = Read(log, max_shapes=100, block_bytes=4096, format="plain")
    assert found.reader.coder.overflowed == found.codes.count(OVERFLOW) > 800
    assert len(found.codes) == 60 * 3 + 2000 + 1000 + 1
    assert len(found.reader.shapes) <= 100
    # What was known stays known.
    assert found.codes[-1] == found.codes[200] != OVERFLOW
    assert [note.text for note in found.reader.notes] == [
        f"{found.reader.coder.overflowed:,} lines have shapes beyond the 100 that are held: "
        "counted as one template (raise max_shapes)"
    ]
    assert OVERFLOW in found.shapes.codes.tolist()
    Read(log, max_shapes=100, format="plain").same_rows(found)


def test_blank_lines_stay_blank_beyond_the_limit(log: Path) -> None:
    log.write_text("  \nup\n" + "".join(f"{word(n)} start\n  \n\n" for n in range(500)))
    found = Read(log, max_shapes=100, block_bytes=4096, format="plain")
    assert found.reader.coder.overflowed > 300
    assert found.codes.count(BLANK) == 1001


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


def test_an_asked_for_format_is_used_and_said(log: Path) -> None:
    log.write_text("INFO|web|up 1\nERROR|db|down 2\n")
    found = Read(log, format="<Level>|<Component>|<Content>")
    assert found.component == [b"web", b"db"]
    assert found.level == [3, 6]
    assert found.reader.formats[0].reason == "layout as given: 100 % of 2 sampled lines"


def test_a_message_begins_behind_the_header_of_its_own_source(tmp_path: Path) -> None:
    one, two = tmp_path / "a.log", tmp_path / "b.log"
    one.write_text(timed(1, "job 1 done") * 5)
    two.write_text("nothing in front\n" * 5)
    found = Read(one, two)
    line = timed(9, "job 9 done").strip().encode()
    assert line[found.reader.message_at(0, line) :] == b"job 9 done"
    assert found.reader.message_at(1, line) == 0


SAMPLES = Path(__file__).parent / "samples"


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


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"since": "2024-05-01 10:00:05"}, range(5, 10)),
        ({"until": "2024-05-01T10:00:05Z"}, range(5)),
        ({"since": "2024-05-01 10:00:02", "until": "2024-05-01 10:00:04"}, [2, 3]),
        ({"where": ("user=ann",)}, range(0, 10, 3)),
        ({"where": ("level=info", "component=app.main", "user=bob")}, range(1, 10, 3)),
        ({"where": ("source=app.log", "user=an")}, []),
        ({"where": ("level=error",)}, []),
    ],
)
def test_a_selection_leaves_lines_out(log: Path, chosen: dict, kept: list[int]) -> None:
    names = ["ann", "bob", "cyd"] * 4
    text = "".join(timed(n, f"user={names[n]} logs in\n\tat a.B.c(B.java:1)") for n in range(10))
    log.write_text(text, "utf-8")
    for block in (4096, 1 << 20):
        found = Read(log, block_bytes=block, **chosen)
        assert [n for _, n, _ in found.place] == [2 * k + 1 for k in kept]
        assert found.reader.joined == len(list(kept))
        assert found.reader.left_out == 20 - 2 * len(list(kept))
        assert found.reader.sources.sources[0].stats.lines == 20


def test_a_condition_holds_for_head_lines_only() -> None:
    text = b"user=\nann went\nfailed\n\tuser=ann\nuser=ann ok\n"
    assert holds(text, np.array([0, 6, 15, 32]), "user", "ann").tolist() == [
        False,
        False,
        False,
        True,
    ]
