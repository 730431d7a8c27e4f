"""Findings in a terminal, and the escaping that all reports share."""

from __future__ import annotations

import re
import runpy
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from logwright.findings import jsonl
from logwright.findings.escape import clip, safe
from logwright.findings.finding import CitedLine, Finding
from logwright.findings.run import Run, SourceInfo
from logwright.findings.terminal import render

GOLDEN = Path(__file__).parent / "golden"
FINDINGS = list(jsonl.read((GOLDEN / "findings.jsonl").read_text(encoding="utf-8").splitlines()))
RUN = Run.model_validate_json((GOLDEN / "run.json").read_text(encoding="utf-8"))
SGR = re.compile(r"\x1b\[[0-9;]*m")

any_text = st.text(st.characters(codec=None, categories=None), max_size=60)
nasty = st.text(
    st.sampled_from("ab[/]{}<>\\ \t\r\n\0\x1b\x7f\x85\x9b\u200b\u200d\u202e\u2066\ufe0f\udc80日́")
)


class TestSafe:
    @given(any_text | nasty)
    def test_what_comes_out_is_visible(self, text: str) -> None:
        shown = safe(text)
        assert all(c.isprintable() or unicodedata.category(c) == "Zs" for c in shown)
        assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\u034f]", shown)
        shown.encode("utf-8")

    @given(any_text | nasty)
    def test_twice_is_once(self, text: str) -> None:
        assert safe(safe(text)) == safe(text)

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
    def test_plain_text_stays(self, text: str) -> None:
        assert safe(text) == text

    @given(any_text | nasty, any_text | nasty)
    def test_each_character_is_judged_alone(self, left: str, right: str) -> None:
        assert safe(left + right) == safe(left) + safe(right)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b[2J", r"\x1b[2J"),
            ("a\x00\x07\x7f\x9b", r"a\x00\x07\x7f\x9b"),
            ("a\tb\r\n", r"a\tb\r\n"),
            ("\u202e\u2066\u200b\ufeff", r"\u202e\u2066\u200b\ufeff"),
            ("\U000e0041", r"\U000e0041"),
            ("\udcff", r"\xff"),
            ("\u3000x\xa0y", "\u3000x\xa0y"),
        ],
    )
    def test_forms(self, text: str, shown: str) -> None:
        assert safe(text) == shown

    def test_keep(self) -> None:
        assert safe("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


class TestClip:
    @given(any_text.map(safe), st.integers(1, 40))
    def test_never_wider_than_asked(self, text: str, width: int) -> None:
        cut = clip(text, width)
        assert cell_len(cut) <= max(width, 1)
        assert (cut == text) or "…" in cut

    def test_a_pile_of_marks_is_bounded(self) -> None:
        assert len(clip("a" + "\u0301" * 10_000, 20)) < 50


def with_text(text: str) -> Finding:
    line = CitedLine(source=text, line_no=1, offset=0, text=text, highlight=True, host=text)
    changes = {"summary": text, "first_seen": text, "last_seen": text, "lines": (line,)}
    changes |= {"state": "confirmed", "because": text}
    return FINDINGS[0].model_copy(update=changes)


class TestRender:
    @pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 120, 200])
    @pytest.mark.parametrize("color", [False, True])
    def test_no_line_is_wider_than_the_terminal(self, width: int, color: bool) -> None:
        for findings in (FINDINGS, []):
            lines = SGR.sub("", render(RUN, findings, width=width, color=color)).splitlines()
            assert max(cell_len(line) for line in lines) <= width

    @pytest.mark.parametrize("width", [80, 120])
    def test_colour_adds_nothing_but_colour(self, width: int) -> None:
        plain = render(RUN, FINDINGS, width=width, color=False)
        assert "\x1b" not in plain
        coloured = SGR.sub("", render(RUN, FINDINGS, width=width, color=True))
        assert [s.rstrip() for s in coloured.splitlines()] == plain.splitlines()

    @pytest.mark.parametrize("width", [80, 120])
    def test_a_row_tells_what_when_where_and_which(self, width: int) -> None:
        text = render(RUN, FINDINGS, width=width)
        assert text.startswith("1,204,331 lines in 0.9 s from 2 sources; 7 findings of 5 patterns")
        for fact in ("critical", "412", "Jun 15 13:12:10", "app.log:1020443", "f-e326fb5d"):
            assert fact in text
        assert "1020443 │ Jun 15 13:12:10 db-01 postgres[19939]: E" in text
        assert text.count("f-") == 5
        assert "p-275e0132" in text  # to be pasted into an ignore file
        assert "Skipped  14 lines of /var/log/db-01/app.log" in text

    def test_the_head_names_one_source_with_its_format(self) -> None:
        source = SourceInfo(name="app.log", format="syslog RFC 3164", reason="100 % of 200 lines")
        run = Run(sources=(source,), lines=9, seconds=0.94)
        assert render(run, [], width=100).startswith(
            "9 lines in 0.9 s from app.log; no findings\n"
            "read as syslog RFC 3164: 100 % of 200 lines\n"
        )

    def test_lines_that_continue_a_cited_one_are_told(self) -> None:
        more = ("at a.B", "at c.D", "at e.F")
        lines = tuple(n.model_copy(update={"more": more}) for n in FINDINGS[0].lines)
        text = render(RUN, [FINDINGS[0].model_copy(update={"lines": lines})], width=100)
        assert "│ at a.B\n" in text
        assert "at e.F" not in text
        assert "and 1 more line of this record" in text

    @pytest.mark.parametrize("width", [80, 120])
    def test_a_row_names_its_hosts_where_they_differ(self, width: int) -> None:
        text = render(RUN, FINDINGS, width=width)
        assert "on db-01" in text.split("critical")[2]
        assert "on web-03" in text
        assert "all on" not in text
        one = [f for f in FINDINGS if f.hosts == ("db-01",)]
        assert "· all on db-01" in render(RUN, one, width=120).split("critical")[0]
        assert render(RUN, one, width=width).count("on db-01") == 2  # and in the incident's line
        without = [f for f in FINDINGS if not f.hosts]
        assert (
            " on " not in render(Run(), without, width=width).partition("\n")[2].split("usually")[0]
        )

    @pytest.mark.parametrize("width", [40, 80, 100, 200])
    def test_long_names_of_many_hosts_and_long_reasons_fit(self, width: int) -> None:
        found = []
        for number, finding in enumerate(FINDINGS):
            lines = tuple(
                line.model_copy(update={"host": f"日本{'-node' * 20}-{number}-{n}"})
                for n, line in enumerate(finding.lines)
            )
            changes = {"lines": lines, "state": "confirmed", "because": "because " * 99}
            found.append(finding.model_copy(update=changes))
        for shown in (found, found[:1]):
            text = render(RUN, shown, width=width)
            assert max(map(cell_len, text.splitlines())) <= width
            assert "✓ confirmed: because" in " ".join(text.split())

    @pytest.mark.parametrize("width", [80, 120])
    def test_states_other_than_open_are_marked(self, width: int) -> None:
        text = " ".join(render(RUN, FINDINGS, width=width).split())
        assert "5 patterns, 1 suppressed" in text
        assert "✓ confirmed: real, by ops, 2025-06-02" in text
        assert "– suppressed: expected during weekdays 10:00-12:00" in text
        opened = [f.model_copy(update={"state": "open"}) for f in FINDINGS]
        assert "suppressed" not in render(RUN, opened, width=width)

    def test_a_pattern_is_dimmed_only_where_all_of_it_is_suppressed(self) -> None:
        (finding,) = (f for f in FINDINGS if f.state == "suppressed")
        other = finding.model_copy(update={"id": "f-0", "state": "open", "because": None})
        dimmed = render(RUN, [finding], width=120, color=True)
        mixed = render(RUN, [finding, other], width=120, color=True)
        row = re.compile(r"^(\x1b\[[0-9;]*m)medium", re.MULTILINE)
        assert [";" in m for m in row.findall(dimmed)] == [True]
        assert [";" in m for m in row.findall(mixed)] == [False]
        assert "1 of 2 suppressed: expected" in mixed

    def test_top(self) -> None:
        text = render(RUN, FINDINGS, width=80, top=2)
        assert "3 more patterns (3 findings) below these" in text
        assert "more pattern" not in render(RUN, FINDINGS, width=80, top=0)

    def test_nothing_found_says_what_was_checked(self) -> None:
        text = render(RUN, [], width=200)
        assert "Nothing stands out. Checked: 602,165 lines in 8,112 windows, against" in text
        assert "rate: on for 61 templates" in text
        assert "no lines to check" in render(Run(), [])
        assert "No line was judged" in render(Run(lines=5), [])

    def test_equal_names_are_told_apart_by_their_folders(self) -> None:
        one, two = FINDINGS[0], FINDINGS[1]
        line = two.lines[0].model_copy(update={"source": "/srv/app.log"})
        text = render(RUN, [one, two.model_copy(update={"lines": (line,)})], width=120)
        assert "/srv/app.log:871200" in text

    @settings(max_examples=50, deadline=None)
    @given(any_text | nasty, st.sampled_from([80, 120]))
    def test_log_text_cannot_act(self, text: str, width: int) -> None:
        run = Run(title=text, baseline=text, notes=(text,), ladder=(text,))
        run = run.model_copy(update={"sources": (SourceInfo(name=text, notes=(text,)),)})
        for findings in ([with_text(text)], []):
            shown = render(run, findings, width=width, color=False)
            assert safe(shown, keep="\n") == shown
            bare = SGR.sub("", render(run, findings, width=width, color=True))
            assert safe(bare, keep="\n") == bare

    def test_markup_is_only_text(self) -> None:
        text = render(RUN, [with_text("[bold red]x[/] :smile: [link=http://e]y[/link]")], width=120)
        assert "[bold red]x[/] :smile: [link=http://e]y[/link]" in text


def test_the_picture_for_the_readme_needs_nothing_from_outside(tmp_path: Path) -> None:
    script = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "picture.py"))
    paths = []
    for name in ("a.svg", "b.svg"):
        paths.append(tmp_path / name)
        results = ["--findings", str(GOLDEN / "findings.jsonl"), "--run", str(GOLDEN / "run.json")]
        script["main"]([*results, "--output", str(paths[-1])])
    svg = paths[0].read_text(encoding="utf-8")
    assert svg == paths[1].read_text(encoding="utf-8")
    assert "url(http" not in svg
    assert re.findall('https?://[^"]*', svg) == ["http://www.w3.org/2000/svg"]
    assert "&lt;script&gt;alert(1)" in svg.replace("&#160;", " ")
