"""An endpoint may do anything: the run ends, in time, within the budget, and the key stays here."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from llm_server import (
    Step,
    dripping,
    half,
    hanging_up,
    huge,
    raw,
    right,
    serving,
    slow,
    status,
    streaming,
)
from logwright.errors import MissingExtraError, SettingsError
from logwright.llm import ModelAnswerError, open_chat, user
from logwright.llm.address import address
from logwright.llm.patience import Patience, retry_after

pytestmark = pytest.mark.slow

KEY = "sk-test-0123456789abcdef"
SLEPT: list[float] = []


def patience(**more: Any) -> Patience:
    SLEPT.clear()
    settings: dict[str, Any] = {
        "tries": 3,
        "timeout": 5.0,
        "deadline": 20.0,
        "base": 0.001,
        "sleep": lambda _, seconds: SLEPT.append(seconds),
    }
    return Patience(**{**settings, **more})


def ask(url: str, **more: Any) -> Any:
    with open_chat(url, "m", patience=more.pop("patience", patience()), **more) as chat:
        answer = chat.ask([user("why?")], max_tokens=50, purpose="a test")
        return answer, chat.spending


def failing(url: str, **more: Any) -> str:
    with pytest.raises(ModelAnswerError) as error:
        ask(url, **more)
    assert "a test" in str(error.value)
    return str(error.value)


def test_a_right_answer_has_text_usage_and_cost() -> None:
    with serving(right("because")) as server:
        answer, spending = ask(server.url, price="1/2")
    assert answer.text == "because"
    assert (answer.usage.prompt, answer.usage.completion) == (20, 5)
    assert str(answer.cost.normalize()) == "0.00003"
    assert not answer.cached
    assert spending.calls == 1
    assert server.bodies[0]["max_tokens"] == 50
    assert server.bodies[0]["model"] == "m"


@pytest.mark.parametrize(
    "step", [status(500), status(503), status(529), half, hanging_up, streaming, raw(b'{"choi')]
)
def test_what_may_pass_is_tried_again(step: Step) -> None:
    with serving(step, right("at last")) as server:
        answer, _ = ask(server.url)
    assert answer.text == "at last"
    assert len(server.bodies) == 2


@pytest.mark.parametrize("step", [status(500), half, hanging_up, status(429)])
def test_what_does_not_pass_ends_after_the_stated_tries(step: Step) -> None:
    with serving(step) as server:
        told = failing(server.url)
        assert len(server.bodies) == 3
    assert "3 times" in told


@pytest.mark.parametrize("step", [streaming, raw(b"<html>log in first</html>")])
def test_what_is_paid_for_and_cannot_be_read_is_tried_once_more(step: Step) -> None:
    with serving(step) as server:
        assert "2 times" in failing(server.url, patience=patience(tries=5))
        assert len(server.bodies) == 2


@pytest.mark.parametrize(
    ("step", "final"),
    [(status(401), True), (status(404), True), (raw(b"<html>"), True), (raw(b"", 302), True),
     (status(400), False), (status(429), False), (hanging_up, False)],
)  # fmt: skip
def test_what_no_other_question_would_change_is_told_apart(step: Step, final: bool) -> None:
    with serving(step) as server, pytest.raises(ModelAnswerError) as error:
        ask(server.url)
    assert error.value.final is final


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no such model", "code": 7}}', "status 400: no such model (asked"),
        (b'{"error": "too long."}', "status 400: too long (asked"),
        (b'{"detail": [1]}', 'status 400: {"detail": [1]} (asked'),
        (b"[" * 50_000, "status 400: [["),
    ],
)
def test_of_an_error_its_message_is_told(body: bytes, said: str) -> None:
    with serving(raw(body, 400)) as server:
        assert said in failing(server.url)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 408, 413, 422])
def test_a_refused_request_is_not_sent_again(code: int) -> None:
    with serving(status(code, "max_tokens is too large")) as server:
        told = failing(server.url)
        assert len(server.bodies) == 1
    assert f"status {code}" in told
    assert "max_tokens is too large" in told


def test_the_wait_the_server_asks_for_is_kept() -> None:
    with serving(status(429, Retry_After="7"), right()) as server:
        ask(server.url)
    assert SLEPT == [7.0]


def test_a_wait_beyond_the_deadline_ends_at_once() -> None:
    with serving(status(429, Retry_After="3600"), right()) as server:
        told = failing(server.url)
        assert len(server.bodies) == 1
    assert "3600 s" in told
    assert SLEPT == []


def test_waits_grow_and_differ() -> None:
    steady = patience(base=1.0, chance=lambda: 1.0)
    assert [steady.pause(n, None) for n in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert len({Patience().pause(0, None) for _ in range(5)}) == 5
    assert retry_after("nonsense") is None
    assert retry_after("99999999999999") is None


@pytest.mark.parametrize("step", [slow(3.0), dripping])
def test_a_slow_answer_ends_in_time(step: Step) -> None:
    began = time.monotonic()
    with serving(step) as server:
        told = failing(server.url, patience=patience(tries=2, timeout=0.2))
        assert time.monotonic() - began < 2
    assert "too long" in told


def test_a_wait_ends_when_the_chat_is_closed() -> None:
    waits = Patience(tries=5, base=60.0, ceiling=60.0, chance=lambda: 1.0)
    failed: list[ModelAnswerError] = []
    with serving(status(500)) as server:
        chat = open_chat(server.url, "m", patience=waits)

        def asking() -> None:
            with pytest.raises(ModelAnswerError) as error:
                chat.ask([user("why?")], max_tokens=50, purpose="a test")
            failed.append(error.value)

        thread = threading.Thread(target=asking)
        thread.start()
        while not server.bodies:
            time.sleep(0.01)
        time.sleep(0.1)
        chat.close()
        thread.join(5)
        assert len(server.bodies) == 1
    assert "stopped" in str(failed[0])


def test_a_body_without_end_is_cut() -> None:
    with serving(huge) as server:
        assert "more than 8,388,608 bytes" in failing(server.url)
        assert len(server.bodies) == 1


def test_a_huge_error_is_told_shortly() -> None:
    with serving(raw(b"x" * (1 << 22), 400)) as server:
        assert len(failing(server.url)) < 700


def test_errors_drive_no_terminal() -> None:
    with serving(status(400, "\x1b]0;owned\x07 no")) as server:
        told = failing(server.url)
    assert told.isprintable()


def test_packed_answers_are_refused() -> None:
    with serving(raw(b"\x1f\x8b", Content_Encoding="gzip")) as server:
        assert "packs" in failing(server.url)
    assert server.headers[0]["accept-encoding"] == "identity"


def test_a_redirect_is_not_followed_and_carries_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_LLM_KEY", KEY)
    with serving(right()) as other:
        for code in (301, 302, 307, 308):
            with serving(raw(b"", code, Location=other.url + "/chat/completions")) as server:
                assert "redirect" in failing(server.url)
                assert len(server.bodies) == 1
        assert other.bodies == []


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-other-one")
    monkeypatch.setenv("LOGWRIGHT_LLM_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody")
    caplog.set_level("DEBUG")
    journal = tmp_path / "j.jsonl"
    with serving(status(401, f"wrong key {KEY}"), right(f"your key is {KEY}")) as server:
        told = failing(server.url, record=journal)
        answer, _ = ask(server.url, record=journal)
        with open_chat(server.url, "m") as chat:
            shown = repr(vars(chat)) + repr(vars(chat._source))
    assert {h["authorization"] for h in server.headers} == {f"Bearer {KEY}"}
    assert "org-of-somebody" not in json.dumps(server.headers)
    for place in (told, answer.text, journal.read_text(), caplog.text, shown):
        assert KEY not in place
    assert "[key]" in told
    assert "[key]" in answer.text


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(right()) as server:
        ask(server.url)
    assert "authorization" not in server.headers[0]


def test_a_key_in_the_clear_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_LLM_KEY", KEY)
    told: list[str] = []
    for url in ("http://models.example/v1", "http://127.0.0.1:9/v1", "https://models.example"):
        open_chat(url, "m", tell=told.append).close()
    assert len(told) == 1
    assert "unencrypted" in told[0]
    assert KEY not in told[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("LOGWRIGHT_LLM_KEY", KEY)
    with serving(status(502)) as proxy, serving(right("directly")) as server:
        monkeypatch.setenv(name, proxy.url)
        answer, _ = ask(server.url)
        assert proxy.bodies == []
    assert answer.text == "directly"


def test_a_proxy_that_reads_along_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://ann:pw@proxy.example:8080")
    monkeypatch.setenv("no_proxy", "inside.example")
    url, inside = "http://models.example", "http://inside.example"
    through = "go to http://models.example/v1 unencrypted through the proxy proxy.example:8080"
    assert through in str(address(url, "").warning)
    assert str(address(url, KEY).warning).startswith("The key and the questions go")
    assert "proxy" not in str(address(inside, KEY).warning)
    for quiet in (inside, "https://models.example", "http://[::1]:8000"):
        assert address(quiet, "").warning is None


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("junk://ann:pw@x", "its URL"),
        ("http://ann:pw@x:port", "its URL"),
        ("socks5://x", "socksio"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    if said == "socksio":
        monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(SettingsError, match=said) as error:
        open_chat("https://models.example", "m")
    assert "pw" not in str(error.value)


def test_nobody_listens() -> None:
    with serving(right()) as server:
        url = server.url
    assert "cannot be reached" in failing(url)


@pytest.mark.parametrize(
    "llm", ["ftp://x", "gpt-4", "http://", "https://u:pw@h/v1", "http://h/v1?key=pw", "http://[x"]
)
def test_a_bad_address_is_one_sentence_without_passwords(llm: str) -> None:
    with pytest.raises(SettingsError) as error:
        open_chat(llm, "m")
    assert "pw" not in str(error.value)


def test_a_key_with_odd_characters_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_LLM_KEY", "sk-sécret")
    with pytest.raises(SettingsError, match="LOGWRIGHT_LLM_KEY") as error:
        open_chat("http://localhost/v1", "m")
    assert "cret" not in str(error.value)


def test_addresses_end_where_the_endpoint_begins() -> None:
    for url in ("http://h", "http://h/v1/", "http://h/v1/chat/completions"):
        assert address(url, "").base == "http://h/v1"
    assert address("https://api.openai.com", "").limit == "max_completion_tokens"


def test_a_model_is_needed() -> None:
    with pytest.raises(SettingsError, match="--model"):
        open_chat("http://localhost/v1")


def test_without_the_package_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"logwright\[llm\]"):
        open_chat("http://localhost/v1", "m")
