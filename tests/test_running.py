"""Running: however a feed is cut into entries, and however often the run is paused, its findings
are those of `detect` on the whole of it."""

from __future__ import annotations

import functools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import endless_logs
import logwright as lw
from logwright import api
from logwright.errors import StoreError
from logwright.feedback.judge import Judge
from logwright.findings.finding import Finding
from logwright.findings.verdict import Subject, Verdict
from logwright.settings import Settings
from logwright.stream.feed import Entry
from logwright.stream.running import SAMPLE_LINES, Running
from test_cli_train import run
from test_rules_detector import book_of
from training_logs import requests, swapped

HOURS = 3
few = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Made:
    """A model, a log to be judged, and what `detect` finds in it."""

    model: lw.Model
    log: Path
    options: Settings
    findings: list[Finding]

    @property
    def lines(self) -> list[bytes]:
        return self.log.read_bytes().splitlines(keepends=True)

    @property
    def arrived(self) -> int:
        return os.stat(self.log).st_mtime_ns

    def new(self, judge: Judge | None = None) -> Running:
        return Running(self.model, self.options, str(self.log), judge)

    def again(self, data: bytes, judge: Judge | None = None) -> Running:
        return Running.restored(self.model, self.options, str(self.log), data, judge)


def made(folder: Path, history: bytes, today: bytes, **options: object) -> Made:
    (folder / "history.log").write_bytes(history)
    (folder / "today.log").write_bytes(today)
    model = lw.learn(str(folder / "history.log"), **options)
    model.save(folder / "model")
    return judged(folder)


def judged(folder: Path) -> Made:
    model, log = lw.load(str(folder / "model")), folder / "today.log"
    result = api.detect([str(log)], model, quiet="0s")
    return Made(model, log, Settings(), result.findings)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Sessions, with rate, beats, gaps, parameters, counts and rules."""
    folder = tmp_path_factory.mktemp("shop")
    history = endless_logs.log(1, 60)
    today = endless_logs.log(2, HOURS, start=60 * 3600, odd=True)
    made(folder, history, today, budget=60.0)
    book_of(folder / "model" / "rules", {"denied": (endless_logs.RULE, "active")}, plan=None)
    return judged(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Lines without times and keys, with stack traces."""
    rng, folder = random.Random(3), tmp_path_factory.mktemp("plain")
    lines = [f"job {rng.randint(1, 99)} done\n" for _ in range(1500)]
    today = list(lines)
    for at in range(50, 1500, 130):
        today[at] += f"it broke at {at}\n" + endless_logs.TRACE
    return made(folder, "".join(lines).encode(), "".join(today).encode())


def entries(lines: Sequence[bytes], cuts: Iterable[int], arrived: int) -> list[Entry]:
    """Lines as entries that end at these places."""
    stops = [0, *sorted({cut % len(lines) for cut in cuts} - {0}), len(lines)]
    return [Entry(b"".join(lines[a:b]), str(b), arrived) for a, b in pairwise(stops)]


def told(
    case: Made,
    cuts: Iterable[int],
    pauses: Iterable[int] = (),
    judge: Callable[[], Judge] | None = None,
) -> list[Finding]:
    """The findings of a run whose feed is cut, and that is paused behind entries, by number."""
    running, found = case.new(judge() if judge else None), list[Finding]()
    stops = set(pauses)
    for number, entry in enumerate(entries(case.lines, cuts, case.arrived)):
        found += running.push([entry])
        if number in stops:
            running = case.again(running.snapshot(), judge() if judge else None)
    return found + running.finish()


def every(case: Made, lines: int) -> range:
    """Cuts behind so many lines each."""
    return range(0, len(case.lines), lines)


