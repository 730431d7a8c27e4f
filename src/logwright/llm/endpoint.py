"""Asks an OpenAI-compatible endpoint, as often as is sensible, on an account, into a journal."""

from __future__ import annotations

import threading
import time

from logwright.llm.budget import Account, Charge
from logwright.llm.connection import AttemptError, Connection
from logwright.llm.errors import ContextError, ModelAnswerError
from logwright.llm.journal import Journal
from logwright.llm.patience import Patience
from logwright.llm.reply import Reply, ReplyError, reply_of
from logwright.llm.request import Request

__all__ = ["Endpoint"]

_UNREADABLE_TRIES = 2
"""For a body that is no answer: it was paid for, and a server that is no model sends it for ever.
"""


class Endpoint:
    """A model behind a URL. Every attempt is reserved and noted before it leaves."""

    def __init__(
        self, connection: Connection, account: Account, journal: Journal, patience: Patience
    ) -> None:
        self._connection = connection
        self._account = account
        self._journal = journal
        self._patience = patience
        self._over = threading.Event()

    def complete(self, request: Request, purpose: str) -> tuple[Reply, Charge]:
        """The reply and its charge; `ModelAnswerError` or `BudgetError` when there is none."""
        patience = self._patience
        end = time.monotonic() + patience.deadline
        attempt = 0
        while True:
            left = end - time.monotonic()
            try:
                return self._once(request, purpose, min(patience.timeout, max(left, 0.1)))
            except AttemptError as failure:
                attempt += 1
                if failure.too_long is not None:
                    told = self._told(failure, attempt, purpose)
                    raise ContextError(told, failure.too_long or None) from failure
                pause = patience.pause(attempt - 1, failure.after)
                left = end - time.monotonic()
                tries = min(patience.tries, failure.tries or patience.tries)
                if not failure.again or attempt >= tries or pause >= left:
                    told = self._told(failure, attempt, purpose)
                    raise ModelAnswerError(told, failure.final) from failure
                patience.sleep(self._over, pause)

    def close(self) -> None:
        """Nothing more is sent, by no thread that is still at it."""
        self._over.set()
        self._connection.close()

    def _once(self, request: Request, purpose: str, seconds: float) -> tuple[Reply, Charge]:
        if self._over.is_set():
            raise ModelAnswerError(f"The asking was stopped before: {purpose}.", True)
        held = self._account.reserve(request)
        number = self._journal.sent(request.key, purpose, held)
        try:
            reply = reply_of(self._connection.post(request, seconds), request)
        except AttemptError as failure:
            if failure.billed:
                self._account.lose(held)
            else:
                self._account.free(held)
                self._journal.freed(number)
            raise
        except ReplyError as error:
            self._account.lose(held)
            raise AttemptError(
                f"answered with what is no answer ({error})",
                again=True,
                billed=True,
                final=True,
                tries=_UNREADABLE_TRIES,
            ) from error
        charge = self._account.settle(held, reply.usage)
        self._journal.answered(number, request.key, request.model, purpose, reply, charge)
        return reply, charge

    def _told(self, failure: AttemptError, attempts: int, purpose: str) -> str:
        times = "" if attempts == 1 else f", {attempts} times"
        wait = f", and asks to wait {failure.after:.0f} s" if failure.after else ""
        return (
            f"The endpoint {self._connection.base} {failure.reason}{wait} (asked for: "
            f"{purpose}{times}). Answers that came before are kept in the journal."
        )
