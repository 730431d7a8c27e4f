"""Live: a pipe that stays open is judged as it comes, and a finite one as ever."""

from __future__ import annotations

import functools
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import logwright as lw
from logwright import live
from logwright.api import Result
from logwright.findings import jsonl
from logwright.findings.finding import Finding
from logwright.findings.ticker import Ticker
from logwright.logs import sources
from logwright.logs.recording import Recording
from logwright.logs.sources import Patience, open_sources
from logwright.logs.texts import Texts
from logwright.settings import Settings

pytestmark = pytest.mark.slow

START = datetime(2024, 5, 1, 10, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
FINDINGS = list(jsonl.read((GOLDEN / "findings.jsonl").read_text(encoding="utf-8").splitlines()))
COMMAND = [sys.executable, "-m", "logwright.cli.main"]


def at(second: float, message: str, level: str = "INFO") -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} {level} app: {message}\n"


def jobs(first: int, number: int) -> str:
    return "".join(at(n, f"job {n} done") for n in range(first, first + number))


def requests(first: int, number: int) -> str:
    steps = ("begins for user", "is read", "ends")
    return "".join(
        at(2 * n, f"req-{n:08x} {step}") for n in range(first, first + number) for step in steps
    )


class Told:
    """A watcher that keeps what it was told, and can be waited for."""

    def __init__(self) -> None:
        self.past = ""
        self.findings: list[Finding] = []
        self.repeats = 0
        self.changed = threading.Condition()

    def begins(self, text: str) -> None:
        with self.changed:
            self.past = text
            self.changed.notify_all()

    def raised(self, finding: Finding) -> None:
        with self.changed:
            self.findings.append(finding)
            self.changed.notify_all()

    def repeated(self, finding: Finding) -> None:
        self.repeats += 1

    def tick(self, lines: int) -> None:
        pass

    def wait(self, ready: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(ready, timeout=10)


class Pipe:
    """Standard input, and its writing end."""

    def __init__(self, end: int) -> None:
        self.end = end

    def write(self, text: str) -> None:
        os.write(self.end, text.encode())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for two seconds here."""
    monkeypatch.setattr(sources, "_TICK", 0.04)
    monkeypatch.setattr(live, "Patience", functools.partial(Patience, silence=0.16))


@contextmanager
def piped(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[Pipe], None]
) -> Iterator[threading.Thread]:
    reader, writer = os.pipe()

    def writing() -> None:
        try:
            write(Pipe(writer))
        finally:
            os.close(writer)

    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        thread = threading.Thread(target=writing)
        thread.start()
        yield thread
        thread.join()


def scan_of(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[Pipe], None], told: Told, **options: object
) -> Result:
    with piped(monkeypatch, write):
        return lw.scan("-", watcher=told, **options)


def ids(result: Result) -> list[str]:
    return [f.id for f in result.findings]


def test_a_finding_is_told_while_the_pipe_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 400))
        told.wait(lambda: bool(told.past))
        pipe.write(jobs(400, 3) + at(403, "disk full on /dev/sda1", "ERROR") + jobs(404, 3))
        told.wait(lambda: bool(told.findings))
        pipe.write(jobs(407, 3) + at(410, "disk full on /dev/sda2", "ERROR"))

    result = scan_of(monkeypatch, write, told)
    assert "(400 lines)" in told.past
    (found,) = told.findings
    assert found.summary.startswith("new: 'disk full on <*>'")
    assert found.lines[0].line_no == 404
    assert found.lines[0].text.endswith("disk full on /dev/sda1")
    # Its repeat is within the quiet time: counted in it, in the summary.
    assert told.repeats == 1
    assert [(f.id, f.count) for f in result.findings] == [(found.id, 2)]
    assert result.run.lines == 411
    assert (result.run.lines_learned, result.run.lines_scored) == (400, 11)
    assert "before the input paused" in result.run.baseline


def test_every_finding_is_raised_without_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 300))
        told.wait(lambda: bool(told.past))
        for n in range(300, 305):
            pipe.write(jobs(n, 1) + at(n, f"disk full on sd{n}", "ERROR"))

    result = scan_of(monkeypatch, write, told, quiet="0s")
    assert len(told.findings) == len(result.findings) == 5
    assert told.repeats == 0


def test_a_pipe_of_few_lines_goes_on_being_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 40))
        time.sleep(0.35)
        pipe.write(jobs(40, 40))

    result = scan_of(monkeypatch, write, told)
    assert told.past == ""
    assert result.run.lines_learned == 40


@pytest.mark.parametrize(
    "pauses", [(), (0.05, 0.05), (0.05, 0.4)], ids=["fast", "slow", "late end"]
)
def test_a_finite_pipe_gives_what_a_file_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: tuple[float, ...]
) -> None:
    text = jobs(0, 300) + at(300, "disk full on /var", "ERROR") + jobs(301, 99)
    (tmp_path / "a.log").write_text(text)
    step = len(text) // 2 + 1

    def write(pipe: Pipe) -> None:
        for n, pause in enumerate(pauses or (0.0, 0.0)):
            pipe.write(text[n * step : (n + 1) * step])
            time.sleep(pause)

    expected = lw.scan(str(tmp_path / "a.log"))
    result = scan_of(monkeypatch, write, Told())
    assert ids(result) == ids(expected) != []
    assert result.run.baseline == expected.run.baseline
    assert result.run.lines_scored == expected.run.lines_scored


def test_it_does_not_matter_how_a_live_pipe_cuts_its_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    news = "".join(at(300 + n, f"shard {n} lost", "WARN") + jobs(300 + n, 1) for n in range(6))

    def found(size: int) -> list[str]:
        told = Told()

        def write(pipe: Pipe) -> None:
            pipe.write(jobs(0, 300))
            told.wait(lambda: bool(told.past))
            for begin in range(0, len(news), size):
                pipe.write(news[begin : begin + size])
                time.sleep(0.06 if size == 200 else 0)

        scan_of(monkeypatch, write, told, quiet="0s")
        return [f.id for f in told.findings]

    whole = found(10**6)
    assert len(whole) == 6
    assert found(7) == found(200) == whole


def test_records_of_sessions_speak_at_once_and_sessions_close_by_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "_ADVANCE", 0.2)
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(requests(0, 400))
        told.wait(lambda: bool(told.past))
        pipe.write(at(800, "req-0000ffff begins for user") + at(800, "req-0000ffff is lost"))
        told.wait(lambda: any(f.detector == "unseen" for f in told.findings))
        told.wait(lambda: any(f.window.kind == "session" for f in told.findings))

    result = scan_of(monkeypatch, write, told, session_gap=0.5, lateness=0.0)
    assert any("by session" in reason for reason in result.run.ladder)
    assert {f.window.key for f in told.findings if f.window.kind == "session"} == {"req-0000ffff"}


def test_detect_tells_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "history.log").write_text(jobs(0, 400))
    model = lw.learn(str(tmp_path / "history.log"))
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(500, 3) + at(503, "disk full on /var", "ERROR"))
        told.wait(lambda: len(told.findings) == 1)  # read before it was known to be live
        pipe.write(at(504, "fan stopped", "ERROR"))
        told.wait(lambda: len(told.findings) == 2)

    with piped(monkeypatch, write):
        result = lw.detect(["-"], model, watcher=told)
    assert [f.summary.split("'")[1] for f in told.findings] == ["disk full on <*>", "fan stopped"]
    assert {f.id for f in result.findings} == {f.id for f in told.findings}
    assert result.run.lines == 5


def test_live_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 300))
        time.sleep(0.35)
        pipe.write(at(300, "disk full on /var", "ERROR"))

    result = scan_of(monkeypatch, write, told, live=False)
    assert told.past == ""
    assert told.findings == []
    assert len(result.findings) == 1


def test_a_slow_pipe_is_live_though_it_never_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(pipe: Pipe) -> None:
        for n in range(8):
            pipe.write(jobs(n, 1))
            time.sleep(0.05)

    with piped(monkeypatch, write):
        source = open_sources(["-"], Settings()).sources[0]
        source.patience = Patience(lines=2, silence=9.0, stretch=0.15)
        first = b"".join(block.buf for block in source.blocks())
        assert source.is_live
        rest = b"".join(block.buf for block in source.follow() if block)
    assert (first + rest).decode() == jobs(0, 8)
    assert 2 <= first.count(b"\n") < 8


def test_a_pattern_that_came_often_is_raised_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logwright.sights.STRETCH", 10**9)
    monkeypatch.setattr("logwright.pipeline.MOST_OF_PATTERN", 2)
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 300))
        told.wait(lambda: bool(told.past))
        pipe.write("".join(at(300, f"shard {n} lost", "WARN") for n in range(5)))
        told.wait(lambda: len(told.findings) == 2)
        pipe.write(at(301, "shard 9 lost", "WARN"))

    scan_of(monkeypatch, write, told, quiet="0s")
    assert [f.lines[0].line_no for f in told.findings] == [301, 302, 306]


def test_texts_of_what_is_open_are_held_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_RENEW", 0.0)
    told = Told()

    def write(pipe: Pipe) -> None:
        pipe.write(jobs(0, 300))
        told.wait(lambda: bool(told.past))
        for n in range(4):
            pipe.write(jobs(300 + 50 * n, 50) + at(300 + 50 * n, f"shard {n} lost", "WARN"))
            told.wait(lambda n=n: len(told.findings) == n + 1)  # type: ignore[misc]

    places: list[tuple[int, bytes]] = []
    closed: list[Recording] = []
    close = Recording.close

    class Held(Texts):
        def close(self) -> None:
            places.extend((p.line_no, p.text) for p in map(self.place, (0, self.rows - 1)))
            super().close()

    monkeypatch.setattr("logwright.intake.Texts", Held)
    monkeypatch.setattr(Recording, "close", lambda self: (closed.append(self), close(self))[0])
    result = scan_of(monkeypatch, write, told, quiet="0s")
    assert len(result.findings) == 4
    assert places == [(0, b""), (504, at(450, "shard 3 lost", "WARN").strip().encode())]
    assert len(closed) == 2, "the past, and what came after it"


# --- as a person sees it --------------------------------------------------------------------------


def ticker(**options: object) -> tuple[Ticker, io.StringIO, io.StringIO, list[float]]:
    now = [0.0]
    out, status = io.StringIO(), io.StringIO()
    made = Ticker(out, status, clock=lambda: now[0], **options)  # type: ignore[arg-type]
    return made, out, status, now


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_finding_is_two_lines_of_the_terminal(width: int) -> None:
    for finding in FINDINGS:
        tell, out, _, _ = ticker(width=width)
        tell.raised(finding)
        first, second = out.getvalue().splitlines()
        assert len(first) <= width
        assert len(second) <= width
        assert finding.severity in first
        assert finding.pattern[:10] in second
        assert "\x1b" not in out.getvalue()


def test_severity_and_json() -> None:
    tell, out, _, _ = ticker(json=True, severity="high")
    for finding in FINDINGS:
        tell.raised(finding)
    kept = [f for f in FINDINGS if f.severity in ("high", "critical")]
    assert list(jsonl.read(out.getvalue().splitlines())) == kept


def test_repeats_are_told_every_half_minute_and_silence_as_it_grows() -> None:
    tell, out, status, now = ticker()
    tell.tick(10)
    for second in range(120):
        now[0] = second
        if second < 40:
            tell.repeated(FINDINGS[second % 2])
        tell.tick(10 + min(second, 50))
    said = [line.split(" ", 1)[1] for line in status.getvalue().splitlines()]
    assert said == [
        "31 repeats of 2 patterns above, in 40 lines",
        "9 repeats of 2 patterns above, in 20 lines",
        "no line for 1 minute",
    ]
    assert out.getvalue() == ""


def test_the_command_tells_at_once_and_ends_in_good_order(tmp_path: Path) -> None:
    """Real pipes: JSON lines as they come; Ctrl-C gives table, report and exit code."""
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    report = str(tmp_path / "r.html")
    runs = [
        subprocess.Popen([*COMMAND, "scan", "-", *more], **options)  # type: ignore[call-overload]
        for more in (["--json"], ["--fail-on", "high", "--report", report], [])
    ]
    for number, run in enumerate(runs):
        run.stdin.write((jobs(0, 300) if number < 2 else jobs(0, 5)).encode())
        run.stdin.flush()
    for run in runs[:2]:
        assert b"normal is what was read before the input paused" in run.stderr.readline()
        run.stdin.write(at(300, "disk full on /var", "ERROR").encode())
        run.stdin.flush()
        assert b"disk full" in run.stdout.readline()
    for run in runs[1:]:  # the last one has told nothing yet
        run.send_signal(signal.SIGINT)
    out, err = runs[1].communicate(timeout=10)
    assert runs[1].returncode == 1
    assert b"1 finding of 1 pattern" in out
    assert b"Report:" in out
    assert err == b""
    assert "disk full" in Path(report).read_text()
    runs[2].communicate(timeout=10)
    assert runs[2].returncode == 130
    out, _ = runs[0].communicate(timeout=10)
    assert runs[0].returncode == 0
    assert out == b""  # nothing is told twice
