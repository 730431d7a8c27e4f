"""Exporting: rules of a rulebook as files for other programs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from logwright.rules.book.shelved import Shelved
from logwright.rules.book.sigma import sigma
from logwright.rules.language.problem import RuleError

__all__ = ["export_sigma"]


def export_sigma(rules: Iterable[Shelved], folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Write NAME.yml for each rule that Sigma can say; gives the files, and for each other rule why
    it cannot be said."""
    written, refused = [], {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for rule in rules:
            try:
                text = _text(rule)
            except RuleError as error:
                refused[rule.name] = error.sentence
                continue
            path = folder / f"{rule.name}.yml"
            work = folder / f".{rule.name}.{secrets.token_hex(8)}"
            work.write_text(text, "utf-8")
            os.replace(work, path)
            written.append(path)
    except OSError as error:
        raise RuleError(f"cannot be written: {error.strerror or error}", str(folder)) from None
    return written, refused


def _text(rule: Shelved) -> str:
    if rule.file is None:
        raise RuleError(rule.problem, rule.name)
    if rule.file.meta.kind == "normal":
        raise RuleError("says what is normal, and Sigma says what is not", rule.name)
    history = rule.standing.history
    return sigma(
        rule.name,
        rule.file.function,
        hash=rule.hash,
        severity=rule.file.meta.severity,
        state=rule.state,
        made=history[0].at if history else datetime.now(UTC),
        excuses=rule.standing.exceptions,
    )
