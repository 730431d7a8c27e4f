"""Worked examples on disk: what is written is read again, and citations in a text are found."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.reasoning.answer import Citation, problems
from logwright.reasoning.building.trajectories import (
    Trajectory,
    cited_in,
    mark,
    read,
    unmarked,
    write,
)
from logwright.reasoning.task import Task

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CITATIONS = st.builds(Citation, line=st.integers(1, 999_999), quote=TEXT)


def example(**more: object) -> Trajectory:
    told: dict[str, object] = {
        "task": Task.ANOMALY,
        "strategy": "anomaly-conceptual",
        "system": "shop",
        "time": 7,
        "lines": ("all well", "disk full on /dev/sda"),
        "reasoning": 'The second line says so [2: "disk full"].',
        "answer": "abnormal",
        "form": "verdict",
        "citations": (Citation(line=2, quote="disk full"),),
        "teacher": "evidence",
        "source": "app.log:1-2",
    }
    return Trajectory.model_validate(told | more)


@given(CITATIONS, TEXT)
def test_a_citation_is_found_in_the_text_it_stands_in(citation: Citation, around: str) -> None:
    before = around.replace("[", "(")
    text = f"{before} {mark(citation)} {before}"
    assert cited_in(text) == [citation]
    assert unmarked(text) == f"{before} {before}"


@given(
    st.lists(
        st.builds(
            example,
            lines=st.lists(TEXT, min_size=1, max_size=4).map(tuple),
            reasoning=TEXT,
            answer=TEXT,
            system=TEXT,
            time=st.integers(-(1 << 62), 1 << 62),
            citations=st.lists(CITATIONS, max_size=3).map(tuple),
            part=st.sampled_from(["train", "validation", "test"]),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, items: list[Trajectory]
) -> None:
    path = tmp_path_factory.mktemp("examples") / "examples.jsonl"
    assert write(path, items) == len(items)
    assert list(read(path)) == items


def test_a_file_is_replaced_whole_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    write(path, [example()])

    def broken() -> object:
        yield example(time=8)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(path, broken())  # type: ignore[arg-type]
    assert list(read(path)) == [example()]
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "examples.jsonl:2 is no trajectory: Invalid JSON"),
        ('{"task": "guess"}', "task: Input should be"),
        ("[]", "should be an object"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(f"{example().model_dump_json()}\n{line}\n")
    with pytest.raises(InputError, match=told):
        list(read(path))
    with pytest.raises(InputError, match=r"none\.jsonl cannot be read"):
        list(read(tmp_path / "none.jsonl"))


def test_an_example_is_an_answer_that_holds() -> None:
    answer = example().answered()
    assert answer.verdict == "abnormal"
    assert problems(answer, example().material) == []
    text = example(task=Task.SOLUTION, form="text", answer="Free some space.").answered()
    assert (text.verdict, text.text) == ("", "Free some space.")
    wrong = example(reasoning='It says so [1: "disk full"].')
    assert problems(wrong.answered(), wrong.material) == ["line 1 does not say 'disk full'"]
