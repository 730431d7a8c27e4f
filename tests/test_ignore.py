"""What is left out, and counted: the ignore file, the trigger, the quiet time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright.errors import SettingsError
from logwright.findings.damping import Damper
from logwright.findings.finding import CitedLine, Finding, TemplateRef, WindowRef
from logwright.findings.ignore import Ignored, wildcard
from logwright.settings import load_settings


def finding(number: int, minute: float = 0.0, pattern: int = 1, **values: Any) -> Finding:
    first = (datetime(2025, 1, 1) + timedelta(minutes=minute)).isoformat() + "Z"
    base: dict[str, Any] = {
        "id": f"f-{number:016x}",
        "pattern": f"p-{pattern:016x}",
        "detector": "unseen",
        "unit": "template",
        "score": 1.0,
        "threshold": 1.0,
        "severity": "low",
        "summary": f"new {number}",
        "expected": "nothing",
        "seen": "something",
        "first_seen": first,
        "last_seen": first,
        "window": WindowRef(kind="time", key="w", lines=1),
        "lines": (
            CitedLine(
                source="a", line_no=number, offset=0, text="INFO disk full on sda", message_at=5
            ),
        ),
        "templates": (TemplateRef(id="t-00000000000000aa", text="disk full on <*>", count=1),),
    }
    return Finding(**{**base, **values})


def sifted(tmp_path: Path, text: str, *findings: Finding) -> tuple[list[str], str]:
    path = tmp_path / "ignore"
    path.write_text(text)
    ignored = Ignored.read(str(path))
    return [f.id for f in ignored.sift(findings)], ignored.note().replace(str(path), "FILE")


@pytest.mark.parametrize(
    "entry",
    [
        "p-0000000000000001",
        "p-00000000",
        "t-00000000000000aa  # why",
        "disk full on <*>",
        "disk full *",
        "*sda",
        "# a comment\n\n  disk * sda  ",
    ],
)
def test_an_entry_leaves_out_what_it_means(tmp_path: Path, entry: str) -> None:
    kept, note = sifted(tmp_path, entry, finding(1))
    assert kept == []
    assert note == "1 finding ignored by FILE (1 entry)"


@pytest.mark.parametrize(
    "entry", ["p-00000000000000ff", "t-bbbbbbbb", "disk full", "*sdb", "INFO*"]
)
def test_an_entry_leaves_out_nothing_else(tmp_path: Path, entry: str) -> None:
    kept, note = sifted(tmp_path, entry, finding(1))
    assert kept == [finding(1).id]
    assert note == "0 findings ignored by FILE (1 entry; 1 entry matched nothing)"


def test_a_finding_of_several_templates_is_ignored_where_all_are(tmp_path: Path) -> None:
    both = (*finding(1).templates, TemplateRef(id="t-00000000000000bb", text="retry", count=1))
    lines = tuple(
        CitedLine(source="a", line_no=n, offset=0, text=t) for n, t in ((1, "x"), (2, "y"))
    )
    one = finding(1, templates=both, lines=lines)
    assert sifted(tmp_path, "t-00000000000000aa", one)[0] == [one.id]
    assert sifted(tmp_path, "t-00000000000000aa\nretry\n", one)[0] == []
    assert sifted(tmp_path, "x", one)[0] == [one.id]
    assert sifted(tmp_path, "x\ny", one)[0] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p-12", "line 1: 'p-12' is no id"),
        ("x\nT-GG\nt-0123456789ABCDEF", "line 3"),
        (None, "cannot"),
    ],
)
def test_a_bad_ignore_file_is_one_sentence(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "ignore").write_text(text)
    with pytest.raises(SettingsError, match=said):
        Ignored.read(str(tmp_path / "ignore"))


@given(st.text("ab*<>", max_size=9), st.text("ab<>*", max_size=12))
def test_wildcards_are_those_of_a_regular_expression(pattern: str, text: str) -> None:
    parts = re.sub(r"<\*>", "*", pattern).split("*")
    assert wildcard(pattern, text) == bool(
        re.fullmatch(".*".join(map(re.escape, parts)), text, re.S)
    )


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not wildcard("*a" * 500 + "b", "a" * 100_000)


def test_the_file_of_the_working_folder_is_found(tmp_path: Path) -> None:
    assert load_settings().ignore is None
    lines = [f"2024-05-01 10:{n // 60 % 60:02}:{n % 60:02} INFO job {n} done\n" for n in range(300)]
    lines[200:200] = [lines[200][:20] + f"ERROR disk {n} is full\n" for n in range(3)]
    lines[250:250] = [lines[250][:20] + "ERROR fan stopped\n"]
    (tmp_path / "app.log").write_text("".join(lines))
    assert len({f.pattern for f in lw.scan(str(tmp_path / "app.log")).findings}) == 2
    Path(".logwrightignore").write_text("disk <*> is full\nnothing like it\n")
    result = lw.scan(str(tmp_path / "app.log"))
    assert [f.lines[0].text[-11:] for f in result.findings] == ["fan stopped"]
    (note,) = [n for n in result.run.notes if "ignored" in n]
    assert note.endswith("ignored by .logwrightignore (2 entries; 1 entry matched nothing)")


# --- trigger and quiet ----------------------------------------------------------------------------


def raised(damper: Damper, *findings: Finding) -> list[int]:
    return [int(f.id[2:], 16) for f in damper.raised(findings)]


def test_nothing_is_damped_by_default() -> None:
    assert raised(Damper(), finding(2, 5), finding(1, 1), finding(1, 1)) == [2, 1, 1]


def test_a_trigger_waits_for_n_of_m_intervals() -> None:
    trigger = (3, 5)
    assert raised(Damper(trigger), *(finding(n, n) for n in range(2))) == []
    # With the third, those that were held back are raised, too.
    assert raised(Damper(trigger), *(finding(n, n) for n in range(3))) == [0, 1, 2]
    assert raised(Damper(trigger), finding(1, 0), finding(2, 2), finding(3, 4)) == [1, 2, 3]
    assert raised(Damper(trigger), finding(1, 0), finding(2, 3), finding(3, 6)) == []
    # Several in one interval are one, and patterns do not add up.
    assert raised(Damper(trigger), *(finding(n, n / 10) for n in range(9))) == []
    assert raised(Damper(trigger), *(finding(n, n, pattern=n) for n in range(9))) == []


def test_a_trigger_counts_what_it_holds_back() -> None:
    damper = Damper((2, 3))
    assert raised(damper, finding(1, 0), finding(2, 1), finding(3, 9)) == [1, 2]
    assert damper.notes() == [
        "1 finding held back: their patterns were not found in 2 of 3 consecutive intervals"
    ]


def test_quiet_counts_repeats_in_what_was_raised() -> None:
    damper = Damper(quiet=600)
    found = [
        finding(1, 0),
        finding(2, 8),
        finding(3, 17),
        finding(4, 30),
        finding(5, 31, pattern=2),
    ]
    out = damper.raised(found)
    assert [int(f.id[2:], 16) for f in out] == [1, 4, 5]
    # 8 follows 0, 17 follows 8: each within ten minutes of the last one, raised or not.
    assert [(f.count, f.last_seen) for f in out] == [
        (3, found[2].last_seen),
        (1, found[3].last_seen),
        (1, found[4].last_seen),
    ]
    assert damper.notes() == ["2 repeats within the quiet time were counted only"]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), max_size=25),
    st.sampled_from([(None, 0), ((2, 3), 0), (None, 300), ((2, 4), 300)]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_input_does_not_matter_and_nothing_is_lost(
    given_: list[tuple[int, int]], damping: tuple[Any, float], rnd: Any
) -> None:
    found = [finding(n, minute, pattern) for n, (minute, pattern) in enumerate(given_)]
    shuffled = found[:]
    rnd.shuffle(shuffled)
    one, two = Damper(*damping), Damper(*damping)
    if damping != (None, 0):
        assert one.raised(found) == two.raised(shuffled)
        again = Damper(*damping)
        out = again.raised(found)
        assert len(out) + again.held_back + again.repeats == len(found)
        assert sum(f.count for f in out) + again.held_back == len(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trigger": "5/3"}, "trigger is '5/3': expected such as '3/5'"),
        ({"trigger": "three"}, "expected such as"),
        ({"quiet": "10"}, "quiet is '10': expected a length of time"),
        ({"ignore": "absent"}, "ignore file absent cannot be read"),
    ],
)
def test_bad_values_are_one_sentence(tmp_path: Path, options: dict[str, str], said: str) -> None:
    (tmp_path / "a.log").write_text("a\n" * 50)
    with pytest.raises(SettingsError, match=said):
        lw.scan(str(tmp_path / "a.log"), **options)


def test_a_trigger_does_not_hold_back_what_tells_of_an_absence() -> None:
    silence = finding(1, 0, detector="rate", summary="vanished: 'beat', not seen for 11 minutes")
    assert raised(Damper((3, 5)), silence) == [1]
    assert raised(Damper((3, 5)), finding(2, 0, detector="timing")) == [2]
    assert raised(Damper((3, 5)), finding(3, 0, detector="rate", summary="burst")) == []


def test_a_byte_order_mark_belongs_to_no_entry(tmp_path: Path) -> None:
    file = tmp_path / "ignore"
    file.write_bytes(b"\xef\xbb\xbfUnhandled*\n")
    assert Ignored.read(str(file)).entries == ("Unhandled*",)
    file.write_bytes("Unhandled*\n".encode("utf-16"))
    with pytest.raises(SettingsError, match="NUL bytes"):
        Ignored.read(str(file))
