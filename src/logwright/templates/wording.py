"""Wording: how much trouble a template's text names, by its words alone.

Levels are often missing (stack traces, build logs, console output) or wrong (exceptions logged as
INFO). What tells a symptom ("could not store") is worth less to who looks for a cause than what
tells the cause itself ("connection refused"). The words are those of operating systems, runtimes
and servers; a count, or a nought ("0 errors", "Errors: <*>", "without error"), names no trouble.
"""

from __future__ import annotations

import functools
import re

__all__ = ["CAUSE", "GRAVE", "HINT", "PATTERNS", "SYMPTOM", "trouble", "words"]

HINT, SYMPTOM, CAUSE, GRAVE = 1, 2, 3, 4

_LOOKED_AT = 4096

_GRAVE = re.compile(
    r"(?i)(?<![a-z])(panic(?:ked)?|fatal|critical|corrupt\w*|segfault|sigsegv|segmentation fault"
    r"|out of memory|oom[- ]?kill\w*|data loss|kernel bug|no space left|not enough space|disk full"
    r"|read-only file system|input/output error|hardware error|machine check)(?![a-z])"
)
_CAUSE = re.compile(
    r"^(?:[\w. ]{1,40}: )?(?:Caused by: |-+> )?[\w.$]{1,200}(?:Exception|Error)(?::\s|$)"
    r"|(?i:refused|denied|forbidden|timed?[ -]?out(?! of \d)|unreachable|no route to"
    r"|(?:closed|reset|aborted|disconnected) by"
    r"|connection (?:was |is )?(?:reset|closed|lost|aborted)"
    r"|forcibly closed|broken pipe|no such|not found|does ?n[o']t exist|permission|unauthori[sz]ed"
    r"|null pointer|nil pointer|out of (?:range|bounds)|overflow|undefined|unresolved|deadlock"
    r"|duplicate key|already in use|quota|exhausted|too many|expired|checksum|mismatch|bad \w+"
    r"|unknown host|certificate|exceeded|is (?:down|gone|dead|empty|missing)|no answer)"
)
_SYMPTOM = re.compile(
    r"(?i)error|exception|traceback|(?<![a-z])fail(?!over|s?afe|-?fast)|unable to|cannot|can't"
    r"|could not|couldn't|unavailable|rejected|abort(?!ed: 0)|crash|violation|assert\w* fail"
    r"|died|(?<![a-z])dead(?![a-z])|unhandled|uncaught"
)
_HINT = re.compile(
    r"(?i)(?<![a-z])(kill(?:ed|ing)?|lost|invalid|retry\w*|slow|missing|warn(?:ing)?|degraded|stale"
    r"|unusable|discard\w*|drop(?:ped|ping)|unexpected|suspect\w*)(?![a-z])"
)
PATTERNS = (_GRAVE, _CAUSE, _SYMPTOM, _HINT)
"""What finds words of trouble, the gravest first."""

_NOUGHT = re.compile(
    r"(?i)\b(?:0|no|zero|without(?: any)?)\s(?:\w{1,40}\s)?(?:error|fail|exception|warning)\w{0,20}"
    r"|(?:error|fail|exception|warning)\w{0,20}\s?[:=]\s?(?:0\b|none\b|null\b|false\b)"
    r"|(?:error|failure|exception|warning)s\s?[:=]\s?<\*>"
)


@functools.lru_cache(maxsize=1 << 14)
def trouble(text: str) -> int:
    """0 for none, else `HINT`, `SYMPTOM`, `CAUSE` or `GRAVE`.

    >>> texts = ("started", "killing task", "could not store", "Connection refused", "disk full")
    >>> [trouble(text) for text in texts]
    [0, 1, 2, 3, 4]
    >>> trouble("build done, 0 errors, failed: 0")
    0
    """
    text = _NOUGHT.sub("", text[:_LOOKED_AT])
    for grade, words in zip((GRAVE, CAUSE, SYMPTOM, HINT), PATTERNS, strict=True):
        if words.search(text):
            return grade
    return 0


def words(text: str) -> frozenset[str]:
    """The words of a text that name trouble, in small letters.

    >>> sorted(words("Connection refused: fatal error"))
    ['error', 'fatal', 'refused']
    """
    text = _NOUGHT.sub("", text[:_LOOKED_AT])
    found = (m[0] for pattern in PATTERNS for m in pattern.finditer(text))
    return frozenset(match.strip().lower() for match in found)
