#!/usr/bin/env python
"""Write the generated pages, or check (``--check``) that they are up to date.

* ``docs/reference/cli.md`` from the commands, ``docs/reference/settings.md`` from `Settings`,
  ``docs/schema/finding.v1.json`` from the finding, ``docs/schema/answer.v1.json`` from the answer;
* ``docs/results.md``, the measurements in ``docs/feedback.md`` with ``docs/feedback.svg``, and the
  table of numbers in ``README.md``, from ``bench/results/*.json`` and from the bundled sample;
* the published figures in ``docs/methods.md``, from `PEERS`;
* ``docs/picture.svg``: what `logwright detect` prints for the bundled sample.

In ``README.md``, ``docs/feedback.md`` and ``docs/methods.md`` only what stands between
``<!-- generated: NAME -->`` and ``<!-- end -->`` is written. The picture is drawn by rich, a little
differently in each version, and it tells how long the run took: the check compares a digest of the
findings in it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import inspect
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import typer
from blocks import feedback, peers
from figures import FIGURES
from picture import picture
from typer.models import ArgumentInfo, OptionInfo

from logwright import api, asking
from logwright.bench import curve
from logwright.bench.markdown import markdown, table
from logwright.bench.rows import load
from logwright.bench.sample import Caught, caught, unpack
from logwright.cli.main import app
from logwright.findings import jsonl
from logwright.findings.run import by_pattern
from logwright.findings.terminal import render
from logwright.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PICTURE = ROOT / "docs" / "picture.svg"
SUITES = (
    "throughput",
    "memory",
    "formats",
    "faults",
    "templates",
    "hdfs",
    "feedback",
    "rules",
    "sequence",
    "sequence-speed",
    "stream",
    "stream-memory",
    "reasoning",
)
"""The suites in the order in which people read them; others follow by name."""

_NOTE = "<!-- Written by scripts/generate.py: change the source, then run ./scripts/docs. -->\n"
_SHOWN = 4
_WIDTH = 110

Result = dict[str, Any]


# --- command line ---------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command's words and its function, groups after single commands."""
    yield from _commands(app, "logwright")


