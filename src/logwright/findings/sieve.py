"""The sieve: which findings of a run are raised, after the ignore file, the trigger and quiet."""

from __future__ import annotations

from collections.abc import Iterable

from logwright.findings.damping import Damper
from logwright.findings.finding import Finding
from logwright.findings.ignore import Ignored
from logwright.settings import Settings, parse_length, parse_trigger

__all__ = ["Sieve"]

_INTERVAL = 60.0


class Sieve:
    """Leaves out what a person does not want to see, and counts it.

    `interval` is that of the run in ns, 0 where it has none; `quiet` holds where settings say none.

    >>> Sieve(Settings(), 0).notes()
    []
    """

    def __init__(self, settings: Settings, interval: int, quiet: str = "0s") -> None:
        self._ignored = None if settings.ignore is None else Ignored.read(settings.ignore)
        trigger = None if settings.trigger is None else parse_trigger(settings.trigger)
        length = parse_length(quiet if settings.quiet is None else settings.quiet)
        self.damper = Damper(trigger, length or 0, interval / 1e9 if interval else _INTERVAL)

    def known(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no entry of the ignore file leaves out."""
        return list(findings) if self._ignored is None else self._ignored.sift(findings)

    def notes(self) -> list[str]:
        """What was left out, as sentences."""
        ignored = [] if self._ignored is None else [self._ignored.note()]
        return [*ignored, *self.damper.notes()]
