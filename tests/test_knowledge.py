"""What is known of errors: the entries themselves, and finding them in lines."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.knowledge import (
    CAUSE_CLASSES,
    Known,
    knowledge,
    known_in,
    sightings,
)

_PHRASES = [words for known in knowledge() for words in known.words]


def names(line: str) -> list[str]:
    return [known.name for known in known_in(line)]


def test_there_are_many_entries_each_of_its_own() -> None:
    assert len(knowledge()) >= 150
    assert max(Counter(known.name for known in knowledge()).values()) == 1
    assert max(Counter(_PHRASES).values()) == 1, "a phrase leads to one entry"


@pytest.mark.parametrize("known", knowledge(), ids=lambda known: known.name)
def test_an_entry_is_found_by_its_example_and_says_what_to_do(known: Known) -> None:
    assert known.name in names(known.example)
    assert known.cause_class in CAUSE_CLASSES
    assert known.severity in ("info", "warning", "error", "critical")
    assert known.meaning.endswith(".")
    assert known.causes
    assert known.look, "the first thing to do changes nothing"
    assert all(words == words.lower() and words.isascii() for words in known.words)
    assert (known.severity == "info") or not known.recovery


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("FATAL: sorry, too many clients already", "too many connections"),
        ("task exited with code 137", "killed (exit 137)"),
        ('10.0.0.9 - - "GET /a HTTP/1.1" 503 12', "HTTP 503"),
        ("rpc error: code = Unavailable desc = closing", "gRPC unavailable"),
        ("sda: SMART overall-health self-assessment FAILED", "disk about to fail"),
        ("EDAC MC1: 2 CE memory read error on DIMM0", "memory error corrected"),
        ("%OSPF-5-ADJCHG: Process 1, Nbr 10.0.0.1 FULL to DOWN", "routing neighbour lost"),
        ("ERROR 1213: Deadlock found when trying to get lock", "deadlock (database)"),
    ],
)
def test_what_lines_of_other_systems_name(line: str, expected: str) -> None:
    assert expected in names(line)


@pytest.mark.parametrize(
    "line",
    [
        "geiod started",  # "eio" within a word
        "exited with code 1370",
        "errno 280",
        "listening on port 503",
        "sweep: No topology change",
        "the report was written in 12 ms",
    ],
)
def test_words_within_longer_words_and_plain_lines_name_nothing(line: str) -> None:
    assert names(line) == []


def test_words_within_those_of_another_entry_do_not_count() -> None:
    """What was corrected is no error that was not, though the words hold "parity error"."""
    assert names("cache parity error corrected") == ["memory error corrected"]


def test_pieces_of_a_phrase_stand_on_one_line_in_this_order() -> None:
    assert "bundle of links lost a member" in names("LACP on port 3: timeout")
    seen = sightings(["LACP started", "timeout"])
    assert "bundle of links lost a member" not in [known.name for known in seen.entries()]
    assert names("timeout on LACP") == []


def test_sightings_tell_the_lines_of_each_entry() -> None:
    lines = ["ok", "disk full", "\udcff\udcfe disk full", "ECONNREFUSED", "disk full: disk full"]
    seen = sightings(lines)
    full, refused = seen.entries()
    assert (full.name, refused.name) == ("no space left", "connection refused")
    assert seen.lines_of(full).tolist() == [2, 3, 5]
    assert seen.lines_of(refused).tolist() == [4]


def test_no_lines_name_nothing() -> None:
    assert len(sightings([])) == 0
    assert len(sightings([""])) == 0


@given(st.lists(st.text(max_size=30) | st.sampled_from(_PHRASES), max_size=12))
def test_many_lines_are_read_as_each_by_itself(lines: list[str]) -> None:
    """One pass over all lines finds what each of them names, and where."""
    seen = sightings(lines)
    for number, line in enumerate(lines, 1):
        alone = sightings([line])
        here = seen.line == number
        for column in ("entry", "begin", "end"):
            assert getattr(seen, column)[here].tolist() == getattr(alone, column).tolist()


@given(st.sampled_from([words for words in _PHRASES if " ... " not in words]), st.text(max_size=20))
def test_words_are_found_where_they_stand(words: str, before: str) -> None:
    line = f"{before} {words.upper()} x"
    seen = sightings([line])
    raw = line.encode("utf-8", "surrogatepass")
    spans = [raw[a:b].lower() for a, b in zip(seen.begin, seen.end, strict=True)]
    assert any(words.encode() in span for span in spans)
