"""A conversation with a language model: what is asked goes out hidden, fenced and paid for once.

`ChatModel` is what callers know; `Chat` does the same for an endpoint, a batch folder and a
replay, which differ only in where a reply comes from.

The text of an answer is as the model wrote it, hidden values put back: it may hold anything,
control characters too, and is escaped by whatever shows it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Literal, Protocol, Self

from pydantic import BaseModel

from logwright.errors import LogwrightError
from logwright.llm.budget import Account, Charge, Spending
from logwright.llm.errors import Waiting
from logwright.llm.fence import RULE, fence
from logwright.llm.guard import Suspicion, suspicions
from logwright.llm.journal import Journal
from logwright.llm.parallel import each
from logwright.llm.placeholders import Placeholders
from logwright.llm.reply import Reply, Usage
from logwright.llm.request import LogText, Message, Prompt, Request, Role, message
from logwright.llm.schema import MisfitError, instruction, parse, repair

__all__ = ["Answer", "Ask", "Chat", "ChatModel", "Problem", "Source"]

Problem = Literal["refused", "empty", "cut", "misfit"]
"""Why an answer cannot be used: the model would not, said nothing, ran out of max_tokens, or did
not hold to the schema even when told what was wrong."""


@dataclass(frozen=True)
class Ask:
    """One question. `purpose` names it for people: in the journal, and where no answer comes."""

    messages: Sequence[Prompt]
    max_tokens: int
    purpose: str
    schema: type[BaseModel] | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back. `parsed` is set where a schema was asked for and `problem` is None."""

    text: str
    parsed: BaseModel | None
    usage: Usage
    cost: Decimal | None
    cached: bool
    thoughts: str = ""
    problem: Problem | None = None
    detail: str = ""
    suspicious: tuple[Suspicion, ...] = ()


class ChatModel(Protocol):
    """Whatever answers questions: the real thing, or a fake in a test."""

    def ask(
        self,
        messages: Sequence[Prompt],
        *,
        max_tokens: int,
        purpose: str,
        schema: type[BaseModel] | None = None,
        stop: tuple[str, ...] = (),
    ) -> Answer: ...

    def ask_many(self, asks: Sequence[Ask]) -> list[Answer]: ...

    def outcomes(self, asks: Sequence[Ask]) -> list[Answer | LogwrightError | None]: ...

    @property
    def spending(self) -> Spending: ...

    def close(self) -> None: ...


class Source(Protocol):
    """Where a reply comes from, and what it is charged with."""

    def complete(self, request: Request, purpose: str) -> tuple[Reply, Charge]: ...

    def close(self) -> None: ...


