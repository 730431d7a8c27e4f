"""Alike findings: told apart by their count, in bounded memory, wherever one pauses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.findings import alike
from logwright.findings.alike import Alike

_NAMES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=120)


@given(_NAMES, st.integers(1, 30))
def test_they_are_counted_while_they_are_near_wherever_one_pauses(
    names: list[tuple[int, bool]], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "_YOUNG", 5)
        counts, last = dict[int, int](), dict[int, int]()
        counted = Alike(most)
        for now, (name, pauses) in enumerate(names):
            if now - last.get(name, -most) >= most:
                counts[name] = 0
            assert counted.before("pattern", name) == counts[name]
            counts[name] += 1
            last[name] = now
            if pauses:
                state, counted = counted.paused(), Alike(most)
                counted.resume(state)


def test_memory_is_bounded_by_the_findings_between() -> None:
    counted = Alike(10_000)
    for name in range(30_000):
        assert counted.before(name) == 0
    assert len(counted.paused().tables["alike"]["key"]) <= 10_000
    assert counted.before(29_999) == 1
    assert counted.before(3) == 0
