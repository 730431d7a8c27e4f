"""Names of rules: they tell kind and condition, and can be names of files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.book.naming import MOST_NAME, name_of
from logwright.rules.book.rulefile import Meta
from logwright.rules.book.shelved import may_be

BAD = Meta(kind="abnormal", provenance="data")
GOOD = Meta(kind="normal", provenance="data")
HOLDS = Meta(kind="normal", provenance="data", must_hold=True)


@pytest.mark.parametrize(
    ("meta", "told", "name"),
    [
        (BAD, "a line has 'read'", "abnormal_read"),
        (BAD, "at least 3 lines have 'disk full'", "abnormal_at_least_3_disk_full"),
        (BAD, "no line has 'the end of a line'", "abnormal_no_the_end_of_a_line"),
        (BAD, "at least 20 lines", "abnormal_at_least_20_lines"),
        (BAD, "more lines have 'x' than 'y'", "abnormal_more_x_than_y"),
        (GOOD, "all lines have 'bit'", "normal_all_bit"),
        (HOLDS, "as many lines have 'open' as 'close'", "invariant_as_many_open_as_close"),
        (BAD, "Abnormal: too many disks.", "abnormal_too_many_disks"),
        (BAD, "a line has template t-610faf3a", "abnormal_t_610faf3a"),
        (BAD, "a line has template t-07", "abnormal_what_s_up"),
        (BAD.model_copy(update={"target": "Disk full"}), "a line has 'x'", "abnormal_disk_full_x"),
        (BAD, "", "abnormal"),
    ],
)
def test_it_tells_the_kind_and_the_condition(meta: Meta, told: str, name: str) -> None:
    assert name_of(meta, told, {"t-07": "what's up <*>", "t-610faf3a": "<*>"}) == name


@given(st.sampled_from([BAD, GOOD, HOLDS]), st.text(max_size=200), st.text(max_size=80))
def test_any_text_gives_a_name_of_a_file(meta: Meta, told: str, target: str) -> None:
    if meta is BAD:
        meta = meta.model_copy(update={"target": target})
    name = name_of(meta, told)
    assert may_be(name)
    assert len(name) <= MOST_NAME
