#!/usr/bin/env python
"""Draw what logwright prints in a terminal as an SVG picture for the README.

From saved results::

    scripts/picture.py --findings findings.jsonl --run run.json

or from any command's coloured output::

    logwright scan app.log | scripts/picture.py --ansi - --command "logwright scan app.log"

The picture refers to no font or file from outside; the same input makes the same bytes.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from logwright.findings import jsonl
from logwright.findings.run import Run
from logwright.findings.terminal import render

ROOT = Path(__file__).resolve().parent.parent
# Background, text, then the eight colours plain and bright: calm ones, readable on GitHub's
# light and dark pages alike.
THEME = TerminalTheme(
    (23, 25, 29),
    (222, 224, 228),
    [
        (23, 25, 29), (255, 127, 134), (126, 200, 140), (224, 189, 85),
        (138, 180, 240), (206, 153, 225), (120, 196, 206), (222, 224, 228),
    ],
    [
        (100, 104, 113), (255, 150, 156), (150, 220, 162), (240, 208, 110),
        (165, 200, 250), (222, 176, 238), (146, 214, 222), (255, 255, 255),
    ],
)  # fmt: skip
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def picture(ansi: str, command: str, width: int) -> str:
    """The SVG of a terminal in which `command` printed `ansi`."""
    console = Console(
        record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    prompt = Text.assemble(("$ ", "dim"), (command, "bold"))
    console.print(prompt, highlight=False)
    console.print()
    console.print(Text.from_ansi(ansi.rstrip("\n")), highlight=False, soft_wrap=True)
    svg = console.export_svg(title="", theme=THEME, unique_id="terminal")
    # rich would load its font from a network, which no README page does: the reader's own serves.
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    svg = re.sub(r"<!--.*?-->\s*", "", svg).replace("Fira Code, monospace", FONTS)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--findings", type=Path, help="findings as JSON lines")
    what.add_argument("--ansi", help="a file with coloured terminal output; '-' is standard input")
    parser.add_argument("--run", type=Path, help="the run as JSON, with --findings")
    parser.add_argument("--command", help="the command shown; default: the run's title")
    parser.add_argument("--top", type=int, default=4, help="patterns shown, with --findings")
    parser.add_argument("--width", type=int, default=110, help="columns of the terminal")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "picture.svg")
    options = parser.parse_args(arguments)
    if options.findings:
        run = Run.model_validate_json(options.run.read_text("utf-8")) if options.run else Run()
        with options.findings.open(encoding="utf-8") as stream:
            findings = list(jsonl.read(stream, name=str(options.findings)))
        text = render(run, findings, width=options.width, color=True, top=options.top)
        command = options.command or run.title
    else:
        text = sys.stdin.read() if options.ansi == "-" else Path(options.ansi).read_text("utf-8")
        command = options.command or "logwright"
    options.output.write_text(picture(text, command, options.width), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
