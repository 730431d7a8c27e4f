"""Opens a chat from what the user says: a URL, `local:FOLDER`, `batch:FOLDER` or `replay:FILE`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logwright.errors import SettingsError
from logwright.llm.address import address, key_of_environment
from logwright.llm.batch import Batch
from logwright.llm.budget import Account, Budget, Price
from logwright.llm.chat import Chat, Source
from logwright.llm.connection import Connection
from logwright.llm.endpoint import Endpoint
from logwright.llm.journal import Journal
from logwright.llm.local import Local
from logwright.llm.patience import Patience
from logwright.llm.replay import Replay

__all__ = ["open_chat"]

_PARALLEL = 4


def _quiet(_: str) -> None:
    """Tells nobody."""


def open_chat(
    llm: str,
    model: str | None = None,
    *,
    budget: str | None = None,
    price: str | None = None,
    record: Path | None = None,
    parallel: int = _PARALLEL,
    patience: Patience | None = None,
    tell: Callable[[str], None] = _quiet,
) -> Chat:
    """A chat with the model at `llm`, paid up to `budget` at `price`, recorded in `record`.

    The budget is that of the journal: what earlier runs with the same `record` were charged with
    counts. `tell` is called with sentences for the user.

    >>> open_chat("replay:none.jsonl")
    Traceback (most recent call last):
    logwright.errors.InputError: There is no recorded journal at none.jsonl.
    """
    paid = None if price is None else Price.parse(price)
    account = Account(None if budget is None else Budget.parse(budget), paid)
    kind, _, place = llm.partition(":")
    if kind == "replay":
        replay = Replay(Path(place))
        return Chat(_named(model or replay.model), replay, account, replay.journal, 1)
    if kind == "local":
        journal = Journal(record)
        account.before(journal.charged(paid), journal.lost)
        local = Local(Path(place), account, journal)
        return Chat(model or local.name, local, account, journal, 1)
    where = None if kind == "batch" else address(llm, key_of_environment())
    named = _named(model)
    connection = None if where is None else Connection(where)
    journal = Journal(record)
    account.before(journal.charged(paid), journal.lost)
    source: Source
    if connection is None:
        source = Batch(Path(place), account, journal)
        parallel = 1
    else:
        if where is not None and where.warning is not None:
            tell(where.warning)
        source = Endpoint(connection, account, journal, patience or Patience())
    return Chat(named, source, account, journal, max(parallel, 1))


def _named(model: str | None) -> str:
    if not model:
        raise SettingsError("Name the model to ask with --model NAME.")
    return model
