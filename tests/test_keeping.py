"""From a run to a verdict to the next run: what is judged once is not told again."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

import logwright as lw
from logwright import api
from logwright.errors import StoreError
from logwright.feedback.standing import Found
from logwright.findings.verdict import Scope, Undo, Verdict, Word
from logwright.outcome import Result
from logwright.store import open_store

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path: Path) -> lw.Model:
    history = tmp_path / "history.log"
    history.write_text("".join(f"job {i} done\n" for i in range(300)))
    return lw.learn(str(history))


@pytest.fixture
def today(tmp_path: Path) -> Path:
    log = tmp_path / "today.log"
    lines = [f"job {i} done" for i in range(300)]
    for at in (20, 120, 240):
        lines[at] = "mount of volume seven failed"
    lines[200] = "cache was emptied by hand"
    log.write_text("\n".join(lines) + "\n")
    return log


def run(log: Path, model: lw.Model, store: Path | None) -> Result:
    return api.detect([str(log)], model, store=store)


def judge(store: Path, result: Result, word: Word, text: str) -> Verdict:
    finding = next(f for f in (*result.findings, *result.suppressed) if text in f.summary)
    with open_store(store) as there:
        said = Verdict(word=word, subjects=(Found.of(finding).subject(),), by="ann")
        (given,) = there.add_entries([said], [{}])
    assert isinstance(given, Verdict)
    return given


def texts(findings: list[lw.Finding]) -> set[str]:
    return {f.templates[0].text for f in findings}


MOUNT, CACHE = "mount of volume seven failed", "cache was emptied by hand"


class TestLoop:
    def test_benign_suppresses_from_the_next_run_on_and_counts(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        first = run(today, model, store)
        assert texts(first.findings) == {MOUNT, CACHE}
        judge(store, first, "benign", MOUNT)
        second = run(today, model, store)
        assert texts(second.findings) == {CACHE}
        assert texts(second.suppressed) == {MOUNT}
        assert any("suppressed: 3 benign" in note for note in second.run.notes)
        with open_store(store) as there:
            pattern = second.suppressed[0].pattern
            assert len(list(there.findings(pattern=pattern))) == len(second.suppressed)

    def test_undo_restores_the_former_findings(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        first = run(today, model, store)
        given = judge(store, first, "benign", MOUNT)
        run(today, model, store)
        with open_store(store) as there:
            there.add_entries([Undo(undoes=given.number, by="ann")], [{}])
        assert run(today, model, store).findings == first.findings

    def test_real_is_a_standing_alarm(self, model: lw.Model, today: Path, tmp_path: Path) -> None:
        store = tmp_path / "store.db"
        judge(store, run(today, model, store), "real", CACHE)
        again = run(today, model, store)
        (alarm,) = [f for f in again.findings if f.state == "confirmed"]
        assert (alarm.severity, alarm.because) == ("high", "real by ann (verdict 1)")

    def test_a_standing_alarm_survives_learning_it(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        judge(store, run(today, model, store), "real", CACHE)
        wiser = lw.learn(str(today))
        again = run(today, wiser, store)
        assert texts(again.findings) == {CACHE}
        assert {f.state for f in again.findings} == {"confirmed"}

    def test_without_a_store_nothing_is_kept_or_suppressed(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        judge(store, run(today, model, store), "benign", MOUNT)
        assert texts(run(today, model, None).findings) == {MOUNT, CACHE}

    def test_scan_keeps_to_verdicts_too(self, today: Path, tmp_path: Path) -> None:
        store = tmp_path / "store.db"
        first = api.scan(str(today), store=store)
        judge(store, first, "benign", CACHE)
        second = api.scan(str(today), store=store)
        assert CACHE in texts(first.findings)
        assert CACHE not in texts(second.findings)
        assert CACHE in texts(second.suppressed)

    def test_the_same_log_again_changes_no_number(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        run(today, model, store)
        with open_store(store) as there:
            before = [(p.id, p.findings, p.lines) for p in there.patterns()]
        run(today, model, store)
        with open_store(store) as there:
            assert [(p.id, p.findings, p.lines) for p in there.patterns()] == before


class TestManyFindings:
    """Of a pattern with very many findings the rest is counted; that must hide nothing."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("logwright.pipeline.MOST_OF_PATTERN", 5)

    def test_what_is_benign_on_one_host_is_seen_on_another_at_the_end(self, tmp_path: Path) -> None:
        history, day = tmp_path / "history.log", tmp_path / "day.log"
        line = "2024-05-01T{:02}:{:02}:00Z {} app[1]: {}\n"
        usual = [line.format(h, m, "web7", f"job {m} done") for h in range(9) for m in range(60)]
        history.write_text("".join(usual))
        bad = [line.format(10 + i // 60, i % 60, "web7", MOUNT) for i in range(400)]
        last = line.format(18, 0, "db1", MOUNT)
        usual = [line.format(10 + i // 60, i % 60, "web7", f"job {i} done") for i in range(400)]
        both = [text for pair in zip(usual, bad, strict=True) for text in pair]
        day.write_text("".join([*both, *usual[:40], last]))
        model, store = lw.learn(str(history), window="10"), tmp_path / "store.db"
        first = run(day, model, store)
        finding = next(f for f in first.findings if f.hosts == ("web7",))
        with open_store(store) as there:
            subjects = (Found.of(finding).subject(),)
            said = Verdict(word="benign", subjects=subjects, scope=Scope(host="web7"))
            there.add_entries([said], [{}])
        second = run(day, model, store)
        new = [f for f in second.findings if f.detector == "unseen"]
        assert {f.hosts for f in new} == {("db1",)}
        assert any("were counted" in note for note in second.run.notes)

    def test_a_benign_template_hides_no_bad_make_up_however_often_it_came(
        self, tmp_path: Path
    ) -> None:
        def session(i: int, *more: str) -> list[str]:
            key = f"req-9f{i:05x}"
            return [f"{key} {word}\n" for word in ("begins", "reads", *more, "ends")]

        history, day = tmp_path / "history.log", tmp_path / "day.log"
        history.write_text("".join(t for i in range(16_000) for t in session(i)))
        lines = [session(20_000 + i, "was seen by the audit") for i in range(60)]
        lines[50] = session(20_050, "was seen by the audit", "reads", "reads", "reads")
        day.write_text("".join(t for each in lines for t in each))
        model, store = lw.learn(str(history), session=r"req-[0-9a-f]+"), tmp_path / "store.db"
        judge(store, run(day, model, store), "benign", "audit")
        found = run(day, model, store).findings
        assert [(f.detector, f.window.key) for f in found] == [("counts", "req-9f04e52")]


class TestMakeUps:
    """`real` said of the make-up of a session holds after the next learning."""

    @pytest.fixture
    def logs(self, tmp_path: Path) -> tuple[Path, Path]:
        def session(i: int, *more: str) -> list[str]:
            key = f"req-9f{i:05x}"
            return [f"{key} {word}\n" for word in ("begins", "reads", *more, "ends")]

        history, day = tmp_path / "history.log", tmp_path / "day.log"
        history.write_text("".join(t for i in range(16_000) for t in session(i)))
        lines = [session(20_000 + i) for i in range(60)]
        lines[20] = session(20_020, "reads", "reads", "reads")
        lines[50] = session(20_050, "reads", "reads", "reads")
        lines[40] = session(20_040, "begins")
        day.write_text("".join(t for each in lines for t in each))
        return history, day

    def test_it_stands_after_learning_and_goes_with_the_verdict(
        self, logs: tuple[Path, Path], tmp_path: Path
    ) -> None:
        history, day = logs
        store = tmp_path / "store.db"
        first = run(day, lw.learn(str(history), session=r"req-[0-9a-f]+"), store)
        (seldom,) = [f for f in first.findings if f.window.key == "req-9f04e48"]
        often = next(f for f in first.findings if f.window.key == "req-9f04e34")
        assert (often.detector, often.unit) == ("counts", "count_vector")
        wiser = lw.learn(str(day), str(history), session=r"req-[0-9a-f]+")
        before = run(day, wiser, store)
        assert not {often.pattern, seldom.pattern} & {f.pattern for f in before.findings}
        subjects = (Found.of(often).subject(),)
        said = Verdict(word="real", subjects=subjects, severity="critical", by="ann")
        with open_store(store) as there:
            (given,) = there.add_entries([said], [{}])
        after = run(day, wiser, store)
        alarms = [f for f in after.findings if f not in before.findings]
        assert [f.window.key for f in alarms] == ["req-9f04e34", "req-9f04e52"]
        for alarm in alarms:
            assert (alarm.pattern, alarm.detector, alarm.unit) == (
                often.pattern,
                "counts",
                "count_vector",
            )
            assert (alarm.state, alarm.severity) == ("confirmed", "critical")
            assert alarm.because == "real by ann (verdict 1)"
        with open_store(store) as there:
            there.add_entries([Undo(undoes=given.number)], [{}])
        assert run(day, wiser, store).findings == before.findings

    def test_while_it_is_new_it_is_raised_once_and_as_before(
        self, logs: tuple[Path, Path], tmp_path: Path
    ) -> None:
        history, day = logs
        store = tmp_path / "store.db"
        model = lw.learn(str(history), session=r"req-[0-9a-f]+")
        first = run(day, model, store)
        given = judge(store, first, "real", "reads")
        again = run(day, model, store)
        assert [(f.id, f.summary, f.score) for f in again.findings] == [
            (f.id, f.summary, f.score) for f in first.findings
        ]
        assert {f.state for f in again.findings if f.pattern in given.patterns} == {"confirmed"}


class TestPolicy:
    def test_more_new_templates_than_a_store_holds_states_of(
        self, model: lw.Model, tmp_path: Path
    ) -> None:
        words = [f"{a}{b}{c}" for a in "abcdefghij" for b in "klmnopqrst" for c in "uvwxyzabcd"]
        log = tmp_path / "many.log"
        rows = [f"2024-05-01T10:00:00Z {w} {w[::-1]} failed\n" for w in words for _ in range(2)]
        log.write_text("".join(rows))
        store = tmp_path / "store.db"
        for _ in range(2):
            assert len(run(log, model, store).findings) > 900

    def test_a_damaged_state_is_said_and_not_used(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "store.db"
        for bad in ({}, {"first": 0, "end": "x"}, {"first": 0, "end": 0, "before": {}, "after": 3}):
            with open_store(store) as there:
                there.save_state("judge.2", bad)
            result = run(today, model, store)
            assert texts(result.findings) == {MOUNT, CACHE}
            assert any("damaged, and not used" in note for note in result.run.notes)

    def test_quiet_folds_no_open_finding_into_a_suppressed_one(self, tmp_path: Path) -> None:
        history, day = tmp_path / "history.log", tmp_path / "day.log"
        line = "2024-05-01T10:{:02}:{:02}Z {} app[1]: {}\n"
        usual = [line.format(i // 60, i % 60, "web7", f"job {i} done") for i in range(600)]
        history.write_text("".join(usual))
        usual[100] = line.format(1, 40, "web7", MOUNT)
        usual[500] = line.format(8, 20, "db1", MOUNT)
        day.write_text("".join(usual))
        model, store = lw.learn(str(history), window="50"), tmp_path / "store.db"
        first = next(f for f in run(day, model, store).findings if f.hosts == ("web7",))
        with open_store(store) as there:
            scope, subjects = Scope(host="web7"), (Found.of(first).subject(),)
            there.add_entries([Verdict(word="benign", subjects=subjects, scope=scope)], [{}])
        result = api.detect([str(day)], model, store=store, quiet="2h")
        assert [f.hosts for f in result.findings] == [("db1",)]

    def test_verdicts_act_on_rare_trouble_of_the_past_in_scan(self, tmp_path: Path) -> None:
        lines = [f"job {i} done" for i in range(400)]
        lines[20] = "kernel panic: no space left on device"
        log, store = tmp_path / "app.log", tmp_path / "store.db"
        log.write_text("\n".join(lines) + "\n")
        first = api.scan(str(log), store=store)
        judge(store, first, "benign", "kernel panic")
        assert not api.scan(str(log), store=store).findings


class TestStores:
    def test_a_store_that_cannot_be_made_is_said_and_no_failure(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("no folder")
        result = run(today, model, blocked / "store.db")
        assert result.findings
        assert any("nothing is kept for later" in note for note in result.run.notes)

    def test_a_store_that_is_none_is_an_error(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "store.db"
        other.write_bytes(b"this is no store, but a longer text of somebody" * 100)
        with pytest.raises(StoreError, match=r"store.db is not a store of Logwright"):
            run(today, model, other)

    @pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
    def test_verdicts_in_a_store_that_may_only_be_read_act(
        self, model: lw.Model, today: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
        store, log, me = folder / "store.db", folder / "today.log", os.geteuid()
        shutil.copy(today, log)
        monkeypatch.chdir(folder)
        try:
            judge(store, run(log, model, store), "benign", MOUNT)
            for file in folder.iterdir():
                file.chmod(0o444)
            folder.chmod(0o555)
            if me == 0:
                os.seteuid(65534)
            result = run(log, model, store)
            assert texts(result.findings) == {CACHE}
            assert any(note.startswith("nothing is kept for later: ") for note in result.run.notes)
        finally:
            if me == 0:
                os.seteuid(me)
            folder.chmod(0o700)
            shutil.rmtree(folder)
