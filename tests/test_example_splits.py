"""Parts: no system and no line is trained on and judged, and time goes one way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.building.splits import Placed, parts_of
from logwright.reasoning.building.trajectories import PARTS

PLACED = st.builds(
    Placed,
    system=st.sampled_from("abcdefgh"),
    time=st.integers(0, 50),
    content=st.integers(0, 40).map(str),
)


@given(st.lists(PLACED, max_size=80), st.integers(0, 9))
def test_nothing_leaks(items: list[Placed], seed: int) -> None:
    parts = parts_of(items, seed)
    assert parts == parts_of(items, seed)
    of_content: dict[str, set[str | None]] = {}
    of_system: dict[str, set[str | None]] = {}
    for item, part in zip(items, parts, strict=True):
        if part is not None:
            of_content.setdefault(item.content, set()).add(part)
            of_system.setdefault(item.system, set()).add(part)
    assert all(len(found) == 1 for found in of_content.values())
    # Whole systems are test, or none is and all of them are cut by time.
    if {"test"} in of_system.values():
        assert all(found == {"test"} or "test" not in found for found in of_system.values())
    assert not items or any("train" in found for found in of_system.values())


@given(st.lists(st.integers(0, 1000), min_size=10, max_size=60, unique=True))
def test_a_system_that_is_alone_is_cut_by_time(times: list[int]) -> None:
    parts = parts_of([Placed("only", time, str(time)) for time in times])
    told = [part for _, part in sorted(zip(times, parts, strict=True))]
    assert told == sorted(told, key=lambda part: PARTS.index(part))  # type: ignore[arg-type]
    assert set(told) == set(PARTS)


def test_a_system_of_many_is_test_as_a_whole() -> None:
    items = [
        Placed(system, time, f"{system}{time}") for system in "abcdefghij" for time in range(20)
    ]
    parts = parts_of(items)
    tested = {item.system for item, part in zip(items, parts, strict=True) if part == "test"}
    assert len(tested) == 1
    assert parts.count("test") == 20
    assert parts.count("train") > 5 * parts.count("validation") > 0


def test_one_large_system_is_never_held_out() -> None:
    items = [Placed("large", time, f"l{time}") for time in range(90)]
    items += [Placed("small", time, f"s{time}") for time in range(10)]
    assert {
        part for item, part in zip(items, parts_of(items), strict=True) if item[0] == "small"
    } == {"test"}
