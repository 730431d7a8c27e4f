"""`Vendor`: what the head of a switch's or router's message says: how grave it is, and whether it
ends an alarm. Heads look like `MODULE/4/NAME:` or `%MODULE-4-NAME:`; the digit is a severity of
RFC 5424, from 0 (the device cannot be used) to 7 (debugging)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Vendor"]

_HEAD = re.compile(
    r"(?:^|\s)%{0,2}(?:\d\d)?(?P<module>[A-Z][A-Z0-9_+-]*)(?P<mark>[/-])(?P<digit>[0-7])(?P=mark)"
    r"(?P<name>\w+)(?:\([a-z]\))?(?:\[\d+\])?\s?:"
)
_ENDED = re.compile(r"(?i)_(?:clear|resume|clr|recover(?:y|ed)?)$")
_LOOKED_AT = 200
_MEANS = (
    "the device cannot be used",
    "something must be done at once",
    "critical",
    "error",
    "warning",
    "notice",
    "information",
    "debugging",
)


@dataclass(frozen=True, slots=True)
class Vendor:
    """`digit` is how grave the device says it is, 0 the worst; `ended` that it ends an alarm."""

    module: str
    digit: int
    ended: bool

    @property
    def means(self) -> str:
        """The digit in words."""
        return _MEANS[self.digit]

    @staticmethod
    def of(line: str) -> Vendor | None:
        """What the head of a line says, if it is one of a switch.

        >>> Vendor.of("DEVM/1/hwFanFail_clear: The fan works again.")
        Vendor(module='DEVM', digit=1, ended=True)
        >>> Vendor.of("%SYS-5-CONFIG_I: Configured from console").means
        'notice'
        >>> Vendor.of("2024/1/DISK: full")
        """
        found = _HEAD.search(line[:_LOOKED_AT])
        if found is None:
            return None
        return Vendor(found["module"], int(found["digit"]), bool(_ENDED.search(found["name"])))
