"""Rules as a step of the ladder: what is raised, what is counted only, what is hidden, on all ways
that lines take to a window."""

from __future__ import annotations

import functools
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

import logwright as lw
from logwright import api, live, pipeline
from logwright.detectors.rules import Rules
from logwright.logs import sources
from logwright.logs.sources import Patience
from logwright.outcome import Result
from logwright.rules.book.hits import hits_of
from logwright.rules.book.rulebook import Rulebook
from logwright.rules.book.rulefile import Meta, RuleFile
from logwright.rules.book.standing import Excuse, Rating, State
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Window
from logwright.rules.language.problem import RuleError
from logwright.settings import Settings
from logwright.windows.plan import WindowPlan, choose_plan
from test_live import Pipe, Told, piped

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DISK = 'return any(phrase(line.text, "disk failed") for line in w.lines)'
COUNT = choose_plan(Settings(window="10"), False, 1000, 0)


def book_of(
    folder: Path,
    rules: dict[str, tuple[str, State]],
    plan: WindowPlan | None = COUNT,
    **meta: object,
) -> Rulebook:
    """A rulebook of rules by name: a body, and the state it is to have."""
    book = Rulebook.made(folder)
    files = []
    for name, (body, _) in rules.items():
        known = {"kind": "abnormal", "provenance": "person", "severity": "high", **meta}
        code = f'def rule(w):\n    "About {name}."\n    {body}\n'
        files.append(RuleFile(name, Meta.model_validate(known), parse(code)))
    book.add(files, "ann", "")

    def made_for(now: Rulebook) -> None:
        now.index.plan = plan

    book.change(made_for)
    for name, (_, state) in rules.items():
        rating = Rating(at=NOW, hash=book.rules[name].hash, log="x", lines=1, windows=1, hits=0)
        book.set([name], lambda s, r=rating: s.rated(r))  # type: ignore[misc]
        if state != "draft":
            book.move([name], state, "ann")
    return book


def lines_of(number: int, bad: set[int], start: int = 0) -> str:
    """Lines a second apart, of which some tell of a disk."""
    out = []
    for i in range(start, start + number):
        at = f"2026-01-01 {i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}"
        text = f"disk failed with {i}" if i in bad else f"request {i} served"
        out.append(f"{at} INFO web: {text}\n")
    return "".join(out)


@pytest.fixture
def model(tmp_path: Path) -> lw.Model:
    log = tmp_path / "past.log"
    # History holds what the rules are about: without them nothing is raised.
    log.write_text(lines_of(1000, set(range(0, 1000, 5))))
    lw.learn(str(log), window="10", session="none").save(tmp_path / "model")
    return lw.Model.load(tmp_path / "model")


def found(result: Result) -> list[tuple[str | None, str]]:
    return [(f.rule, f.window.key) for f in result.findings if f.detector == "rules"]


def detect(log: str, model: lw.Model, book: Rulebook, path: Path, **more: object) -> Result:
    path.write_text(log)
    return api.detect([str(path)], model, rules=str(book.path), **more)


class TestStates:
    @pytest.mark.parametrize("state", ["draft", "shadow", "active", "retired"])
    def test_only_what_is_active_alerts(
        self, tmp_path: Path, model: lw.Model, state: State
    ) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, state)})
        result = detect(lines_of(100, {7, 55}), model, book, tmp_path / "a.log")
        wanted = [("disk", "records from 1"), ("disk", "records from 51")]
        assert found(result) == (wanted if state == "active" else [])

    def test_a_shadow_is_counted_and_told_of(self, tmp_path: Path, model: lw.Model) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "shadow")})
        for _ in range(2):
            result = detect(lines_of(100, {7, 55}), model, book, tmp_path / "a.log")
        assert any("in shadow hit, without an alert: disk 2 windows" in n for n in result.run.notes)
        held = hits_of(book.path)["disk"]
        assert (held.runs, held.windows, held.first) == (2, 4, "2026-01-01T00:00:00Z")

    def test_a_muted_rule_says_nothing(self, tmp_path: Path, model: lw.Model) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        book.set(["disk"], lambda s: s.model_copy(update={"muted": True}))
        assert found(detect(lines_of(100, {7}), model, book, tmp_path / "a.log")) == []

    def test_an_exception_takes_lines_out_of_sight(self, tmp_path: Path, model: lw.Model) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        excuse = Excuse(where="line", text="'with 7' in line.text", by="ann", at=NOW)
        book.set(["disk"], lambda s: s.model_copy(update={"exceptions": (excuse,)}))
        result = detect(lines_of(100, {7, 55}), model, book, tmp_path / "a.log")
        assert found(result) == [("disk", "records from 51")]


