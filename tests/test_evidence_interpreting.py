"""Interpretation from the lines alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.evidence import interpreting
from logwright.reasoning.knowledge import knowledge
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options


def said(*lines: str) -> Answer:
    material = Material.of_lines(lines)
    answer = interpreting.answer(material, Options())
    assert problems(answer, material) == []
    return answer


def test_it_tells_who_talks_what_goes_wrong_and_what_that_means() -> None:
    answer = said(
        "2024-03-01 10:00:00 INFO org.shop.Cart: started",
        "2024-03-01 10:04:00 ERROR org.shop.Cart: no answer from 10.0.0.8:5432: Connection refused",
    )
    for words in ("4 min", "org.shop.Cart", "10.0.0.8:5432", "(line 2)", "nothing accepts"):
        assert words in answer.text
    assert answer.citations[0].line == 2


def test_it_says_when_it_ends_well() -> None:
    answer = said(
        "10:00:00 eth0: Link is Down", "10:00:30 request 7 waits", "10:01:00 eth0: Link is Up"
    )
    assert "well again, 60 s later" in answer.text
    assert "line 3" in answer.text
    assert "well again" not in said("eth0: Link is Up", "eth0: Link is Down").text


def test_it_counts_what_recurs() -> None:
    answer = said(*(f"attempt {n}: connection refused" for n in range(1_200)))
    assert "1,200 times" in answer.text
    assert len(answer.text) < 600


def test_nothing_wrong_is_said_to_be_so() -> None:
    assert "Nothing goes wrong" in said("cache warmed with 4312 entries").text


def test_the_line_with_the_known_value_is_shown() -> None:
    """Lines of a shape differ in values: the one that names the error is the one to cite."""
    lines = [*(["worker exited with code 0"] * 3), "worker exited with code 137"]
    assert said(*lines).citations[0].line == 4


def test_a_message_of_a_switch_is_as_grave_as_it_says() -> None:
    assert "The device grades it 2 (critical)." in said("EFM/2/EVENT: A link event occurred.").text
    assert "Nothing goes wrong" in said("AM/6/RELEASE: An address was released.").text
    assert '"AM/6' in said("AM/6/RELEASE: An address was released.").text


def test_a_long_log_makes_a_short_text() -> None:
    lines = [known.example for known in knowledge()]
    assert len(said(*lines).text) < 2_500


@given(
    st.lists(
        st.text(max_size=60) | st.sampled_from([known.example for known in knowledge()]),
        min_size=1,
        max_size=12,
    ).filter(lambda lines: any(line.strip() for line in lines))
)
def test_every_citation_holds_whatever_the_lines(lines: list[str]) -> None:
    said(*lines)
