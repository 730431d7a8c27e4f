"""`logwright demo`: learn, detect and report on the bundled BlueGene/L log."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli.output import show

__all__ = ["demo"]


def demo(
    report: Annotated[
        Path, typer.Option("--report", metavar="FILE", help="Where to write the HTML report.")
    ] = Path("report.html"),
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where to put the logs and the model.")
    ] = Path("demo"),
    top: Annotated[int, typer.Option("--top", help="Patterns shown in the table.")] = 12,
) -> None:
    """Learn from the first part of a real BlueGene/L log, detect on the rest, write a report.

    Example: logwright demo
    """
    from logwright import api
    from logwright.bench.sample import caught, unpack

    history, today = unpack(folder)
    model = api.learn(str(history), label_prefix=True)
    target = folder / "model"
    if target.exists():
        shutil.rmtree(target)
    model.save(target)
    sys.stdout.write(
        f"$ logwright learn {history} --label-prefix -o {target}\n"
        f"Learned {len(model.templates):,} templates from {model.history.lines:,} lines.\n\n"
        f"$ logwright detect {today} -m {target} --report {report}\n"
    )
    result = api.detect([str(today)], model, title=f"logwright detect {today} -m {target}")
    show(result, json=False, report=report, top=top, fail_on=None)
    found = caught(model, today, result.findings)
    lines = sum(c.lines for c in found)
    named = sum(c.caught for c in found)
    each = ", ".join(f"{c.category} {c.caught:,} of {c.lines:,}" for c in found)
    sys.stdout.write(
        f"\nThe published labels mark {lines:,} alert lines in {today}; findings name {named:,} of "
        f"them ({each}).\nThe labels were used for this count only.\n"
    )
