"""The form of answers: what is written is read again; nothing that a log holds passes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.llm.fence import visible
from logwright.reasoning.answer import Answer, Citation, Rival, Step, problems
from logwright.reasoning.material import Material
from logwright.reasoning.speaking.quotes import disarmed, quoted
from logwright.reasoning.speaking.tags import NOT_ENOUGH, TEXT_TASKS, MisfitError, parse, render
from logwright.reasoning.task import Task

MATERIAL = Material.of_lines(
    ["all well", "ERROR disk full on /dev/sda1", 'GET "/a"] 500 in [99]', "a\x1b[31mred\t\t<b>x"]
)
WHOLE = """<plan>find the error, then ask why</plan>
<think>1. The disk is full [2: "disk full"].
2. So the request fails [3: "GET "/a"] 500"]</think>
Some words between.
<answer>abnormal
The disk is full.</answer>
<lines>2: disk full on /dev/sda1
- 3: "500 in"</lines>
<confidence>0.8</confidence> Thank you!"""


def read(text: str, task: Task = Task.ANOMALY) -> Answer:
    return parse(text, task, MATERIAL)


def test_a_whole_answer_is_read() -> None:
    answer = read(WHOLE)
    assert (answer.verdict, answer.text, answer.confidence) == (
        "abnormal",
        "The disk is full.",
        0.8,
    )
    assert [step.text for step in answer.steps] == [
        "Plan: find the error, then ask why",
        "The disk is full [2].",
        "So the request fails",
    ]
    assert answer.steps[2].citations == (Citation(line=3, quote='GET "/a"] 500'),)
    assert answer.citations == (
        Citation(line=2, quote="disk full on /dev/sda1"),
        Citation(line=3, quote="500 in"),
    )
    assert problems(answer, MATERIAL) == []


def test_what_a_stop_text_or_a_template_takes_away_is_not_missed() -> None:
    assert read('<answer>abnormal [2: "disk full"]').citations[0].line == 2
    assert read("It is full.</think><answer>normal</answer>").steps[0].text == "It is full."
    assert read(WHOLE.removesuffix("</confidence> Thank you!")).confidence == 0.8


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no tags"),
        ("abnormal", "no tags"),
        ("<think>hm</think>", "no <answer>"),
        ("<think>hm<answer>normal</answer>", "stands inside <think>"),
        ("<think>hm</think><answer>abnormal</answer><answer>normal</answer>", "stands twice"),
        ("<think>a</think><answer>normal</answer> x </think>", "closes nothing"),
        ("<answer>maybe</answer>", "expected abnormal or normal or not enough evidence"),
        ("<answer></answer>", "expected abnormal"),
        ("<answer>abnormality</answer>", "expected abnormal"),
        ("<answer>normal</answer><lines>9: all well</lines>", "there is no line 9: the last"),
        ("<answer>normal</answer><lines>0: all well</lines>", "there is no line 0"),
        ("<answer>normal</answer><lines>the first</lines>", "expected 12: words of line 12"),
        ("<think>see [44]</think><answer>normal</answer>", "there is no line 44"),
        ("<answer>normal</answer><confidence>high</confidence>", "from 0 to 1"),
        ("<answer>normal</answer><confidence>nan</confidence>", "from 0 to 1"),
        ("<answer>normal</answer><confidence>7</confidence>", "from 0 to 1"),
        ("<answer>normal</answer><rivals>disk</rivals>", "expected 0.7 | a cause"),
        ("<answer>normal</answer><lines>1: all well", "</lines> is missing"),
    ],
)
def test_what_does_not_fit_says_why(text: str, why: str) -> None:
    with pytest.raises(MisfitError) as error:
        read(text)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("said", "verdict", "text"),
    [
        ("Abnormal.", "abnormal", "abnormal"),
        ("**abnormal**: it is full", "abnormal", "it is full"),
        ("normal\nbecause\nall is well", "normal", "because\nall is well"),
    ],
)
def test_verdicts_are_known_however_they_are_decorated(said: str, verdict: str, text: str) -> None:
    answer = read(f"<answer>{said}</answer>")
    assert (answer.verdict, answer.text) == (verdict, text)


def test_not_enough_evidence_is_an_answer() -> None:
    answer = read(f"<answer>{NOT_ENOUGH}\nOnly one line.</answer>")
    assert not answer.enough
    assert (answer.verdict, answer.text) == ("", "Only one line.")
    assert problems(answer, MATERIAL) == []


def test_a_number_in_brackets_that_is_quoted_is_no_citation() -> None:
    assert read('<think>it says "in [99]"</think><answer>normal</answer>').steps[0].text


def test_rivals_have_what_speaks_for_and_against_them() -> None:
    answer = parse(
        '<answer>disk full</answer><rivals>0.7 | disk full | for [2: "disk full"]\n'
        '- 0.2 | bad request | for [3: "500"] | against [1: "all well"] [2: "ERROR"]</rivals>',
        Task.ROOT_CAUSE,
        MATERIAL,
    )
    assert [rival.text for rival in answer.rivals] == ["disk full", "bad request"]
    assert [c.line for c in answer.rivals[1].contradicting] == [1, 2]
    assert problems(answer, MATERIAL) == []


def test_a_false_quote_stays_as_it_was_said() -> None:
    answer = read('<think>x [1: "all bad"]</think><answer>normal</answer>')
    assert problems(answer, MATERIAL) == ["line 1 does not say 'all bad'"]


texts = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)
lines = st.one_of(
    texts,
    st.lists(
        st.sampled_from(
            ["<answer>", "</think>", '"]', '[1: "', "\\", '"', " ", "｜", "<b", "12", "|", "]", "x"]
        ),
        max_size=8,
    ).map("".join),
)
materials = st.lists(lines.map(lambda text: f"w {text} w"), min_size=1, max_size=5).map(
    Material.of_lines
)


def words(draw: st.DrawFn) -> str:
    """A text of our own: plain words."""
    return draw(st.from_regex(r"[A-Za-z][a-z ,]{0,20}[a-z]", fullmatch=True))


@st.composite
def answers(draw: st.DrawFn) -> tuple[Answer, Material]:
    material = draw(materials)

    def citation() -> Citation:
        number = draw(st.integers(1, len(material)))
        line = material.text(number)
        begin = draw(st.integers(0, len(line) - 3))
        quote = line[begin : draw(st.integers(begin + 3, len(line)))].strip()
        return Citation(line=number, quote=quote if len(quote) >= 3 else line.strip())

    def citations(most: int) -> tuple[Citation, ...]:
        return tuple(dict.fromkeys(citation() for _ in range(draw(st.integers(0, most)))))

    task = draw(st.sampled_from(list(Task)))
    enough = draw(st.booleans())
    verdict = ""
    if enough and task not in TEXT_TASKS:
        verdict = draw(st.sampled_from(task.verdicts)) if task.verdicts else words(draw)
    steps = tuple(
        Step(text=words(draw), citations=citations(2)) for _ in range(draw(st.integers(0, 3)))
    )
    if steps and draw(st.booleans()):
        steps = (Step(text=f"Plan: {words(draw)}", citations=citations(1)), *steps)
    hundredths = st.integers(0, 100).map(lambda n: n / 100)
    rivals = tuple(
        Rival(
            text=words(draw),
            confidence=draw(hundredths),
            supporting=citations(2),
            contradicting=citations(2),
        )
        for _ in range(draw(st.integers(0, 2)))
    )
    return (
        Answer(
            task=task,
            verdict=verdict,
            text=words(draw),
            steps=steps,
            citations=citations(3),
            rivals=rivals,
            confidence=draw(hundredths),
            enough=enough,
        ),
        material,
    )


@given(answers())
def test_what_is_rendered_is_parsed_again(given_: tuple[Answer, Material]) -> None:
    answer, material = given_
    assert parse(render(answer), answer.task, material) == answer


def test_reasoning_that_cites_within_its_text_is_written_as_it_is() -> None:
    reasoning = (
        'Nothing is wrong at first [1: "all well"].\n\nThen the disk is full [2: "disk full"] and '
        'the request fails [3: "GET \\"/a\\"] 500"].'
    )
    cited = (Citation(line=2, quote="disk full"),)
    given_ = Answer(
        task=Task.ANOMALY,
        verdict="abnormal",
        text="abnormal",
        steps=(Step(text=reasoning, citations=cited),),
        citations=cited,
        confidence=1,
    )
    written = render(given_)
    assert reasoning.split("\n\n")[1] in written
    answer = read(written)
    assert (answer.verdict, answer.citations) == ("abnormal", cited)
    assert [c.line for step in answer.steps for c in step.citations] == [1, 2, 3]
    assert problems(answer, MATERIAL) == []


@given(answers())
def test_a_fast_answer_keeps_verdict_text_and_lines(given_: tuple[Answer, Material]) -> None:
    answer, material = given_
    again = parse(render(answer, fast=True).removesuffix("</answer>"), answer.task, material)
    assert (again.verdict, again.text, again.enough) == (
        answer.verdict,
        answer.text,
        answer.enough,
    )
    assert again.citations == answer.citations


@given(st.one_of(st.text(), st.lists(lines, max_size=6).map("\n".join)))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        answer = read(text)
    except MisfitError:
        return
    assert answer.verdict in ("abnormal", "normal", "")


@given(st.text(max_size=60), st.data())
def test_a_quote_of_a_line_as_it_is_shown_is_found_in_the_line(
    line: str, data: st.DataObject
) -> None:
    shown = visible(disarmed(line))
    begin = data.draw(st.integers(0, len(shown)))
    quote = shown[begin : data.draw(st.integers(begin, len(shown)))]
    found = quoted(quote, line)
    if quote.replace("⏎", "").strip():
        assert found is not None
    assert found is None or found in line


@given(lines)
def test_a_disarmed_line_holds_no_tag_and_is_as_long(line: str) -> None:
    told = disarmed(line)
    assert len(told) == len(line)
    assert "</" not in told
    assert "<a" not in told
    assert disarmed(told) == told
