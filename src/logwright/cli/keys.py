"""Keys: one answer at a time, a single key on a terminal and a line each from anything else."""

from __future__ import annotations

import os
import sys

__all__ = ["key", "line"]

_CTRL_D = "\x04"


def key(prompt: str) -> str:
    """The key that was pressed, or the first letter of the next line; empty at the end of input.

    What was pressed before the prompt was shown is no answer to it. Ctrl-C interrupts as ever. The
    terminal is as it was before whenever this is left.
    """
    try:
        import termios
        import tty
    except ImportError:  # Windows: a line each
        return _first(line(prompt))
    if not sys.stdin.isatty():
        text = _first(line(prompt))
        sys.stdout.write(f"{text.strip()}\n")  # as a terminal echoes it, so that a log reads well
        return text
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number, termios.TCSAFLUSH)
        sys.stdout.write(prompt)
        sys.stdout.flush()
        text = os.read(number, 64).decode("utf-8", "replace")
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
    if text in ("", _CTRL_D):
        return ""
    whole = len(text) == 1 and text.isprintable()  # an arrow key is several characters at once
    sys.stdout.write(f"{text}\n" if whole else "\n")
    return text if whole else "\n"


def line(prompt: str) -> str:
    """The next line, with its end; empty at the end of input."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    return sys.stdin.readline()


def _first(text: str) -> str:
    return text.strip()[:1] or ("\n" if text else "")
