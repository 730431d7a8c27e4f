"""The HTML report: one inert, self-contained file.

The golden page is made anew with LOGWRIGHT_UPDATE_GOLDEN=1.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import LogwrightError
from logwright.findings import jsonl
from logwright.findings.finding import CitedLine, Finding, Hypothesis, TemplateRef, WindowRef
from logwright.findings.incident import incidents
from logwright.findings.plot import plot
from logwright.findings.report import render_html, write_report
from logwright.findings.run import Run, SourceInfo, Timeline

GOLDEN = Path(__file__).parent / "golden"
FINDINGS = list(jsonl.read((GOLDEN / "findings.jsonl").read_text(encoding="utf-8").splitlines()))
RUN = Run.model_validate_json((GOLDEN / "run.json").read_text(encoding="utf-8"))
VOID = {"meta", "input", "br"}
SECOND = 10**9


class Skeleton(HTMLParser):
    """Tags with their attributes' names, and checks that they nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values.extend((name, value or "") for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values.extend((name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_golden_page() -> None:
    page = render_html(RUN, FINDINGS)
    golden = GOLDEN / "report.html"
    if os.environ.get("LOGWRIGHT_UPDATE_GOLDEN") == "1":
        golden.write_text(page, encoding="utf-8", newline="\n")
    assert page == golden.read_text(encoding="utf-8")


def filled(text: str) -> tuple[Run, Finding]:
    """A run and a finding with `text` wherever text from outside can stand."""
    line = CitedLine(source=text, line_no=1, offset=0, text=text, highlight=True, more=(text,))
    line = line.model_copy(update={"host": text, "component": text})
    finding = Finding(
        id=text,
        pattern=text,
        detector=text,
        unit=text,
        score=1.0,
        threshold=1.0,
        severity="high",
        summary=text,
        expected=text,
        seen=text,
        first_seen="2025-06-15T12:00:00Z",
        window=WindowRef(kind="session", key=text, lines=1),
        lines=(line, line.model_copy(update={"highlight": False, "line_no": 9})),
        templates=(TemplateRef(id=text, text=text, count=1, usual=text),),
        hypotheses=(Hypothesis(text=text, supporting=(1,)),),
        rule=text,
        state="confirmed",
        because=text,
    )
    run = RUN.model_copy(
        update={
            "title": text,
            "baseline": text,
            "notes": (text,),
            "ladder": (text,),
            "sources": (SourceInfo(name=text, format="f" + text, reason=text, notes=(text,)),),
        }
    )
    return run, finding


def filled_page(text: str) -> str:
    run, finding = filled(text)
    other = finding.model_copy(update={"id": f"{text}2", "pattern": f"{text}2"})
    return render_html(run, [finding, finding, other])


HARMLESS = Skeleton(filled_page("plain"))


@pytest.mark.slow
@given(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "' onmouseover='alert(1)",
            "</style><style>*{display:none}</style>",
            "</title></svg></pre></main></details><h1>owned</h1>",
            "<!-- ]]> <![CDATA[ <?php",
            "{{ 7*7 }}{% raw %}{# x #}",
            "javascript:alert(1)",
            "\udc80\ud800\ufffe\x00\x1b[2J\u202e\u200b",
            "<*><*:int><* onclick=x>",
        ]
    )
    | st.text(st.characters(codec=None, categories=None), min_size=1)
)
def test_log_text_is_inert(text: str) -> None:
    page = filled_page(text)
    page.encode("utf-8")
    skeleton = Skeleton(page)
    # Chips and "lines between" depend on the text by design; all else is the same page.
    chip = ("span", ("class",))
    assert [t for t in skeleton.tags if t != chip] == [t for t in HARMLESS.tags if t != chip]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", page)


def test_hostile_text_can_be_read() -> None:
    text = "".join(Skeleton(render_html(RUN, FINDINGS)).texts)
    assert "<script>alert(1)</script>\\x1b[2J\\u202egnp.exe" in text
    assert "{{ 7*7 }}" in text


