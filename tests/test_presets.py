"""Presets: the measures the page and the bars speak of."""

from __future__ import annotations

import pytest

from logwright.errors import SettingsError
from logwright.sequence.presets import PRESETS, preset


def test_layers_of_wide_and_of_narrow_reach_take_turns() -> None:
    tiny = preset("tiny")
    assert (tiny.width, tiny.layers) == (64, 2)
    assert [tiny.reach(layer) for layer in range(2)] == [32, 8]


@pytest.mark.parametrize("one", PRESETS.values(), ids=PRESETS)
def test_every_preset_is_whole(one: object) -> None:
    assert isinstance(one, type(preset("tiny")))
    assert one.why
    assert one.piece > one.reach_local
    if one.kind == "attention":
        assert one.width % one.heads == 0
        assert one.reach_global > one.reach_local > 0


def test_ten_thousand_sessions_of_state_fit_the_bars() -> None:
    """350 MB for tiny and 64 MB for the recurrent one, at 4 bytes a number."""
    tiny = preset("tiny")
    numbers = sum(2 * tiny.width * (tiny.reach(layer) - 1) for layer in range(tiny.layers)) + 1
    assert 4 * numbers * 10_000 < 350e6
    recurrent = preset("recurrent")
    assert 4 * 2 * recurrent.layers * recurrent.width * 10_000 < 64e6


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="no preset 'huge': it is one of tiny, small"):
        preset("huge")
