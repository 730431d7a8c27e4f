"""Other forms than asked for: streams of events, refusals for length, and texts to stop at."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_server import raw, right, serving, status
from logwright.llm import ContextError, ModelAnswerError, open_chat, user
from logwright.llm.events import completion, too_long
from logwright.llm.reply import ReplyError, reply_of
from logwright.llm.request import Request

REQUEST = Request("m", (("user", "hello"),), 10)


def event(**choice: object) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@given(st.lists(st.text(max_size=10), max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_however_a_text_is_cut_into_events_it_is_the_text(pieces: list[str], end: bytes) -> None:
    events = b": hello\n\n" + b"".join(event(delta={"content": piece}) for piece in pieces)
    events += event(delta={}, finish_reason="length") + b"data: [DONE]\n\n"
    body = completion(events.replace(b"\n", end))
    assert body is not None
    assert json.loads(body)["choices"][0]["message"].get("content", "") == "".join(pieces)
    assert reply_of(body, REQUEST).finish == "length"


def test_usage_and_reasoning_are_kept() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    events = event(delta={"role": "assistant", "reasoning_content": "hm"})
    events += event(delta={"content": "yes"}, finish_reason="stop")
    events += b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    body = completion(events)
    assert body is not None
    reply = reply_of(body, REQUEST)
    assert (reply.text, reply.thoughts, reply.usage.completion) == ("yes", "hm", 4)


@pytest.mark.parametrize(
    "events",
    [
        b"",
        event(delta={"content": "half"}),
        event(delta={"content": "half"}) + b'data: {"choices": [{"del',
        b"data: [1]\n\n",
        b'data: {"error": {"message": "overloaded"}}\n\n',
    ],
)
def test_a_stream_that_was_cut_off_is_no_answer(events: bytes) -> None:
    assert completion(events) is None


@given(st.binary(), st.lists(st.sampled_from([b"data: ", b"{}", b"[DONE]", b"\n\n", b'"x"'])))
def test_no_stream_breaks_the_reader(noise: bytes, pieces: list[bytes]) -> None:
    for events in (noise, b"".join(pieces)):
        body = completion(events)
        with contextlib.suppress(ReplyError):
            assert body is None or reply_of(body, REQUEST)


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ('{"error": {"code": "context_length_exceeded", "message": "too long"}}', 0),
        ("This model's maximum context length is 8192 tokens. However, you requested 9000", 8192),
        ("the request exceeds the available context size (2048 tokens), try increasing it", 2048),
        ('{"error": {"message": "exceed", "n_ctx": 4096, "type": "exceed_context_size"}}', 4096),
        ("prompt is too long: 210000 tokens > 200000 maximum", 0),
        ("Input is too long for requested model.", 0),
        ("max_tokens is too large: 99999", None),
        ("no such model", None),
        ("", None),
    ],
)
def test_a_refusal_for_length_is_told_from_others(said: str, most: int | None) -> None:
    assert too_long(said.encode()) == most


def test_a_question_that_is_too_long_has_an_error_of_its_own_and_is_not_sent_again() -> None:
    step = status(400, "maximum context length is 4096 tokens, you have 5000")
    with serving(step) as server, open_chat(server.url, "m") as chat:
        with pytest.raises(ContextError, match="4096") as error:
            chat.ask([user("why?")], max_tokens=5, purpose="a test")
        assert len(server.bodies) == 1
    assert error.value.most == 4096
    with (
        serving(status(400, "bad temperature")) as server,
        open_chat(server.url, "m") as chat,
        pytest.raises(ModelAnswerError) as other,
    ):
        chat.ask([user("why?")], max_tokens=5, purpose="a test")
    assert not isinstance(other.value, ContextError)


def test_events_count_only_where_the_server_says_that_they_are() -> None:
    body = event(delta={"content": "yes"}, finish_reason="stop")
    with (
        serving(raw(body), right("no")) as server,
        open_chat(server.url, "m") as chat,
    ):
        assert chat.ask([user("?")], max_tokens=5, purpose="a test").text == "no"


def test_where_to_stop_is_sent_and_is_part_of_what_a_journal_knows_a_question_by() -> None:
    with serving(right("a"), right("b")) as server, open_chat(server.url, "m") as chat:
        plain = chat.ask([user("?")], max_tokens=5, purpose="a test")
        stopped = chat.ask([user("?")], max_tokens=5, purpose="a test", stop=("</answer>",))
        again = chat.ask([user("?")], max_tokens=5, purpose="a test", stop=("</answer>",))
    assert [plain.text, stopped.text, again.text] == ["a", "b", "b"]
    assert [body.get("stop") for body in server.bodies] == [None, ["</answer>"]]


def test_questions_without_a_stop_keep_their_names_in_journals() -> None:
    assert REQUEST.key == "lw-b75d7030f5e3043f4710b90049ffe9ab50e0b9f5"
