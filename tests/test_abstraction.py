"""A rule speaks of what is wrong; where and when it once was is not for it to name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.llm.placeholders import Placeholders
from logwright.logs.shapes import mask
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line, Window
from logwright.rules.synthesis.abstraction import Paraphrase, literals

words = st.sampled_from(
    [
        "disk",
        "full",
        "R02-M1-N0",
        "10.0.0.7",
        "12",
        "512",
        "40960",
        "blk_-1608999687",
        "0x1f",
        "cpu1",
    ]
)
texts = st.lists(words, max_size=6).map(" ".join)


def found(condition: str, **more: object) -> list[str]:
    return literals(parse(f"def rule(w):\n    return {condition}\n"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("failed on 2005-06-03", "a date"),
        ("12/11/2021 failed", "a date"),
        ("at 15:42:50", "a time of day"),
        ("from 10.251.73.220", "an address"),
        ("00:1b:44:11:3a:b7", "an address"),
        ("blk_-1608999687919862906", "an identifier"),
        ("job 48211", "a long number"),
        ("R02-M1-N0", "an identifier"),
        ("node-117 is down", "an identifier"),
        ("0x0b85eee0", "an identifier"),
        ("REDACTED_HOST_1_ down", "a hidden value"),
    ],
)
def test_texts_that_will_be_others_next_time_are_told(text: str, said: str) -> None:
    for condition in (
        f'any("{text}" in line.text for line in w.lines)',
        f'any(phrase(line.text, "{text}") for line in w.lines)',
        f'any(like(line.text, "*{text}*") for line in w.lines)',
    ):
        (sentence,) = found(condition)
        assert said in sentence


@pytest.mark.parametrize(
    "condition",
    [
        'any("data TLB error interrupt" in line.text for line in w.lines)',
        'any(search(r"took \\d{5,} ms", line.text) for line in w.lines)',
        'any(search("[0-9]{4}-[0-9]{2}-[0-9]{2} missing", line.text) for line in w.lines)',
        'any(number(r"status: (\\d+)", line.text) >= 500 for line in w.lines)',
        'any("HTTP/1.1" in line.text and "L3 cache" in line.text for line in w.lines)',
        "w.lines[-1].ts - w.lines[0].ts > 3600 and len(w.lines) < 10000",
    ],
)
def test_words_counts_and_patterns_are_fine(condition: str) -> None:
    assert found(condition) == []


def test_hosts_keys_and_templates_are_told() -> None:
    assert "a host or a key" in found('any(line.host == "web1" for line in w.lines)')[0]
    assert "a host or a key" in found('w.key.startswith("blk")')[0]
    assert "template's id" in found('any(line.template == "a1" for line in w.lines)')[0]
    assert "a date" in found("w.lines[0].ts > 1117838570")[0]
    told = found('any("at tbird dn2 down" in line.text for line in w.lines)', names={"dn2"})
    assert "a host or key of history" in told[0]


def test_a_hidden_value_is_told_even_where_it_looks_like_a_word() -> None:
    hidden = Placeholders()
    hidden.hide("user=margarita logged in")
    told = found('any("margarita logged" in line.text for line in w.lines)', hidden=hidden)
    assert "was hidden" in told[0]


@given(st.lists(texts, min_size=1, max_size=5))
def test_a_paraphrase_keeps_all_but_digits(held: list[str]) -> None:
    window = Window(Line(text, 5.0, 3, "t", [], "kernel", "dn2") for text in held)
    other = Paraphrase([])(window)
    for before, after in zip(window.lines, other.lines, strict=True):
        assert mask(after.text.encode()) == mask(before.text.encode())
        assert len(after.text) == len(before.text)
        assert (after.ts, after.level, after.template) == (5.0, 3, "t")
        assert after.host != before.host


@given(texts, texts)
def test_equal_values_stay_equal_and_identifiers_change(one: str, two: str) -> None:
    window = Window.of_texts([one, two], "blk_7")
    other = Paraphrase([])(window)
    before = " ".join([one, two]).split()
    after = " ".join(line.text for line in other.lines).split()
    names = dict(zip(before, after, strict=True))
    assert [names[word] for word in before] == after
    assert all(names[w] != w for w in names if any(c.isdigit() for c in w) and not w.isdigit())
    assert other.key != window.key


def test_sizes_stay_sizes() -> None:
    (line,) = Paraphrase([])(Window.of_texts(["took 120034 ms status 500"])).lines
    assert line.text.endswith("status 500")
    took = int(line.text.split()[1])
    assert 100_000 <= took < 200_000
    assert took != 120034


def test_what_never_varies_is_no_parameter() -> None:
    seen = [Window.of_texts([f"cpu1 failed at R0{i}-M1"]) for i in range(4)]
    (line,) = Paraphrase(seen)(seen[0]).lines
    assert line.text.startswith("cpu1 failed at ")
    assert "R00-M1" not in line.text


def test_params_change_with_the_text() -> None:
    window = Window([Line("lost R02-M1", params=["R02-M1"])])
    (line,) = Paraphrase([])(window).lines
    assert line.text == f"lost {line.params[0]}" != "lost R02-M1"
