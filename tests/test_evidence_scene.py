"""What happens in lines: happenings, what is wrong, what is over, and how lines are quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.evidence.scene import Scene, cite, message
from logwright.reasoning.material import Material


def scene(*lines: str, healthy: tuple[str, ...] = ()) -> Scene:
    runs = (Material.of_lines(healthy),) if healthy else ()
    return Scene.of(Material.of_lines(lines), runs)


def test_lines_of_a_shape_are_one_happening() -> None:
    one, other = scene("sent 3 bytes", "closed", "sent 9 bytes").happenings
    assert (one.first, one.last, one.count) == (1, 3, 2)
    assert (other.first, other.count) == (2, 1)


def test_the_gravest_comes_first() -> None:
    found = scene("WARN disk space low", "ERROR No space left on device", "all well").wrong
    assert [happening.first for happening in found] == [2, 1]


@pytest.mark.parametrize(
    "line",
    [
        "INFO retries left: 3",
        "kernel: Machine check architecture supported.",
        "build done, 0 errors",
        "    at com.shop.Cart.fail(Cart.java:41)",
    ],
)
def test_what_names_no_trouble_is_not_wrong(line: str) -> None:
    assert scene(line).wrong == []


def test_what_a_healthy_run_says_too_is_not_wrong() -> None:
    lines = ("ERROR could not read hint 7", "ERROR disk full")
    found = scene(*lines, healthy=("ERROR could not read hint 12", "done")).wrong
    assert [happening.first for happening in found] == [2]


@pytest.mark.parametrize(
    ("bad", "well", "over"),
    [
        ("eth0: Link is Down", "eth0: Link is Up", True),
        ("smartd: SMART Failure Predicted on sdc", "eth0: Link is Up", False),
        ("md0: degraded array", "md: rebuild complete", True),
        ("task failed", "Job completed successfully", True),
        ("No space left on device", "Job completed successfully", False),
        ("payment-gateway: connection refused", "payment-gateway recovered", True),
    ],
)
def test_what_is_well_again_is_what_was_wrong(bad: str, well: str, over: bool) -> None:
    here = scene(bad, well)
    assert (here.over(here.wrong[0]) is not None) is over
    back = scene(well, bad)
    assert back.over(back.wrong[0]) is None, "a recovery ends nothing that comes after it"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2024-05-01 10:00:02,113 ERROR disk full", "disk full"),
        ("Mar 13, 2011 10:56:12 PM app reload", "app reload"),
        ("[Tue Jul 25 10:26:58.46 2017] [core:error] [pid 7] [client ::1:49] no file", "no file"),
        ("12", "12"),
    ],
)
def test_a_message_is_what_stands_behind_time_and_level(line: str, said: str) -> None:
    assert message(line) == said


@given(st.text(max_size=400), st.sampled_from(["", " connection refused ", "ERROR "]))
def test_a_quote_stands_in_its_line(line: str, words: str) -> None:
    material = Material.of_lines([line + words + line])
    assert cite(material, 1).quote in material.text(1)
