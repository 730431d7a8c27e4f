"""The roster: like a dictionary in order of use, for any order of coming and going."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.roster import Roster

CALLS = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(-5, 9), unique=True, max_size=5)), max_size=40
)


@given(CALLS)
def test_sessions_keep_their_slot_until_they_end_or_give_way(calls) -> None:
    roster, heard, slot_of = Roster(5), {}, {}
    for now, (end, keys) in enumerate(calls):
        asked = np.array(sorted(keys), np.int64)
        if end:
            gone = [key for key in sorted(keys) if key in heard]
            roster.release(roster.find(np.array(gone, np.int64)))
            for key in gone:
                del heard[key], slot_of[key]
        else:
            new = [key for key in keys if key not in heard]
            while len(heard) + len(new) > 5:
                # The one that was not heard of for longest; among equals the lowest slot.
                idle = [key for key in heard if key not in keys]
                oldest = min(idle, key=lambda key: (heard[key], slot_of[key]))
                del heard[oldest], slot_of[oldest]
            slots, fresh = roster.admit(asked)
            assert [int(k) for k in asked[fresh]] == sorted(new)
            for key, slot in zip(asked.tolist(), slots.tolist(), strict=True):
                assert slot_of.setdefault(key, slot) == slot
                heard[key] = now
        assert len(roster) == len(heard) <= 5
        assert len(set(slot_of.values())) == len(slot_of)
        every = np.arange(-5, 10)
        assert roster.find(every).tolist() == [slot_of.get(int(key), -1) for key in every]


def test_it_counts_who_came_and_who_gave_way() -> None:
    roster = Roster(128)
    roster.admit(np.arange(128))
    assert (roster.opened, roster.evicted) == (128, 0)
    roster.admit(np.array([500]))
    # Two at once, a 64th of the room, so that not every newcomer costs a search.
    assert (roster.opened, roster.evicted, len(roster)) == (129, 2, 127)
    with pytest.raises(SettingsError, match="1 or more"):
        Roster(0)
