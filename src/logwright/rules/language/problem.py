"""Problem: why a text is no rule, and where, in one sentence that says what to write instead."""

from __future__ import annotations

from logwright.errors import LogwrightError
from logwright.rules.language.words import visible

__all__ = ["RuleError"]


class RuleError(LogwrightError):
    r"""A text that is refused as a rule. `line` and `column` count from 1, as editors do; both are
    0 where the text as a whole is meant. Sentences quote what was read, so what a terminal would
    obey is written as an escape.

    >>> str(RuleError("rules cannot import: search is there already", "slow.py", 3, 5))
    'slow.py:3:5: rules cannot import: search is there already'
    >>> RuleError('no "\x1b[2J" here').sentence == r'no "\x1b[2J" here'
    True
    """

    def __init__(self, sentence: str, file: str = "<rule>", line: int = 0, column: int = 0) -> None:
        self.sentence, self.file, self.line, self.column = visible(sentence), file, line, column
        place = f"{visible(file)}:{line}:{column}" if line else visible(file)
        super().__init__(f"{place}: {self.sentence}")

    def __reduce__(self) -> tuple[type[RuleError], tuple[str, str, int, int]]:
        return RuleError, (self.sentence, self.file, self.line, self.column)
