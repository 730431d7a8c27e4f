"""`logwright demo`: learn, detect and report on the bundled BlueGene/L log."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli.output import check_report, show
from logwright.errors import LogwrightError

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
    from logwright.bench.sample import caught
    from logwright.findings.escape import safe
    from logwright.model import Model

    target = folder / "model"
    check_report(report)
    Model.check_target(target)
    history, today = _unpack(folder)
    model = api.learn(str(history), label_prefix=True)
    model.save(target)
    told = (
        f"$ logwright learn {history} --label-prefix -o {target}",
        f"Learned {len(model.templates):,} templates from {model.history.lines:,} lines.",
        "",
        f"$ logwright detect {today} -m {target} --report {report}",
    )
    sys.stdout.write("".join(f"{safe(line)}\n" for line in told))
    result = api.detect([str(today)], model, title=f"logwright detect {today} -m {target}")
    show(result, report=report, top=top)
    found = caught(model, today, result.findings)
    lines = sum(c.lines for c in found)
    named = sum(c.caught for c in found)
    each = ", ".join(f"{c.category} {c.caught:,} of {c.lines:,}" for c in found)
    sys.stdout.write(
        f"\nThe published labels mark {lines:,} alert lines in {safe(str(today))}; findings name "
        f"{named:,} of them ({each}).\nThe labels were used for this count only.\n"
    )


def _unpack(folder: Path) -> tuple[Path, Path]:
    """The sample's two logs in `folder`; what lies there and is not ours is not overwritten."""
    from logwright.bench.sample import unpack

    try:
        with tempfile.TemporaryDirectory() as fresh:
            for log in unpack(Path(fresh)):
                target, content = folder / log.name, log.read_bytes()
                if target.exists() and target.read_bytes() != content:
                    raise LogwrightError(
                        f"{target} exists and is not the demo's: choose another --folder"
                    )
                folder.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    except OSError as error:
        raise LogwrightError(
            f"--folder {folder} cannot be written: {error.strerror or error}"
        ) from None
    return folder / "history.log", folder / "today.log"