def ids(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(f.id for f in findings)


def cited(findings: Iterable[Finding]) -> list[tuple[object, ...]]:
    return sorted((f.id, f.state, f.window, f.lines) for f in findings)


CUTS = st.lists(st.integers(0, 100_000), max_size=12)


@st.composite
def crowded(draw: st.DrawFn) -> list[int]:
    """Cuts anywhere, and at every line of one place."""
    begin = draw(st.integers(0, 100_000))
    return [*draw(CUTS), *range(begin, begin + draw(st.integers(0, 25)))]


def test_everything_is_found_here(shop: Made, plain: Made) -> None:
    kinds = {(f.detector, f.unit) for f in shop.findings}
    wanted = {
        ("unseen", "template"),
        ("rate", "interval"),
        ("timing", "period"),
        ("timing", "gap"),
        ("parameters", "value"),
        ("counts", "count_vector"),
        ("rules", "rule"),
    }
    assert kinds == wanted
    assert any(line.more for f in shop.findings for line in f.lines)
    assert len(plain.findings) >= 10


@pytest.mark.parametrize("name", ["shop", "plain"])
def test_cuts_do_not_matter(name: str, request: pytest.FixtureRequest) -> None:
    case: Made = request.getfixturevalue(name)

    @few
    @given(cuts=crowded())
    @example(cuts=[])
    def holds(cuts: list[int]) -> None:
        assert ids(told(case, cuts)) == ids(case.findings)

    holds()


@pytest.mark.parametrize("name", ["shop", "plain"])
def test_pauses_do_not_matter(name: str, request: pytest.FixtureRequest) -> None:
    case: Made = request.getfixturevalue(name)

    @few
    @given(cuts=crowded(), pauses=st.lists(st.integers(0, 40), max_size=8))
    @example(cuts=list(every(case, 23)), pauses=list(range(0, 1000, 2)))
    def holds(cuts: list[int], pauses: list[int]) -> None:
        found = told(case, cuts, pauses)
        assert ids(found) == ids(case.findings)
        assert cited(found) == cited(told(case, cuts))

    holds()


def test_lines_are_cited_as_they_stand_in_the_file(shop: Made) -> None:
    found = told(shop, every(shop, 60), range(0, 1000, 7))
    places = {f.id: [(n.source, n.line_no, n.offset, n.text) for n in f.lines] for f in found}
    wanted = {
        f.id: [(n.source, n.line_no, n.offset, n.text) for n in f.lines] for f in shop.findings
    }
    assert places == wanted


def stamped(lines: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{time} INFO app: {text}\n" for time, text in lines).encode()


@pytest.fixture(scope="module")
def spiked(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A log in which some lines have a time of another year."""
    folder = tmp_path_factory.mktemp("spiked")
    times = [f"2026-03-{1 + n // 600:02} {n // 60 % 24:02}:{n % 60:02}:00" for n in range(3000)]
    calm = [(time, f"job {n} done") for n, time in enumerate(times)]
    today = calm[:400]
    for at in (60, 130, 131, 250):
        today[at] = ("2027" + today[at][0][4:], f"job {at} failed")
    today[200] = (today[200][0], "disk full")
    return made(folder, stamped(calm), stamped(today))


def test_times_that_jump_and_come_back_close_nothing(spiked: Made) -> None:
    assert any("'job <*> failed'" in f.summary for f in spiked.findings)

    @few
    @given(cuts=crowded(), pauses=st.lists(st.integers(0, 40), max_size=8))
    @example(cuts=list(range(400)), pauses=list(range(50, 300)))
    def holds(cuts: list[int], pauses: list[int]) -> None:
        assert cited(told(spiked, cuts, pauses)) == cited(spiked.findings)

    holds()


def test_times_without_a_year_go_on_in_the_right_one(tmp_path: Path) -> None:
    hours = [(day, hour) for day in ("Dec 31", "Jan  1", "Jul  1") for hour in range(24)] * 2
    lines = [
        f"{day} {hour:02}:{minute:02}:00 web1 app[7]: job {minute} done\n"
        for day, hour in [*hours, ("Dec 31", 7), ("Jan  1", 7)]
        for minute in range(0, 60, 6)
    ]
    today = list(lines)
    for at in range(100, len(lines), 90):
        today[at] = today[at].replace("done", "broke")
    case = made(tmp_path, "".join(lines).encode(), "".join(today).encode())
    seen = {(f.first_seen or "")[:4] for f in case.findings if f.detector == "unseen"}
    assert len(seen) == 4
    assert cited(told(case, every(case, 25), range(1000))) == cited(case.findings)


def test_what_verdicts_and_sights_say_outlives_a_pause(shop: Made) -> None:
    new = next(f for f in shop.findings if f.detector == "unseen" and "failed" in f.summary)
    subject = Subject(
        pattern=new.pattern,
        detector=new.detector,
        unit=new.unit,
        templates=tuple(t.id for t in new.templates),
        texts=tuple(t.text for t in new.templates),
    )
    verdict = Verdict(number=1, word="benign", subjects=(subject,))
    judge = functools.partial(Judge, source=lambda after: [verdict][after:])
    cuts = every(shop, 40)
    found = told(shop, cuts, range(3, 1000, 5), judge)
    assert {f.state for f in found} == {"open", "suppressed"}
    assert cited(found) == cited(told(shop, cuts, (), judge))


@pytest.mark.slow
def test_a_sequence_step_scores_alike(tmp_path: Path) -> None:
    for needed in ("torch", "onnx", "onnxruntime", "safetensors"):
        pytest.importorskip(needed, reason=f"training needs {needed}")
    history, model = tmp_path / "history.log", tmp_path / "model"
    log = requests(400, 30) + swapped(430) + requests(431, 30)
    made(tmp_path, requests(0, 300).encode(), log.encode(), session=r"req-[0-9a-f]+")
    assert run("train", "sequence", str(history), "-m", str(model), "--steps", "60")[0] == 0
    case = judged(tmp_path)
    assert any(f.detector == "sequence" for f in case.findings)
    for cuts in ([], every(case, 7)):
        assert ids(told(case, cuts, range(0, 50, 3))) == ids(case.findings)


def test_workers_name_a_new_template_alike(plain: Made) -> None:
    """Each meets others of them, in another order: what ids are is no matter of who asks first."""
    new = [b"disk %d of rack %d is full\n", b"lost the lease of node %d\n", b"fan %d stopped\n"]
    told = []
    for order in ([0, 1, 2], [2, 1], [1, 2, 0]):
        lines = [new[k] % tuple(range(9, 9 + new[k].count(b"%d"))) for k in order]
        running = plain.new()
        whole = Entry(b"".join([*plain.lines[:45], *lines]), "", plain.arrived)
        found = [t for f in [*running.push([whole]), *running.finish()] for t in f.templates]
        told.append({t.text: t.id for t in found})
        running.close()
    first, some, last = told
    assert len(first) == 3
    assert len(some) == 2
    assert first == last
    assert some.items() <= first.items()


def test_the_format_is_found_from_the_first_lines_however_they_come(shop: Made) -> None:
    running = shop.new()
    one_by_one = entries(shop.lines, range(SAMPLE_LINES), shop.arrived)[: SAMPLE_LINES - 1]
    for entry in one_by_one:
        assert running.push([entry]) == []
    assert running.lines == 0
    running.advance(0)
    assert running.lines == SAMPLE_LINES - 1


def test_the_clock_closes_what_no_line_closes(shop: Made) -> None:
    running = shop.new()
    for entry in entries(shop.lines, every(shop, 50), shop.arrived):
        running.push([entry])
    assert running.advance(0) == []
    closed = running.advance(int(2e18))
    assert closed
    assert running.finish() == []


def test_what_is_no_snapshot_is_refused(shop: Made) -> None:
    running = shop.new()
    running.push(entries(shop.lines, [], shop.arrived))
    data = running.snapshot()
    for bad in (b"", data[:-1], data[:40] + b"x" + data[41:], b"PK" + data):
        with pytest.raises(StoreError, match="snapshot"):
            shop.again(bad)
    newer = data[:3] + (9).to_bytes(2, "little") + data[5:]
    with pytest.raises(StoreError, match="update logwright"):
        shop.again(newer)


@pytest.mark.slow
def test_a_snapshot_is_no_larger_than_what_is_open(shop: Made) -> None:
    running = shop.new()
    sizes = []
    for entry in entries(shop.lines * 4, range(0, 4 * len(shop.lines), 500), shop.arrived):
        running.push([entry])
        sizes.append(len(running.snapshot()))
    assert max(sizes) < 200_000


def test_a_line_that_is_too_long_is_cut_as_in_a_file(tmp_path: Path) -> None:
    calm = [b"job %d done\n" % n for n in range(900)]
    long = b"disk " + b"x" * 300 + b" lost\n"
    today = [*calm[:40], long, b"disk lost\n", *calm[:20], long]
    case = made(tmp_path, b"".join(calm), b"".join(today), max_line_bytes=64)
    assert len(case.findings) == 2
    for cuts in ([], [3, 41, 50], range(100)):
        found = told(case, cuts, [1])
        assert cited(found) == cited(case.findings)


def test_records_of_open_sessions_are_bounded_wherever_batches_end(
    shop: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logwright.stream.running.MOST_RECORDS", 6)
    model, found = shop.model, []
    monkeypatch.setattr(model.plan, "__dict__", model.plan.__dict__ | {"max_open": 640})
    for cuts in ([], every(shop, 7)):
        running = shop.new()
        told = [f for e in entries(shop.lines, cuts, shop.arrived) for f in running.push([e])]
        found.append(ids([*told, *running.finish()]))
        assert running.pipeline.dropped["sessions"] > 10
    assert found[0] == found[1]
