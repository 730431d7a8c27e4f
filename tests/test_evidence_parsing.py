"""Templates of single lines: what varies is masked, and each reason is cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import problems
from logwright.reasoning.evidence.parsing import answer
from logwright.reasoning.evidence.rendering import MASK, rendered
from logwright.reasoning.evidence.varying import varying
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Rendering

WORDS = {
    "took 35ms, 99% of 4KB": "took <*>, <*>% of <*>",
    "GET /api/users/42?full=1 HTTP/1.1 200": "GET <*> HTTP/1.1 <*>",
    '{"ok": true, "n": 12, "msg": "done"}': '{"ok": <*>, "n": <*>, "msg": "done"}',
    "id=550e8400-e29b-41d4-a716-446655440000 state=open": "id=<*> state=open",
    "opened https://shop.example.com/cart?a=1&b=2 now": "opened <*> now",
    "wrote C:\\Temp\\a b.txt (12,345 bytes)": "wrote <*> b.txt (<*> bytes)",
    "at 2024-03-04T05:06:07.123Z pid=77": "at <*> pid=<*>",
    "2005-06-03-15.42.50.363779 up": "<*> up",
    "on Mon Jan 02 10:11:12 2023 it began": "on <*> it began",
    "from fe80::1 to 10.0.0.0/24": "from <*> to <*>",
    "key 0x1f, mask ff00ee11": "key <*>, mask <*>",
    "cached=null, free=None": "cached=<*>, free=<*>",
    "session for user maria closed": "session for user <*> closed",
    "the user is unknown": "the user is unknown",
    "mailed ops@example.com": "mailed <*>",
    "    at com.example.Shop.buy(Shop.java:41)": "    at com.example.Shop.buy(Shop.java:<*>)",
    "log4j and HttpServer2 speak http2 and sha256": "log4j and HttpServer2 speak http2 and sha256",
    "jk2_init() was called": "jk2_init() was called",
    "read/write of input/output": "read/write of input/output",
    "found in com.example.core.Engine": "found in com.example.core.Engine",
    "depth.......14": "depth.......<*>",
}
CHARACTERS = {
    "lost chunk_8817 of file part-00012": "lost chunk_<*> of file part-<*>",
    "moved /srv/data/tmp/chunk_8817": "moved /<*>/chunk_<*>",
    "from /10.0.0.7:50010 to db-3:5432": "from /<*>:<*> to <*>:<*>",
    "node web-3.example.com/10.0.0.7:80": "node <*>/<*>:<*>",
    "store is hdfs://keeper-1:9000": "store is hdfs://<*>:<*>",
    "task_14_0020_m_1Task is new": "task_<*>Task is new",
    "chunk_-77 is bad": "chunk_<*> is bad",
    "took 35ms": "took <*>ms",
    "on Mon Jan 02 10:11:12 2023": "on <*>:<*>:<*>",
    "1 2 3 go": "<*> go",
    "wait  (3)": "wait  (<*>)",
}

lines = st.lists(
    st.one_of(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.from_regex(
            r"[A-Za-z_]{0,4}-?[0-9a-f]{1,8}(?:[.:/=_-][0-9A-Za-z]{1,6}){0,4}", fullmatch=True
        ),
        st.sampled_from(
            ["10.0.0.1:80", "/a/b_1", "http://x.example.com/?a=1", "12:13:14", "user ann"]
        ),
        st.text(st.characters(exclude_characters="\r\n"), max_size=6),
    ),
    max_size=8,
).map(" ".join)


@pytest.mark.parametrize(("line", "template"), WORDS.items())
def test_whole_words_that_vary_are_masked(line: str, template: str) -> None:
    assert rendered(line, varying(line), "words") == template


@pytest.mark.parametrize(("line", "template"), CHARACTERS.items())
def test_only_the_part_of_a_word_that_varies_is_masked(line: str, template: str) -> None:
    assert rendered(line, varying(line), "characters") == template


def test_each_reason_is_a_step_that_cites_the_value() -> None:
    material = Material.of_lines(["peer 10.0.0.7:80 took 5 ms"])
    told = answer(material, Options())
    assert [step.text for step in told.steps] == [
        "Addresses: '10.0.0.7' is an address and varies.",
        "Endpoints: '80' is a port and varies.",
        "Times: '5' is a duration and varies.",
    ]
    assert [step.citations[0].quote for step in told.steps] == [
        "10.0.0.7:80",
        "10.0.0.7:80",
        "took 5",
    ]
    assert told.strategy == "parse-procedural"


def test_several_lines_give_a_template_each_in_order() -> None:
    material = Material.of_lines(["took 5 ms", "", "all well", "took 7 ms"])
    told = answer(material, Options())
    assert told.verdict == "took <*> ms\n\nall well\ntook <*> ms"
    assert [citation.line for citation in told.citations] == [1, 3]
    assert told.text == "4 lines of 2 templates."


def test_a_constant_line_is_its_own_template_and_says_so() -> None:
    told = answer(Material.of_lines(["shutting down"]), Options())
    assert told.verdict == "shutting down"
    assert told.citations[0].quote == "shutting down"


def test_a_sure_kind_gives_more_confidence_than_a_doubtful_one() -> None:
    sure, doubtful = (
        answer(Material.of_lines([line]), Options()).confidence
        for line in ("sent 12 bytes", "enabled: true by uid=0")
    )
    assert sure > doubtful


@given(lines)
def test_parts_stand_in_order_and_none_overlaps(line: str) -> None:
    at = 0
    for part in varying(line):
        assert at <= part.begin < part.end <= len(line)
        assert part.outer <= part.begin
        assert part.end <= part.outer_end <= len(line)
        at = part.end


@given(lines, st.sampled_from(["words", "characters"]))
def test_a_template_fits_its_line_again(line: str, rendering: str) -> None:
    template = rendered(line, varying(line), rendering)  # type: ignore[arg-type]
    if MASK not in line:
        fitting = ".+?".join(re.escape(text) for text in template.split(MASK))
        assert re.fullmatch(fitting, line, re.DOTALL)


@given(st.lists(lines, min_size=1, max_size=4).filter(lambda them: any(t.strip() for t in them)))
def test_every_citation_holds(them: list[str]) -> None:
    material = Material.of_lines(them)
    assert problems(answer(material, Options()), material) == []


def test_labelled_templates_of_systems_looked_at(data: Path) -> None:
    from logwright.bench.reasoning_sets import items
    from logwright.reasoning.task import Task

    seen = items(Task.PARSE, data, "seen")
    options = Options(rendering="characters")
    right = sum(
        answer(Material.of_lines(item.lines), options).verdict.strip() == item.truth.strip()
        for item in seen
    )
    assert right / len(seen) > 0.8


VALUES = st.sampled_from(
    [
        "7",
        "42",
        "0x1f",
        "1x1f",
        "blk_-8",
        "v2",
        "md5",
        "10.0.0.7:80",
        "/a/b7",
        "12:30:01",
        "n3",
        "a1b2c3d4",
    ]
)


@given(st.lists(st.tuples(st.sampled_from(["read {} of {}", "{}: {} done"]), VALUES, VALUES)))
@pytest.mark.parametrize("rendering", ["words", "characters"])
def test_lines_beside_it_change_no_template(
    rendering: Rendering, drawn: list[tuple[str, str, str]]
) -> None:
    lines = ["ready", *(text.format(one, two) for text, one, two in drawn)]
    options = Options(rendering=rendering)
    alone = [answer(Material.of_lines([line]), options).verdict for line in lines]
    assert answer(Material.of_lines(lines), options).verdict.split("\n") == alone


def test_what_stands_behind_ten_thousand_characters_is_left_as_it_is() -> None:
    line = "at 7 " + "x" * 10_000 + " 8 and 9"
    assert answer(Material.of_lines([line]), Options()).verdict.endswith("x 8 and 9")


def test_of_very_many_values_the_first_are_counted() -> None:
    told = answer(Material.of_lines([f"took {n} ms" for n in range(5_000)]), Options())
    assert told.steps[0].text.endswith("and at least 997 more are durations and vary.")
