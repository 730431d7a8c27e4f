"""`logwright rules synthesize`: what a person sees when it goes wrong, and what is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_server import Step, completion, raw, right, serving, status
from logwright import rulemaking
from logwright.errors import LogwrightError
from test_cli_rules import call, log_of

pytestmark = pytest.mark.slow

CODE = (
    '```python\ndef rule(w: Window) -> bool:\n    """A disk fails with a code."""\n'
    '    return any(phrase(line.text, "failed with code") for line in w.lines)\n```'
)
NOTHING = "nothing in words"

Run = Callable[..., tuple[int | None, str, str]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "app.log").write_text(log_of(1000, label=True))
    return tmp_path / "app.log"


@pytest.fixture
def run(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, output and errors of a synthesis into tmp_path/book."""

    def told(llm: str, *more: object, window: str = "20") -> tuple[int | None, str, str]:
        capsys.readouterr()
        model = () if llm.startswith("replay:") or "--model" in more else ("--model", "m")
        code = call("synthesize", log, "--label-prefix", "--window", window, "--llm", llm, *model,
                    "-o", tmp_path / "book", *more)  # fmt: skip
        found = capsys.readouterr()
        return code, found.out, found.err

    return told


@pytest.mark.parametrize(
    ("step", "said", "most"),
    [
        (status(401, "Incorrect API key"), "status 401: Incorrect API key", 4),
        (status(404, "no such model"), "status 404: no such model", 4),
        (raw(b"", 302, Location="http://127.0.0.1:9/x"), "redirect", 4),
        (raw(b"<html>log in</html>"), "not JSON", 8),
    ],
)
def test_an_endpoint_that_never_answers_is_an_error(
    run: Run, step: Step, said: str, most: int
) -> None:
    with serving(step) as server:
        with pytest.raises(LogwrightError, match=said):
            run(server.url)
        assert len(server.bodies) <= most


def test_a_budget_for_nothing_and_a_foreign_recording_are_errors(run: Run, tmp_path: Path) -> None:
    with serving(right("?")) as server:
        with pytest.raises(LogwrightError, match="budget of 9 tokens does not allow"):
            run(server.url, "--budget", "9tokens")
        assert server.bodies == []
    (tmp_path / "other.jsonl").write_text("")
    with pytest.raises(LogwrightError, match="holds no answer for"):
        run(f"replay:{tmp_path / 'other.jsonl'}", "--model", "m")


def test_what_came_of_the_questions_is_counted(run: Run, tmp_path: Path) -> None:
    refusal = raw(json.dumps(completion(None, refusal="I can not help")).encode())
    with serving(refusal) as server:
        code, out, _ = run(server.url)
        number = len(server.bodies)
    assert code is None
    assert f"no rules: {number} questions: {number} refused" in out
    assert NOTHING not in out
    again = json.loads(run(f"replay:{tmp_path / 'book' / 'llm.jsonl'}", "--json")[1])
    assert again["outcomes"] == {"refused": number}


def test_a_book_for_other_windows_is_refused_before_anything_is_paid(run: Run) -> None:
    with serving(right(CODE)) as server:
        assert "1 draft in" in run(server.url)[1]
        paid = len(server.bodies)
        with pytest.raises(LogwrightError, match="is for windows by 20 lines, these are by 50"):
            run(server.url, window="50")
        assert len(server.bodies) == paid


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "much"], "A budget is"),
        (["--price", "free"], "A price is"),
        (["--budget", "1usd"], "needs the model's price"),
        (["--model", ""], "Name the model"),
        (["none.log"], "none.log"),
    ],
)
def test_a_mistake_leaves_no_book_behind(
    run: Run, tmp_path: Path, options: list[str], said: str
) -> None:
    with pytest.raises(LogwrightError, match=said):
        run("http://127.0.0.1:9/v1", *options)
    assert not (tmp_path / "book").exists()


def test_a_log_without_both_kinds_leaves_no_book_behind(
    run: Run, log: Path, tmp_path: Path
) -> None:
    log.write_text("".join(f"- 2026-01-01 00:00:00 INFO app: up {i}\n" for i in range(500)))
    with pytest.raises(LogwrightError, match="are normal"):
        run("http://127.0.0.1:9/v1")
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize("option", [("--window", "20"), ("--session", r"job_\d+")])
@pytest.mark.parametrize("command", ["induce", "synthesize"])
def test_windows_of_verdicts_are_those_of_their_model(
    log: Path, tmp_path: Path, option: tuple[str, str], command: str, learned: Path
) -> None:
    llm = ["--llm", "batch:b", "--model", "m"] * (command == "synthesize")
    with pytest.raises(LogwrightError, match="do not go with --verdicts"):
        call(command, log, "--verdicts", learned, *option, *llm, "-o", tmp_path / "book")
    assert not (tmp_path / "book").exists()


@pytest.fixture
def learned(log: Path, tmp_path: Path) -> Path:
    import logwright as lw

    lw.learn(str(log)).save(tmp_path / "model")
    return tmp_path / "model"


def test_who_interrupts_it_is_told_that_nothing_is_lost(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rulemaking, "synthesized", interrupted)
    code, _, err = run("http://127.0.0.1:9/v1")
    assert code == 130
    assert "stopped; what was paid for is kept, run again" in err


def test_rounds_are_told_where_a_person_looks_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(right(CODE)) as server:
        assert "round 1" not in run(server.url)[2]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with serving(right(CODE + " ")) as server:
        assert "round 1: " in run(server.url, "--model", "other")[2]