class TestFindings:
    def test_it_cites_the_lines_the_rule_speaks_of(self, tmp_path: Path, model: lw.Model) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        result = detect(lines_of(100, {7, 9}), model, book, tmp_path / "a.log")
        (finding,) = [f for f in result.findings if f.detector == "rules"]
        assert [(line.line_no, line.highlight) for line in finding.lines] == [(8, True), (10, True)]
        assert (finding.severity, finding.summary) == ("high", "About disk.")
        assert finding.first_seen == "2026-01-01T00:00:07Z"
        assert finding.unit == "rule"

    def test_its_pattern_is_that_of_the_code(self, tmp_path: Path, model: lw.Model) -> None:
        patterns = set()
        for name in ("disk", "renamed"):
            book = book_of(tmp_path / name, {name: (DISK, "active")})
            result = detect(lines_of(100, {7}), model, book, tmp_path / "a.log")
            patterns |= {f.pattern for f in result.findings if f.detector == "rules"}
        assert len(patterns) == 1

    def test_a_verdict_stands_when_the_rule_fires_again(
        self, tmp_path: Path, model: lw.Model
    ) -> None:
        from logwright.feedback.kept import Kept
        from logwright.feedback.verdicts import give, lookup
        from logwright.findings.verdict import Verdict
        from logwright.store import open_store

        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        store = tmp_path / "store.db"
        (first,) = [
            f
            for f in detect(
                lines_of(100, {7}), model, book, tmp_path / "a.log", store=store
            ).findings
            if f.detector == "rules"
        ]
        with open_store(store) as there:
            kept = Kept.of(there)
            judged = lookup(there, kept, first.id)
            subjects = tuple(f.subject() for f in judged.found)
            give(there, Verdict(word="benign", subjects=subjects, by="ann"), kept)
        again = detect(lines_of(100, {57}), model, book, tmp_path / "b.log", store=store)
        assert found(again) == []
        assert [f.rule for f in again.suppressed] == ["disk"]


class TestMustHold:
    BODY = (
        'return sum("open" in line.text for line in w.lines) '
        '== sum("close" in line.text for line in w.lines)'
    )

    @staticmethod
    def sessions(broken: set[int]) -> str:
        out = []
        for i in range(60):
            for k, word in enumerate(("open", "read", "close")):
                if word != "close" or i not in broken:
                    out.append((i * 60 + k, f"{word} blk_{1000 + i}"))
        return "".join(
            f"2026-01-01 {t // 3600:02d}:{t // 60 % 60:02d}:{t % 60:02d} INFO fs: {text}\n"
            for t, text in out
        )

    def test_a_breach_is_a_finding(self, tmp_path: Path) -> None:
        past = tmp_path / "past.log"
        past.write_text(self.sessions({3, 30}))
        model = lw.learn(str(past), session=r"blk_\d+", session_gap=20.0)
        plan = model.plan
        book = book_of(
            tmp_path / "book",
            {"closed": (self.BODY, "active")},
            plan,
            kind="normal",
            must_hold=True,
        )
        result = detect(self.sessions({20, 41}), model, book, tmp_path / "a.log")
        assert found(result) == [("closed", "blk_1020"), ("closed", "blk_1041")]
        (first, _) = [f for f in result.findings if f.detector == "rules"]
        assert first.summary == "broken: About closed."

    def test_a_session_cut_by_the_end_of_the_log_breaks_nothing(self, tmp_path: Path) -> None:
        past = tmp_path / "past.log"
        past.write_text(self.sessions(set()))
        model = lw.learn(str(past), session=r"blk_\d+", session_gap=20.0)
        book = book_of(
            tmp_path / "book", {"closed": (self.BODY, "active")}, model.plan, kind="normal",
            must_hold=True,
        )  # fmt: skip
        cut = "".join(self.sessions(set()).splitlines(keepends=True)[:-1])
        assert found(detect(cut, model, book, tmp_path / "a.log")) == []