def _commands(group: typer.Typer, prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in group.registered_commands:
        if command.callback is not None:
            yield f"{prefix} {command.name or command.callback.__name__}", command.callback
    for sub in group.registered_groups:
        if sub.typer_instance is not None:
            yield from _commands(sub.typer_instance, f"{prefix} {sub.name}")


def cli() -> str:
    """The command line, from the commands themselves."""
    parts = [
        "# Command line\n",
        _NOTE,
        "Every command takes `--help`. Exit codes: 0 done; 1 findings, where `--fail-on` asks; 2 a "
        "user's error, in one sentence; 70 a bug, with a traceback. Options win over environment, "
        "environment over `logwright.toml`: see [settings](settings.md).\n",
        table(
            [
                ("Command", "What it does"),
                *(
                    (f"[`{name}`](#{name.replace(' ', '-')})", _sentence(function))
                    for name, function in commands()
                ),
                ("`logwright --version`", "Print the version, and whether the C kernel runs."),
            ]
        ),
    ]
    parts += [_command(name, function) for name, function in commands()]
    return "\n".join(parts)


def _sentence(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _command(name: str, function: Callable[..., Any]) -> str:
    text, _, example = inspect.cleandoc(function.__doc__ or "").partition("\n\nExample: ")
    parameters = list(_parameters(function))
    arguments = [p for p in parameters if not p.name.startswith("`-")]
    usage = " ".join([name, *(p.name.strip("`") for p in arguments), "[OPTIONS]"])
    rows = [(p.name, p.help, p.default) for p in parameters]
    out = [f"## {name}\n", f"{text}\n", f"```text\n{usage}\n```\n"]
    if example:
        # What begins with a prompt takes too long, or more than is at hand, to be run by the tests.
        kind = "console" if example.startswith("$ ") else "sh"
        out.append(f"Example:\n\n```{kind}\n{example.strip()}\n```\n")
    return "\n".join([*out, table([("Argument or option", "Meaning", "Default"), *rows])])


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option as the page shows it."""

    name: str
    help: str
    default: str


def _parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = get_args(hints[name])[:2]
        given = parameter.default is not inspect.Parameter.empty
        if isinstance(info, ArgumentInfo):
            choices = _choices(kind)
            yield Parameter(f"`{info.metavar or choices or name.upper()}`", info.help or "", "")
        elif isinstance(info, OptionInfo) and not info.hidden:
            flag = bool in (kind, *get_args(kind))
            value = "" if flag else " " + (info.metavar or _choices(kind) or _word(kind))
            # In `Annotated`, typer takes the first name for the default.
            first = (info.default,) if isinstance(info.default, str) else ()
            names = sorted((*first, *(info.param_decls or ())) or (f"--{name}",), key=len)
            default = "" if given else "required"
            if given and parameter.default not in (None, False):
                default = f"`{parameter.default}`"
            yield Parameter(f"`{', '.join(names)}{value}`", info.help or "", default)


def _plain(kind: Any) -> Any:
    """The type without `None`."""
    return next((k for k in get_args(kind) if k is not NoneType), kind)


def _choices(kind: Any) -> str:
    kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    return ""


def _word(kind: Any) -> str:
    return {int: "N", float: "NUMBER", Path: "FILE"}.get(_plain(kind), "TEXT")


# --- settings -------------------------------------------------------------------------------------


def settings() -> str:
    """All settings, with their defaults."""
    rows = [("Key", "Default", "Meaning")]
    for key, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append((f"`{key}`", default, field.description or ""))
    return "\n".join(
        [
            "# Settings\n",
            _NOTE,
            "Where a setting comes from, first match wins: the command line; the environment, as "
            "`LOGWRIGHT_` and the key in capitals (`LOGWRIGHT_BUDGET=3`); `logwright.toml` in the "
            "working folder, or the file that `LOGWRIGHT_CONFIG` names; the default. An unknown "
            "key or a bad value is an error that names the key, the value and where it stands. A "
            "model remembers `format`, `label_prefix` and `timezone`, its windows and its "
            "thresholds: `detect` takes those from the model.\n",
            '```toml\n# logwright.toml\ntimezone = "Europe/Zurich"\nbudget = 3\n```\n',
            table(rows),
        ]
    )


# --- numbers --------------------------------------------------------------------------------------


def results() -> dict[str, Result]:
    """The result files that are there, by suite; quick runs measure nothing and are left out."""
    found: dict[str, Result] = {}
    for path in sorted(RESULTS.glob("*.json")):
        result = load(path)
        if not result.get("settings", {}).get("quick"):
            found[result["suite"]] = result
    first = {suite: i for i, suite in enumerate(SUITES)}
    return dict(sorted(found.items(), key=lambda item: (first.get(item[0], 99), item[0])))


def results_page(found: dict[str, Result]) -> str:
    """Every row of every result file."""
    parts = [
        "# Results\n",
        _NOTE,
        "Each section is one file of `bench/results/`, written by `logwright bench run SUITE "
        "--json FILE`. [bench.md](bench.md) says what is measured, and how far to trust it. Rows "
        "that begin with *floor* need no thought: what is not above them is worth nothing.\n",
        markdown(list(found.values())) if found else "There are no result files yet.\n",
    ]
    return "\n".join(parts)


def numbers(found: dict[str, Result], sample: Sample) -> str:
    """The README's table; what has not been measured is left out."""
    rows = [("What", "Measured", "By")]
    for suite, what, value in FIGURES:
        if suite in found:
            with contextlib.suppress(KeyError, StopIteration):  # a file of an older form
                rows.append((what, value(found[suite]), f"`logwright bench run {suite}`"))
    lines = sum(c.lines for c in sample.caught)
    named = sum(c.caught for c in sample.caught)
    rows.append(
        (
            "Bundled BlueGene/L excerpt: alert lines that findings name "
            f"({len(sample.result.findings):,} findings of "
            f"{len(by_pattern(sample.result.findings)):,} patterns in "
            f"{sample.result.run.lines:,} lines)",
            f"{named:,} of {lines:,}",
            "`logwright demo`",
        )
    )
    machines = {f"{r['machine']['cpu']}, Python {r['machine']['python']}" for r in found.values()}
    where = f"\nSpeed is that of one core ({'; '.join(sorted(machines))}).\n" if machines else ""
    return table(rows) + where


# --- the sample and its picture -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What `logwright demo` finds in the bundled log."""

    result: api.Result
    caught: Sequence[Caught]


def sample() -> Sample:
    """Learn and detect on the bundled log, as `logwright demo` does."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        history, today = unpack(Path("demo"))
        model = api.learn(str(history), label_prefix=True)
        title = f"logwright detect {today} -m demo/model"
        result = api.detect([str(today)], model, title=title)
        return Sample(result, caught(model, today, result.findings))


def drawn(sample: Sample) -> str:
    """The picture, with the digest of what it shows."""
    run, findings = sample.result.run, sample.result.findings
    text = render(run, findings, width=_WIDTH, color=True, top=_SHOWN)
    svg = picture(text, run.title, _WIDTH)
    return svg.replace("</svg>", f"<!-- findings: {digest(sample)} -->\n</svg>")


def digest(sample: Sample) -> str:
    """A digest of the findings that the picture shows."""
    groups = by_pattern(sample.result.findings)
    shown = [
        (
            *(f.id, f.severity, f.summary, f.count, f.first_seen, f.hosts),
            [line.text for line in f.lines],
        )
        for group in groups[:_SHOWN]
        for f in group.findings
    ]
    text = json.dumps([len(groups), len(sample.result.findings), shown])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- all of it ------------------------------------------------------------------------------------


def _filled(path: Path, name: str, text: str) -> str:
    """The page with its block `name` replaced; as it is where it has no such block."""
    block = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.S)
    return block.sub(lambda m: m[1] + text + m[2], path.read_text("utf-8"))


def pages(sample: Sample) -> dict[Path, str]:
    """Every generated page but the picture, with the text it must hold."""
    found = results()
    docs = ROOT / "docs"
    written = {
        docs / "reference" / "cli.md": cli(),
        docs / "reference" / "settings.md": settings(),
        docs / "schema" / "finding.v1.json": json.dumps(jsonl.schema(), indent=2) + "\n",
        docs / "schema" / "answer.v1.json": json.dumps(asking.schema(), indent=2) + "\n",
        docs / "results.md": results_page(found),
        docs / "feedback.md": _filled(docs / "feedback.md", "feedback", feedback(found)),
        docs / "methods.md": _filled(docs / "methods.md", "peers", peers()),
        ROOT / "README.md": _filled(ROOT / "README.md", "numbers", numbers(found, sample)),
    }
    if "feedback" in found:
        written[docs / "feedback.svg"] = curve.drawn(found["feedback"]["curves"])
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is stale, or only name it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a page is stale")
    check = parser.parse_args(arguments).check
    found = sample()
    stale = [
        (path, text)
        for path, text in pages(found).items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    if not PICTURE.is_file() or f"findings: {digest(found)} " not in PICTURE.read_text("utf-8"):
        stale.append((PICTURE, drawn(found)))
    for path, text in stale:
        name = path.relative_to(ROOT)
        if check:
            sys.stderr.write(f"{name} is out of date: run ./scripts/docs\n")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{name} written\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
