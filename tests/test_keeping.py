"""From a run to a verdict to the next run: what is judged once is not told again."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

import logwright as lw
from logwright import api
from logwright.errors import StoreError
from logwright.feedback.standing import Found
from logwright.findings.verdict import Undo, Verdict, Word
from logwright.outcome import Result
from logwright.store import open_store


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
        assert any("suppressed (1 benign)" in note for note in second.run.notes)
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

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_verdicts_in_a_store_that_may_only_be_read_act(
        self, model: lw.Model, today: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "closed"
        folder.mkdir()
        store = folder / "store.db"
        judge(store, run(today, model, store), "benign", MOUNT)
        sqlite3.connect(store).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.chmod(0o400)
        folder.chmod(0o500)
        assert texts(run(today, model, store).findings) == {CACHE}
