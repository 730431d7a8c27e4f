"""`logwright review`: second looks, and a language model that is asked before people are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from feedback_fakes import new_template, stored
from llm_server import Server, Step, right, serving, status
from logwright.findings.finding import Finding
from logwright.findings.verdict import Entry, Verdict
from logwright.store import open_store
from test_cli_feedback import Call, answers, call, disk, found, model

pytestmark = pytest.mark.slow

__all__ = ["call", "model"]  # the fixtures

SECOND = ("review", "--second", "--by", "ann")


def opinion(verdict: str, confidence: float = 0.9, reason: str = "write failed") -> Step:
    told = {"reason": reason, "verdict": verdict, "confidence": confidence}
    return right(json.dumps(told))


UNSURE = opinion("unsure", 0.4, "the lines do not tell")


def entries(model: Path) -> Sequence[Entry]:
    with open_store(model / "store.db", write=False) as store:
        return store.entries()


def link(call: Call, model: Path) -> Finding:
    return next(f for f in found(call, model) if "link" in f.summary)


def words(model: Path) -> list[tuple[str, str]]:
    return [(e.word, e.by) for e in entries(model) if isinstance(e, Verdict)]


def advised(server: Server, model: Path, *more: object) -> tuple[object, ...]:
    return ("review", "-m", model, "--by", "ann", "--llm", server.url, "--llm-model", "m", *more)


class TestSecondLooks:
    def test_they_come_after_what_is_open_and_only_when_wanted(
        self, call: Call, model: Path
    ) -> None:
        call("verdict", disk(call, model).pattern, "benign", "-m", model, "--by", "bob")
        assert "second look" not in call("review", "-m", model, keys=answers("s", "s", "s"))
        out = call(*SECOND, "-m", model, keys=answers("s", "s", "s", "q"))
        *first, look = out.split("\n-- ")
        assert not any("second look" in each for each in first)
        assert look.startswith("0 answered, 1 left -- second look -- high -- q-")
        assert "one answer acts on 12 findings: benign by bob (verdict 1)" in look
        assert "if benign  says it again" in look
        assert "if real    confirms 12 findings" in look

    def test_the_same_answer_is_kept_and_not_asked_again(self, call: Call, model: Path) -> None:
        call("verdict", disk(call, model).pattern, "benign", "-m", model, "--by", "bob")
        out = call(*SECOND, "-m", model, keys=answers("s", "s", "s", "b"))
        assert "benign: said twice now, not asked again (verdict 2)" in out
        assert out.endswith("1 answered, 0 left\n")
        assert words(model) == [("benign", "bob"), ("benign", "ann")]
        assert "second look" not in call(*SECOND, "-m", model, keys=answers("s", "s", "s"))

    def test_another_answer_acts_and_both_are_shown(self, call: Call, model: Path) -> None:
        call("verdict", disk(call, model).pattern, "benign", "-m", model, "--by", "bob")
        out = call(*SECOND, "-m", model, keys=answers("s", "s", "s", "r"))
        assert (
            "real: confirms 12 findings of 1 pattern on 3 hosts (verdict 2); benign by bob" in out
        )
        assert "(verdict 1) is kept" in out
        assert out.endswith("1 answered, 0 left\n")  # not at once a third time
        assert "(overridden by 2)" in call("verdicts", "list", "-m", model)
        third = call(*SECOND, "-m", model, keys=answers("s", "s", "s", "q"))
        assert "against it: benign by bob" in third.replace("\n             ", " ")

    def test_an_undo_asks_for_it_again(self, call: Call, model: Path) -> None:
        for pattern in {disk(call, model).pattern, link(call, model).pattern}:
            call("verdict", pattern, "benign", "-m", model, "--by", "bob")
        out = call(*SECOND, "-m", model, keys=answers("s", "s", "b", "u", "q"))
        assert "said twice now, not asked again (verdict 3)" in out
        assert "took back verdict 3" in out
        assert out.count("one answer acts on 12 findings") == 2
        assert out.endswith("0 answered, 2 left\n")

    def test_it_reaches_as_far_as_what_was_said(self, call: Call, model: Path) -> None:
        pattern = disk(call, model).pattern
        text = "disk * write *"
        call("verdict", pattern, "benign", "-m", model, "--text", text, "--yes")
        out = call(*SECOND, "-m", model, keys=answers("s", "s", "s", "b"))
        assert "reaches    what it reached before" in out
        (_, second) = entries(model)
        assert isinstance(second, Verdict)
        assert second.scope.text == text

    def test_what_drifted_is_taken_apart_before_it_is_called_real(
        self, call: Call, model: Path
    ) -> None:
        questions = json.loads(call("review", "-m", model, "--json"))["questions"]
        (drift,) = (q for q in questions if q["kind"] == "drift")
        call("verdict", drift["id"], "benign", "-m", model, "--by", "bob")
        keys = answers("s", "s", "s", "r", "r", "b", "q")
        out = call(*SECOND, "-m", model, keys=keys)
        assert "one by one: 5 patterns" in out
        assert "real: confirms 1 finding of 1 pattern" in out
        assert "benign: said twice now" in out
        assert words(model)[1:] == [("real", "ann"), ("benign", "ann")]

    def test_they_are_listed_as_json(self, call: Call, model: Path) -> None:
        call("verdict", disk(call, model).pattern, "benign", "-m", model)
        asked = json.loads(call("review", "-m", model, "--second", "--json"))["questions"]
        assert [q["second_look_at"] for q in asked] == [None, None, None, 1]


class TestModel:
    def test_it_answers_where_it_is_sure_and_tells_what_it_cost(
        self, call: Call, model: Path
    ) -> None:
        with serving(opinion("real", 0.93), UNSURE) as server:
            out = call(*advised(server, model, "--price", "1000/2000"), keys=answers("q"))
        assert "asking model:m about 4 open questions" in out
        assert "confirms 12 findings of 1 pattern on 3 hosts (verdict 1)" in out
        assert "the model answered 1 and left 3 questions to you" in out
        assert "4 calls, 80 tokens in, 20 out, 0.1200 usd" in out
        assert "model says unsure (.40): the lines do not tell" in out
        assert words(model) == [("real", "model:m")]
        listed = call("verdicts", "list", "-m", model)
        assert "model:m" in listed
        shown = call("verdicts", "show", 1, "-m", model)
        assert "write failed (confidence .93)" in shown
        width = [line for line in out.splitlines() if not line.startswith("r real")]
        assert max(map(len, width)) <= 80

    def test_a_rerun_pays_nothing_twice(self, call: Call, model: Path) -> None:
        with serving(opinion("real"), UNSURE) as server:
            call(*advised(server, model), keys=answers("q"))
            out = call(*advised(server, model), keys=answers("q"))
            assert len(server.bodies) == 4
        assert "0 calls, 3 answers already known" in out
        recorded = f"replay:{model / 'store.llm.jsonl'}"
        again = call("review", "-m", model, "--llm", recorded, keys=answers("q"))
        assert "about 3 open questions" in again

    def test_a_persons_word_wins_earlier_and_later(self, call: Call, model: Path) -> None:
        pattern = disk(call, model).pattern
        call("verdict", pattern, "benign", "-m", model, "--by", "bob", "--host", "web1")
        with serving(opinion("real")) as server:
            out = call(*advised(server, model), keys=answers("q"))
        assert "about 3 open questions" in out  # bob has spoken of the disk
        theirs = [e for e in entries(model) if isinstance(e, Verdict) and e.by == "model:m"]
        assert link(call, model).pattern in {p for e in theirs for p in e.patterns}
        call("verdict", link(call, model).pattern, "benign", "-m", model, "--by", "ann")
        assert f"(overridden by {len(entries(model))})" in call("verdicts", "list", "-m", model)

    def test_a_later_word_of_a_model_is_listed_as_overridden(self, call: Call, model: Path) -> None:
        pattern = disk(call, model).pattern
        call("verdict", pattern, "benign", "-m", model, "--by", "ann")
        call("verdict", pattern, "real", "-m", model, "--by", "model:other")
        rows = json.loads(call("verdicts", "list", "-m", model, "--json"))["verdicts"]
        assert [(r["number"], r["acts_on"], r["overridden_by"]) for r in rows] == [
            (2, 0, [1]),
            (1, 12, []),
        ]

    def test_what_it_said_is_looked_at_again_by_a_person(self, call: Call, model: Path) -> None:
        with serving(opinion("real", reason="disks fail"), UNSURE) as server:
            keys = answers("s", "s", "s", "b")
            out = call(*advised(server, model, "--second"), keys=keys)
        assert "one answer acts on 12 findings: real by model:m (verdict 1)" in out
        assert "said       disks fail (confidence .90)" in out
        assert words(model) == [("real", "model:m"), ("benign", "ann")]

    def test_the_budget_ends_the_asking_and_people_go_on(self, call: Call, model: Path) -> None:
        with serving(opinion("real")) as server:
            out = call(*advised(server, model, "--budget", "10tokens"), keys=answers("b"))
            assert server.bodies == []
        assert "The budget of 10 tokens does not allow the next request" in out
        assert words(model) == [("benign", "ann")]

    def test_a_batch_holds_all_questions_and_answers_come_later(
        self, call: Call, model: Path, tmp_path: Path
    ) -> None:
        batch = tmp_path / "batch"
        command = ("review", "-m", model, "--llm", f"batch:{batch}", "--llm-model", "m")
        assert "4 requests wait" in call(*command, keys=answers("q"))
        requests = (batch / "requests.jsonl").read_text().splitlines()
        told = json.dumps({"reason": "so", "verdict": "real", "confidence": 0.9})
        answer: dict[str, Any] = {
            "custom_id": json.loads(requests[0])["custom_id"],
            "response": {
                "status_code": 200,
                "body": {"choices": [{"message": {"role": "assistant", "content": told}}]},
            },
        }
        (batch / "answers.jsonl").write_text(json.dumps(answer) + "\n")
        assert "3 requests wait" in call(*command, keys=answers("q"))
        assert words(model) == [("real", "model:m")]

    def test_an_endpoint_that_fails_is_one_sentence_and_what_was_said_is_kept(
        self, call: Call, model: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with serving(opinion("real"), status(401, "no such key")) as server:
            said = call(*advised(server, model), code=2)
        assert "401" in said
        assert said.count("\n") == 1
        assert words(model) == [("real", "model:m")]

    def test_what_a_model_writes_does_not_act_on_the_terminal(
        self, call: Call, tmp_path: Path
    ) -> None:
        (tmp_path / "m").mkdir()
        stored(tmp_path / "m" / "store.db", [new_template("disk failed")])
        bad = "\x1b]0;owned\x07 \x1b[2J\u202e"
        out = ""
        for word in ("unsure", "real"):
            with serving(opinion(word, 1, bad + word)) as server:
                out += call(*advised(server, tmp_path / "m", "--second"), keys=answers("b"))
        out += call("verdicts", "list", "-m", tmp_path / "m")
        assert "owned" in out
        assert not set("\x1b\x07\u202e") & set(out)

    def test_json_has_the_advice_beside_the_questions(self, call: Call, model: Path) -> None:
        with serving(opinion("real"), UNSURE) as server:
            told = json.loads(call(*advised(server, model, "--json")))
        assert len(told["questions"]) == 3
        assert [a["word"] for a in told["advice"].values()] == ["real", *["unsure"] * 3]
        assert told["questions"][0]["id"] in told["advice"]
        assert "4 calls" in told["spending"]

    def test_limit_holds_for_what_a_model_is_asked(self, call: Call, model: Path) -> None:
        with serving(UNSURE) as server:
            call(*advised(server, model, "--limit", "2"), keys=answers("q"))
            assert len(server.bodies) == 2

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--llm", "http://127.0.0.1:9/v1"], "--llm-model NAME"),
            (["--llm-model", "m"], "go with --llm"),
            (["--llm", "somewhere", "--llm-model", "m"], "batch:FOLDER or replay:FILE"),
            (["--llm", "replay:none.jsonl"], "no recorded journal at none.jsonl"),
            (["--llm", "batch:b", "--llm-model", "m", "--budget", "4usd"], "--price IN/OUT"),
        ],
    )
    def test_mistakes_are_one_sentence(
        self, call: Call, model: Path, options: list[str], message: str
    ) -> None:
        said = call("review", "-m", model, *options, code=2)
        assert message in said
        assert said.count("\n") == 1
