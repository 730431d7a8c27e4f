"""`logwright train sequence` as a person runs it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

from logwright.cli import main
from logwright.cli.train import Stages
from training_logs import request, requests, swapped

pytestmark = pytest.mark.slow

KEY = r"req-[0-9a-f]+"


def run(*arguments: str) -> tuple[int, str, str]:
    """The exit code, and what was printed to standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["logwright", *arguments])
        try:
            main.run()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with history and a model of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history.log").write_text(requests(0, 300))
    assert run("learn", "history.log", "-o", "model", "--session", KEY)[0] == 0
    return tmp_path


def needs_training() -> None:
    for needed in ("torch", "onnx", "onnxruntime", "safetensors"):
        pytest.importorskip(needed, reason=f"training needs {needed}")


def test_learn_train_detect(folder: Path) -> None:
    needs_training()
    code, out, err = run("train", "sequence", "history.log", "-m", "model", "--steps", "60")
    assert (code, err) == (0, "")
    assert "Trained the sequence step of model" in out
    assert "threshold: " in out
    (folder / "today.log").write_text(requests(400, 30) + swapped(430) + requests(431, 30))
    code, out, err = run("detect", "today.log", "-m", "model")
    assert (code, err) == (0, "")
    assert "unexpected: 'req-<*> sends the" in out
    code, out, _ = run("train", "sequence", "history.log", "-m", "model", "--steps", "5", "--json")
    told = json.loads(out)
    assert (code, told["preset"], told["rl"], told["steps"]) == (0, "tiny", "none", 5)


@pytest.mark.slow
def test_a_trained_model_has_one_step_however_often_it_is_trained(folder: Path) -> None:
    needs_training()
    for seed in ("1", "2"):
        run("train", "sequence", "history.log", "-m", "model", "--steps", "4", "--seed", seed)
    ladder = json.loads((folder / "model" / "thresholds.json").read_text())
    assert [r["detector"] for r in ladder["rungs"]].count("sequence") == 1
    assert sum("sequence (" in reason for reason in ladder["reasons"]) == 1
    assert json.loads((folder / "model" / "manifest.json").read_text())["format"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", [], "holds no lines"),
        (requests(0, 20), [], "50 at the least are needed"),
        ("".join(request(i, ["begins"]) for i in range(90)), [], "no order to learn"),
        (requests(0, 90), ["--preset", "neo-1.3b"], "--backbone go together"),
        (requests(0, 90), ["--rl", "verdicts"], "holds no verdicts"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_changes_nothing(
    folder: Path, text: str, arguments: list[str], said: str
) -> None:
    needs_training()
    before = (folder / "model" / "manifest.json").read_bytes()
    (folder / "other.log").write_text(text)
    code, out, err = run("train", "sequence", "other.log", "-m", "model", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert (folder / "model" / "manifest.json").read_bytes() == before


def test_a_folder_that_is_no_model(folder: Path) -> None:
    code, _, err = run("train", "sequence", "history.log", "-m", "nowhere")
    assert code == 2
    assert "nowhere is not a model" in err


def test_progress_shows_loss_reward_and_calibration() -> None:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    to = io.StringIO()
    columns = TextColumn("{task.description} {task.completed}/{task.total} {task.fields[numbers]}")
    with Progress(columns, console=Console(file=to, width=200, force_terminal=True)) as bar:
        stages = Stages(bar)
        stages("pretraining", 100, 1200, {"loss": 0.25, "check": 0.31})
        stages("tuning", 5, 10, {"reward": -0.5})
        stages("calibration", 10, 10, {"threshold": 8.25})
    shown = to.getvalue()
    for told in ("pretraining 100/1200 loss 0.25  check 0.31", "reward -0.5", "threshold 8.25"):
        assert told in shown
