"""Nothing is paid twice: not after an end, a crash in the middle, or a line cut in half."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_server import half, right, serving
from logwright.errors import InputError, StoreError
from logwright.llm import Ask, LogText, ModelAnswerError, open_chat, user
from logwright.llm.budget import Charge
from logwright.llm.journal import Journal
from logwright.llm.patience import Patience

ASKS = [Ask([user(f"question {n}")], 50, f"test {n}") for n in range(5)]


def run(url: str, journal: Path, asks: list[Ask] = ASKS) -> list:
    with open_chat(url, "m", record=journal, price="1/1") as chat:
        answers = [chat.ask(a.messages, max_tokens=a.max_tokens, purpose=a.purpose) for a in asks]
        return [*answers, chat.spending]


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "new" / "j.jsonl"
    with serving(right()) as server:
        *first, paid = run(server.url, journal)
        *second, again = run(server.url, journal)
        assert len(server.bodies) == 5
    assert [a.text for a in first] == [a.text for a in second]
    assert all(a.cached and a.cost == 0 for a in second)
    assert again.usd == 0
    assert again.kept == 5
    assert again.earlier.usd == paid.usd > 0


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_journal_cut_by_a_crash_loses_at_most_what_was_cut(tmp_path: Path, cut: int) -> None:
    journal = tmp_path / "j.jsonl"
    with serving(right()) as server:
        run(server.url, journal)
        held = journal.read_bytes()
        journal.write_bytes(held[:-cut])
        *answers, _ = run(server.url, journal)
        assert len(server.bodies) == 6
    assert all(a.text == "fine" for a in answers)
    for line in journal.read_text().splitlines():
        json.loads(line)


def test_what_was_sent_when_the_run_died_stays_charged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.sent("lw-1", "a test", Charge(100, None))
    journal.freed(journal.sent("lw-2", "a test", Charge(30, None)))
    assert journal.charged().tokens == 100
    journal.close()
    assert Journal(tmp_path / "j.jsonl", write=False).charged().tokens == 100


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    with serving(right()) as server:
        run(server.url, journal, ASKS[:1])
        journal.write_text(journal.read_text() + "{oops\n")
        with pytest.raises(StoreError, match="Line 4"):
            run(server.url, journal)


def test_two_runs_with_one_journal_do_not_pay_twice(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first = Journal(tmp_path / "j.jsonl")
    first.sent("lw-1", "a test", Charge(1, None))
    with pytest.raises(StoreError, match="in use"):
        Journal(tmp_path / "j.jsonl")
    first.close()
    Journal(tmp_path / "j.jsonl").close()


def test_two_runs_that_begin_at_once_do_not_pay_twice(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "j.jsonl"), Journal(tmp_path / "j.jsonl")
    first.sent("lw-1", "a test", Charge(1, None))
    with pytest.raises(StoreError, match="in use"):
        second.sent("lw-1", "a test", Charge(1, None))
    first.close()
    with pytest.raises(StoreError, match="another run"):
        second.sent("lw-1", "a test", Charge(1, None))


def test_without_a_question_there_is_no_journal(tmp_path: Path) -> None:
    with open_chat("http://localhost/v1", "m", record=tmp_path / "new" / "j.jsonl"):
        pass
    assert not (tmp_path / "new").exists()


def test_a_journal_that_is_a_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        open_chat("http://localhost/v1", "m", record=tmp_path)


def test_a_full_disk_is_one_sentence_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.jsonl"
    with serving(right()) as server:
        run(server.url, path, ASKS[:1])
        before = path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            run(server.url, path)
        assert len(server.bodies) == 1
    assert path.read_bytes() == before


def test_the_same_question_at_the_same_time_is_asked_once() -> None:
    with serving(right()) as server:
        with open_chat(server.url, "m") as chat:
            answers = chat.ask_many([ASKS[0]] * 8)
        assert len(server.bodies) == 1
    assert sum(not a.cached for a in answers) == 1


def test_other_messages_models_and_limits_are_other_questions(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    with serving(right()) as server:
        for model, limit, text in (("m", 5, "a"), ("n", 5, "a"), ("m", 6, "a"), ("m", 5, "b")):
            with open_chat(server.url, model, record=journal) as chat:
                answer = chat.ask([user(text)], max_tokens=limit, purpose="a test")
            assert not answer.cached


def test_the_journal_holds_placeholders_only(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    line = "login from 203.0.113.9 password=hunter2hunter2"
    with (
        serving(right("block REDACTED_IP_1_")) as server,
        open_chat(server.url, "m", record=journal) as chat,
    ):
        answer = chat.ask([user("why?", LogText((line,)))], max_tokens=9, purpose="a test")
    assert answer.text == "block 203.0.113.9"
    for place in (journal.read_text(), json.dumps(server.bodies)):
        assert "203.0.113.9" not in place
        assert "hunter2" not in place


def test_replay_repeats_the_recording_without_network_and_cost(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    with serving(right("as recorded")) as server:
        run(server.url, journal)
    before = journal.read_bytes()
    with open_chat(f"replay:{journal}", price="1/1") as chat:
        answers = chat.ask_many(ASKS)
        assert chat.model == "m"
        assert chat.spending.usd == 0
        with pytest.raises(ModelAnswerError, match="a new one"):
            chat.ask([user("other")], max_tokens=9, purpose="a new one")
    assert [a.text for a in answers] == ["as recorded"] * 5
    assert journal.read_bytes() == before


def test_a_recording_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recorded journal"):
        open_chat(f"replay:{tmp_path / 'none'}")


def test_one_failure_among_many_ends_the_asking_and_loses_no_answer(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    once = Patience(tries=1, timeout=5, deadline=5)
    with serving(right(), right(), half, right()) as server:
        with (
            open_chat(server.url, "m", record=journal, parallel=1, patience=once) as chat,
            pytest.raises(ModelAnswerError),
        ):
            chat.ask_many(ASKS)
        assert len(server.bodies) == 3
        with open_chat(server.url, "m", record=journal) as chat:
            answers = chat.ask_many(ASKS)
        assert len(server.bodies) == 6
    assert [a.cached for a in answers] == [True, True, False, False, False]
