"""The jury: what becomes of rules that run plainly and fail, or take long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from logwright.rules.book import jury as module
from logwright.rules.book.jury import Jury
from logwright.rules.language.plain import Line, Window
from logwright.rules.sandbox.sandbox import Failure, Sandbox
from logwright.windows.window import Windows
from test_engine import Log
from test_rules_detector import book_of

CARRIED = (
    "seen = False\n    for line in w.lines:\n"
    '        if seen and "failed" in line.text:\n            return True\n'
    '        seen = "disk" in line.text\n    return False'
)
HIT, MISS, HOSTILE = ["disk", "it failed"], ["disk", "ok"], ["disk", "hostile failed"]


class Fails(Sandbox):
    """Fails for windows with a hostile line, as if they took too long."""

    def run(self, name: str, windows: Sequence[Mapping[str, Any]]) -> list[bool | Failure]:
        answers = super().run(name, windows)
        hostile = [any("hostile" in line["text"] for line in w["lines"]) for w in windows]
        return [
            Failure("time", "the rule took too long") if bad else answer
            for bad, answer in zip(hostile, answers, strict=True)
        ]


class Trial:
    """A rule that runs plainly, and the windows that it is asked about."""

    def __init__(self, folder: Path, body: str = CARRIED, **meta: object) -> None:
        self.book = book_of(folder, {"carried": (body, "active")}, **meta)
        self.jury = Jury(self.book.running)
        assert list(self.jury.plain) == ["carried"]

    def hits(self, *texts: Sequence[str]) -> list[bool]:
        shown = [Window.of_texts(each) for each in texts]
        log = Log(shown)
        windows, ids = log.windows

        def read(_: Windows, i: int) -> Window:
            return shown[i]

        self.jury.read = read
        found = self.jury.hits(windows, lambda: [w.key for w in shown], ids)
        return [bool(hit) for hit in found[:, 0]]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Sandbox", Fails)


@pytest.mark.usefixtures("fails")
class TestFailures:
    def test_one_window_that_fails_is_told_and_others_are_judged(self, tmp_path: Path) -> None:
        trial = Trial(tmp_path / "book")
        assert trial.hits(HIT, HOSTILE, MISS, HIT) == [True, False, False, True]
        assert trial.hits(HIT) == [True]
        assert "nothing of 1 window: the rule took too long" in trial.jury.problems["carried"]
        trial.jury.close()

    def test_after_three_it_goes_off_and_keeps_its_hits(self, tmp_path: Path) -> None:
        trial = Trial(tmp_path / "book")
        found = trial.hits(HIT, HOSTILE, HOSTILE, HIT, HOSTILE, HIT, *[MISS] * 60, HIT)
        assert found == [True, False, False, True, *[False] * 63]
        assert trial.hits(HIT) == [False]
        assert "failed 3 times" in trial.jury.problems["carried"]
        trial.jury.close()

    def test_what_must_hold_is_not_broken_by_a_window_that_fails(self, tmp_path: Path) -> None:
        trial = Trial(tmp_path / "book", kind="normal", must_hold=True)
        assert trial.hits(HIT, HOSTILE, MISS) == [False, False, True]
        assert trial.hits(HOSTILE, HOSTILE, MISS) == [False, False, False]
        trial.jury.close()


def test_a_rule_that_uses_up_its_time_goes_off_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_SECONDS", 0.0)
    trial = Trial(tmp_path / "book")
    assert trial.hits(*[HIT] * 51) == [*[True] * 50, False]
    assert "used up its 0 s" in trial.jury.problems["carried"]
    trial.jury.close()


def test_evidence_of_a_plain_rule_is_asked_for_in_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "run = 0\n    for line in w.lines:\n"
        '        if "retry" in line.text and search(r"\\d", line.text):\n            run += 1\n'
        "            if run > 1:\n                return True\n        else:\n            run = 0\n"
        "    return False"
    )
    trial = Trial(tmp_path / "book", body)
    texts = ["retry 1", "ok", "ok", "ok 3", "retry 2", "retry", "ok"]

    def here(_: object) -> object:
        return lambda line: pytest.fail("it ran in this process")

    monkeypatch.setattr(module, "closure", here)
    assert trial.jury.points_at("carried", list(map(Line, texts))) == [0, 4]
    trial.jury.close()
