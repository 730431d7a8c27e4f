"""The pipeline: how findings are named, how grave they are, and what their ids depend on."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import logwright as lw
from logwright.findings.finding import Finding
from logwright.logs.kernel import Table
from logwright.logs.reader import BLANK
from logwright.pipeline import to_events
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary

START = datetime(2024, 5, 1, tzinfo=UTC)


def at(second: float, message: str, level: str = "INFO") -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},000 {level} app: {message}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pipeline")
    (made / "history.log").write_text("".join(at(20 * n, f"job {n} done") for n in range(900)))
    lw.learn(str(made / "history.log")).save(made / "model")
    return made


def detect(folder: Path, text: str, name: str = "today.log") -> list[Finding]:
    """What is new in `text`; one line more than ever in a minute may be a burst as well."""
    log = folder / name
    log.parent.mkdir(exist_ok=True)
    log.write_text(text)
    findings = lw.load(str(folder / "model")).detect(str(log))
    return [f for f in findings if f.detector == "unseen"]


def today(extra: dict[int, str]) -> str:
    """Job lines from 10:00 on; `extra` are whole lines put behind the job of that number."""
    return "".join(at(36_000 + 20 * n, f"job {n} done") + extra.get(n, "") for n in range(1, 200))


@pytest.mark.parametrize(
    ("level", "message", "severity"),
    [
        ("FATAL", "it stopped", "critical"),
        ("ERROR", "it stopped", "high"),
        ("WARN", "it stopped", "medium"),
        ("INFO", "it stopped", "low"),
        ("INFO", "request failed", "medium"),
        ("INFO", "connection refused by peer", "medium"),
        ("INFO", "kernel panic", "high"),
        ("DEBUG", "Out of memory", "high"),
        ("INFO", "failover is ready", "low"),
        ("INFO", "hypocritical remark", "low"),
        ("ERROR", "kernel panic", "high"),  # the level has the say where there is one
    ],
)
def test_severity_follows_the_level_then_the_words(
    folder: Path, level: str, message: str, severity: str
) -> None:
    line = at(36_000 + 20 * 100 + 5, message, level)
    (found,) = detect(folder, today({100: line}))
    assert found.severity == severity


def test_the_message_is_where_the_header_ends(folder: Path) -> None:
    (found,) = detect(folder, today({100: at(38_005, "größe 7 überschritten")}))
    line = found.lines[0]
    assert line.text[line.message_at :] == "größe 7 überschritten"
    assert line.time == "2024-05-01T10:33:25Z"
    assert line.template == found.templates[0].id
    assert found.templates[0].usual == "never"


def test_bytes_that_are_no_text_are_shown_as_escapes(folder: Path) -> None:
    log = folder / "odd.log"
    log.write_bytes(today({}).encode() + at(40_000, "odd ").encode().strip() + b" \xff\x00 end\n")
    (found,) = lw.load(str(folder / "model")).detect(str(log))
    assert "\\xff" in found.lines[0].text
    found.model_dump_json().encode()


def found_in(folder: Path, before: list[str], line: str, **options: object) -> Finding:
    """The one finding about a line put at the end of others."""
    folder.mkdir()
    (folder / "app.log").write_text("\n".join([*before, line]) + "\n", "utf-8")
    (found,) = (
        f for f in lw.scan(str(folder / "app.log"), **options).findings if f.detector == "unseen"
    )
    return found


def test_a_cited_line_names_its_host_and_component(tmp_path: Path) -> None:
    syslog = [f"Jun 14 15:{n // 60:02}:{n % 60:02} web{n % 2} sshd[{n}]: ok" for n in range(600)]
    found = found_in(tmp_path / "a", syslog, "Jun 14 15:10:00 db1 kernel: disk on fire")
    assert (found.lines[-1].host, found.lines[-1].component) == ("db1", "kernel")
    assert (found.hosts, found.components) == (("db1",), ("kernel",))
    plain = found_in(tmp_path / "b", [f"job {n} done" for n in range(600)], "disk on fire")
    assert (plain.hosts, plain.components) == ((), ())
    assert plain.lines[-1].host is None


def test_a_record_longer_than_what_is_shown_of_it_names_its_host(tmp_path: Path) -> None:
    def record(n: int, message: str, **more: str) -> str:
        time = f"2024-05-01T10:{n // 60:02}:{n % 60:02}Z"
        return json.dumps({"time": time, "msg": message, **more, "host": "db1", "logger": "disk"})

    calm = [record(n, "all is well") for n in range(600)]
    found = found_in(tmp_path / "a", calm, record(601, "disk on fire", dump="x" * 9000))
    assert len(found.lines[-1].text) < 5000
    assert (found.hosts, found.components) == (("db1",), ("disk",))


def test_a_secret_in_a_header_is_not_cited_as_a_host(tmp_path: Path) -> None:
    calm = [f'{{"host": "web1", "service": "shop", "msg": "job {n} done"}}' for n in range(600)]
    line = '{"host": "web1", "service": "ann@example.com", "msg": "disk on fire"}'
    found = found_in(tmp_path / "a", calm, line, emails=True)
    assert found.hosts == ("web1",)
    assert "ann@example.com" not in found.model_dump_json()
    assert found.components == ("[redacted email]",)


# --- ids (contract 6) -----------------------------------------------------------------------------


def test_ids_do_not_depend_on_names_or_offsets(folder: Path) -> None:
    text = today({50: at(37_005, "disk full"), 90: at(37_805, "disk broken")})
    plain = detect(folder, text)
    moved = detect(folder, text, "elsewhere/other.txt")
    shifted = detect(folder, "\n\n" + text)
    assert len(plain) == 2
    assert [f.id for f in moved] == [f.id for f in shifted] == [f.id for f in plain]
    assert shifted[0].lines[0].line_no == plain[0].lines[0].line_no + 2


def test_a_pattern_is_what_like_findings_share(folder: Path) -> None:
    extra = {n: at(36_000 + 20 * n + 5, f"disk sd{n} full") for n in (20, 180)}
    found = detect(folder, today(extra))
    assert len(found) == 2
    assert len({f.pattern for f in found}) == 1
    assert len({f.id for f in found}) == 2
    other = detect(folder, today({20: at(36_405, "disk full")}))
    assert other[0].pattern != found[0].pattern


def test_findings_of_one_window_are_one_per_template(folder: Path) -> None:
    found = detect(folder, today({20: at(36_405, "disk full") * 3 + at(36_406, "fan off")}))
    told = {f.templates[0].text: f for f in found}
    assert set(told) == {"disk full", "fan off"}
    assert told["disk full"].count == len(told["disk full"].lines) == 3
    assert len({f.id for f in found}) == len(found)


def test_ids_tell_other_lines_at_the_same_place_apart(folder: Path) -> None:
    one, other = (detect(folder, today({20: at(36_405, f"disk sd{n} full")}))[0] for n in (1, 2))
    assert one.pattern == other.pattern
    assert one.id != other.id


def test_equals_in_one_session_are_told_apart_by_their_ordinal(tmp_path: Path) -> None:
    history, log = tmp_path / "history.log", tmp_path / "today.log"
    history.write_text("".join(f"begin s{n}\nend s{n}\n" for n in range(50)))
    log.write_text("boom s1\nend s1\n" * 3)
    # No times, and a session is closed after two lines: three windows that are alike.
    model = lw.learn(str(history), session=r"\bs\d+", max_session_lines=2)
    found = model.detect(str(log))
    assert {f.window.key for f in found} == {"s1"}
    assert len({f.pattern for f in found}) == 1
    assert len({f.id for f in found}) == len(found) == 3
    assert [f.id for f in model.detect(str(log))] == [f.id for f in found]


def test_a_session_is_named_by_its_key_not_by_what_looks_like_it_in_the_header(
    tmp_path: Path,
) -> None:
    rng = random.Random(1)
    ids = [f"{rng.getrandbits(64) | 10 << 60:016x}" for _ in range(300)]
    steps = ("accept", "parse", "reply")
    lines = [
        f"{1_700_000_000_000 + 1000 * n} INFO app {step} request {key} done\n"
        for n, key in enumerate(ids)
        for step in (*steps, *(["reply"] * 3 if n == 280 else []))
    ]
    (tmp_path / "app.log").write_text("".join(lines))
    found = lw.scan(str(tmp_path / "app.log")).findings
    long = [f for f in found if f.window.kind == "session" and f.window.lines == 6]
    assert [f.window.key for f in long] == [ids[280]]


def test_blank_lines_are_no_events() -> None:
    table, miner = Table(), Miner()
    lines = [b"", b"up", b"down"]
    end = np.cumsum([len(x) + 1 for x in lines]) - 1
    codes, _ = table.encode(b"\n".join(lines), end - [len(x) for x in lines], end)
    assert codes[0] == BLANK
    miner.add(table.keys(codes[1:]), lines[1:])
    vocabulary = Vocabulary(miner, miner.group())
    vocabulary.learn_shapes(codes[1:], table.keys(codes[1:]))
    columns = {
        "shape": codes[[1, 0, 2, 0, 1]],
        "ts": np.arange(5),
        "level": np.zeros(5, np.int8),
        "session": np.zeros(5, np.int32),
    }
    events = to_events(np.arange(10, 15), columns, vocabulary)
    assert events.row.tolist() == [10, 12, 14]
    assert events.ts.tolist() == [0, 2, 4]
    assert [vocabulary.templates[t].text for t in events.template] == ["up", "down", "up"]


def test_the_key_of_a_session_that_spans_sources_of_two_formats(tmp_path: Path) -> None:
    begins, records = [], []
    for i in range(400):
        at = f"2024-05-01T{10 + i // 60:02}:{i % 60:02}"
        begins.append(f"{at}:00Z INFO req-9f{i:04x} begins\n")
        records.append(
            f'{{"time":"{at}:01Z","level":"info","message":"req-9f{i:04x} took 3 ms"}}\n'
        )
    time = "2024-05-01T15:50:02Z"
    records.append(f'{{"time":"{time}","level":"error","message":"req-9f015e disk full"}}\n')
    (tmp_path / "a.log").write_text("".join(begins))
    (tmp_path / "b.jsonl").write_text("".join(records))
    found = lw.scan(str(tmp_path), session=r"^req-[0-9a-f]+").findings
    assert {f.window.key for f in found if "disk full" in f.summary} == {"req-9f015e"}