class Chat:
    """A model, an account and a journal. Use it in a `with`, or close it."""

    def __init__(
        self, model: str, source: Source, account: Account, journal: Journal, parallel: int
    ) -> None:
        self.model = model
        self._source = source
        self._account = account
        self._journal = journal
        self._parallel = parallel
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Lock] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hands back connections and the journal."""
        self._source.close()
        self._journal.close()

    @property
    def spending(self) -> Spending:
        """What was asked and paid so far."""
        return self._account.spending

    def ask(
        self,
        messages: Sequence[Prompt],
        *,
        max_tokens: int,
        purpose: str,
        schema: type[BaseModel] | None = None,
        stop: tuple[str, ...] = (),
    ) -> Answer:
        """The answer, which ends before the first text of `stop`; one repair is asked for where it
        does not fit the schema."""
        if max_tokens < 1:
            raise ValueError("max_tokens is at least 1")
        names = Placeholders()
        whole = [message(prompt) for prompt in messages]
        turns = _turns(whole, names, schema)
        reply, cost, cached = self._reply(Request(self.model, turns, max_tokens, stop), purpose)
        answer = _answer(reply, names, schema, cost, cached, _found(whole))
        if schema is None or answer.problem != "misfit":
            return answer
        told, asked = repair(reply.text, MisfitError(answer.detail))
        again: tuple[tuple[Role, str], ...] = (*turns, ("assistant", told), ("user", asked))
        request = Request(self.model, again, max_tokens, stop)
        second, more, kept = self._reply(request, f"{purpose} (repair)")
        total = cost if more is None else (cost or Decimal(0)) + more
        found = answer.suspicious
        return _answer(second, names, schema, total, cached and kept, found, reply.usage)

    def ask_many(self, asks: Sequence[Ask]) -> list[Answer]:
        """The answers in the same order, several questions at a time. After an error no further
        question is asked, and it is raised when those that were begun have ended, so that what was
        paid for is in the journal. Batches wait once for all that is missing."""
        outcomes = self.outcomes(asks)
        errors = [outcome for outcome in outcomes if isinstance(outcome, LogwrightError)]
        if errors:
            waiting = [error for error in errors if isinstance(error, Waiting)]
            other = [error for error in errors if not isinstance(error, Waiting)]
            raise other[0] if other else waiting[-1]  # the last one counts all of them
        return [outcome for outcome in outcomes if isinstance(outcome, Answer)]

    def outcomes(self, asks: Sequence[Ask]) -> list[Answer | LogwrightError | None]:
        """What came of each question, in the same order: its answer, or why there is none; None for
        what was not asked, since another question had failed.

        Who interrupts this waits for nobody: what is under way is given up, and stays charged.
        """
        over = threading.Event()

        def outcome(ask: Ask) -> Answer | LogwrightError | None:
            if over.is_set():
                return None
            try:
                return self.ask(
                    ask.messages,
                    max_tokens=ask.max_tokens,
                    purpose=ask.purpose,
                    schema=ask.schema,
                    stop=ask.stop,
                )
            except Waiting as waiting:
                return waiting
            except LogwrightError as error:
                over.set()
                return error

        try:
            return each(outcome, asks, self._parallel)
        except BaseException:
            over.set()
            self._source.close()
            raise

    def _reply(self, request: Request, purpose: str) -> tuple[Reply, Decimal | None, bool]:
        """The reply, what it cost now, and whether it was there already."""
        key = request.key
        with self._lock:
            turn = self._under_way.setdefault(key, threading.Lock())
        try:
            with turn:
                known = self._journal.get(key)
                if known is not None:
                    self._account.known()
                    nothing = None if self._account.spending.usd is None else Decimal(0)
                    return known, nothing, True
                reply, charge = self._source.complete(request, purpose)
                return reply, charge.usd, False
        finally:
            with self._lock:
                self._under_way.pop(key, None)


def _turns(
    messages: Sequence[Message], names: Placeholders, schema: type[BaseModel] | None
) -> tuple[tuple[Role, str], ...]:
    """The finished text. Values are gathered from the whole conversation before any of them is
    looked for outside its place, so that it does not matter where one comes first."""
    hidden = [(one.role, [_hidden(one, part, names) for part in one.parts]) for one in messages]
    turns: list[tuple[Role, str]] = []
    for one, (role, parts) in zip(messages, hidden, strict=True):
        texts = [
            fence(names.mask(text)) if isinstance(part, LogText) else _whole(names.mask(text))
            for part, text in zip(one.parts, parts, strict=True)
        ]
        turns.append((role, "\n".join(texts)))
    if any(isinstance(part, LogText) for one in messages for part in one.parts):
        turns = _begun(turns, RULE)
    if schema is not None:
        role, text = turns[-1]
        turns[-1] = (role, f"{text}\n\n{instruction(schema)}")
    return tuple(turns)


def _hidden(one: Message, part: str | LogText, names: Placeholders) -> str:
    if isinstance(part, LogText):
        return names.hide(part.text)
    return part if one.role == "system" else names.hide(part)


def _begun(turns: list[tuple[Role, str]], rule: str) -> list[tuple[Role, str]]:
    """The rule in the first system message: some servers take only one."""
    if turns and turns[0][0] == "system":
        return [("system", f"{turns[0][1]}\n\n{rule}"), *turns[1:]]
    return [("system", rule), *turns]


def _whole(text: str) -> str:
    """Bytes that are no UTF-8 cannot be sent."""
    return text.encode("utf-8", "replace").decode()


def _found(messages: Sequence[Message]) -> tuple[Suspicion, ...]:
    parts = [part for one in messages for part in one.parts if isinstance(part, LogText)]
    return suspicions(tuple(line for part in parts for line in part.lines))


def _answer(
    reply: Reply,
    names: Placeholders,
    schema: type[BaseModel] | None,
    cost: Decimal | None,
    cached: bool,
    found: tuple[Suspicion, ...],
    before: Usage | None = None,
) -> Answer:
    parsed, problem, detail = _judged(reply, names, schema)
    usage = reply.usage
    if before is not None:
        usage = Usage(
            prompt=before.prompt + usage.prompt,
            completion=before.completion + usage.completion,
            estimated=before.estimated or usage.estimated,
        )
    return Answer(
        text=names.restore(reply.text),
        parsed=parsed,
        usage=usage,
        cost=cost,
        cached=cached,
        thoughts=names.restore(reply.thoughts),
        problem=problem,
        detail=detail,
        suspicious=found,
    )


def _judged(
    reply: Reply, names: Placeholders, schema: type[BaseModel] | None
) -> tuple[BaseModel | None, Problem | None, str]:
    if reply.refusal or reply.finish == "content_filter":
        return None, "refused", names.restore(reply.refusal)
    cut = reply.finish == "length"
    if not reply.text.strip():
        return None, "cut" if cut else "empty", ""
    if schema is None:
        return None, "cut" if cut else None, ""
    try:
        return parse(reply.text, schema, names), None, ""
    except MisfitError as misfit:
        return None, "cut" if cut else "misfit", str(misfit)