def test_the_page_needs_and_allows_nothing_from_outside() -> None:
    page = render_html(RUN, FINDINGS)
    skeleton = Skeleton(page)
    tags = {tag for tag, _ in skeleton.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for name, value in skeleton.values:
        assert name not in {"src", "srcset", "style", "action", "xlink:href"}
        assert not name.startswith("on")
        assert name != "href" or value.startswith(("#p-", "#i-"))
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(v for n, v in skeleton.values if n == "content" and "default-src" in v)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    values = Skeleton(render_html(RUN, FINDINGS)).values
    ids = [value for name, value in values if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in values if name == "href"} <= set(ids)


def test_incidents_lead_to_their_findings_and_back() -> None:
    page = render_html(RUN, FINDINGS)
    stories = [i for i in incidents(FINDINGS) if len(i.patterns) > 1]
    assert stories
    links = [value for name, value in Skeleton(page).values if name == "href"]
    section = page.partition('<section class="incidents"')[2].partition("</section>")[0]
    for story in stories:
        assert f'id="{story.id}"' in section
        assert all(f'href="#{pattern}"' in section for pattern in story.patterns)
        assert links.count(f"#{story.id}") == len(story.patterns)
    alone = render_html(RUN, FINDINGS[:1])
    assert "incidents" not in alone.partition("</style>")[2]


def test_lines_that_continue_a_cited_one_are_shown() -> None:
    line = FINDINGS[0].lines[0].model_copy(update={"more": ("at a.B<x>", *["at c.D"] * 60)})
    page = render_html(RUN, [FINDINGS[0].model_copy(update={"lines": (line,)})])
    assert "at a.B&lt;x&gt;" in page
    assert "(31 more lines of this record)" in page


def test_hosts_and_states_are_shown() -> None:
    page = render_html(RUN, FINDINGS)
    assert '<span class="place">on web-03</span>' in page
    assert '<span class="tag confirmed">✓ confirmed: real, by ops, 2025-06-02' in page
    assert "&lt;b&gt;scanner&lt;/b&gt; of the audit" in page
    assert "5 patterns, 1 suppressed</h1>" in page
    suppressed = page.partition('<details class="pattern medium unwanted">')  # folded: not open
    assert '<span class="tag suppressed">' in suppressed[2].partition("</summary>")[0]
    other = [f.model_copy(update={"state": "open", "because": None}) for f in FINDINGS]
    assert 'class="tag' not in render_html(RUN, other)


def test_a_pattern_that_is_suppressed_in_part_stays_open() -> None:
    first = FINDINGS[0]
    other = first.model_copy(update={"id": "f-other", "state": "suppressed", "because": "night"})
    page = render_html(RUN, [first, other])
    assert "unwanted" not in page.partition("</style>")[2]
    assert "1 of 2 suppressed: night" in page


def test_empty_states() -> None:
    calm = render_html(Run(lines=10, lines_scored=5), [])
    assert "Nothing stands out" in calm
    assert "No timeline: the log has no times" in calm
    assert "There were no lines to check" in render_html(Run(), [])
    assert "No line was judged" in render_html(Run(lines=3), [])


@pytest.mark.slow
def test_large_inputs_are_bounded() -> None:
    one = FINDINGS[0]
    short = one.lines[0]
    lines = (short.model_copy(update={"text": "\x00" * 100_000}), *[short] * 59)
    many = [
        one.model_copy(update={"id": f"f-{n}", "pattern": f"p-{n // 60}", "lines": lines})
        for n in range(60 * 210)
    ]
    page = render_html(RUN, many)
    assert "10 more patterns with lower rank are in the JSON" in page
    assert "9 more findings in the JSON" in page
    assert "20 more cited lines in the JSON" in page
    assert len(page) < 5_000_000


def test_the_file_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    write_report(RUN, FINDINGS, target)
    before = target.read_bytes()
    assert before.decode() == render_html(RUN, FINDINGS)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(LogwrightError, match=r"report\.html cannot be written: No space left"):
        write_report(Run(), [], target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_absent_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LogwrightError, match="No such file or directory"):
        write_report(RUN, [], tmp_path / "absent" / "report.html")


def test_a_device_is_written_not_replaced() -> None:
    write_report(RUN, [], os.devnull)
    assert not Path(os.devnull).is_file()


class TestPlot:
    @given(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(1, 10**18),
        st.lists(st.integers(0, 10**7), max_size=400),
    )
    def test_everything_stays_inside(self, start: int, step: int, counts: list[int]) -> None:
        timeline = Timeline(start=start, step=step, lines=tuple(counts), errors=tuple(counts[:3]))
        drawn = plot(timeline, FINDINGS)
        if drawn is None:
            return
        assert 0 < len(drawn.bars) <= 180
        assert all(b.x >= 0 and b.x + b.width <= 100.1 and b.y >= 0 for b in drawn.bars)
        assert all(0 <= tick.x <= 100 for tick in drawn.ticks)
        assert len(drawn.ticks) <= 9
        assert all(0 <= mark.x <= mark.end <= 100 for mark in drawn.marks)
        assert drawn.most >= max(counts) or len(counts) > 180

    @pytest.mark.parametrize(
        ("step", "buckets", "labels"),
        [
            (1, 60, ["00:00", "00:00:10", "00:00:20"]),
            (60, 360, ["00:00", "01:00", "02:00"]),
            (3600, 48, ["00:00", "12:00", "Jun 2", "12:00"]),
            (86400, 14, ["Jun 1", "Jun 3", "Jun 5"]),
            (86400, 300, ["Jul", "Sep", "Nov", "2026", "Mar"]),
            (86400, 3000, ["2026", "2028", "2030"]),
        ],
    )
    def test_ticks_are_sensible(self, step: int, buckets: int, labels: list[str]) -> None:
        june = 1748736000  # 2025-06-01 00:00 UTC
        timeline = Timeline(start=june * SECOND, step=step * SECOND, lines=(1,) * buckets)
        drawn = plot(timeline, [])
        assert drawn is not None
        assert [tick.label for tick in drawn.ticks][: len(labels)] == labels

    def test_close_marks_are_one_and_the_highest_is_shown(self) -> None:
        drawn = plot(RUN.timeline, FINDINGS)
        assert drawn is not None
        assert [mark.severity for mark in drawn.marks] == [
            "medium",
            "high",
            "critical",
            "high",
            "high",
        ]
        assert "and 1 more finding here" in drawn.marks[3].title
