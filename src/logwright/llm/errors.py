"""What can go wrong between a question and its answer, each as one sentence for people."""

from __future__ import annotations

from pathlib import Path

from logwright.errors import LogwrightError

__all__ = ["BudgetError", "ContextError", "ModelAnswerError", "Waiting"]


class ModelAnswerError(LogwrightError):
    """No answer came: an endpoint refused, broke or was too slow, or a replay does not hold it.
    `final`: other questions would fare no better, such as with a wrong key."""

    def __init__(self, sentence: str, final: bool = False) -> None:
        super().__init__(sentence)
        self.final = final


class ContextError(ModelAnswerError):
    """The question has more tokens than the model can take: a shorter one may do. `most` is how
    many it takes, question and answer together, where that is known."""

    def __init__(self, sentence: str, most: int | None = None) -> None:
        super().__init__(sentence)
        self.most = most


class BudgetError(LogwrightError):
    """The next request might cost more than what is left; it was not sent."""


class Waiting(LogwrightError):  # noqa: N818 - what callers catch to stop, not a failure
    """Requests lie in a batch file and their answers are not there yet; run again when they are.

    >>> str(Waiting(Path("b/requests.jsonl"), 2))
    '2 requests wait in b/requests.jsonl: have them answered as a batch, put the answers into \
b/answers.jsonl, and run this again.'
    """

    def __init__(self, path: Path, waiting: int, trouble: str = "", again: int = 0) -> None:
        self.path = path
        self.waiting = waiting
        requests = "1 request waits" if waiting == 1 else f"{waiting} requests wait"
        asks = "asks" if again == 1 else "ask"
        mending = f" ({again} of them {asks} to mend an answer that did not fit)" if again else ""
        super().__init__(
            f"{requests} in {path}{mending}: have them answered as a batch, put the answers into "
            f"{path.parent / 'answers.jsonl'}, and run this again{trouble}."
        )
