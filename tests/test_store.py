"""The store: what was acknowledged stays, numbers do not inflate, foreign files are refused."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from logwright.errors import InputError, StoreError
from logwright.findings.finding import SEVERITIES, CitedLine, Finding, TemplateRef, WindowRef
from logwright.findings.jsonl import read
from logwright.findings.run import Run
from logwright.findings.verdict import ENTRY, Subject, Undo, Verdict
from logwright.reasoning.answer import Answer, Citation
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task
from logwright.store import default_path, migrations, open_store, place_of
from logwright.store.base import AuditRow, PatternRow, Store, What
from logwright.store.kept_answers import AnswerRow, Correction, KeptMaterial
from logwright.store.rows import body_of, dump, dump_model, packed

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def make(number: int, **changes: Any) -> Finding:
    """A finding of one of three patterns and two incidents, different from all others."""
    line = CitedLine(source=f"{'ab'[number % 2]}.log", line_no=number + 1, offset=9, text="disk")
    values: dict[str, Any] = {
        "id": f"f-{number:016x}",
        "pattern": f"p-{number % 3:016x}",
        "detector": "unseen",
        "unit": "template",
        "score": float(number % 5),
        "threshold": 0.5,
        "severity": SEVERITIES[number % 4],
        "summary": f"new: disk {number}",
        "expected": "none",
        "seen": "one",
        "first_seen": f"2025-06-14T13:{number % 60:02}:11Z",
        "last_seen": f"2025-06-14T14:{number % 60:02}:11.5Z",
        "count": number + 1,
        "window": WindowRef(kind="time", key="w", lines=3),
        "lines": (line,),
        "templates": (TemplateRef(id=f"t-{number % 3}", text="disk <*>", count=1),),
        "incident": f"i-{number % 2}",
    }
    return Finding.model_validate(values | changes)


def benign(*numbers: int) -> Verdict:
    subjects = tuple(Subject.of(make(number)) for number in numbers)
    return Verdict(word="benign", subjects=subjects, by="ann", note="known")


def answered(name: str) -> AnswerRow:
    answer = Answer(
        task=Task.ROOT_CAUSE,
        verdict="disk full",
        text="/var is full.",
        citations=(Citation(line=1, quote="disk"),),
        confidence=0.9,
    )
    lines = KeptMaterial.of(Material.of_lines([f"disk {name} full"], "a.log", 7))
    return AnswerRow(
        id=f"a-{name}", made=datetime(2026, 1, 1, tzinfo=UTC), material=lines, answer=answer
    )


def pragma(path: Path, name: str) -> Any:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"PRAGMA {name}").fetchone()[0]


def tell(path: Path, write: bool = True) -> str:
    """The sentence with which a file is refused, by opening it or by reading all of it."""

    def use() -> None:
        with open_store(path, write) as store:
            everything(store)
            store.add_run("r-9", Run(), [make(3)], {})

    with pytest.raises(StoreError) as caught:
        use()
    assert str(caught.value).startswith(f"The store {path} ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def everything(store: Store) -> tuple[Any, ...]:
    return (
        store.patterns(),
        store.incidents(),
        list(store.findings()),
        store.sights(),
        store.entries(),
        store.audit(),
        store.runs(),
        store.answers(),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


class TestFindings:
    def test_a_run_is_given_back(self, store: Store, path: Path) -> None:
        run = Run(title="logwright detect a.log", lines=10)
        store.add_run("r-1", run, [make(n) for n in range(6)], {make(0).pattern: 7})
        with open_store(path) as again:
            assert sorted(f.id for f in again.findings()) == [make(n).id for n in range(6)]
            assert again.finding("f-0000000000000004") == make(4)
            last = again.last_run()
        assert last is not None
        assert (last.id, last.run, last.findings) == ("r-1", run, 6)

    def test_patterns_tell_of_their_findings(self, store: Store) -> None:
        store.add_run("r-1", Run(), [make(n) for n in range(6)], {make(0).pattern: 7})
        host = CitedLine(source="c.log", line_no=1, offset=0, text="x", host="db1")
        store.add_run("r-2", Run(), [make(9, lines=(host,))], {make(0).pattern: 5})
        row = store.pattern(make(0).pattern)
        # Findings 0, 3 and 9, of which 3 is critical.
        assert (row.findings, row.lines, row.runs, row.further) == (3, 1 + 4 + 10, 2, 7)
        assert (row.finding, row.severity, row.summary) == (make(3).id, "critical", "new: disk 3")
        assert (row.sources, row.hosts) == (("a.log", "b.log", "c.log"), ("db1",))
        assert (row.templates, row.texts) == (("t-0",), ("disk <*>",))
        assert row.first_seen == datetime(2025, 6, 14, 13, 0, 11, tzinfo=UTC)
        assert row.last_seen == datetime(2025, 6, 14, 14, 9, 11, 500_000, tzinfo=UTC)
        severities = [SEVERITIES.index(p.severity) for p in store.patterns()]
        assert severities == sorted(severities, reverse=True)

    def test_many_sources_are_bounded(self, store: Store) -> None:
        lines = tuple(
            CitedLine(source=f"{n:03}.log", line_no=1, offset=0, text="x") for n in range(50)
        )
        store.add_run("r-1", Run(), [make(0, lines=lines)], {})
        assert store.patterns()[0].sources == tuple(f"{n:03}.log" for n in range(20))

    def test_what_is_found_again_takes_the_place_of_the_older(self, store: Store) -> None:
        store.add_run("r-1", Run(), [make(n) for n in range(4)], {})
        changed = [make(3, severity="low", summary="now low", incident="i-9")]
        store.add_run("r-2", Run(), changed, {})
        row = store.pattern(make(3).pattern)
        assert (row.findings, row.lines, row.severity) == (2, 5, "low")
        assert store.finding(make(3).id).summary == "now low"
        assert {i.id: i.findings for i in store.incidents()} == {"i-0": 2, "i-1": 1, "i-9": 1}
        store.add_run("r-3", Run(), [make(1, incident="i-9")], {})
        assert {i.id: i.findings for i in store.incidents()} == {"i-0": 2, "i-9": 2}

    @given(
        st.lists(st.integers(0, 24), min_size=1, max_size=40),
        st.integers(1, 12),
        st.randoms(use_true_random=False),
    )
    def test_split_order_and_repetition_change_nothing(
        self, found: list[int], size: int, rnd: random.Random
    ) -> None:
        again = [*found, *rnd.choices(found, k=5)]
        rnd.shuffle(again)
        parts = [again[place : place + size] for place in range(0, len(again), size)]
        with tempfile.TemporaryDirectory() as folder:
            with open_store(Path(folder) / "whole.db") as store:
                self.add(store, found)
                whole = store.patterns(), store.incidents(), ids(store)
            with open_store(Path(folder) / "parts.db") as store:
                self.add(store, [])
                for part in parts:
                    self.add(store, part)
                assert (store.patterns(), store.incidents(), ids(store)) == whole
            with open_store(Path(folder) / "runs.db") as store:  # each part found by its own run
                for number, part in enumerate(parts):
                    store.add_run(f"r-{number}", Run(), [make(n) for n in part], {})
                of_runs = {"runs": 0, "further": 0}
                assert [p.model_copy(update=of_runs) for p in store.patterns()] == [
                    p.model_copy(update=of_runs) for p in whole[0]
                ]
                assert {i.id: i.findings for i in store.incidents()} == {
                    i.id: i.findings for i in whole[1]
                }
                assert ids(store) == whole[2]

    @staticmethod
    def add(store: Store, numbers: Sequence[int]) -> None:
        """Each finding is found by one of four runs."""
        for run in range(4):
            found = [make(n) for n in numbers if n % 4 == run]
            store.add_run(f"r-{run}", Run(), found, {f.pattern: 7 * run for f in found})

    def test_the_most_that_one_run_counted_is_told(self, store: Store) -> None:
        pattern = make(0).pattern
        for run, number in [("r-1", 7), ("r-2", 9), ("r-1", 8), ("r-2", 3)]:
            store.add_run(run, Run(), [make(0)], {pattern: number})
        assert (store.pattern(pattern).further, store.pattern(pattern).runs) == (9, 2)

    def test_findings_are_asked_for(self, store: Store) -> None:
        store.add_run("r-1", Run(), [make(n) for n in range(30)], {})
        newest = [f.id for f in store.findings()]
        assert newest == [make(n).id for n in reversed(range(30))]
        assert [f.id for f in store.findings(limit=3)] == newest[:3]
        of_one = [f.id for f in store.findings(pattern=make(1).pattern, incident="i-1")]
        assert of_one == [make(n).id for n in reversed(range(30)) if n % 6 == 1]
        since = datetime(2025, 6, 14, 14, 28, tzinfo=UTC)
        assert [f.id for f in store.findings(since=since)] == newest[:2]

    def test_one_is_named_by_the_beginning_of_its_id(self, store: Store) -> None:
        ids = ["f-aa00000000000000", "f-ab00000000000000", "f-b%00000000000000"]
        store.add_run("r-1", Run(), [make(n, id=name) for n, name in enumerate(ids)], {})
        assert store.finding("f-b").id == ids[2]
        with pytest.raises(InputError, match=r"more than one finding: f-aa0.*, f-ab0"):
            store.finding("f-a")
        for absent in ("f-%", "f-_a", "x", "\udc80"):
            with pytest.raises(InputError, match=r"no finding in .* begins with"):
                store.finding(absent)
        with pytest.raises(InputError, match="more than one pattern"):
            store.pattern("p-")
        with pytest.raises(InputError, match="no pattern"):
            store.pattern("p-f")

    def test_bytes_that_are_no_text_and_huge_numbers_are_kept(self, store: Store) -> None:
        line = CitedLine(source="caf\udce9.log", line_no=1, offset=0, text="\udc80", host="h\ud800")
        odd = make(0, lines=(line,), summary="\udcff", count=1 << 70, first_seen="?", last_seen="?")
        store.add_run("r-\udc80", Run(title="\udc80"), [odd], {odd.pattern: 1 << 70})
        row = store.patterns()[0]
        assert row.sources == ("caf\\xe9.log",)
        assert (row.first_seen, row.last_seen) == (None, None)
        assert next(store.findings()).lines[0].source == "caf\\xe9.log"

    def test_a_run_that_fails_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(ValueError, match="JSON"):
            store.add_run("r-1", Run(), [make(1), make(2, score=float("nan"))], {})
        assert store.patterns() == []
        assert store.last_run() is None

    def test_sights_are_findings_without_their_lines(self, store: Store) -> None:
        line = CitedLine(
            source="caf\udce9.log", line_no=1, offset=0, text="x", host="db1", component="app"
        )
        odd = make(7, lines=(line, line), because="decayed", own_severity="critical")
        store.add_run(
            "r-1", Run(), [*(make(n) for n in range(6)), odd, make(8, first_seen=None)], {}
        )
        sights = store.sights()
        assert [s.id for s in sights] == [make(n).id for n in (0, 1, 2, 3, 4, 5, 7, 8)]
        assert len({s.window for s in sights}) == 1
        assert sights[0][1:4] == (
            make(0).pattern,
            "low",
            datetime(2025, 6, 14, 13, 0, 11, tzinfo=UTC),
        )
        assert sights[6][5:] == (("db1",), ("caf\\xe9.log",), ("app",), "decayed")
        assert sights[6].severity == "critical"
        assert store.pattern(odd.pattern).severity == "critical"
        some = store.sights([make(1).pattern, "p-no"])
        assert [s.id for s in some] == [make(n).id for n in (1, 4, 7)]
        assert [f.id for f in store.findings(among=[make(1).id, "f-no"])] == [make(1).id]

    def test_places_go_with_the_last_finding_there(self, store: Store, path: Path) -> None:
        store.add_run("r-1", Run(), [make(0), make(1)], {})
        between = datetime.now(UTC)
        store.add_run("r-2", Run(), [make(1)], {})
        store.prune(before=between)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT json FROM places").fetchall() == [('[[],["b.log"],[]]',)]
            assert db.execute("SELECT count(*) FROM bodies").fetchone() == (1,)

    def test_findings_take_little_room(self, store: Store, path: Path) -> None:
        found = [make(n, summary="disk failed " * 300) for n in range(500)]
        store.add_run("r-1", Run(), found, {})
        store.close()
        assert path.stat().st_size < 600_000 < sum(len(f.summary) for f in found)


def ids(store: Store) -> list[str]:
    return sorted(f.id for f in store.findings())


class TestVerdicts:
    def test_they_are_numbered_over_both_kinds(self, store: Store, path: Path) -> None:
        added = store.add_entries([benign(1), benign(2), Undo(undoes=1, by="bob")], [{}] * 3)
        assert [e.number for e in added] == [1, 2, 3]
        assert store.add_entries([benign(1)], [{}])[0].number == 4
        with open_store(path) as again:
            assert again.entries()[:3] == added
            assert [e.number for e in again.entries(after=2)] == [3, 4]
            assert again.newest() == 4
        assert store.add_entries([], []) == []

    def test_each_is_in_the_audit(self, store: Store) -> None:
        store.add_entries([benign(1)], [{"folded": ["t-1"]}])
        store.add_entries([benign(1, 2)], [{}])
        store.add_entries([Undo(undoes=1, by="bob")], [{"unfolded": ["t-1"]}])
        rows = store.audit()
        assert [(r.number, r.by, r.action, r.subject, r.entry) for r in rows] == [
            (3, "bob", "undo", "verdict 1", 3),
            (2, "ann", "benign", "2 patterns", 2),
            (1, "ann", "benign", make(1).pattern, 1),
        ]
        assert [r.changed for r in rows] == [{"unfolded": ["t-1"]}, {}, {"folded": ["t-1"]}]
        assert store.audit(limit=1) == rows[:1]

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            (9, "there is no verdict 9"),
            (1 << 70, "there is no verdict"),
            (2, "verdict 2 is taken back already, by 3"),
            (3, "3 is the undoing of verdict 2"),
        ],
    )
    def test_only_what_stands_is_undone(self, store: Store, number: int, sentence: str) -> None:
        store.add_entries([benign(1), benign(2)], [{}, {}])
        store.add_entries([Undo(undoes=2)], [{}])
        before = everything(store)
        with pytest.raises(InputError, match=sentence):
            store.add_entries([benign(3), Undo(undoes=number)], [{}, {}])
        assert everything(store) == before

    def test_they_cannot_be_changed(self, store: Store, path: Path) -> None:
        store.add_entries([benign(1)], [{}])
        with closing(sqlite3.connect(path)) as db:
            for table in ("entries", "audit"):
                for change in (f"DELETE FROM {table}", f"UPDATE {table} SET number = 5"):
                    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                        db.execute(change)

    def test_a_verdict_and_its_undo_are_added_at_once(self, store: Store) -> None:
        store.add_entries([benign(1)], [{}])
        undo = Undo(undoes=77)  # as another store had it
        added = store.add_entries([benign(2), benign(3), undo], [{}] * 3, within={2: 1})
        assert [e.number for e in added] == [2, 3, 4]
        assert store.entries()[-1] == added[2] == undo.model_copy(update={"number": 4, "undoes": 3})

    def test_what_is_too_large_is_refused(self, store: Store) -> None:
        subject = Subject.of(make(1)).model_copy(update={"texts": ("x" * 4000,) * 9000})
        with pytest.raises(InputError, match="36 MB is too large"):
            store.add_entries([Verdict(word="benign", subjects=(subject,))], [{}])
        assert store.newest() == 0

    def test_states_are_kept(self, store: Store, path: Path) -> None:
        assert store.state("novelty.v1") is None
        store.save_state("novelty.v1", {"rate": 1.5})
        store.save_state("novelty.v1", {"rate": 2.5, "caf\udce9": None})
        with open_store(path) as again:
            assert again.state("novelty.v1") == {"rate": 2.5, "caf\\xe9": None}
        with pytest.raises(ValueError, match="characters"):
            store.save_state("novelty.v1", {"x": "y" * (1 << 20)})


PRELUDE = f"""
import os, sys, time, random, signal, json
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_store import benign, make
from logwright.findings.run import Run
from logwright.store import open_store
path = Path(sys.argv[1])
"""
# Forks, because starting Python takes longer than a round; in a process of its own, because this
# one may have threads.
KILLED = (
    PRELUDE
    + """