class TestNormal:
    def test_what_it_calls_normal_is_not_asked_about_its_make_up(self, tmp_path: Path) -> None:
        def log(odd: set[int]) -> str:
            out = []
            for i in range(1000):
                words = ("open", "read", "close")
                for k, word in enumerate(("open", "close", "read") if i in odd else words):
                    t = i * 60 + k
                    when = f"2026-01-01 {t // 3600:02d}:{t // 60 % 60:02d}:{t % 60:02d}"
                    out.append(f"{when} INFO fs: {word} blk_{1000 + i}\n")
                if i in odd:
                    out.append(f"{when} INFO fs: read blk_{1000 + i}\n" * 3)
            return "".join(out)

        past = tmp_path / "past.log"
        past.write_text(log(set()))
        model = lw.learn(str(past), session=r"blk_\d+", session_gap=20.0, budget=200)
        later = tmp_path / "a.log"
        later.write_text(log({100}))
        units = {f.detector for f in api.detect([str(later)], model).findings}
        assert "counts" in units
        body = 'return any("read" in line.text for line in w.lines)'
        for state, left in (("active", False), ("shadow", True)):
            book = book_of(tmp_path / state, {"reads": (body, state)}, model.plan, kind="normal")
            result = api.detect([str(later)], model, rules=str(book.path))
            assert ("counts" in {f.detector for f in result.findings}) is left


