"""Testing: whether rules say of their own examples what they should.

Examples run in the sandbox, with exceptions left aside: they tell what the code is for.
"""

from __future__ import annotations

from collections.abc import Sequence

from logwright.rules.book.shelved import Shelved
from logwright.rules.language.plain import Window
from logwright.rules.sandbox.sandbox import Failure, Sandbox
from logwright.rules.synthesis.tryout import said

__all__ = ["failures"]


def failures(rules: Sequence[Shelved]) -> list[str]:
    """What stands against rules, a sentence each: code that is refused or fails, and examples on
    which it is wrong."""
    told = [f"{rule.name}: {rule.problem}" for rule in rules if rule.file is None]
    tested = [rule for rule in rules if _examples(rule)]
    if tested:
        with Sandbox() as sandbox:
            for rule in tested:
                told += _failed(rule, sandbox)
    return told


def _failed(rule: Shelved, sandbox: Sandbox) -> list[str]:
    assert rule.file is not None
    function, broken = rule.file.function, list[str]()

    def run(window: Window) -> bool:
        answers = said(sandbox, function, [window])
        if isinstance(answers, Failure):
            broken.append(f"{rule.name}: {answers.sentence}")
            return False
        return answers[0]

    failed = rule.file.failures(run)
    return broken[:1] or failed


def _examples(rule: Shelved) -> int:
    """How many examples a rule has."""
    if rule.file is None:
        return 0
    return len(rule.file.meta.must_match) + len(rule.file.meta.must_not_match)
