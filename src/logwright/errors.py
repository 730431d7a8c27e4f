"""Exceptions. Every error a user can cause or mend is a `LogwrightError`; all else is a bug.

The tree::

    LogwrightError            one clear sentence, exit code 2
    ├── InputError            a source that cannot be read: names file and offset
    ├── FormatError           a format or layout that cannot be compiled or found
    ├── SettingsError         a setting with a bad value: names key, value, expectation
    ├── ModelError            a model folder that is absent, damaged or too new
    ├── StoreError            a store that is damaged, foreign, too new, or cannot be written
    ├── AwayError             a server that cannot be reached now: exit code 75, try again later
    └── MissingExtraError     an optional dependency that is not installed
"""

from __future__ import annotations

__all__ = [
    "AwayError",
    "FormatError",
    "InputError",
    "LogwrightError",
    "MissingExtraError",
    "ModelError",
    "SettingsError",
    "StoreError",
]


class LogwrightError(Exception):
    """Base of all errors that a user can cause or mend; its text is one sentence for people."""

    exit_code = 2


class InputError(LogwrightError):
    """A source cannot be read; the sentence names it, with the offset where one is known."""


class FormatError(LogwrightError):
    """A log format is unknown, or a `--format` layout cannot be compiled."""


class SettingsError(LogwrightError):
    """A setting has a bad value; the sentence names key, value and what was expected."""


class ModelError(LogwrightError):
    """A model folder is absent, damaged, or written by a newer version."""


class StoreError(LogwrightError):
    """A store is absent, damaged, written by a newer version or another program, or read-only."""


class AwayError(LogwrightError):
    """A server cannot be reached now, as things stand through no setting's fault."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: who supervises a process is to start it again


class MissingExtraError(LogwrightError):
    """An optional dependency is absent.

    >>> str(MissingExtraError("bench", "scikit-learn"))
    "This needs scikit-learn, which is not installed: pip install 'logwright[bench]'"
    """

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"This needs {package}, which is not installed: pip install 'logwright[{extra}]'"
        )
