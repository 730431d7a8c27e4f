"""The `logwright` command. Exit codes: 0 done, 1 findings where `--fail-on` asks, 2 a user's error
(one sentence), 70 a bug (with a traceback), 75 a server that cannot be reached now."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress

import typer

from logwright.cli import (
    answers,
    ask,
    bench,
    data,
    demo,
    detect,
    diff,
    explain,
    findings,
    learn,
    reason,
    review,
    rules,
    scan,
    templates,
    train,
    train_reasoner,
    verdict,
    verdicts,
    worker,
)
from logwright.cli.output import ReaderGone, standard_output
from logwright.errors import LogwrightError

__all__ = ["app", "run"]

app = typer.Typer(
    name="logwright",
    help="Turns raw logs into findings: which lines are abnormal, why, and where.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command(name="scan")(scan.scan)
app.command(name="learn")(learn.learn)
app.command(name="detect")(detect.detect)
app.command(name="diff")(diff.diff)
app.command(name="demo")(demo.demo)
app.command(name="ask")(ask.ask)
app.command(name="explain")(explain.explain)
app.add_typer(answers.app, name="answers")
app.add_typer(reason.app, name="reason")
app.command(name="verdict")(verdict.verdict)
app.command(name="review")(review.review)
app.add_typer(verdicts.app, name="verdicts")
app.add_typer(findings.app, name="findings")
app.add_typer(templates.app, name="templates")
app.add_typer(rules.app, name="rules")
train.app.command(name="reasoner")(train_reasoner.reasoner)
app.add_typer(train.app, name="train")
app.command(name="worker")(worker.worker)
app.add_typer(bench.app, name="bench")
app.add_typer(data.app, name="data")


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        from logwright.logs.kernel import BACKEND

        typer.echo(f"logwright {version('logwright')} ({BACKEND})")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Turns raw logs into findings: which lines are abnormal, why, and where."""


def run() -> None:
    """Run the command line; errors become exit codes."""
    try:
        with standard_output():
            app()
    except LogwrightError as error:
        from logwright.findings.escape import safe

        with suppress(OSError):  # nobody is there to be told
            typer.echo(f"logwright: {safe(str(error))}", err=True)
        sys.exit(error.exit_code)
    except ReaderGone:
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 - the one place that turns bugs into an exit code
        traceback.print_exc()
        sys.exit(70)


if __name__ == "__main__":
    run()