def work(out, seed):
    with open_store(path) as store:
        for n in range(seed, 10 ** 9):
            number = store.add_entries([benign(n)], [{}])[0].number
            os.write(out, f"{number}\\n".encode())
            if n % 3 == 0:
                store.add_run(f"r-{n}", Run(), [make(i) for i in range(n % 50, n % 50 + 20)], {})
            if n % 11 == 0:
                store.prune(most_bytes=150_000)

rnd = random.Random(5)
for round in range(25):
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(target, 100 * round)
        finally:
            os._exit(1)
    os.close(target)
    time.sleep(rnd.uniform(0.001, 0.12))
    os.kill(child, signal.SIGKILL)
    with open(source) as lines:
        acknowledged = [int(line) for line in lines if line.endswith("\\n")]
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with open_store(path) as store:
        kept = [entry.number for entry in store.entries()]
        for row in store.patterns():
            assert row.findings == sum(1 for _ in store.findings(pattern=row.id)), row
        assert len(store.audit()) >= len(kept)
    print(json.dumps([acknowledged, kept]), flush=True)
"""
)
WRITER = (
    PRELUDE
    + """
print(os.getpid(), flush=True)
while not path.with_name("go").exists():
    time.sleep(0.001)
with open_store(path) as store:
    for n in range(60):
        print(store.add_entries([benign(n)], [{}])[0].number, flush=True)
        store.add_run(f"{os.getpid()}-{n}", Run(), [make(i) for i in range(n, n + 5)], {})
