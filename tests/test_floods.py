"""Floods: ever-new templates are bounded, counted and told of; all other lines are judged as ever,
wherever batches end and however often the run is paused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright import floods
from logwright.findings.finding import Finding
from logwright.logs import allowance, coder
from logwright.logs.allowance import Allowance
from logwright.stream.feed import Entry
from logwright.stream.running import Running
from test_running import CUTS, Made, cited, every, few, ids, made, told

STRETCH = 50


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Floods that begin soon."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (allowance, coder, floods):
            patch.setattr(module, "STRETCH", STRETCH)
        patch.setattr(floods, "_TEMPLATES", 6)
        patch.setattr(floods, "_OF_TEMPLATES", 1)
        patch.setattr(floods, "_SHAPES", 20)
        patch.setattr(floods, "_OF_SHAPES", 3)
        patch.setattr(floods, "_TOLD", 10)
        patch.setattr(floods, "_OVER", 120)
        yield


def word(rng: random.Random) -> str:
    return "".join(rng.choices("ghijklmnopqrstuvwxyz", k=6))


def stamped(texts: list[str]) -> bytes:
    return "".join(
        f"2026-05-01 {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02} INFO {text}\n"
        for n, text in enumerate(texts)
    ).encode()


NAMES = ["ann", "bob", "cyd", "dot", "eve", "fay", "gus", "hal"]


def calm(rng: random.Random, number: int) -> list[str]:
    return [
        f"user {rng.choice(NAMES)} logged in" if n % 4 else f"job {n} done" for n in range(number)
    ]


def flooded(seed: int, number: int = 900) -> list[str]:
    """Calm lines, with a flood from line 300 to 600 in which some texts come again."""
    rng = random.Random(seed)
    lines, again = calm(rng, number), list[str]()
    for at in range(300, 600):
        if rng.random() < 0.8:
            again.append(f"{word(rng)} is {word(rng)} of {word(rng)}")
            lines[at] = rng.choice(again[-20:])
    lines[650] = "disk full"
    lines[890] = f"{word(rng)} is {word(rng)}"
    return lines


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, small: None) -> Made:
    folder = tmp_path_factory.mktemp("flooded")
    return made(folder, stamped(calm(random.Random(1), 3_000)), stamped(flooded(2)))


def of_floods(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if "a flood of new templates" in f.summary]


def test_a_flood_is_told_of_when_it_begins_and_as_it_grows(case: Made) -> None:
    found = sorted(of_floods(case.findings), key=lambda f: f.count)
    assert [f.count for f in found] == [1, 10, 100]
    assert {f.severity for f in found} == {"high"}
    assert len({f.pattern for f in found}) == 1
    assert all(300 < f.lines[0].line_no <= 600 for f in found)
    new = [f for f in case.findings if f.detector == "unseen" and f not in found]
    assert 6 <= len({f.pattern for f in new}) <= 6 + 600 // STRETCH + 1
    assert any("'disk full'" in f.summary for f in new), "once it is over all is as before"


def test_cuts_and_pauses_do_not_matter(case: Made) -> None:
    @few
    @given(cuts=CUTS, pauses=st.lists(st.integers(0, 12), max_size=4))
    def holds(cuts: list[int], pauses: list[int]) -> None:
        found = told(case, cuts, pauses)
        assert ids(found) == ids(case.findings)
        assert cited(found) == cited(told(case, cuts))

    holds()
    assert ids(told(case, every(case, 1), range(0, 900, 13))) == ids(case.findings)


def test_every_line_is_judged_or_counted(case: Made) -> None:
    running = case.new()
    running.push([Entry(b"".join(case.lines), "", case.arrived)])
    running.finish()
    judged, counted = running.pipeline.events_judged, running.pipeline.dropped["flood"]
    assert judged + counted == 900
    assert 150 < counted < 300
    again = case.again(running.snapshot())
    assert again.pipeline.dropped["flood"] == counted


def test_new_names_in_known_templates_are_no_flood(tmp_path: Path) -> None:
    history = stamped(calm(random.Random(1), 3_000))
    rng = random.Random(3)
    today = [f"user {word(rng)} logged in" if n % 20 == 0 else "job 7 done" for n in range(600)]
    found = made(tmp_path, history, stamped(today))
    running = found.new()
    assert not of_floods(found.findings)
    assert judged_templates(found, running) == {"user <*> logged in": 30, "job <*> done": 570}


def test_what_history_held_is_never_refused(tmp_path: Path) -> None:
    rng = random.Random(4)
    many = [f"{word(rng)} is {word(rng)} of {word(rng)}" for _ in range(200)]
    history = [text for text in many for _ in range(3)] + calm(rng, 2_000)
    found = made(tmp_path, stamped(history), stamped(many + calm(rng, 100)))
    assert not of_floods(found.findings)


def judged_templates(case: Made, running: Running) -> Counter[str]:
    """How often each template stood in the windows that were judged."""
    seen: Counter[str] = Counter()
    judge = running.pipeline.judge

    def spy(events):  # type: ignore[no-untyped-def]
        texts = running.pipeline.vocabulary.templates
        seen.update(texts[t].text for t in events.template.tolist())
        return judge(events)

    running.pipeline.judge = spy  # type: ignore[method-assign]
    running.push([Entry(b"".join(case.lines), "", case.arrived)])
    running.finish()
    return seen


@given(
    most=st.integers(0, 9),
    each=st.integers(0, 4),
    whole=st.integers(0, 40),
    wanted=st.lists(st.integers(0, 400), min_size=1, max_size=60).map(sorted),
    cuts=st.lists(st.integers(0, 60)),
)
def test_what_is_granted_does_not_depend_on_how_lines_come(
    most: int, each: int, whole: int, wanted: list[int], cuts: list[int]
) -> None:
    one, many = Allowance(most, each, whole), Allowance(most, each, whole)
    alone = [line for line in wanted if one.take(line, 1)]
    together = []
    for stretch in sorted({line // STRETCH for line in wanted}):
        mine = [line for line in wanted if line // STRETCH == stretch]
        stops = sorted({0, len(mine), *(c for c in cuts if c < len(mine))})
        for a, b in pairwise(stops):
            together += mine[a : a + many.take(mine[a], b - a)]
            many.resume(many.paused())
    assert alone == together
    assert len(alone) <= whole
    for begin in range(0, 400, STRETCH):
        assert sum(begin <= line < begin + STRETCH for line in alone) <= most
