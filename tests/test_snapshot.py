"""Snapshots: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from logwright.errors import StoreError
from logwright.snapshot import SNAPSHOT_FORMAT, State, decode, encode, join, part

NAMES = st.text(max_size=8)
META = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
COLUMNS = hnp.arrays(
    st.sampled_from([np.int64, np.int8, np.uint64, np.float64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=4),
)
STATES = st.builds(
    State,
    st.dictionaries(NAMES, META, max_size=3),
    st.dictionaries(NAMES, st.dictionaries(NAMES, COLUMNS, max_size=3), max_size=3),
    st.dictionaries(NAMES, st.binary(max_size=20), max_size=3),
)


@given(st.dictionaries(NAMES, STATES, max_size=4))
def test_what_goes_in_comes_out(states: dict[str, State]) -> None:
    back = decode(encode(states))
    assert list(back) == list(states)
    for name, state in states.items():
        assert back[name].meta == state.meta
        assert back[name].files == state.files
        for table, columns in state.tables.items():
            for column, array in columns.items():
                found = back[name].tables[table][column]
                assert found.dtype == array.dtype
                np.testing.assert_array_equal(found, array)
                assert found.flags.writeable or not found.size


@given(st.lists(st.binary(max_size=5)))
def test_texts_are_parted_as_they_were(texts: list[bytes]) -> None:
    assert part(*join(texts)) == texts


@given(st.data())
def test_what_was_changed_is_refused(data: st.DataObject) -> None:
    made = encode({"a": State({"n": [1, 2]}, {"t": {"x": np.arange(9)}}, {"f": b"raw"})})
    at = data.draw(st.integers(0, len(made) - 1))
    bad = made[:at] + bytes([made[at] ^ data.draw(st.integers(1, 255))]) + made[at + 1 :]
    with pytest.raises(StoreError, match="snapshot"):
        decode(bad)
    with pytest.raises(StoreError, match="snapshot"):
        decode(made[:at])


def test_a_newer_one_says_what_to_do() -> None:
    made = bytearray(encode({}))
    made[3:5] = (SNAPSHOT_FORMAT + 1).to_bytes(2, "little")
    with pytest.raises(StoreError, match=f"format {SNAPSHOT_FORMAT + 1}.*update logwright"):
        decode(bytes(made))


def test_objects_are_no_numbers() -> None:
    with pytest.raises(TypeError, match="no numbers"):
        encode({"a": State({}, {"t": {"x": np.array([{}], object)}})})
