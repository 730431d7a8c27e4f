"""Answers in a terminal: what comes first, what is marked, and that it fits and does no harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.material import Material
from logwright.reasoning.shown import render
from logwright.reasoning.task import Task

LINES = [
    "10:00:00 INFO job 17 done",
    "10:00:05 ERROR kernel: /dev/sda: disk full",
    "10:00:09 ERROR Writer: block 9 failed: No space left on device",
]
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def cite(number: int, quote: str) -> Citation:
    return Citation(line=number, quote=quote)


def answer(**changes: object) -> Answer:
    values: dict[str, object] = {
        "task": Task.ROOT_CAUSE,
        "verdict": "disk full",
        "text": "The disk filled up; writes failed 4 seconds later.",
        "steps": (Step(text="The first error.", citations=(cite(2, "disk full"),)),),
        "citations": (cite(2, "disk full"), cite(3, "No space left")),
        "rivals": (
            Rival(text="disk full", confidence=0.86, supporting=(cite(2, "full"),)),
            Rival(text="network lost", confidence=0.1, contradicting=(cite(3, "space"),)),
        ),
        "confidence": 0.86,
    }
    return Answer.model_validate(values | changes)


MATERIAL = Material.of_lines(LINES, "/var/log/app.log", 41)


def test_the_verdict_is_first_then_what_it_means_then_what_shows_it() -> None:
    assert render(answer(), MATERIAL).splitlines() == [
        "root cause    disk full",
        "confidence    high (0.86)",
        "",
        "  The disk filled up; writes failed 4 seconds later.",
        "",
        "lines",
        "  2  app.log:42  10:00:05 ERROR kernel: /dev/sda: disk full",
        "  3  app.log:43  10:00:09 ERROR Writer: block 9 failed: No space left on device",
        "",
        "steps",
        "  1. The first error. [2]",
        "",
        "possible causes",
        "                      for               against",
        "  0.86  disk full     2                 -",
        "  0.10  network lost  -                 3",
    ]


def test_quotes_are_marked_in_colour() -> None:
    told = render(answer(rivals=()), MATERIAL, color=True)
    for quote in ("disk full", "No space left"):
        assert re.search(rf"\x1b\[[0-9;]*33m{quote}\x1b\[0m", told)
    plain = "\n".join(line.rstrip() for line in _ANSI.sub("", told).splitlines())
    assert plain.rstrip() + "\n" == render(answer(rivals=()), MATERIAL)


def test_beside_a_long_name_a_line_has_no_room_and_stands_below_it() -> None:
    material = Material.of_lines(LINES, f"/var/log/{'long-' * 8}name.log", 41)
    told = render(answer(steps=(), rivals=()), material, color=True)
    lines = told.splitlines()
    at = next(n for n, line in enumerate(lines) if "name.log:42" in line)
    assert _ANSI.sub("", lines[at + 1]).strip() == LINES[1]
    assert "\x1b[2m" not in lines[at + 1]  # only the place is dim


def test_that_the_evidence_is_not_enough_is_said_once() -> None:
    told = answer(
        verdict="",
        text="Not enough evidence: no line names a failure.",
        steps=(),
        citations=(),
        rivals=(),
        confidence=0,
        enough=False,
    )
    assert render(told, MATERIAL) == (
        "root cause    not enough evidence\n\n  No line names a failure.\n"
    )


def test_who_answered_is_told_where_it_is_a_model() -> None:
    told = render(answer(engine="qwen-7b", tokens=1200), MATERIAL)
    assert "high (0.86) · by qwen-7b, 1,200 tokens" in told
    assert "by" not in render(answer(), MATERIAL).splitlines()[1]


def test_templates_are_counted() -> None:
    told = answer(task=Task.PARSE, verdict="job <*> done\n\njob <*> done\ndisk full", rivals=())
    assert render(told, MATERIAL).splitlines()[:5] == [
        "template      2 templates of 3 lines",
        "confidence    high (0.86)",
        "",
        "  2  job <*> done",
        "  1  disk full",
    ]


def test_of_a_long_line_the_quote_is_shown() -> None:
    line = "x" * 3000 + " needle " + "y" * 3000
    told = answer(citations=(cite(1, "needle"),), steps=(), rivals=())
    shown = render(told, Material.of_lines([line]))
    assert "needle" in shown
    assert len(shown) < 600


def test_much_is_cut_and_said() -> None:
    cited = tuple(cite(n, "line") for n in range(1, 31))
    told = answer(
        text="A long tale. " * 300,
        citations=cited,
        steps=tuple(Step(text=f"Step {n}. " * 90) for n in range(30)),
        rivals=tuple(Rival(text=f"cause {n}", confidence=0.1) for n in range(9)),
    )
    shown = render(told, Material.of_lines([f"line {n}" for n in range(1, 31)]))
    for more in ("and 22 more lines", "and 18 more steps", "and 4 more rivals"):
        assert more in shown
    assert shown.count("\n") < 110


@pytest.mark.parametrize("width", [40, 80, 110])
@given(text=st.text(max_size=120), at=st.integers(0, 99))
def test_it_fits_and_does_no_harm(width: int, text: str, at: int) -> None:
    hostile = f"\x1b[31m[red]{text}\u202e"
    line = f"{'a' * at} {hostile}"
    told = answer(
        verdict=hostile,
        text=hostile,
        engine=hostile,
        citations=(cite(1, hostile),),
        steps=(Step(text=hostile, citations=(cite(1, hostile),)),),
        rivals=(Rival(text=hostile, confidence=0.5, supporting=(cite(1, hostile),)),),
    )
    shown = render(told, Material.of_lines([line], hostile), width=width)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown.replace("\n", "")
    assert max(cell_len(row) for row in shown.splitlines()) <= width


def test_a_step_that_the_text_says_already_is_not_said_again() -> None:
    steps = (Step(text="The disk filled up."), Step(text="Nothing came before."))
    shown = render(answer(steps=steps, text="1. the disk filled up (line 2)"), MATERIAL)
    assert shown.count("disk filled up") == 1
    assert "  1. Nothing came before.\n" in shown
