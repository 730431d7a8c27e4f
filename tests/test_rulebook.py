"""Rulebooks: states speak of code, nothing is lost, and nothing that is damaged is believed."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.book.differences import differences
from logwright.rules.book.excuses import excused, predicate
from logwright.rules.book.rulebook import INDEX, Rulebook
from logwright.rules.book.rulefile import Meta, RuleFile, hash_of
from logwright.rules.book.standing import Excuse, Rating, Standing, State, Where
from logwright.rules.book.testing import failures
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line, Window
from logwright.rules.language.problem import RuleError

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DISK = (
    'def rule(w):\n    "A disk fails."\n    return any("disk" in line.text for line in w.lines)\n'
)


def rule(name: str = "disk", code: str = DISK, **meta: object) -> RuleFile:
    given: dict[str, object] = {"kind": "abnormal", "provenance": "person", **meta}
    return RuleFile(name, Meta.model_validate(given), parse(code))


def rating(mark: str) -> Rating:
    return Rating(at=NOW, hash=mark, log="app.log", lines=10, windows=2, hits=1)


def rated(book: Rulebook, name: str) -> None:
    mark = book.rules[name].hash
    book.set([name], lambda standing: standing.rated(rating(mark)))


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    made = Rulebook.made(tmp_path / "book")
    made.add([rule()], "ann", "by hand")
    return made


def excuse(where: Where, text: str) -> Excuse:
    return Excuse(where=where, text=text, by="ann", at=NOW)


class TestStates:
    def test_a_rule_begins_as_a_draft_that_does_not_run(self, book: Rulebook) -> None:
        held = book.rules["disk"]
        assert (held.state, held.runs, book.running) == ("draft", False, [])
        assert [(m.by, m.after) for m in held.standing.history] == [("ann", "draft")]

    def test_only_code_that_was_backtested_is_promoted(self, book: Rulebook) -> None:
        with pytest.raises(RuleError, match=r"no backtest of this code.*logwright rules backtest"):
            book.move(["disk"], "active", "ann")
        rated(book, "disk")
        assert book.move(["disk"], "active", "ann", "good") == ["disk"]
        assert [r.name for r in Rulebook.load(book.path).active] == ["disk"]
        assert Rulebook.load(book.path).rules["disk"].standing.history[-1].why == "good"

    def test_an_edit_makes_a_draft_until_the_new_code_is_backtested(self, book: Rulebook) -> None:
        rated(book, "disk")
        book.move(["disk"], "active", "ann")
        path = book.path / "disk.py"
        path.write_text(path.read_text().replace('"disk" in', '"disc" in'))
        edited = Rulebook.load(book.path)
        assert (edited.rules["disk"].state, edited.active, edited.running) == ("draft", [], [])
        assert "was edited since it was promoted" in edited.notes()[0]
        with pytest.raises(RuleError, match="no backtest of this code, which was edited"):
            edited.move(["disk"], "active", "ann")
        rated(edited, "disk")
        edited.move(["disk"], "active", "ann")
        assert [r.name for r in Rulebook.load(book.path).active] == ["disk"]

    def test_an_edit_of_the_docstring_changes_nothing(self, book: Rulebook) -> None:
        rated(book, "disk")
        book.move(["disk"], "active", "ann")
        path = book.path / "disk.py"
        path.write_text(path.read_text().replace("A disk fails.", "Disks fail."))
        assert Rulebook.load(book.path).rules["disk"].state == "active"

    def test_a_muted_rule_does_not_run_and_keeps_its_state(self, book: Rulebook) -> None:
        rated(book, "disk")
        book.move(["disk"], "active", "ann")
        book.set(["disk"], lambda s: s.model_copy(update={"muted": True}))
        assert (book.rules["disk"].state, book.active, book.running) == ("active", [], [])

    def test_what_is_retired_comes_back_as_a_shadow(self, book: Rulebook) -> None:
        book.move(["disk"], "retired", "ann")
        rated(book, "disk")
        with pytest.raises(RuleError, match="a rule that is retired cannot be active"):
            book.move(["disk"], "active", "ann")
        book.move(["disk"], "shadow", "ann")
        assert [r.name for r in book.running] == ["disk"]
        assert book.active == []

    def test_all_are_moved_or_none(self, book: Rulebook) -> None:
        book.add([rule("net", DISK.replace("disk", "net"))], "ann", "")
        rated(book, "disk")
        with pytest.raises(RuleError, match=r"net\.py"):
            book.move(["disk", "net"], "active", "ann")
        assert Rulebook.load(book.path).active == []

    @given(st.lists(st.sampled_from(["draft", "shadow", "active", "retired"]), max_size=6))
    def test_history_tells_the_way_to_the_state(
        self, tmp_path_factory: pytest.TempPathFactory, wanted: list[State]
    ) -> None:
        book = Rulebook.made(tmp_path_factory.mktemp("books") / "book")
        book.add([rule()], "ann", "")
        rated(book, "disk")
        for state in wanted:
            try:
                book.move(["disk"], state, "ann")
            except RuleError:
                continue
        held = Rulebook.load(book.path).rules["disk"]
        ways = [(move.before, move.after) for move in held.standing.history]
        assert ways[-1][1] == held.state
        assert all(a[1] == b[0] for a, b in pairwise(ways))


class TestAdding:
    def test_known_code_stays_and_a_taken_name_gets_a_number(self, book: Rulebook) -> None:
        again = book.add([rule("other"), rule("disk", DISK.replace("disk", "net"))], "bob", "")
        assert again == ["disk_2"]
        assert sorted(Rulebook.load(book.path).rules) == ["disk", "disk_2"]

    def test_a_file_that_a_person_puts_in_is_a_draft(self, book: Rulebook) -> None:
        rule("mine", DISK.replace("disk", "mine")).write(book.path)
        held = Rulebook.load(book.path)
        assert (held.rules["mine"].state, held.running) == ("draft", [])

    def test_a_name_is_found_by_its_beginning(self, book: Rulebook) -> None:
        book.add([rule("door", DISK.replace("disk", "door"))], "ann", "")
        assert book.rule("di").name == "disk"
        for name, why in (("d", "several rules begin so: disk, door"), ("x", "no such rule")):
            with pytest.raises(RuleError, match=why):
                book.rule(name)

    @pytest.mark.parametrize("name", ["../x", "Disk", "", "a b", "_x", "é"])
    def test_a_name_is_a_plain_word(self, book: Rulebook, name: str) -> None:
        with pytest.raises(RuleError, match="cannot be a rule's name"):
            book.add([rule(name, DISK.replace("disk", "other"))], "ann", "")
        assert list(Rulebook.load(book.path).rules) == ["disk"]

    def test_another_folder_is_not_taken_for_a_rulebook(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(RuleError, match="exists and is not a rulebook"):
            Rulebook.made(tmp_path)
        with pytest.raises(RuleError, match=r"no rulebook\.json in it"):
            Rulebook.load(tmp_path)


def _mute(path: str, name: str) -> None:
    Rulebook.load(path).set([name], lambda s: s.model_copy(update={"muted": True}))


class TestTwoAtOnce:
    def test_no_change_is_lost(self, book: Rulebook) -> None:
        names = [f"r{i}" for i in range(12)]
        book.add([rule(n, DISK.replace("disk", n)) for n in names], "ann", "")
        before = Rulebook.load(book.path).index.revision
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=_mute, args=(str(book.path), name)) for name in names]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        after = Rulebook.load(book.path)
        assert [n for n in names if not after.rules[n].standing.muted] == []
        assert after.index.revision == before + len(names)

    def test_a_rule_that_cannot_be_written_is_one_sentence(
        self, book: Rulebook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(RuleError, match="cannot be written: No space left"):
            book.add([rule("net", DISK.replace("disk", "net"))], "ann", "")

    def test_nothing_is_left_of_a_write_that_fails(
        self, book: Rulebook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = (book.path / INDEX).read_bytes()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(RuleError, match="cannot be written: No space left"):
            book.set(["disk"], lambda s: s.model_copy(update={"muted": True}))
        assert (book.path / INDEX).read_bytes() == before
        assert sorted(p.name for p in book.path.iterdir()) == ["disk.py", INDEX]


class TestDamage:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("{", "Invalid JSON"),
            ('{"version": 2}', "version"),
            ('{"rules": {"../x": {}}}', "rules"),
            ('{"rules": {"a": {"state": "loud"}}}', "state"),
            ('{"colour": "red"}', "colour"),
        ],
    )
    def test_an_index_that_is_not_ours_is_one_sentence(
        self, book: Rulebook, text: str, why: str
    ) -> None:
        (book.path / INDEX).write_text(text)
        with pytest.raises(RuleError, match=why) as caught:
            Rulebook.load(book.path)
        assert "\n" not in str(caught.value)

    def test_code_that_is_refused_does_not_run_and_says_why(self, book: Rulebook) -> None:
        rated(book, "disk")
        book.move(["disk"], "active", "ann")
        path = book.path / "disk.py"
        path.write_text(path.read_text().replace("return any(", "import os\n    return any("))
        held = Rulebook.load(book.path)
        assert (held.active, held.rules["disk"].state) == ([], "draft")
        assert "disk.py" in held.notes()[0]
        path.unlink()
        assert "cannot be read" in Rulebook.load(book.path).notes()[0]
        book.move(["disk"], "retired", "ann")

    def test_what_is_set_is_looked_at_before_it_is_written(self, book: Rulebook) -> None:
        with pytest.raises(ValueError, match="state"):
            book.set(["disk"], lambda s: s.model_copy(update={"state": "loud"}))
        assert Rulebook.load(book.path).rules["disk"].state == "draft"


class TestExceptions:
    def test_the_rule_does_not_see_the_lines(self) -> None:
        made = excused(parse(DISK), [excuse("host", "test"), excuse("phrase", "disk quota")])
        fires = callable_of(made)
        assert not fires(Window([Line("disk full", host="test"), Line("disk quota reached")]))
        assert fires(Window([Line("disk full", host="test"), Line("disk full", host="prod")]))
        assert hash_of(parse(DISK)) != hash_of(made)

    @pytest.mark.parametrize(
        "code",
        [
            "return len(w.lines) > 2",
            "return sum('disk' in x.text for x in w.lines) >= 2",
            "return first('disk' in line.text for line in w.lines) > 0",
            "return followed(('disk' in a.text for a in w.lines), "
            "('ok' in b.text for b in w.lines), 1)",
            "return distinct(line.text for line in w.lines if line.level > 1) == 2",
            "n = 0\n    for x in w.lines:\n        if 'ok' in x.text:\n            n = 0\n"
            "        else:\n            n += 1\n    return n > 1",
        ],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["disk 1", "ok", "disk ok", "x"]),
                st.sampled_from(["test", "prod"]),
                st.integers(0, 3),
            ),
            max_size=7,
        )
    )
    def test_it_is_the_rule_on_the_window_without_them(
        self, code: str, lines: list[tuple[str, str, int]]
    ) -> None:
        given = parse(f"def rule(w):\n    {code}\n")
        window = [Line(text, host=host, level=level) for text, host, level in lines]
        left = [line for line in window if line.host != "test"]
        made = excused(given, [excuse("host", "test")])
        assert callable_of(made)(Window(window)) == callable_of(given)(Window(left))

    def test_a_rule_that_goes_by_place_says_so(self) -> None:
        for code in ("w.lines[0].level > 3", "longest_gap(w) > 5", "w.lines[1:] == w.lines[:1]"):
            try:
                given = parse(f"def rule(w):\n    return {code}\n")
            except RuleError:
                continue
            with pytest.raises(RuleError, match="goes by"):
                excused(given, [excuse("host", "test")])

    def test_a_condition_is_one_on_a_line(self) -> None:
        held = predicate(excuse("line", "line.level < 5 and 'disk' in line.text"))
        assert "level" in repr(held)
        for text in ("w.key == 'a'", "True", "line.text) or (1", "import os"):
            with pytest.raises(RuleError):
                predicate(excuse("line", text))


class TestExamples:
    def test_a_rule_that_is_wrong_on_its_example_is_told(self, book: Rulebook) -> None:
        wrong = rule("wrong", DISK.replace("disk", "net"), must_match=[["disk full"]])
        right = rule("right", DISK.replace("disk", "door"), must_match=[["a door"]])
        book.add([wrong, right], "ann", "")
        assert failures(list(book.rules.values())) == [
            "wrong does not fire on example 1 of must_match"
        ]


class TestDifferences:
    def test_each_kind_is_told(self, book: Rulebook, tmp_path: Path) -> None:
        other = Rulebook.made(tmp_path / "other")
        other.add(
            [
                rule("disk", DISK.replace("disk", "disc")),
                rule("new", DISK.replace("disk", "new")),
                rule("moved", DISK.replace("disk", "move")),
                rule("same", DISK.replace("disk", "same")),
            ],
            "bob",
            "",
        )
        mine = [
            rule("gone", DISK.replace("disk", "gone")),
            rule("here", DISK.replace("disk", "move")),
            rule("same", DISK.replace("disk", "same")),
        ]
        book.add(mine, "ann", "")
        other.move(["same"], "shadow", "bob")
        found = {d.name: (d.kind, d.told) for d in differences(book, other)}
        assert found["disk"] == ("code", "other code")
        assert found["moved"] == ("renamed", "was here")
        assert found["same"] == ("standing", "draft -> shadow")
        assert (found["new"][0], found["gone"][0]) == ("added", "removed")
        assert len(found) == 5
        assert differences(book, book) == []


def test_the_index_is_json_that_people_can_read(book: Rulebook) -> None:
    held = json.loads((book.path / INDEX).read_text())
    assert held["rules"]["disk"]["state"] == "draft"
    assert Standing.model_validate(held["rules"]["disk"]).hash == book.rules["disk"].hash
