"""Subjects: what a single line is about."""

from __future__ import annotations

import pytest

from logwright.reasoning.evidence.interpreting import answer
from logwright.reasoning.evidence.subjects import component, deed, things
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options


def told(line: str) -> str:
    return answer(Material.of_lines([line]), Options()).text


def test_who_does_what_to_what() -> None:
    text = told("2026-05-01 10:00:00 INFO sshd[24200]: Accepted password for ann from 10.0.0.9")
    assert text.startswith('One line from sshd, about user ann, address 10.0.0.9: "Accepted pass')
    assert "Nothing goes wrong" in text


def test_what_a_line_does_not_say_is_left_out() -> None:
    assert told("ready").startswith('It says "ready" (line 1).')
    assert told("worker: request 7 is here").startswith("One line from worker, about request 7. It")


@pytest.mark.parametrize(
    ("message", "who", "done", "named"),
    [
        ("web: cache warmed with 4312 entries", "web", "cache warmed", []),
        ("Finished spill 0", "", "Finished spill", ["spill 0"]),
        ("kernel: eth0 link is up", "kernel", "", []),
        ("host is here", "", "", []),
    ],
)
def test_subjects(message: str, who: str, done: str, named: list[str]) -> None:
    assert component(message) == who
    assert deed(message.removeprefix(f"{who}: ")) == done
    assert things(message) == named
