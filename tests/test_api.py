"""Whole runs: what is planted in a log is found, with its lines, and nothing else is."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import logwright as lw
from logwright.errors import FormatError, InputError, SettingsError
from logwright.findings.finding import Finding

START = datetime(2024, 5, 1, tzinfo=UTC)


def at(second: float, message: str, level: str = "INFO") -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},000 {level} app: {message}\n"


def traffic(first: int, minutes: int, seed: int = 1, beat: bool = True) -> list[str]:
    """About three lines a minute in three statements; without `beat` one of them is silent."""
    rng = random.Random(seed)
    out = []
    for minute in range(first, first + minutes):
        if beat:
            out.append(at(60 * minute, f"heartbeat {minute} ok"))
        for n in range(rng.randrange(1, 4)):
            out.append(at(60 * minute + 10 + n, f"job {rng.randrange(9999)} done"))
        if rng.random() < 0.5:
            out.append(at(60 * minute + 40, f"user u{rng.randrange(10**8)} logged in"))
    return out


STEPS = ("accept {} from client", "parse body of {}", "store {} as row", "reply to {} sent")


def requests(number: int, odd: dict[int, tuple[str, ...]], first: int = 0) -> list[str]:
    """Interleaved requests of four steps; `odd` ones take other steps."""
    rng = random.Random(first)
    rows = []
    for n in range(first, first + number):
        begin = 10 * n + rng.randrange(5)
        for i, step in enumerate(odd.get(n, STEPS)):
            rows.append((begin + 3 * i, step.format(f"req_{n:06}")))
    return [at(second, text) for second, text in sorted(rows)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def cited_lines_are_there(findings: list[Finding]) -> None:
    for finding in findings:
        assert finding.lines, finding.summary
        for line in finding.lines:
            raw = Path(line.source).read_bytes()
            text = raw[line.offset :].split(b"\n", 1)[0].decode()
            assert text == line.text
            assert raw[: line.offset].count(b"\n") + 1 == line.line_no
            assert text[line.message_at :].split()[0] in text.split(": ", 1)[1]


def one(findings: list[Finding], detector: str, words: str) -> Finding:
    found = [f for f in findings if f.detector == detector and words in f.summary]
    assert len(found) == 1, [f.summary for f in findings]
    return found[0]


def test_nothing_is_found_in_a_log_that_goes_on_as_it_was(log: Path) -> None:
    log.write_text("".join(traffic(0, 2000)))
    result = lw.scan(str(log))
    assert [f.summary for f in result.findings] == []
    assert result.run.lines == result.run.lines_learned + result.run.lines_scored
    assert sum(result.run.timeline.lines) == result.run.lines
    assert result.run.sources[0].lines == result.run.lines


def test_a_new_template_is_found(log: Path) -> None:
    lines = traffic(0, 1000)
    where = 2 * len(lines) // 3
    lines.insert(where, lines[where][:19] + ",500 ERROR app: disk full on /var/data7\n")
    log.write_text("".join(lines))
    findings = lw.scan(str(log)).findings
    found = one(findings, "unseen", "disk full")
    assert len(findings) == 1
    assert found.summary.startswith("new: 'disk full on ")
    assert found.severity in ("high", "critical")
    assert [line.line_no for line in found.lines] == [where + 1]
    assert found.lines[0].highlight
    assert found.first_seen is not None
    assert found.first_seen == lines[where][:19].replace(" ", "T") + ".500Z"
    cited_lines_are_there(findings)


def test_a_burst_is_found(log: Path) -> None:
    lines = traffic(0, 1000)
    where = 3 * len(lines) // 4
    second = 60 * 751 + 30
    lines[where:where] = [at(second, f"job {n} done") for n in range(300)]
    log.write_text("".join(sorted(lines)))
    findings = lw.scan(str(log)).findings
    found = one(findings, "rate", "burst of 'job <*> done'")
    assert found.count >= 300
    assert "usually" in found.summary
    assert found.window.kind == "time"
    begin = datetime.fromisoformat(str(found.window.key))
    moment = START + timedelta(seconds=second)
    assert begin <= moment <= begin + timedelta(minutes=5)
    assert found.templates[0].text == "job <*> done"
    assert all("job" in line.text for line in found.lines)
    cited_lines_are_there(findings)


def test_a_silence_is_found(log: Path) -> None:
    lines = traffic(0, 700) + traffic(700, 300, seed=2, beat=False)
    log.write_text("".join(lines))
    findings = lw.scan(str(log)).findings
    silent = [f for f in findings if "vanished: 'heartbeat <*> ok'" in f.summary]
    assert silent
    assert {f.summary.split(":")[0] for f in findings} == {"vanished"}
    for found in silent:
        # The line that is cited is the last one that came.
        assert [line.text.split(": ")[1] for line in found.lines] == ["heartbeat 699 ok"]
        assert "not seen for" in found.summary
    cited_lines_are_there(findings)


def test_abnormal_sessions_are_found(log: Path) -> None:
    retried = (STEPS[0], STEPS[1], STEPS[1], STEPS[1], STEPS[2], STEPS[3])
    log.write_text("".join(requests(500, {400: retried, 420: STEPS[:2]})))
    result = lw.scan(str(log))
    found = {f.window.key: f for f in result.findings if f.detector == "counts"}
    assert set(found) == {"req_000400", "req_000420"}
    for key, steps in (("req_000400", 6), ("req_000420", 2)):
        assert found[key].window.kind == "session"
        assert found[key].window.lines == steps
        assert all(key in line.text for line in found[key].lines)
        assert "a session whose counts of events history never held" in found[key].summary
    assert "3 x 'parse body of <*>', nearest usual is 1" in found["req_000400"].summary
    assert "0 x store <*> as row" in found["req_000420"].seen
    assert "1 x store <*> as row" in found["req_000420"].expected
    assert any("'req_...' recurs across templates" in reason for reason in result.run.ladder)
    cited_lines_are_there(result.findings)


def test_a_new_template_outside_all_sessions_is_found(log: Path) -> None:
    lines = requests(500, {})
    lines.insert(1500, lines[1500].split(" INFO")[0] + " ERROR app: disk full on sda\n")
    log.write_text("".join(lines))
    result = lw.scan(str(log))
    assert any("by session" in reason for reason in result.run.ladder)
    found = one(result.findings, "unseen", "disk full on sda")
    assert [line.line_no for line in found.lines] == [1501]
    assert found.window.kind != "session"
    cited_lines_are_there(result.findings)


def test_a_baseline_is_another_file(log: Path, tmp_path: Path) -> None:
    normal = tmp_path / "normal.log"
    normal.write_text("".join(traffic(0, 800)))
    log.write_text(at(60 * 900, "disk full on /var", "ERROR") + "".join(traffic(900, 100, seed=3)))
    result = lw.scan(str(log), baseline=str(normal))
    assert [f.lines[0].line_no for f in result.findings] == [1]
    assert "normal.log" in result.run.baseline
    assert result.run.lines == result.run.lines_scored  # the baseline itself is not judged
    cited_lines_are_there(result.findings)


def test_learn_then_detect(log: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.log"
    history.write_text("".join(traffic(0, 1500)))
    today = traffic(2000, 400, seed=4)
    today.insert(50, at(60 * 2016, "kernel panic: out of memory", "FATAL"))
    today[600:600] = [at(60 * 2250 + 5, f"job {n} done") for n in range(300)]
    log.write_text("".join(sorted(today)))
    model = lw.learn(str(history))
    assert sorted(t.text for t in model.templates) == [
        "heartbeat <*> ok",
        "job <*> done",
        "user <*> logged in",
    ]
    result = lw.detect([str(log)], model)
    findings = result.findings
    assert findings[0].severity == "critical"
    assert one(findings, "unseen", "kernel panic").severity == "critical"
    one(findings, "rate", "burst of 'job <*> done'")
    assert len(findings) == len({f.id for f in findings})
    assert result.run.lines_scored == result.run.lines == len(today)
    assert "history.log" in result.run.baseline
    cited_lines_are_there(findings)


# --- the same lines give the same findings from every source (contract 6) -------------------------


def mixed() -> bytes:
    lines = traffic(0, 900)
    lines.insert(2000, at(60 * 600, "disk full on /var/data7", "ERROR"))
    lines[2500:2500] = [at(60 * 760 + 5, f"job {n} done") for n in range(200)]
    return "".join(sorted(lines)).encode()


def told(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [
        (f.id, f.pattern, f.score, f.summary, [(x.line_no, x.offset, x.text) for x in f.lines])
        for f in findings
    ]


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": lambda raw: pa.compress(raw, "zstd", asbytes=True),
}


@pytest.mark.parametrize("kind", PACKED)
def test_ids_are_the_same_from_packed_sources(log: Path, kind: str) -> None:
    log.write_bytes(mixed())
    packed = log.with_suffix(f".{kind}")
    packed.write_bytes(PACKED[kind](mixed()))
    plain = lw.scan(str(log)).findings
    assert len(plain) >= 2
    assert told(lw.scan(str(packed)).findings) == told(plain)


def test_ids_are_the_same_from_standard_input(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write_bytes(mixed())
    plain = lw.scan(str(log)).findings
    with log.open() as file, monkeypatch.context() as patch:
        patch.setattr("sys.stdin", file)
        found = lw.scan("-").findings
    assert told(found) == told(plain)
    assert {line.source for f in found for line in f.lines} == {"stdin"}


@pytest.mark.parametrize("block", [4096, 30_000])
def test_ids_are_the_same_for_every_block_size(log: Path, block: int) -> None:
    log.write_bytes(mixed())
    plain = told(lw.scan(str(log)).findings)
    assert told(lw.scan(str(log), block_bytes=block).findings) == plain


@pytest.mark.parametrize("block", [4096, 30_000])
def test_sessions_are_the_same_for_every_block_size(log: Path, block: int) -> None:
    log.write_text("".join(requests(500, {400: STEPS[:1], 420: STEPS[1:]})))
    options = {"session": r"req_\d+"}
    whole = told(lw.scan(str(log), **options).findings)
    assert len(whole) >= 2
    assert told(lw.scan(str(log), block_bytes=block, **options).findings) == whole


@pytest.mark.parametrize("block", [4096, 1 << 20])
def test_detecting_is_the_same_for_every_block_size(log: Path, tmp_path: Path, block: int) -> None:
    history = tmp_path / "history.log"
    history.write_text("".join(traffic(0, 1200, seed=8)))
    log.write_bytes(mixed())
    lw.learn(str(history)).save(tmp_path / "model")
    found = [
        told(lw.load(str(tmp_path / "model")).detect(str(log), block_bytes=size))
        for size in (block, 4 << 20)
    ]
    assert found[0] == found[1]
    assert found[0]


def test_files_that_overlap_in_time_are_read_as_one(log: Path, tmp_path: Path) -> None:
    lines = sorted(traffic(0, 900) + traffic(0, 900, seed=5, beat=False))
    lines = [at(0.5 * i, x.split(": ", 1)[1].strip()) for i, x in enumerate(lines)]
    half = len(lines) * 2 // 3
    lines[half:half] = [at(0.5 * half, "disk full on /var")]
    lines.sort()
    log.write_text("".join(lines))
    parts = [tmp_path / f"part{n}.log" for n in range(2)]
    for n, part in enumerate(parts):
        # Lines of one second stay in one file: within a second the order is not known.
        part.write_text("".join(x for x in lines if int(x[18]) % 2 == n))
    whole = lw.scan(str(log))
    split = lw.scan(*(str(p) for p in parts))
    assert {f.id for f in split.findings} == {f.id for f in whole.findings} != set()
    assert split.run.lines == whole.run.lines
    assert not split.run.notes
    cited_lines_are_there(split.findings)


def test_late_records_are_counted(log: Path) -> None:
    lines = traffic(0, 900)
    lines[2000:2000] = [at(60 * 300, "job 1 done"), at(60 * 301, "job 2 done")]
    log.write_text("".join(lines))
    result = lw.scan(str(log))
    assert any("judged on their own" in n for n in result.run.notes)
    assert result.run.lines_learned + result.run.lines_scored == result.run.lines == len(lines)
    assert lw.scan(str(log), lateness=10**6).run.notes == ()


# --- a part of the time ---------------------------------------------------------------------------


def clock(minute: int) -> str:
    return f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M}"


def test_since_judges_what_comes_then_against_all_before(log: Path) -> None:
    """Also where it is late in the log, and what was odd before is no news."""
    lines = traffic(0, 1000)
    odd = {minute: at(60 * minute + 30, "disk full on /var", "ERROR") for minute in (300, 920)}
    lines += [*odd.values(), at(60 * 930, "fan stopped", "ERROR"), at(60 * 890, "odd", "ERROR")]
    log.write_text("".join(sorted(lines)))
    result = lw.scan(str(log), since=clock(900))
    assert [f.lines[0].text.split(": ")[1] for f in result.findings] == ["fan stopped"]
    before = sum(line < str(START + timedelta(minutes=900)) for line in lines)
    assert result.run.baseline == f"the {before:,} lines before 2024-05-01 15:00:00 UTC"
    assert (result.run.lines_learned, result.run.lines) == (before, len(lines))
    assert result.run.lines_scored == len(lines) - before
    cited_lines_are_there(result.findings)


def test_since_takes_sessions_that_began_then(log: Path) -> None:
    log.write_text("".join(requests(500, {300: STEPS[:3], 420: STEPS[:2]})))
    found = lw.scan(str(log), since=f"{START + timedelta(seconds=4000):%Y-%m-%d %H:%M:%S}").findings
    assert {f.window.key for f in found} == {"req_000420"}


def test_around_judges_twenty_minutes(log: Path) -> None:
    lines = traffic(0, 1000)
    lines += [at(60 * m, f"odd {'abcdefgh'[n]}", "ERROR") for n, m in enumerate((700, 805, 850))]
    log.write_text("".join(sorted(lines)))
    result = lw.scan(str(log), around=clock(800))
    assert [f.lines[0].text.split(": ")[1] for f in result.findings] == ["odd b"]
    assert any("outside the selection" in note for note in result.run.notes)
    assert result.run.sources[0].lines == len(lines)


def test_a_clock_is_that_of_the_logs_last_day(log: Path) -> None:
    """Whenever the file was written."""
    lines = traffic(0, 1000)
    lines += [at(60 * m, f"odd {'abcdefgh'[n]}", "ERROR") for n, m in enumerate((700, 905, 950))]
    log.write_text("".join(sorted(lines)))
    for written in (0, 1000 * 60, 10**8):
        os.utime(log, (0, START.timestamp() + written))
        for options, expected in (
            ({"since": "15:00"}, ["odd b", "odd c"]),
            ({"around": "15:00"}, ["odd b"]),
            ({"since": "60m"}, ["odd c"]),
        ):
            if written == 0 and "60m" in options.values():
                continue  # an hour before the log begins
            found = lw.scan(str(log), **options).findings
            assert [f.lines[0].text.split(": ")[1] for f in found] == expected, (written, options)


def test_a_time_range_without_a_past_or_without_lines_is_told(log: Path) -> None:
    log.write_text("".join(traffic(0, 100)))
    result = lw.scan(str(log), since=clock(1))
    assert result.findings == []
    assert any("before 2024-05-01 00:01:00 UTC: too few for a past" in n for n in result.run.notes)
    with pytest.raises(
        InputError, match="no line from 2024-05-01 05:00:00 UTC on: the lines that"
    ) as e:
        lw.scan(str(log), since=clock(300))
    assert "from 2024-05-01 00:00:00 UTC to 2024-05-01 01:39:" in str(e.value)
    log.write_text("no time\n" * 50)
    with pytest.raises(InputError, match="no line has a time that can be read"):
        lw.scan(str(log), since=clock(300))
    with pytest.raises(SettingsError, match="since is 'noon'"):
        lw.scan(str(log), since="noon")


def test_detect_judges_only_the_range(log: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.log"
    history.write_text("".join(traffic(0, 800)))
    lines = traffic(900, 200, seed=3)
    lines += [at(60 * m, f"odd {'abc'[n]}", "ERROR") for n, m in enumerate((950, 1005, 1050))]
    log.write_text("".join(sorted(lines)))
    for run in (
        lambda **o: lw.detect([str(log)], lw.learn(str(history)), **o),
        lambda **o: lw.scan(str(log), baseline=str(history), **o),
    ):
        found = run(since=clock(1000), until=clock(1040)).findings
        assert [f.lines[0].text.split(": ")[1] for f in found] == ["odd b"]


# --- small, odd and wrong input -------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [b"x\n", b"x", b"\n\n\n", b"\x00\x01\xff\n" * 5, b"a\r\nb\r\n", b"  \n\t\n", b"x\n" * 49],
    ids=["one", "unended", "blank", "binary", "CRLF", "white", "few"],
)
def test_small_logs_are_taken(log: Path, raw: bytes) -> None:
    log.write_bytes(raw)
    result = lw.scan(str(log))
    assert result.run.lines == max(raw.count(b"\n"), 1)
    model = lw.learn(str(log))
    assert model.detect(str(log)) == []


@pytest.mark.parametrize("raw", [b"\n\n\n", b" \n\t\n"])
def test_blank_lines_belong_to_no_session(log: Path, raw: bytes) -> None:
    log.write_bytes(raw)
    assert lw.scan(str(log), session="x").findings == []


def test_an_empty_log_is_an_error(log: Path) -> None:
    log.write_bytes(b"")
    for run in (lw.scan, lw.learn):
        with pytest.raises(InputError, match=r"app\.log holds no lines"):
            run(str(log))


def test_detecting_on_an_empty_log_finds_nothing(log: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.log"
    history.write_text("".join(traffic(0, 100)))
    log.write_bytes(b"")
    assert lw.learn(str(history)).detect(str(log)) == []


def test_what_cannot_be_read_is_named(log: Path) -> None:
    with pytest.raises(InputError, match="absent"):
        lw.scan(str(log.parent / "absent.log"))
    with pytest.raises(InputError, match="no input was named"):
        lw.scan()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"session": "("}, SettingsError, "is not a regular expression"),
        ({"window": "5x"}, SettingsError, "expected 'auto'"),
        ({"timezone": "Mars/Olympus"}, SettingsError, "expected an IANA name"),
        ({"format": "nope"}, FormatError, "expected one of"),
        ({"budget": 0}, SettingsError, "budget is 0"),
    ],
)
def test_bad_options_are_named(
    log: Path, options: dict[str, object], error: type[Exception], said: str
) -> None:
    log.write_text("".join(traffic(0, 50)))
    with pytest.raises(error, match=said):
        lw.scan(str(log), **options)


def test_severity_hides_what_is_less(log: Path) -> None:
    log.write_bytes(mixed())
    every = lw.scan(str(log)).findings
    high = lw.scan(str(log), severity="high").findings
    assert [f.id for f in high] == [f.id for f in every if f.severity in ("high", "critical")]
    assert 0 < len(high) < len(every)


def test_progress_counts_up_to_the_end(log: Path) -> None:
    log.write_bytes(mixed())
    calls: list[tuple[int, int | None, int]] = []
    lw.scan(str(log), block_bytes=4096, progress=lambda *c: calls.append(c))
    assert calls == sorted(calls)
    assert calls[-1] == (len(mixed()), len(mixed()), mixed().count(b"\n"))


def test_secrets_are_not_in_findings(log: Path) -> None:
    lines = traffic(0, 300)
    lines.append(at(60 * 300, "login failed password=hunterX from ann"))
    log.write_text("".join(lines))
    found = [f.model_dump_json() for f in lw.scan(str(log)).findings]
    assert any("login failed" in f for f in found)
    assert not any("hunterX" in f for f in found)


def test_labels_change_no_score(log: Path, tmp_path: Path) -> None:
    """What a label says must not be seen by anything that learns."""
    lines = mixed().decode().splitlines(keepends=True)
    for path, label in ((log, "-"), (tmp_path / "b.log", "ALERT")):
        path.write_text("".join(f"{label if i % 3 else '-'} {x}" for i, x in enumerate(lines)))
    plain, marked = (lw.scan(str(p), label_prefix=True).findings for p in (log, tmp_path / "b.log"))
    assert [(f.pattern, f.score, f.summary) for f in plain] == [
        (f.pattern, f.score, f.summary) for f in marked
    ]
    assert plain


def test_an_end_marker_closes_a_session(tmp_path: Path) -> None:
    steps = ("accept", "work", "finished")
    log = tmp_path / "app.log"
    log.write_text("".join(f"{s} request req-{n % 50:06x}\n" for n in range(200) for s in steps))
    model = lw.learn(str(log), session=r"req-\w+", session_end="finished request")
    result = lw.detect([str(log)], model)
    assert result.run.windows == 200
    model.save(tmp_path / "model")
    assert lw.load(str(tmp_path / "model")).plan.session_end == "finished request"


def test_a_bad_end_marker_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("a\n")
    with pytest.raises(SettingsError, match=r"session_end: '\(' is not a regular expression"):
        lw.learn(str(tmp_path / "app.log"), session_end="(")


def test_scan_tells_what_went_wrong_in_the_first_half(tmp_path: Path) -> None:
    lines = [f"step {n} done" for n in range(1000)]
    lines[120:120] = ["store 7: connection refused by db"] * 2
    log = tmp_path / "app.log"
    log.write_text("\n".join(lines) + "\n")
    (finding,) = lw.scan(str(log)).findings
    assert finding.unit == "rare"
    assert finding.severity == "medium"
    assert [line.line_no for line in finding.lines] == [121, 122]
    (tmp_path / "healthy.log").write_text("\n".join(lines) + "\n")
    assert lw.scan(str(log), baseline=str(tmp_path / "healthy.log")).findings == []
