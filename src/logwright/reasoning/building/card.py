"""The card of built examples: what is in them, what was left out and why; JSON and Markdown."""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from logwright.errors import InputError
from logwright.findings.escape import safe
from logwright.reasoning.building.build import Built
from logwright.reasoning.building.trajectories import PARTS, cited_in

__all__ = ["CARD_VERSION", "card", "markdown", "write_card"]

CARD_VERSION = 1
_QUANTILES = (0.05, 0.5, 0.95, 1.0)


def card(built: Built, teacher: str, seed: int) -> dict[str, Any]:
    """What is in it, as JSON."""
    kept = built.kept
    asked = sum(built.asked.values())
    return {
        "version": CARD_VERSION,
        "teacher": teacher,
        "seed": seed,
        "examples": len(kept),
        "items": sum(built.items.values()),
        "asked": asked,
        "parts": {part: sum(one.part == part for one in kept) for part in PARTS},
        "tasks": {
            task.value: {
                "items": built.items[task],
                "asked": built.asked[task],
                "kept": sum(one.task is task for one in kept),
                "items_without_example": built.unexplained[task],
                "rejected": dict(built.rejected.get(task, Counter()).most_common()),
            }
            for task in built.items
        },
        "strategies": _counted(one.strategy for one in kept),
        "systems": {
            system: _counted(one.part for one in kept if one.system == system)
            for system in sorted({one.system for one in kept})
        },
        "answers": {
            task.value: _counted(one.answer for one in kept if one.task is task)
            for task in built.items
            if task.verdicts
        },
        "words_of_reasoning": _quantiles([len(one.reasoning.split()) for one in kept]),
        "lines": _quantiles([len(one.lines) for one in kept]),
        "characters_of_lines": _quantiles([sum(map(len, one.lines)) for one in kept]),
        "citations_in_reasoning": _quantiles([len(cited_in(one.reasoning)) for one in kept]),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _quantiles(values: list[int]) -> dict[str, float]:
    if not values:
        return {}
    told = np.quantile(values, _QUANTILES)
    return {f"{share:.0%}": float(value) for share, value in zip(_QUANTILES, told, strict=True)}


def markdown(told: Mapping[str, Any]) -> str:
    """The card for people. Names of systems come from files: what they hold is escaped."""
    out = [
        "# Reasoning examples",
        "",
        f"{told['examples']:,} examples from {told['items']:,} labelled items, "
        f"by the teacher {_cell(told['teacher'])} (seed {told['seed']}).",
        "",
        "| part | examples |",
        "|---|---:|",
        *(f"| {part} | {many:,} |" for part, many in told["parts"].items()),
        "",
        "| task | items | asked for | kept | items without any |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {task} | {one['items']:,} | {one['asked']:,} | {one['kept']:,} "
            f"| {one['items_without_example']:,} |"
            for task, one in told["tasks"].items()
        ),
        "",
        "| strategy | examples |",
        "|---|---:|",
        *(f"| {name} | {many:,} |" for name, many in told["strategies"].items()),
        "",
        f"| system | {' | '.join(PARTS)} |",
        f"|---|{'---:|' * len(PARTS)}",
        *(
            f"| {_cell(name)} | {' | '.join(f'{parts.get(part, 0):,}' for part in PARTS)} |"
            for name, parts in told["systems"].items()
        ),
    ]
    if told["answers"]:
        out += ["", "| task | answer | examples |", "|---|---|---:|"]
        out += [
            f"| {task} | {_cell(answer)} | {many:,} |"
            for task, answers in told["answers"].items()
            for answer, many in answers.items()
        ]
    sizes = ("words_of_reasoning", "lines", "characters_of_lines", "citations_in_reasoning")
    shares = [f"{share:.0%}" for share in _QUANTILES]
    out += ["", f"| size | {' | '.join(shares)} |", f"|---|{'---:|' * len(shares)}"]
    for size in sizes:
        values = " | ".join(f"{told[size].get(share, 0):,.0f}" for share in shares)
        out.append(f"| {size.replace('_', ' ')} | {values} |")
    out += ["", "| task | left out because | examples |", "|---|---|---:|"]
    out += [
        f"| {task} | {_cell(why)} | {many:,} |"
        for task, one in told["tasks"].items()
        for why, many in one["rejected"].items()
    ]
    return "\n".join(out) + "\n"


def _cell(text: str) -> str:
    return safe(text).replace("|", "\\|").replace("<", "&lt;")


def write_card(path: Path, told: Mapping[str, Any]) -> tuple[Path, Path]:
    """Writes OUT.card.json and OUT.card.md beside the examples, each whole or not at all."""
    files = path.with_suffix(".card.json"), path.with_suffix(".card.md")
    for file, text in zip(files, (json.dumps(told, indent=2) + "\n", markdown(told)), strict=True):
        work = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
        try:
            work.write_text(text, "utf-8")
            os.replace(work, file)
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror or error}") from error
        finally:
            work.unlink(missing_ok=True)
    return files