"""
)


@pytest.mark.slow
class TestProcesses:
    @FORKS
    def test_killed_at_any_instant_all_that_was_acknowledged_is_there(self, path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        rounds = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(rounds) == 25
        assert sum(len(acknowledged) for acknowledged, _ in rounds) > 50
        before = 0
        for acknowledged, kept in rounds:
            assert kept == list(range(1, len(kept) + 1))
            assert set(acknowledged) <= set(kept)
            assert len(kept) - before - len(acknowledged) in (0, 1)  # committed, but not yet told
            before = len(kept)
        assert pragma(path, "integrity_check") == "ok"

    def test_several_write_at_once(self, path: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(path)]
        writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        path.with_name("go").touch()  # all of them make the file at once
        given = [list(map(int, writer.communicate()[0].split())) for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert sorted(number for numbers in given for number in numbers) == list(range(1, 181))
        with open_store(path) as store:
            assert [e.number for e in store.entries()] == list(range(1, 181))
            assert sum(row.findings for row in store.patterns()) == 64
            assert sum(row.findings for row in store.incidents()) == 64

    def test_a_reader_sees_what_another_writes(self, store: Store, path: Path) -> None:
        with open_store(path, write=False) as reader:
            assert reader.newest() == 0
            store.add_entries([benign(1)], [{}])
            assert reader.newest() == 1


def at_version(path: Path, version: int) -> None:
    """A store as an older program left it, with a row in each table that it knew."""
    db = sqlite3.connect(path, isolation_level=None)
    migrations.migrate(db, version)
    if version >= 1:
        db.execute("INSERT INTO runs VALUES (1, 'r-1', 5000000, ?)", (dump_model(Run()),))
        for finding in (make(0), make(2)):
            about = {"summary": "s", "templates": [], "texts": [], "sources": [], "hosts": []}
            db.execute(
                "INSERT INTO patterns VALUES (?, 'unseen', 'template', ?, 0, 1, 2, 1, 4, 1, 1, ?)",
                (finding.pattern, finding.id, json.dumps(about)),
            )
            text = (", 1, 5, NULL" if version >= 3 else f", '{dump_model(finding)}'") + ")"
            db.execute(
                "INSERT INTO findings VALUES (NULL, ?, ?, ?, 1, 0, 1.0, 1, 1000000, 2000000, 3"
                + text,
                (finding.id, finding.pattern, finding.incident),
            )
            db.execute("INSERT INTO seen VALUES (?, 1, 4)", (finding.pattern,))
        entry = benign(1).model_copy(update={"number": 1})
        db.execute("INSERT INTO entries VALUES (1, NULL, ?)", (dump_model(entry),))
        db.execute("INSERT INTO judged VALUES (?, 1)", (make(1).pattern,))
        db.execute("INSERT INTO audit VALUES (1, 7, 'ann', 'benign', 'p', 1, '{}')")
    if version >= 3:
        db.execute("INSERT INTO places VALUES (1, '[[],[\"a.log\"],[]]')")
        for key, finding in enumerate((make(0), make(2)), start=1):
            db.execute("INSERT INTO bodies VALUES (?, ?)", (key, body_of(finding)))
    if version >= 4:
        row = answered("a")
        body = packed(dump(row.model_dump(mode="json", exclude={"id", "made", "corrections"})))
        db.execute("INSERT INTO answers VALUES ('a-a', 5, 'root-cause', 'e', NULL, ?)", (body,))
        said = dump_model(Correction(answer="a-a", time=row.made, verdict="no disk"))
        db.execute("INSERT INTO corrections VALUES (3, 'a-a', 6, NULL, ?)", (said,))
    if version >= 2:
        db.execute("INSERT INTO incidents VALUES ('i-0', 1, 2, 2, 1000000, 2000000)")
        db.execute("INSERT INTO state VALUES ('health.v1', 1, '{\"a\": 1}')")
    db.close()


class TestMigrations:
    @pytest.mark.parametrize("version", range(migrations.LATEST + 1))
    def test_every_older_version_is_brought_up_to_date(self, path: Path, version: int) -> None:
        at_version(path, version)
        with open_store(path) as store:
            assert pragma(path, "user_version") == migrations.LATEST
            if version:
                assert sorted(store.findings(), key=lambda f: f.id) == [make(0), make(2)]
                assert {s.sources for s in store.sights()} == {("a.log",)}
                assert [p.further for p in store.patterns()] == [4, 4]
                assert [i.findings for i in store.incidents()] == [2]
                assert [e.number for e in store.entries()] == [1]
                assert store.audit()[0].by == "ann"
            if version >= 2:
                assert store.state("health.v1") == {"a": 1}
            if version >= 4:
                (kept,) = store.answers()
                assert (kept.corrected or kept.answer).verdict == "no disk"
            store.add_answer(answered("b"))
            assert store.answer("a-b").answer == answered("b").answer
            number = store.newest()
            assert store.add_entries([benign(1)], [{}])[0].number == number + 1
            store.add_run("r-2", Run(), [make(n) for n in range(9)], {})
            assert sum(i.findings for i in store.incidents()) == 9
        assert pragma(path, "integrity_check") == "ok"
        assert pragma(path, "application_id") == migrations.APPLICATION

    @pytest.mark.parametrize("version", range(1, migrations.LATEST))
    def test_who_reads_an_older_version_brings_it_up_to_date(
        self, path: Path, version: int
    ) -> None:
        at_version(path, version)
        with open_store(path, write=False) as store:
            assert sorted(store.findings(), key=lambda f: f.id) == [make(0), make(2)]
            with pytest.raises(StoreError, match="read-only"):
                store.add_run("r-2", Run(), [make(1)], {})
        assert pragma(path, "user_version") == migrations.LATEST

    @FORKS
    def test_several_read_an_older_version_at_once(self, path: Path) -> None:
        at_version(path, 1)
        children = []
        for _ in range(4):
            child = os.fork()
            if child == 0:
                with suppress(BaseException), open_store(path, write=False) as store:
                    os._exit(0 if len(list(store.findings())) == 2 else 1)
                os._exit(2)
            children.append(child)
        assert {os.waitpid(child, 0)[1] for child in children} == {0}
        assert pragma(path, "integrity_check") == "ok"

    @pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
    def test_who_may_not_write_an_older_version_is_told_who_can(self) -> None:
        folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
        path, me = folder / "store.db", os.geteuid()
        at_version(path, 1)
        try:
            path.chmod(0o444)
            folder.chmod(0o555)
            if me == 0:
                os.seteuid(65534)
            told = tell(path, write=False)
            assert "older version 1, and you may not write it: once somebody who may" in told
            assert f"`logwright findings list --store {path}`" in told
        finally:
            if me == 0:
                os.seteuid(me)
            folder.chmod(0o700)
            shutil.rmtree(folder)

    def test_an_empty_file_stays_empty_for_a_reader(self, path: Path) -> None:
        path.touch()
        assert "is empty: a run of `logwright detect` or `scan` fills it" in tell(path, write=False)
        assert path.stat().st_size == 0

    def test_a_migration_that_fails_changes_nothing(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_version(path, 1)
        broken = (*migrations.MIGRATIONS[1], "CREATE TABLE runs (twice TEXT)")
        monkeypatch.setattr(migrations, "MIGRATIONS", (migrations.MIGRATIONS[0], broken))
        assert "already exists" in tell(path)
        assert pragma(path, "user_version") == 1
        monkeypatch.undo()
        with open_store(path) as store:
            assert store.newest() == 1


class TestFiles:
    def test_a_new_store_is_for_its_owner(self, tmp_path: Path) -> None:
        path = tmp_path / "state" / "logwright" / "odd ?#%.db"
        with open_store(path) as store:
            store.add_entries([benign(1)], [{}])
            files = list(path.parent.iterdir())
            assert path in files
            if os.name == "posix":
                assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_closing_twice_is_harmless(self, path: Path) -> None:
        store = open_store(path)
        store.close()
        store.close()

    def test_what_is_absent_or_no_file_is_refused(self, tmp_path: Path) -> None:
        assert "does not exist" in tell(tmp_path / "none.db", write=False)
        assert not (tmp_path / "none.db").exists()
        assert "is not a file" in tell(tmp_path)
        (tmp_path / "file").touch()
        assert "cannot be used" in tell(tmp_path / "file" / "store.db")
        if hasattr(os, "mkfifo"):
            os.mkfifo(tmp_path / "pipe")
            assert "is not a file" in tell(tmp_path / "pipe")

    @pytest.mark.parametrize("content", [b"no database", b"x" * 5000, b"SQLite format 3\0"])
    def test_other_files_are_refused_and_left_as_they_are(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        for write in (True, False):
            tell(path, write)
            assert path.read_bytes() == content

    def test_a_database_of_another_program_is_refused(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE songs (name TEXT)")
            db.commit()
        before = path.read_bytes()
        assert "another program" in tell(path)
        assert path.read_bytes() == before

    def test_a_newer_store_is_refused(self, path: Path) -> None:
        open_store(path).close()
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
        assert "newer Logwright" in tell(path)
        assert "newer Logwright" in tell(path, write=False)

    @pytest.mark.parametrize(
        "change",
        [
            "CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM findings; END",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE state",
            "ALTER TABLE runs ADD COLUMN more TEXT",
        ],
    )
    def test_tables_that_are_not_ours_are_refused(self, path: Path, change: str) -> None:
        open_store(path).close()
        with closing(sqlite3.connect(path)) as db:
            db.execute(change)
        assert "its tables are not those of a store" in tell(path)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE bodies SET body = x'7b7d'",
            "UPDATE bodies SET body = substr(body, 1, 20)",
            "DELETE FROM places",
            "UPDATE places SET json = '[[], 5]'",
            "UPDATE findings SET severity = 9",
            "UPDATE findings SET first_at = 9223372036854775807",
            "UPDATE patterns SET about = '{\"sources\": 5}'",
            "UPDATE patterns SET severity = 9",
            "UPDATE patterns SET first_at = 9223372036854775807",
            "UPDATE patterns SET findings = -1",
            "UPDATE incidents SET severity = -1",
            "UPDATE runs SET json = '[]'",
            'INSERT INTO entries VALUES (1, NULL, \'{"entry": "undo", "undoes": 1}\')',
            "INSERT INTO audit VALUES (1, 1, '', '', '', NULL, '5')",
        ],
    )
    def test_rows_that_are_not_ours_are_refused(self, path: Path, change: str) -> None:
        with open_store(path) as store:
            store.add_run("r-1", Run(), [make(0)], {})
        with closing(sqlite3.connect(path)) as db:
            db.execute(change)
            db.commit()
        tell(path)

    def test_damaged_and_truncated_files_give_a_sentence_or_nothing(self, path: Path) -> None:
        with open_store(path) as store:
            store.add_run("r-1", Run(), [make(n) for n in range(60)], {})
            store.add_entries([benign(n) for n in range(20)], [{}] * 20)
        whole, rnd = path.read_bytes(), random.Random(3)
        sentences = []
        for attempt in range(60):
            content = bytearray(whole)
            if attempt % 2:
                del content[rnd.randrange(len(content)) :]
            else:
                for _ in range(200):
                    content[rnd.randrange(len(content))] = rnd.randrange(256)
            path.write_bytes(content)
            try:
                with open_store(path) as store:
                    everything(store)
                    store.add_run("r-2", Run(), [make(n) for n in range(50, 70)], {})
                    store.prune(before=datetime.now(UTC) + timedelta(days=1))
            except StoreError as error:
                sentences.append(str(error))
            for rest in path.parent.glob("store.db-*"):
                rest.unlink()
        assert len(sentences) > 40
        assert all(sentence.startswith(f"The store {path} ") for sentence in sentences)

    def test_a_reader_cannot_write(self, path: Path) -> None:
        open_store(path).close()
        assert "read-only" in tell(path, write=False)

    @pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
    def test_a_folder_that_cannot_be_written_is_read(self) -> None:
        folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
        path, me = folder / "store.db", os.geteuid()
        try:
            with open_store(path) as store:
                store.add_run("r-1", Run(), [make(1)], {})
                shutil.copy(path, folder / "waiting.db")
                shutil.copy(f"{path}-wal", folder / "waiting.db-wal")
            for file in folder.iterdir():
                file.chmod(0o444)
            (folder / "waiting.db-wal").chmod(0o400)
            folder.chmod(0o555)
            if me == 0:
                os.seteuid(65534)
            with open_store(path, write=False) as store:
                assert list(store.findings()) == [make(1)]
            tell(path)
            if me == 0:  # what waits in -wal is not passed over in silence
                tell(folder / "waiting.db", write=False)
        finally:
            if me == 0:
                os.seteuid(me)
            folder.chmod(0o700)
            shutil.rmtree(folder)

    def test_the_default_place(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert default_path() == tmp_path / "logwright" / "store.db"
        monkeypatch.setenv("XDG_STATE_HOME", "relative")
        monkeypatch.setattr(sys, "platform", "linux")
        assert default_path() == Path.home() / ".local" / "state" / "logwright" / "store.db"

    @pytest.mark.parametrize(
        "name", ["a", "a/", "a/y.log", "a/*.log", "a/**/x.log", "./a/x[12].log"]
    )
    def test_a_folder_and_what_is_in_it_have_the_same_store(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.log").touch()
        assert place_of([name]) == place_of(["a/x.log"]) != place_of(["b"])
        assert place_of(["a", "b"]) == place_of(["-"])

    def test_a_file_that_cannot_be_read_says_how_to_go_on(self, path: Path) -> None:
        path.write_bytes(b"no database")
        assert "`--store none` goes on without it" in tell(path)


class TestRetention:
    def test_by_age(self, store: Store) -> None:
        store.add_run("r-1", Run(), [make(n) for n in range(6)], {make(0).pattern: 3})
        store.add_entries([benign(1)], [{}])
        between = datetime.now(UTC)
        store.add_run("r-2", Run(), [make(0)], {})  # found again, so not old
        done = store.prune(before=between)
        assert (done.findings, done.patterns, done.incidents, done.runs) == (5, 1, 1, 1)
        assert [f.id for f in store.findings()] == [make(0).id]
        # Pattern 1 is judged: it stays, without findings.
        assert [(p.id, p.findings) for p in store.patterns()] == [
            (make(4).pattern, 0),
            (make(0).pattern, 1),
        ]
        assert store.pattern(make(1).pattern).summary == "new: disk 1"
        assert len(store.entries()) == 1
        row = store.audit()[0]
        assert (row.action, row.changed["findings"]) == ("prune", 5)

    def test_the_last_run_stays_and_nothing_to_do_is_not_told(self, store: Store) -> None:
        store.add_run("r-1", Run(), [], {})
        assert store.prune(before=datetime.now(UTC)).runs == 0
        assert store.audit() == []
        assert store.last_run() is not None

    def test_by_size_the_oldest_go_and_the_file_shrinks(self, store: Store, path: Path) -> None:
        store.add_entries([benign(1)], [{}])
        for run in range(4):
            found = [make(1_000 * run + n, summary="x" * 500) for n in range(500)]
            store.add_run(f"r-{run}", Run(), found, {})
        most = 700_000
        done = store.prune(most_bytes=most)
        assert done.before > 2 * most
        assert most // 2 < done.after <= most
        assert path.stat().st_size <= most + 3 * 4096
        kept = [f.id for f in store.findings()]
        assert len(kept) == 2_000 - done.findings
        assert {make(3_000 + n).id for n in range(500)} <= set(kept)
        assert not {make(n).id for n in range(500)} & set(kept)
        assert store.prune(most_bytes=0).findings == len(kept)
        assert len(store.entries()) == 1
        assert [p.id for p in store.patterns()] == [make(1).pattern]
        assert pragma(path, "integrity_check") == "ok"


class TestExport:
    @pytest.fixture
    def full(self, store: Store) -> Store:
        store.add_run("r-1", Run(), [make(n) for n in range(40)], {})
        store.add_entries([benign(1), Undo(undoes=1)], [{"a": [1]}, {}])
        for name in "ab":
            row = answered(name)
            store.add_answer(row)
            store.add_correction(Correction(answer=row.id, time=row.made, by="ann", text="Full."))
        return store

    @staticmethod
    def records(lines: Sequence[str], what: What) -> Sequence[Any]:
        readers: Mapping[str, Any] = {
            "patterns": PatternRow.model_validate_json,
            "verdicts": ENTRY.validate_json,
            "audit": AuditRow.model_validate_json,
            "answers": AnswerRow.model_validate_json,
        }
        return list(read(lines)) if what == "findings" else [readers[what](x) for x in lines]

    @pytest.mark.parametrize("what", get_args(What))
    def test_what_is_exported_is_what_is_there(
        self, full: Store, tmp_path: Path, what: What
    ) -> None:
        there: Mapping[What, Any] = {
            "findings": list(full.findings()),
            "patterns": full.patterns(),
            "verdicts": full.entries(),
            "audit": full.audit()[::-1],
            "answers": full.answers()[::-1],
        }
        lines = full.export(tmp_path, "jsonl", what)
        assert lines == tmp_path / f"{what}.jsonl"
        assert self.records(lines.read_text("utf-8").splitlines(), what) == there[what]
        table = parquet.read_table(full.export(tmp_path / "t.parquet", "parquet", what))
        assert self.records(table["json"].to_pylist(), what) == there[what]
        for name in set(table.column_names) & {"score", "texts", "first_seen", "by", "number"}:
            values = [getattr(record, name) for record in there[what]]
            if what == "findings" and name == "first_seen":
                values = [datetime.fromisoformat(value) for value in values]
            if name == "texts":
                values = [list(value) for value in values]
            assert table[name].to_pylist() == values

    @pytest.mark.parametrize("kind", ["jsonl", "parquet"])
    def test_an_empty_store_is_exported(self, store: Store, tmp_path: Path, kind: Any) -> None:
        path = store.export(tmp_path, kind, "findings")
        if kind == "jsonl":
            assert path.read_bytes() == b""
        else:
            assert parquet.read_table(path).num_rows == 0

    @pytest.mark.parametrize("kind", ["jsonl", "parquet"])
    @pytest.mark.parametrize("content", [b"disk full\n", b'{"id": 1}\n', b"PAR1", b"\n{}"])
    def test_it_replaces_only_an_older_export_of_the_same(
        self, full: Store, tmp_path: Path, kind: Any, content: bytes
    ) -> None:
        target = tmp_path / "out"
        target.write_bytes(content)
        with pytest.raises(StoreError, match="choose another name"):
            full.export(target, kind, "findings")
        assert target.read_bytes() == content
        target.write_bytes(b"")
        full.export(target, kind, "verdicts")
        with pytest.raises(StoreError, match="no older export of findings"):
            full.export(target, kind, "findings")
        assert full.export(target, kind, "verdicts") == target

    def test_it_is_whole_or_not_at_all(
        self, full: Store, tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = tmp_path / "out.jsonl"
        full.export(target, "jsonl", "findings")
        before = target.read_text()
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE bodies SET body = x'00' WHERE key = 3")
            db.commit()
        files = sorted(tmp_path.iterdir())
        with pytest.raises(StoreError, match="a row of its findings cannot be read"):
            full.export(target, "jsonl", "findings")
        assert target.read_text() == before
        assert sorted(tmp_path.iterdir()) == files
        with pytest.raises(StoreError, match=r"cannot be exported to .*none"):
            full.export(tmp_path / "none" / "out.jsonl", "jsonl", "verdicts")
        with pytest.raises(StoreError, match="to itself"):
            full.export(path, "jsonl", "verdicts")
        assert len(full.entries()) == 2


def test_importing_the_package_does_not_load_sqlite() -> None:
    code = "import logwright, logwright.store, sys; print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
