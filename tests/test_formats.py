"""Every format reads its own samples, files of it, and the twelve published systems, as stated."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.bench import formats as bench
from logwright.errors import FormatError, InputError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.formats import FORMATS, Detected, Format, detect, sample_lines, use
from logwright.logs.kernel import headers, lines
from logwright.logs.layout import level_code, run_on
from logwright.logs.timestamps import iso

Row = tuple[str | None, str | None, str | None, str | None, str]

SAMPLES = Path(__file__).parent / "samples"

# What each sample of each format is read as: time (in 2000 without a year, in 1970 without a day),
# host, component, level, message.
READ: dict[str, list[Row]] = {
    name: [tuple(row) for row in rows]
    for name, rows in json.loads((SAMPLES / "read.json").read_text("utf-8")).items()
}

# What each sample file holds, as the lines were made: its format, how many lines name a time,
# whether those name the year, how many name a level, and the first and last time.
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text("utf-8"))


def read(detected: Detected, line: bytes) -> Row:
    content, ts, spans, status = run_on(detected.program, [line])
    assert status[0] == p.FULL
    host, component, level = (
        line[spans[0, 2 * i] : spans[0, 2 * i + 1]].decode() if spans[0, 2 * i] >= 0 else None
        for i in range(3)
    )
    time = iso(int(ts[0])) if ts[0] != NO_TIME else None
    return time, host, component, level, line[content[0] :].decode()


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_samples_are_detected_as_their_format_and_read_as_stated(format: Format) -> None:
    for number, sample in enumerate(format.samples):
        detected = detect([sample.encode()])
        assert detected.format is format
        if format.kind == "text":
            assert read(detected, sample.encode()) == READ[format.name][number]
        else:
            assert detected.program == b""


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_samples_are_read_alike_behind_a_label(format: Format) -> None:
    if format.kind != "text":
        return
    for sample, row in zip(format.samples, READ[format.name], strict=True):
        # The published sets' own label makes way: it is the label then.
        bare = sample.split(" ", 1)[1] if sample[:2] in ("- ", "AP", "VA") else sample
        line = b"LABEL " + bare.encode()
        detected = detect([line], label_prefix=True)
        assert read(detected, line) == row
        assert "label" in detected.slots


def test_names_are_unique_and_special_formats_come_before_general_ones() -> None:
    names = [format.name for format in FORMATS]
    assert len(set(names)) == len(names)
    assert names[-5:] == ["timestamped", "compose", "mysqlslow", "maven", "plain"]


def test_levels_of_samples_are_levels() -> None:
    for format in FORMATS:
        for row in READ.get(format.name, []):
            assert row[3] is None or level_code(row[3].encode()) or row[3] in format.levels


# --- detection ------------------------------------------------------------------------------------


def test_the_reason_tells_format_and_share() -> None:
    good, bad = b"Jun 14 15:16:01 combo su: x", b"what?"
    assert detect([good] * 190 + [bad] * 10).reason == "syslog RFC 3164: 95 % of 200 sampled lines"


def test_indented_and_blank_lines_do_not_count() -> None:
    log = [b"2015-10-18 18:01:47,978 ERROR [main] a.b.C: failed", b"\tat a.b.C.run(C.java:5)", b""]
    assert detect(log * 3).reason == "Hadoop (log4j): 100 % of 3 sampled lines"


def test_the_special_format_wins_though_the_general_one_fits_more() -> None:
    tagged = b"Jan 12 06:49:42 irc sshd[7]: session opened"
    repeated = b"Jan 12 06:49:42 irc last message repeated 6 times"
    detected = detect([tagged] * 17 + [repeated] * 3)
    assert detected.format.name == "syslog"
    content, ts, spans, status = run_on(detected.program, [repeated])
    assert repeated[content[0] :] == b"last message repeated 6 times"
    assert ts[0] != NO_TIME
    assert repeated[spans[0, 0] : spans[0, 1]] == b"irc"
    assert status[0] == p.PARTIAL


@pytest.mark.parametrize(("good", "told"), [(7, True), (8, False)])
def test_a_guess_that_is_not_sure_says_how_to_override_it(good: int, told: bool) -> None:
    lines = [b"Jun 14 15:16:01 combo su: x"] * good + [b"lorem ipsum"] * (10 - good)
    assert detect(lines).reason.endswith("; if that is wrong, see --format") == told


def test_below_half_it_is_plain_text() -> None:
    detected = detect([b"<34>Oct 11 22:14:15 web su: x"] * 4 + [b"lorem ipsum"] * 6)
    assert detected.format.name == "plain"
    assert detected.reason == (
        "plain text: no format fits half of the sampled lines "
        "(best: syslog RFC 3164: 40 % of 10 sampled lines); see --format"
    )


@pytest.mark.parametrize("samples", [[], [b""], [b"  ", b"\t"]])
def test_nothing_to_look_at_is_plain_text(samples: list[bytes]) -> None:
    assert detect(samples).reason == "plain text: there are no lines to look at"
    assert detect(samples, label_prefix=True).slots == ("label",)


@pytest.mark.parametrize(
    "line",
    [b"lorem ipsum dolor", b"4111111111111111 card", b"I am here: ok", b"time is 10:00:00 now"],
)
def test_words_and_long_numbers_are_no_headers(line: bytes) -> None:
    assert detect([line]).format.name == "plain"


@pytest.mark.parametrize(
    ("line", "time", "content"),
    [
        (b"2024-05-01 10:00:00 Starting server", "2024-05-01T10:00:00Z", b"Starting server"),
        (b"2024-05-01 10:00:00 +0200 hi", "2024-05-01T08:00:00Z", b"hi"),
        (b"[01/May/2024:10:00:00 +0000] hi", "2024-05-01T10:00:00Z", b"hi"),
        (b"05/01/2024 01:00:00 PM foo bar", "2024-05-01T13:00:00Z", b"foo bar"),
        (b"25/12/2024 10:00:00 foo", "2024-12-25T10:00:00Z", b"foo"),
        (b"Wed May  1 10:00:00 UTC 2024 done", "2024-05-01T10:00:00Z", b"done"),
        (b"1714557600123 event x", "2024-05-01T10:00:00.123Z", b"event x"),
        (b"(2024-05-01T10:00:00Z) x", "2024-05-01T10:00:00Z", b"x"),
        (b"20240501T100000Z x", "2024-05-01T10:00:00Z", b"x"),
        (b"job7 [2024-05-01 10:00:00] x", "2024-05-01T10:00:00Z", b"x"),
    ],
)
def test_text_with_a_time_gets_at_least_that(line: bytes, time: str, content: bytes) -> None:
    detected = detect([line])
    at, ts, _, _ = run_on(detected.program, [line])
    assert (iso(int(ts[0])), line[at[0] :]) == (time, content)


def test_a_label_is_split_off_before_detection() -> None:
    published = [sample.encode() for sample in FORMATS[1].samples[:2]]
    labelled = detect(published, label_prefix=True)
    assert labelled.format.name == "bgl"
    assert "label" in labelled.slots
    _, _, spans, _ = run_on(labelled.program, published[1:])
    assert published[1][spans[0, 6] : spans[0, 7]] == b"APPREAD"
    assert "label" not in detect(published).slots


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_get_some_format(samples: list[bytes]) -> None:
    for label_prefix in (False, True):
        detected = detect(samples, label_prefix=label_prefix)
        run_on(detected.program, samples)


# --- files of each format -------------------------------------------------------------------------


def test_there_is_a_file_for_each_format_of_files() -> None:
    published = {"bgl", "thunderbird", "hpc", "hdfs", "healthapp", "proxifier"}  # read below
    assert {truth["format"] for truth in EXPECTED.values()} | published == {f.name for f in FORMATS}
    assert {path.name for path in SAMPLES.glob("*.log")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_files_are_read_as_they_were_made(name: str) -> None:
    found = bench.read((SAMPLES / name).read_bytes())
    times = found.ts[found.ts != NO_TIME]
    seen: dict[str, Any] = {
        "format": found.detected.format.name,
        "timed": len(times),
        "levels": int(np.count_nonzero(found.level)),
    }
    if len(times):
        seen |= {"first": iso(int(times[0])), "last": iso(int(times[-1]))}
    assert seen == {key: value for key, value in EXPECTED[name].items() if key != "year"}
    if found.detected.program and len(times):
        assert found.detected.names_year == EXPECTED[name]["year"]


def test_levels_of_their_own_are_not_levels_elsewhere() -> None:
    redis = detect([b"1:M 01 May 2024 10:00:00.123 # Can't save in background"])
    assert redis.slots == ("component", "level")
    assert detect([b"2024-05-01 10:00:00 * 3 items", b"2024-05-01 10:00:00 # note"]).slots == ()
    assert [level_code(text) for text in (b"evel>2", b"2", b"*", b"-")] == [6, 7, 4, 0]


def test_a_telltale_keeps_a_format_from_other_logs() -> None:
    line = b"2024-05-01T10:00:00.1234567Z starting"
    assert detect([line] * 9).format.name == "timestamped"
    assert detect([line] * 9 + [b"2024-05-01T10:00:00.1234567Z ##[group]x"]).format.name == "github"
    assert use("github", [line]).program


def test_of_two_that_fit_as_many_the_one_with_times_wins() -> None:
    record = [b"May 01, 2024 10:00:00 AM com.example.App run", b"INFO: started"]
    assert detect(record * 9).names_day


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_damaged_files_are_read_line_by_line(format: Format) -> None:
    whole = "\n".join(format.samples).encode()
    place = st.integers(0, len(whole))
    damage = st.one_of(
        st.tuples(st.just("flip"), place, st.binary(min_size=1, max_size=1)),
        st.tuples(st.just("cut"), place, st.just(b"")),
        st.tuples(st.just("insert"), place, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("join"), place, st.just(b"")),
    )

    @settings(max_examples=max(settings.default.max_examples // 10, 1))
    @given(st.lists(damage, min_size=1, max_size=12))
    def check(damages: list[tuple[str, int, bytes]]) -> None:
        buf = whole
        for kind, at, text in damages:
            if kind == "flip":
                buf = buf[:at] + text + buf[at + 1 :]
            elif kind == "cut":
                buf = buf[:at] + buf[at + 7 :]
            elif kind == "insert":
                buf = buf[:at] + text + buf[at:]
            else:
                buf = buf[:at] + buf[at:].replace(b"\n", b"", 1)
        rows = buf.count(b"\n") + (not buf.endswith(b"\n") and buf != b"")
        found = bench.read(buf)
        assert len(found.ts) == len(found.level) == rows
        assert use(format.name, sample_lines(buf)).format is format

    check()


# --- JSON and text in one file --------------------------------------------------------------------

OBJECT = b'{"time": "2024-05-01T10:00:00Z", "level": "info", "msg": "up"}'
TEXT = b"2024-05-01T10:00:01Z [error] worker 3 died"


def test_a_mixed_source_is_json_with_the_layout_of_its_text() -> None:
    detected = detect(([OBJECT] * 5 + [TEXT] * 3) * 20)
    assert detected.format.kind == "json"
    assert detected.slots == ("level",)
    assert detected.names_year
    assert detected.reason == (
        "JSON lines: mixed with text with times, 62 % objects, 100 % of the other 60 sampled lines"
    )


def test_where_no_layout_fits_the_text_has_none() -> None:
    detected = detect([OBJECT] * 9 + [b"Server starting up"])
    assert (detected.format.kind, detected.program) == ("json", b"")
    assert detected.reason == (
        "JSON lines: mixed with plain text, 90 % objects; if that is wrong, see --format"
    )


@pytest.mark.parametrize(
    ("objects", "texts", "broken", "kind", "mixed"),
    [
        (200, 0, 0, "json", False),
        (196, 4, 0, "json", False),  # a stray line of text changes nothing
        (150, 0, 50, "json", False),  # lines that were cut are no text
        (190, 10, 0, "json", True),
        (10, 190, 0, "json", True),
        (9, 191, 0, "text", False),
        (2, 18, 0, "text", False),  # too few to tell
    ],
)
def test_what_counts_as_mixed(
    objects: int, texts: int, broken: int, kind: str, mixed: bool
) -> None:
    detected = detect([OBJECT] * objects + [TEXT] * texts + [OBJECT[:-9] + b"}"] * broken)
    assert (detected.format.kind, ": mixed with" in detected.reason) == (kind, mixed)
    assert bool(detected.program) == (mixed or kind == "text")


def test_json_behind_a_header_or_a_label_is_text() -> None:
    line = b'2024-05-01T10:00:00Z INFO {"msg": "up", "port": 8080}'
    detected = detect([line] * 9)
    assert detected.format.name == "timestamped"
    assert read(detected, line)[3:] == ("INFO", '{"msg": "up", "port": 8080}')
    labelled = [b"- " + OBJECT] * 6 + [b"- " + TEXT] * 4
    assert detect(labelled, label_prefix=True).format.kind != "json"


# --- by name, by layout ---------------------------------------------------------------------------


def test_a_named_format_is_used_whatever_fits() -> None:
    detected = use("SysLog", [b"lorem ipsum"])
    assert detected.format.name == "syslog"
    assert detected.program
    assert detected.reason == "syslog RFC 3164: 0 % of 1 sampled lines"


def test_a_named_format_takes_its_best_layout() -> None:
    samples = [b"2024-05-01T10:00:00+02:00 web su: x"]
    assert use("syslog", samples).names_year
    assert not use("syslog", []).names_year


def test_a_layout_may_be_given() -> None:
    detected = use("<Time> <Level> <Content>", [b"10:00:00 INFO x"] * 2)
    assert detected.reason == "layout as given: 100 % of 2 sampled lines"
    assert detected.slots == ("level",)
    assert not detected.names_day


def test_a_field_may_be_empty_or_end_at_a_tab() -> None:
    line = b"client= user=ann\tbig job\tdone"
    detected = use("client=<host?> user=<component...>\\\t<_...>\\\t<content>", [line])
    content, _, spans, status = run_on(detected.program, [line])
    assert (status[0], line[content[0] :]) == (p.FULL, b"done")
    assert [line[a:b] for a, b in spans[0, :4].reshape(2, 2)] == [b"", b"ann"]
    with pytest.raises(
        FormatError, match=r"column 1: '\?' needs one character that ends the field"
    ):
        use("<a?>{(x)}{[y]} <content>", [])


def test_a_name_that_stands_twice_is_read_where_the_line_has_it() -> None:
    layout = "<level>{@<component> <level>}: <content>"
    for line, level in ((b"LOG: x", b"LOG"), (b"app@shop ERROR: x", b"ERROR")):
        _, _, spans, _ = run_on(use(layout, [line]).program, [line])
        assert line[spans[0, 4] : spans[0, 5]] == level


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(FormatError, match=r"format 'sylog' is unknown: expected one of access, .*"):
        use("sylog", [])


# --- samples --------------------------------------------------------------------------------------


def test_sample_lines_are_spread_over_the_block() -> None:
    found = sample_lines(b"".join(b"%d\n\n" % i for i in range(5000)))
    assert len(found) == 200
    assert (found[0], found[-1]) == (b"0", b"4999")
    assert sample_lines(b"") == []


# --- published systems ----------------------------------------------------------------------------

# System: format, lines whose message is not the published one, first time, has a level column.
SYSTEMS = {
    "Apache": ("apache", 0, "2005-12-04T04:47:44Z", True),
    "BGL": ("bgl", 0, "2005-06-03T22:42:50.675872Z", True),
    "HDFS": ("hdfs", 0, "2008-11-09T20:36:15Z", True),
    "HPC": ("hpc", 0, "2004-02-26T14:12:22Z", False),
    "Hadoop": ("hadoop", 0, "2015-10-18T18:01:47.978Z", True),
    # One published message has spaces that its line has not.
    "HealthApp": ("healthapp", 1, "2017-12-23T22:15:29Z", False),
    # "syslogd 1.4.1: restart." has a space in its tag, which stays in the message, as does that
    # of "-- root[2421]: ROOT LOGIN".
    "Linux": ("syslog", 8, "2000-06-14T15:16:01Z", False),
    "OpenSSH": ("syslog", 0, "2000-12-10T06:55:46Z", False),
    "Proxifier": ("proxifier", 0, "2000-10-30T16:49:06Z", False),
    # Lines without a tag, which the published parser cuts at some colon.
    "Thunderbird": ("thunderbird", 9, "2005-11-09T20:01:01Z", False),
    "Windows": ("cbs", 0, "2016-09-28T04:30:30Z", True),
    "Zookeeper": ("zookeeper", 0, "2015-07-29T17:41:44.747Z", True),
}


@pytest.fixture(scope="module")
def loghub() -> dict[str, bytes]:
    from conftest import DATA

    path = Path(DATA) / "loghub_2k" / "loghub_2k.tar.zst"
    if not path.is_file():
        pytest.skip(f"the sampled logs are not at {path} (set LOGWRIGHT_TEST_DATA)")
    with pa.input_stream(str(path), compression="zstd") as stream:
        tar = tarfile.open(fileobj=io.BytesIO(stream.read()))  # noqa: SIM115 - memory only
        members = [(m.name.removeprefix("./"), tar.extractfile(m)) for m in tar if m.isfile()]
        return {name: file.read() for name, file in members if file is not None}


@pytest.mark.parametrize("system", SYSTEMS)
def test_published_systems(loghub: dict[str, bytes], system: str) -> None:
    name, differing, first, has_level = SYSTEMS[system]
    buf = loghub[f"{system}/{system}_2k.log"]
    text = loghub[f"{system}/{system}_2k.structured.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    detected = detect(sample_lines(buf))
    assert detected.format.name == name
    start, end = lines(buf)
    assert len(start) == len(rows)
    content, ts, spans, status = headers(buf, start, end, detected.program, 2000, 0)
    messages = [
        buf[c:e].decode().strip() for c, e in zip(content.tolist(), end.tolist(), strict=True)
    ]
    assert sum(m != r["Content"].strip() for m, r in zip(messages, rows, strict=True)) == differing
    assert np.mean(status == p.FULL) >= 0.99
    assert not np.any(ts == NO_TIME)
    assert iso(int(ts[0])) == first
    levels = [buf[s:e].decode() if s >= 0 else None for s, e in spans[:, 4:6].tolist()]
    if has_level:
        assert levels == [row["Level"] for row in rows]
        assert all(level_code(str(level).encode()) for level in set(levels))
    else:
        assert set(levels) == {None}
    # The other columns are called by other names there, or are cut otherwise.
    if system in ("BGL", "HDFS", "HPC", "Hadoop", "HealthApp", "Windows"):
        components = [buf[s:e].decode() for s, e in spans[:, 2:4].tolist()]
        assert components == [row["Component"] for row in rows]


# --- benchmark, page ------------------------------------------------------------------------------


def test_the_benchmark_counts_formats_and_times(tmp_path: Path) -> None:
    (tmp_path / "Linux_2k.log").write_bytes(b"Jun 14 15:16:01 combo su: x\n" * 20)
    (tmp_path / "HDFS_2k.log").write_bytes(b"lorem ipsum\n" * 20)
    (tmp_path / "x.log").write_bytes(b"INFO: up\n" * 3)
    (tmp_path / "expected.json").write_text('{"x.log": {"format": "python", "timed": 0}}')
    result = bench.run(tmp_path, samples=tmp_path)
    rows = {row["source"]: row for row in result["rows"]}
    assert rows["LogHub Linux"]["right"]
    assert (rows["LogHub HDFS"]["detected"], rows["LogHub HDFS"]["times"]) == ("plain", 0)
    assert (rows["x.log"]["right"], rows["x.log"]["times"]) == (True, None)
    assert result["summary"] == {"right": 2, "of": 3, "times": 0.5}


def test_the_benchmark_says_what_is_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no LogHub 2k system"):
        bench.run(tmp_path)
    (tmp_path / "Linux_2k.log").write_bytes(b"x\n")
    with pytest.raises(InputError, match=r"holds no expected\.json"):
        bench.run(tmp_path, samples=tmp_path)


def test_the_page_lists_every_format() -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
    assert all(f"| `{format.name}` | {format.title} |" in page for format in FORMATS)


def test_the_layouts_on_the_page_compile() -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
    layouts = re.findall(r"--format '(.*)'", page)
    assert len(layouts) == 2
    for layout in layouts:
        assert "level" in use(layout, []).slots
