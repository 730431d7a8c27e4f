"""The sink: where findings go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from logwright.errors import LogwrightError

__all__ = ["Sink", "SinkError"]


class SinkError(LogwrightError):
    """A sink cannot take findings now; its sentence says why. They are offered again later."""


class Sink(Protocol):
    """Takes findings, in order. What it was given before a failure may come again: their ids tell.

    `name` is stable over restarts: a sink's place in the outbox is kept under it.
    """

    name: str

    def put(self, findings: Sequence[bytes]) -> None:
        """Take findings, each one JSON object; when this returns they are safe. `SinkError` where
        that cannot be said of all of them."""

    def close(self) -> None:
        """Let the sink go; it may be closed twice."""
