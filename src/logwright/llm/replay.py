"""Answers from a recorded journal alone: no network, no cost, the same answers every time."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from logwright.errors import InputError
from logwright.llm.errors import ModelAnswerError
from logwright.llm.journal import Journal
from logwright.llm.request import Request

__all__ = ["Replay"]


class Replay:
    """A model that only repeats: `journal` holds all it can say."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"There is no recorded journal at {path}.")
        self._path = path
        self.journal = Journal(path, write=False)

    @property
    def model(self) -> str | None:
        """The recorded model, where it is only one."""
        models = self.journal.models
        return next(iter(models)) if len(models) == 1 else None

    def complete(self, request: Request, purpose: str) -> NoReturn:
        """Asked for what the journal does not hold."""
        raise ModelAnswerError(
            f"{self._path} holds no answer for: {purpose} (model {request.model}). The log, the "
            f"settings or the version differ from those of the recording."
        )

    def close(self) -> None:
        """Nothing is open."""