class TestWaysOfLines:
    RULES: dict[str, tuple[str, State]] = {  # noqa: RUF012
        "words": (DISK, "active"),
        "digits": ('return any("with 31" in line.text for line in w.lines)', "active"),
        "number": (
            'return any(number("request (\\\\d+) served", line.text) > 95 for line in w.lines)',
            "active",
        ),
        "count": (
            'return sum(phrase(line.text, "disk failed") for line in w.lines) >= 2',
            "active",
        ),
        "plain": (
            "n = 0\n    for line in w.lines:\n        if 'disk' in line.text:\n"
            "            n += 1\n        else:\n            n = 0\n"
            "        if n > 1:\n            return True\n    return False",
            "active",
        ),
    }

    def wanted(self, log: str) -> set[tuple[str, str]]:
        """What the plain functions say of windows of ten lines."""
        texts = [line.split("web: ", 1)[1] for line in log.splitlines()]
        out = set()
        for name, (body, _) in self.RULES.items():
            rule = callable_of(parse(f"def rule(w):\n    {body}\n"))
            for at in range(0, len(texts), 10):
                if rule(Window.of_texts(texts[at : at + 10])):
                    out.add((name, f"records from {at + 1}"))
        return out

    @pytest.fixture
    def log(self) -> str:
        seeded = random.Random(7)
        return lines_of(200, {i for i in range(200) if seeded.random() < 0.12} | {31})

    def test_detect(self, tmp_path: Path, model: lw.Model, log: str) -> None:
        book = book_of(tmp_path / "book", self.RULES)
        result = detect(log, model, book, tmp_path / "a.log")
        assert set(found(result)) == self.wanted(log)
        assert {name for name, _ in found(result)} == set(self.RULES)

    def test_small_blocks(self, tmp_path: Path, model: lw.Model, log: str) -> None:
        book = book_of(tmp_path / "book", self.RULES)
        result = detect(log, model, book, tmp_path / "a.log", block_bytes=4096)
        assert set(found(result)) == self.wanted(log)

    def test_sources_that_overlap_in_time(self, tmp_path: Path, model: lw.Model, log: str) -> None:
        book = book_of(tmp_path / "book", self.RULES)
        lines = log.splitlines(keepends=True)
        paths = [tmp_path / "a.log", tmp_path / "b.log"]
        for path, part in zip(paths, (lines[::2], lines[1::2]), strict=True):
            path.write_text("".join(part))
        result = api.detect([str(p) for p in paths], model, rules=str(book.path))
        assert set(found(result)) == self.wanted(log)

    def test_scan_judges_what_is_not_past(self, tmp_path: Path, log: str) -> None:
        book = book_of(tmp_path / "book", self.RULES)
        path = tmp_path / "a.log"
        path.write_text(log)
        result = api.scan(str(path), rules=str(book.path), window="10", session="none")
        later = {(n, k) for n, k in self.wanted(log) if int(k.split()[-1]) > 100}
        # Windows of a log that is scanned begin where its past ends.
        assert set(found(result)) == later

    def test_windows_of_their_own(self, tmp_path: Path, log: str) -> None:
        past = tmp_path / "past.log"
        past.write_text(lines_of(1000, set(range(0, 1000, 5))))
        model = lw.learn(str(past), window="1m", session="none")
        book = book_of(tmp_path / "book", self.RULES)
        result = detect(log, model, book, tmp_path / "a.log")
        assert set(found(result)) == self.wanted(log)

    def test_a_pipe_that_stays_open(
        self, tmp_path: Path, model: lw.Model, log: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its windows are told as they close."""
        book = book_of(tmp_path / "book", self.RULES)
        told, half = Told(), log.splitlines(keepends=True)

        def write(pipe: Pipe) -> None:
            pipe.write("".join(half[:50]))
            told.wait(lambda: bool(told.past))
            pipe.write("".join(half[50:]))

        monkeypatch.setattr(live, "Patience", functools.partial(Patience, silence=0.16))
        monkeypatch.setattr(sources, "_TICK", 0.04)
        with piped(monkeypatch, write):
            api.detect(["-"], model, rules=str(book.path), quiet="0s", watcher=told)
        ruled = {(f.rule, f.window.key) for f in told.findings if f.rule is not None}
        assert ruled == self.wanted(log)

    def test_scan_says_what_it_cannot_know(self, tmp_path: Path, log: str) -> None:
        body = 'return any(line.template == "t-1" for line in w.lines)'
        book = book_of(tmp_path / "book", {"of_template": (body, "active")})
        path = tmp_path / "a.log"
        path.write_text(log)
        notes = api.scan(str(path), rules=str(book.path)).run.notes
        assert any(note.startswith("of_template read templates") for note in notes)


class TestWhere:
    def test_a_rulebook_beside_the_model_is_used_by_itself(
        self, tmp_path: Path, model: lw.Model
    ) -> None:
        log = tmp_path / "a.log"
        log.write_text(lines_of(100, {7}))
        book_of(tmp_path / "model" / "rules", {"disk": (DISK, "active")})
        held = lw.Model.load(tmp_path / "model")
        assert [n for n, _ in found(api.detect([str(log)], held))] == ["disk"]
        assert found(api.detect([str(log)], held, rules="none")) == []

    def test_it_outlives_learning_anew(self, tmp_path: Path, model: lw.Model) -> None:
        book_of(tmp_path / "model" / "rules", {"disk": (DISK, "active")})
        past = tmp_path / "past.log"
        journal = tmp_path / "model" / "store.llm.jsonl"
        journal.write_text("what was asked and answered\n")
        lw.learn(str(past), window="10", session="none").save(tmp_path / "model")
        lw.Model.load(tmp_path / "model")
        assert journal.read_text() == "what was asked and answered\n"
        assert [r.name for r in Rulebook.load(tmp_path / "model" / "rules").active] == ["disk"]

    def test_a_folder_that_is_none_is_one_sentence(self, tmp_path: Path, model: lw.Model) -> None:
        log = tmp_path / "a.log"
        log.write_text("a\n")
        with pytest.raises(RuleError, match="is not a rulebook"):
            api.detect([str(log)], model, rules=str(tmp_path))

    def test_rules_for_sessions_say_why_they_do_not_run(
        self, tmp_path: Path, model: lw.Model
    ) -> None:
        plan = COUNT.model_copy(update={"kind": "session"})
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")}, plan)
        result = detect(lines_of(100, {7}), model, book, tmp_path / "a.log")
        assert found(result) == []
        assert any("are for sessions" in note for note in result.run.notes)

    def test_other_sessions_than_those_the_rules_are_for_are_told(self, tmp_path: Path) -> None:
        past = tmp_path / "past.log"
        past.write_text(TestMustHold.sessions(set()))
        model = lw.learn(str(past), session=r"blk_\d+", session_gap=20.0)
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")}, model.plan)

        def made_for(now: Rulebook) -> None:
            now.index.session = "req-(.+)"

        book.change(made_for)
        notes = detect(TestMustHold.sessions(set()), model, book, tmp_path / "a.log").run.notes
        assert any("made for sessions by 'req-(.+)'" in note for note in notes)

    def test_hits_that_cannot_be_read_are_told(self, tmp_path: Path, model: lw.Model) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        (book.path / "hits.json").write_text(json.dumps({"rules": 3}))
        result = detect(lines_of(100, {7}), model, book, tmp_path / "a.log")
        assert [n for n, _ in found(result)] == ["disk"]
        assert any("hits of rules are not counted" in note for note in result.run.notes)


class TestJson:
    """Compiled rules, rules that run plainly, and what is shown, all read the decoded message."""

    def test_all_see_the_decoded_message(self, tmp_path: Path) -> None:
        texts = [
            'name is "a\\b"' if i == 77 else f"two\nlines of café {i}" if i % 9 == 0 else f"job {i}"
            for i in range(300)
        ]
        start = datetime(2026, 1, 1, tzinfo=UTC)
        lines = [
            json.dumps({"msg": t, "level": "info", "time": start.timestamp() + i})
            for i, t in enumerate(texts)
        ]
        path = tmp_path / "a.log"
        path.write_text("".join(f"{line}\n" for line in lines))
        model = lw.learn(str(path), window="10", session="none")
        seen = [t.replace("\n", "\\n") for t in texts]
        tests = {
            "quoted": r"""x.text == 'name is "a\\b"'""",
            "accent": "'café' in x.text",
            "broken": r"'two\\nlines' in x.text",
        }
        bodies: dict[str, tuple[str, State]] = {}
        for name, test in tests.items():
            bodies[name] = (f"return any({test} for x in w.lines)", "active")
            loop = (
                f"n = 0\n    for x in w.lines:\n        if {test}:\n            n += 1\n"
                "        else:\n            n = 0\n        if n > 0:\n            return True\n"
                "    return False"
            )
            bodies[f"{name}_plain"] = (loop, "active")
        book = book_of(tmp_path / "book", bodies)
        result = api.detect([str(path)], model, rules=str(book.path))
        assert set(Rules.of(book).plain) == {f"{name}_plain" for name in tests}
        wanted = set()
        for name, (body, _) in bodies.items():
            rule = callable_of(parse(f"def rule(w):\n    {body}\n"))
            for at in range(0, 300, 10):
                if rule(Window.of_texts(seen[at : at + 10])):
                    wanted.add((name, f"records from {at + 1}"))
        assert {name for name, _ in wanted} == set(bodies)
        assert set(found(result)) == wanted
        (cited,) = [f for f in result.findings if f.rule == "quoted"]
        assert [line.line_no for line in cited.lines if line.highlight] == [78]


class TestForgetting:
    def test_a_pipe_without_an_end_keeps_open_windows_only(
        self, tmp_path: Path, model: lw.Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        book = book_of(tmp_path / "book", {"disk": (DISK, "active")})
        told, kept = Told(), list[int]()
        lines = lines_of(300, set(range(0, 300, 7))).splitlines(keepends=True)

        def forget(self: object) -> None:
            before(self)
            rules = self._rules  # type: ignore[attr-defined]
            kept.append(rules.kept_blocks)

        before = pipeline.Pipeline.forget
        monkeypatch.setattr(pipeline.Pipeline, "forget", forget)

        def write(pipe: Pipe) -> None:
            pipe.write("".join(lines[:54]))
            told.wait(lambda: bool(told.past))
            for at in range(54, 300, 10):  # windows are open all the time
                pipe.write("".join(lines[at : at + 10]))
                told.wait(lambda stop=at: len(told.findings) >= stop // 10)  # type: ignore[misc]

        monkeypatch.setattr(live, "_RENEW", 0.0)
        monkeypatch.setattr(live, "Patience", functools.partial(Patience, silence=0.16))
        monkeypatch.setattr(sources, "_TICK", 0.04)
        with piped(monkeypatch, write):
            api.detect(["-"], model, rules=str(book.path), quiet="0s", watcher=told)
        assert len(kept) > 5
        assert max(kept) <= 3
        ruled = {f.window.key for f in told.findings if f.rule is not None}
        assert len(ruled) == 30, "what was let go was not needed"
