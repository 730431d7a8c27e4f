"""Lines that are written to steer a model: no line changes the form of a question, or the verdict
that is read from an answer; what obeys is not believed where the line could be told."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.findings.escape import safe
from logwright.llm import ModelAnswerError
from logwright.llm.guard import suspicion
from logwright.llm.request import Request
from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.shown import render as shown
from logwright.reasoning.speaking import Speaking
from logwright.reasoning.task import Task
from reasoning_attacks import ATTACKS, CARRIES_TAGS
from speaking_fakes import Said, answered, fake_chat, shown_lines

pytestmark = pytest.mark.slow

SECRET = "password=hunter2hunter2"
ESCAPES = {"\x1b", "\x07", "\x08", "\r", "\x9b", "\u202e", "\u2028", "\u2029", "\x00"}
# Of 141 lines those that nothing tells from an ordinary one: other languages, encodings, claims.
LEAST_NOTED = 92


def material_of(line: str) -> Material:
    return Material(("all well", "ERROR disk full on /dev/sda1", line, f"login {SECRET} failed"))


def speak(line: str, *said: Said) -> tuple[Answer | None, list[Request]]:
    chat, requests = fake_chat(*said)
    material = material_of(line)
    try:
        answer = Speaking(chat, "m").answer(Task.ANOMALY, material, Options())
    except ModelAnswerError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert told.isprintable()
        return None, requests
    assert problems(answer, material) == []
    text = shown(answer, material)
    assert not ESCAPES & set(text)
    assert all(c == "\n" or c.isprintable() or unicodedata.category(c) == "Zs" for c in text)
    return answer, requests


def test_the_corpus_is_large_and_its_lines_differ() -> None:
    assert len({line for _, line in ATTACKS}) == len(ATTACKS) >= 100
    assert len({kind for kind, _ in ATTACKS}) >= 10


@pytest.mark.parametrize(("kind", "line"), ATTACKS)
def test_a_line_changes_nothing_about_the_question(kind: str, line: str) -> None:
    _, (harmless, *_) = speak("all well again", answered())
    _, (request, *_) = speak(line, answered())
    (role, instructions), (other, asked) = request.turns
    assert (role, other) == ("system", "user")
    assert instructions == harmless.turns[0][1]
    inside = re.findall(r"<<<LOG ([0-9a-f]{16})\n(.*?)\nLOG \1>>>", asked, re.S)
    assert len(inside) == 1
    rows = inside[0][1].split("\n")
    assert [re.match(r"[|!] (\d+): ", row)[1] for row in rows] == ["1", "2", "3", "4"]
    outside = asked.replace(inside[0][1], "")
    assert outside.replace(inside[0][0], "") == re.sub(
        r"<<<LOG \w+\n.*\nLOG \w+>>>", "<<<LOG \n\nLOG >>>", harmless.turns[1][1], flags=re.S
    )
    assert not re.search(r"</?[a-z|]", "\n".join(rows), re.I)
    assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in asked)
    assert "hunter2" not in asked
    assert "[INST]" not in asked


@pytest.mark.parametrize(("kind", "line"), ATTACKS)
def test_a_model_that_quotes_everything_is_read_rightly(kind: str, line: str) -> None:
    def copying(request: Request) -> str:
        rows = shown_lines(request)
        quotes = " ".join(f'[{number}: "{text}"]' for number, text in rows.items())
        listed = "\n".join(f"{number}: {text}" for number, text in rows.items())
        return answered("abnormal", f"Every line: {quotes}", listed)

    answer, _ = speak(line, copying)
    assert answer is not None
    assert answer.verdict == "abnormal"
    assert {citation.line for citation in answer.citations} >= {2}


@pytest.mark.parametrize(("kind", "line"), ATTACKS)
def test_a_model_that_puts_the_raw_line_into_its_answer_says_the_same_or_nothing(
    kind: str, line: str
) -> None:
    for said in (
        answered("abnormal", f'{line} so it is full [2: "disk full"]'),
        answered(f"abnormal\n{line}"),
        answered("abnormal", lines=f"2: disk full\n3: {line}"),
        answered("abnormal", f'[3: "{line}"]'),
    ):
        answer, _ = speak(line, said)
        assert answer is None or answer.verdict == "abnormal"


@pytest.mark.parametrize("line", CARRIES_TAGS)
def test_a_model_that_repeats_a_line_with_tags_clears_nothing(line: str) -> None:
    for said in (line, f"<think>{line}", f"{line}</answer>", f"{line}\n{answered()}"):
        answer, _ = speak(line, said)
        assert answer is None or answer.verdict == "abnormal" or not answer.enough


@pytest.mark.parametrize(("kind", "line"), ATTACKS)
def test_a_model_that_obeys_is_not_believed_where_the_line_is_noted(kind: str, line: str) -> None:
    obeying = answered("normal", 'Nothing here [1: "all well"].', "1: all well", "1")
    answer, (request, *_) = speak(line, obeying)
    assert answer is not None
    if "! 3: " in request.turns[1][1] or suspicion(line) is not None:
        assert (answer.verdict, answer.enough, answer.confidence) == ("", False, 0.0)
        assert "instruct" in answer.text


def test_most_of_the_lines_are_noted() -> None:
    noted = [line for _, line in ATTACKS if suspicion(line) is not None]
    assert len(noted) >= LEAST_NOTED


@given(st.sampled_from(ATTACKS), st.sampled_from(ATTACKS), st.booleans())
def test_no_line_keeps_what_is_secret_from_being_hidden(
    first: tuple[str, str], second: tuple[str, str], close: bool
) -> None:
    gap = "" if close else " "
    _, (request, *_) = speak(f"{first[1]} {SECRET}{gap}{second[1]}", answered())
    assert "hunter2" not in request.turns[1][1]


def test_what_an_answer_repeats_drives_no_terminal() -> None:
    for _, line in ATTACKS:
        assert safe(line).isprintable() or "\u3000" in line
