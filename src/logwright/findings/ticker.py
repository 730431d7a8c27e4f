"""Findings as they come: two lines each, and now and then what else happened.

`Ticker` is what the command line gives a live run to talk to. Findings go to one stream (two lines
for people, or one of JSON), flushed at once; what is only about the run goes to another. All text
passes through `safe`, as in the terminal report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from logwright.findings.escape import fit, safe
from logwright.findings.finding import SEVERITIES, Finding, Severity
from logwright.findings.jsonl import write
from logwright.findings.run import many, moment, short_id, source_name, telling
from logwright.findings.terminal import STYLE

__all__ = ["Ticker"]

_EVERY = 30.0
_SILENT = 60.0
_WHEN, _SEVERITY, _ID, _GAP = 15, 8, 10, 2


class Ticker:
    """Tells of a live run. `findings` is the stream of findings, `status` that of all else;
    `severity` the least that is told; `clock` gives seconds."""

    def __init__(
        self,
        findings: TextIO,
        status: TextIO,
        *,
        width: int = 100,
        color: bool = False,
        json: bool = False,
        severity: Severity = "low",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._findings, self._status, self._clock = findings, status, clock
        self._width, self._json = max(width, 40), json
        self._least = SEVERITIES.index(severity)
        self._console = Console(
            file=findings,
            width=self._width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            soft_wrap=True,
        )
        self._told = self._heard = clock()
        self._lines = self._lines_told = self._repeats = 0
        self._of: set[str] = set()
        self._silence = _SILENT

    def begins(self, text: str) -> None:
        """The run is live from now on; `text` is a clause that says with which past."""
        self._say(f"live: findings follow as they come; normal is {text}. Ctrl-C ends.")

    def raised(self, finding: Finding) -> None:
        """A finding is raised."""
        if SEVERITIES.index(finding.severity) < self._least:
            return
        if self._json:
            write([finding], self._findings)
        else:
            for line in self._shown(finding):
                self._console.print(line)
        self._findings.flush()

    def repeated(self, finding: Finding) -> None:
        """A finding of a pattern that was raised lately was counted only."""
        if SEVERITIES.index(finding.severity) >= self._least:
            self._repeats += 1
            self._of.add(finding.pattern)

    def tick(self, lines: int) -> None:
        """Time passes; so many lines were read in all."""
        now = self._clock()
        if lines != self._lines:
            self._lines, self._heard, self._silence = lines, now, _SILENT
        elif now - self._heard >= self._silence:
            self._say(f"no line for {_length(now - self._heard)}")
            self._silence *= 2
        if self._repeats and now - self._told >= _EVERY:
            patterns = many(len(self._of), "pattern")
            new = many(lines - self._lines_told, "line")
            self._say(f"{many(self._repeats, 'repeat')} of {patterns} above, in {new}")
            self._told, self._lines_told, self._repeats = now, lines, 0
            self._of.clear()

    def _say(self, text: str) -> None:
        self._status.write(f"{time.strftime('%H:%M:%S')} {safe(text)}\n")
        self._status.flush()

    def _shown(self, finding: Finding) -> list[Text]:
        when = moment(finding.first_seen) if finding.first_seen else time.strftime("%H:%M:%S")
        first = Text(f"{when:{_WHEN}}" + " " * _GAP)
        first.append(f"{finding.severity:{_SEVERITY}}", STYLE[finding.severity])
        indent = _WHEN + _SEVERITY + 2 * _GAP
        # Below a width the columns would leave too little room for what matters.
        room = self._width - indent
        if room < 40:
            indent = _GAP
            room = self._width - first.cell_len - _GAP
        first.append(" " * _GAP + fit(finding.summary, max(room, 8)), "bold")
        line = telling(finding)
        lead = " " * indent
        tail = " " * _GAP + short_id(finding.pattern)
        if line is None:
            return [first, Text(lead + tail.strip(), "dim")]
        name = line.source.rstrip("/").rpartition("/")[2] or line.source
        place = "" if line.source in ("-", "stdin") else source_name(name) + ":"
        lead += f"{place}{line.line_no} │ "
        text = fit(line.text[line.message_at :] or line.text, self._width - len(lead) - len(tail))
        return [first, Text(lead + text + tail, "dim")]


def _length(seconds: float) -> str:
    """A length of time that has passed.

    >>> _length(61), _length(240)
    ('1 minute', '4 minutes')
    """
    return many(int(seconds // 60), "minute")
