"""Batch folders: requests out, answers in, nothing twice, and every odd file is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from llm_server import completion
from logwright.errors import InputError, StoreError
from logwright.llm import Ask, BudgetError, Waiting, open_chat, user
from logwright.llm.batch import Batch
from logwright.llm.budget import Account
from logwright.llm.journal import Journal
from logwright.llm.request import Request

ASKS = [Ask([user(f"question {n}")], 50, f"test {n}") for n in range(3)]


class Count(BaseModel):
    n: int


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def answer(
    folder: Path, name: str = "answers.jsonl", content: str = "fine", most: int = 99
) -> None:
    with (folder / name).open("a") as file:
        for request in lines(folder / "requests.jsonl")[:most]:
            body = completion(f"{content}: {request['body']['messages'][-1]['content']}")
            told = {
                "id": "b",
                "custom_id": request["custom_id"],
                "response": {"status_code": 200, "request_id": "r", "body": body},
                "error": None,
            }
            file.write(json.dumps(told) + "\n")


def ask(folder: Path, asks: list[Ask] = ASKS, **more: object) -> list:
    with open_chat(f"batch:{folder}", "m", **more) as chat:
        return chat.ask_many(asks)


def waiting(folder: Path, asks: list[Ask] = ASKS, **more: object) -> Waiting:
    with pytest.raises(Waiting) as error:
        ask(folder, asks, **more)
    return error.value


def test_requests_go_out_and_answers_come_in(tmp_path: Path) -> None:
    assert waiting(tmp_path).waiting == 3
    sent = lines(tmp_path / "requests.jsonl")
    assert {r["method"] + r["url"] for r in sent} == {"POST/v1/chat/completions"}
    assert all(r["body"]["max_completion_tokens"] == 50 for r in sent)
    assert len({r["custom_id"] for r in sent}) == 3
    answer(tmp_path)
    answers = ask(tmp_path)
    assert [a.text for a in answers] == [f"fine: question {n}" for n in range(3)]
    assert lines(tmp_path / "requests.jsonl") == []


def test_waiting_again_writes_nothing_twice(tmp_path: Path) -> None:
    waiting(tmp_path)
    before = (tmp_path / "requests.jsonl").read_bytes()
    assert waiting(tmp_path).waiting == 3
    assert (tmp_path / "requests.jsonl").read_bytes() == before


def test_what_was_handed_in_under_another_name_is_not_written_again(tmp_path: Path) -> None:
    waiting(tmp_path)
    (tmp_path / "requests.jsonl").rename(tmp_path / "sent-1.jsonl")
    more = [*ASKS, Ask([user("a new one")], 50, "new")]
    assert waiting(tmp_path, more).waiting == 4
    assert len(lines(tmp_path / "requests.jsonl")) == 1


def test_some_answers_leave_the_rest_waiting(tmp_path: Path) -> None:
    waiting(tmp_path)
    answer(tmp_path, most=2)
    assert waiting(tmp_path).waiting == 1
    assert len(lines(tmp_path / "requests.jsonl")) == 1
    answer(tmp_path, "answers-2.jsonl")
    assert len(ask(tmp_path)) == 3


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (None, {"message": "rate limit"}),
        ({"status_code": 500, "body": {"error": "rate limit"}}, None),
        ({"status_code": 200, "body": {"choices": [], "note": "rate limit"}}, None),
    ],
)
def test_an_answer_that_is_an_error_waits_and_is_told(
    tmp_path: Path, response: object, error: object
) -> None:
    waiting(tmp_path, ASKS[:1])
    key = lines(tmp_path / "requests.jsonl")[0]["custom_id"]
    told = {"custom_id": key, "response": response, "error": error}
    (tmp_path / "answers.jsonl").write_text(json.dumps(told) + "\n")
    assert "error" in str(waiting(tmp_path, ASKS[:1]))
    answer(tmp_path, "answers-2.jsonl")
    assert ask(tmp_path, ASKS[:1])[0].text == "fine: question 0"


@pytest.mark.parametrize("line", ["{oops", "[]", '{"response": {}}', "[" * 100_000])
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "answers.jsonl").write_text("\n" + line + "\n")
    with pytest.raises(InputError, match=r"Line 2 of .*answers.jsonl"):
        ask(tmp_path)


def test_a_line_that_is_no_request_is_named(tmp_path: Path) -> None:
    (tmp_path / "requests.jsonl").write_text('{"custom_id"\n')
    with pytest.raises(InputError, match=r"Line 1 of .*requests.jsonl"):
        ask(tmp_path)


def test_answers_to_nobody_are_left_alone(tmp_path: Path) -> None:
    told = {"custom_id": "other", "response": {"status_code": 200, "body": completion("x")}}
    (tmp_path / "answers.jsonl").write_text(json.dumps(told) + "\n")
    assert waiting(tmp_path).waiting == 3


def test_a_budget_holds_for_what_waits(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        ask(tmp_path, budget="300tokens")
    assert len(lines(tmp_path / "requests.jsonl")) == 2


def test_answers_that_are_paid_for_are_used_whatever_the_budget(tmp_path: Path) -> None:
    waiting(tmp_path)
    answer(tmp_path)
    assert len(ask(tmp_path, budget="1tokens")) == 3


def test_a_repair_is_a_further_round(tmp_path: Path) -> None:
    asks = [Ask([user("how many?")], 50, "a test", Count)]
    waiting(tmp_path, asks)
    answer(tmp_path, content="many")
    assert waiting(tmp_path, asks).waiting == 1
    request = lines(tmp_path / "requests.jsonl")[0]
    assert [m["role"] for m in request["body"]["messages"]] == ["user", "assistant", "user"]


def test_a_repair_that_waits_is_told_as_one(tmp_path: Path) -> None:
    asks = [Ask([user("how many?")], 50, "a test", Count), ASKS[0]]
    assert "mend" not in str(waiting(tmp_path, asks))
    answer(tmp_path, content="many", most=1)
    told = str(waiting(tmp_path, asks))
    assert told.startswith("2 requests wait")
    assert "(1 of them asks to mend an answer that did not fit)" in told


@pytest.mark.parametrize("cut", [1, 10, 150])
def test_a_request_that_was_cut_off_is_written_again(tmp_path: Path, cut: int) -> None:
    waiting(tmp_path)
    file = tmp_path / "requests.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    assert waiting(tmp_path, [*ASKS[::-1]]).waiting == 3
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())
    answer(tmp_path)
    assert len(ask(tmp_path)) == 3


@pytest.mark.parametrize("place", ["file", "file/in", "/proc/zz"])
def test_what_cannot_be_a_folder_is_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be the folder of a batch"):
        ask(tmp_path / place)


@pytest.mark.parametrize("name", ["answers-x.jsonl", "sent-x.jsonl", "requests.jsonl"])
def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name} cannot be read: Is a directory"):
        ask(tmp_path)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    chat = Batch(tmp_path, Account(None, None), Journal(None))
    (tmp_path / "requests.jsonl").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="cannot be written: No space left"):
        chat.complete(Request("m", (("user", "hi"),), 5), "a test")


def test_what_a_batch_answered_can_be_replayed(tmp_path: Path) -> None:
    waiting(tmp_path)
    answer(tmp_path)
    ask(tmp_path, record=tmp_path / "j.jsonl")
    with open_chat(f"replay:{tmp_path / 'j.jsonl'}") as chat:
        assert len(chat.ask_many(ASKS)) == 3
