"""Pairs of replies: from a model's own mistakes, and from what experts said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import reasoner_tiny as tiny
from logwright.reasoning.answer import Answer, Citation
from logwright.reasoning.material import Material
from logwright.reasoning.speaking.tags import parse
from logwright.reasoning.task import Task
from logwright.reasoning.training.examples import Example, answer_example, hidden
from logwright.reasoning.training.experts import Corrected, Judged, expert_pairs, judged_items
from logwright.reasoning.training.pairs import (
    Pair,
    faults,
    own_mistakes,
    read_pairs,
    write_pairs,
)
from logwright.reasoning.training.replies import Messages

EXAMPLES = [answer_example(item) for item in tiny.items(6, 0)]


def spoiled(example: Example) -> str:
    """The reply with a verdict that is not right."""
    verdicts = example.item.task.verdicts
    other = verdicts[1 - verdicts.index(example.item.answer)]
    return example.reply.replace(f"<answer>{example.item.answer}", f"<answer>{other}")


def test_what_the_teacher_says_has_no_faults() -> None:
    assert [faults(example.item, example.reply) for example in EXAMPLES] == [[]] * 6


def test_mistakes_are_paired_with_the_teachers_answer() -> None:
    replies = [
        EXAMPLES[0].reply,
        spoiled(EXAMPLES[1]),
        "gibberish",
        *(e.reply for e in EXAMPLES[3:]),
    ]
    found = own_mistakes(EXAMPLES, replies)
    assert (found.replies, found.mistakes) == (6, 2)
    assert [(pair.chosen, pair.rejected) for pair in found.pairs] == [
        (EXAMPLES[1].reply, replies[1]),
        (EXAMPLES[2].reply, "gibberish"),
    ]


def test_self_correction_keeps_only_what_holds_and_never_tells_the_answer() -> None:
    asked: list[Messages] = []

    def retry(conversations: Sequence[Messages], attempt: int) -> list[str]:
        asked.extend(conversations)
        # The first mistake is mended at the second attempt, the other one never.
        return [
            EXAMPLES[0].reply if attempt == 1 and n == 0 else "still gibberish"
            for n in range(len(conversations))
        ]

    found = own_mistakes(EXAMPLES[:2], [spoiled(EXAMPLES[0]), "gibberish"], retry, attempts=3)
    assert found.mistakes == 2
    assert [(pair.chosen, pair.origin) for pair in found.pairs] == [(EXAMPLES[0].reply, "self")]
    assert len(asked) == 2 + 2 + 1
    assert "the answer is not right" in asked[0][-1]["content"]
    assert EXAMPLES[0].item.reasoning not in str(asked)


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=4))
def test_pairs_come_back_as_they_were(texts: list[tuple[str, str, str]]) -> None:
    pairs = [Pair([{"role": "user", "content": a}], b, c, "self") for a, b, c in texts]
    path = Path("pairs.jsonl")
    write_pairs(path, pairs)
    assert read_pairs(path) == pairs


def test_lines_that_are_no_utf8_are_kept(tmp_path: Path) -> None:
    pair = Pair([{"role": "user", "content": "\udcff"}], "\udc80", "b", "self")
    write_pairs(tmp_path / "p", [pair])
    assert read_pairs(tmp_path / "p") == [pair]


def answer(verdict: str, quote: str) -> Answer:
    return Answer(
        task=Task.ANOMALY,
        verdict=verdict,
        text=verdict,
        citations=(Citation(line=1, quote=quote),),
        confidence=0.5,
    )


def test_a_correction_is_a_pair_with_the_experts_lines_as_reasoning() -> None:
    lines = ("disk full on sda", "all well")
    row = Corrected(lines, answer("normal", "disk"), answer("abnormal", "disk full"))
    (pair,) = expert_pairs([row])
    said = parsed(pair.chosen, lines)
    assert said.verdict == "abnormal"
    assert said.steps[0].citations == (Citation(line=1, quote="disk full"),)
    assert parsed(pair.rejected, lines).verdict == "normal"
    assert pair.origin == "expert"
    assert expert_pairs([Corrected(lines, row.said, row.said)]) == []


def parsed(text: str, lines: tuple[str, ...]) -> Answer:
    return parse(text, Task.ANOMALY, Material.of_lines(lines))


def test_secrets_reach_neither_side() -> None:
    lines = ("login with password=hunter2secret failed",)
    row = Corrected(lines, answer("normal", lines[0]), answer("abnormal", lines[0]))
    assert "hunter2secret" not in str(expert_pairs([row]))
    item = tiny.items(1, 0)[0].model_copy(
        update={
            "lines": lines,
            "reasoning": f'[1: "{lines[0]}"]',
            "citations": (Citation(line=1, quote=lines[0]),),
        }
    )
    assert "hunter2secret" not in str(answer_example(item))
    assert faults(hidden(item), answer_example(item).reply) == []


def test_a_verdict_becomes_an_example_or_a_correction_of_the_evidence() -> None:
    rows = [
        Judged(("disk full, write failed",), real, order)
        for order, real in enumerate((True, False))
    ]
    items, corrected = judged_items([*rows, Judged(("  ",), True, 9)])
    assert len(items) + len(corrected) == 2
    wanted = {item.answer for item in items} | {row.better.verdict for row in corrected}
    assert wanted == {"abnormal", "normal"}
    for row in corrected:
        assert (row.said.verdict, row.said.enough) != (row.better.verdict, True)
    for pair in expert_pairs(corrected):
        assert "<think>-" in pair.chosen


def test_what_a_person_asked_stands_in_the_prompt() -> None:
    item = tiny.items(1, 0)[0].model_copy(update={"question": "why at noon?"})
    assert "why at noon?" in answer_example(item).prompt[1]["content"]
