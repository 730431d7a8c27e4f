"""The journal: every request that was sent and every answer, so that nothing is paid twice.

A file of JSON lines, each written whole and synced before the work goes on: `sent` before a request
leaves (with what it may cost), then `answer` or `freed` under the same number. A number without
either was lost on the way and stays charged. Answers are kept as they came, with placeholders: no
hidden value, and no key, is ever in it. A line cut off by a crash is dropped.
"""

from __future__ import annotations

import json
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from logwright.errors import StoreError
from logwright.llm.budget import Charge
from logwright.llm.reply import Reply

__all__ = ["Journal"]

_VERSION = 1


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["journal"] = "journal"
    version: int = _VERSION


class _Sent(BaseModel):
    kind: Literal["sent"] = "sent"
    number: int
    key: str
    purpose: str
    tokens: int
    usd: Decimal | None


class _Answered(BaseModel):
    kind: Literal["answer"] = "answer"
    number: int
    key: str
    model: str
    purpose: str
    reply: Reply
    tokens: int
    usd: Decimal | None


class _Freed(BaseModel):
    kind: Literal["freed"] = "freed"
    number: int


_Entry = Annotated[_Head | _Sent | _Answered | _Freed, Field(discriminator="kind")]
_ENTRY: TypeAdapter[_Head | _Sent | _Answered | _Freed] = TypeAdapter(_Entry)


class Journal:
    """What was asked and answered. Without a path it lives as long as the process.

    >>> from logwright.llm.reply import Usage
    >>> journal = Journal(None)
    >>> number = journal.sent("lw-1", "a test", Charge(10, None))
    >>> reply = Reply(text="hi", usage=Usage(prompt=1, completion=1))
    >>> journal.answered(number, "lw-1", "m", "a test", reply, Charge(2, None))
    >>> journal.get("lw-1").text, journal.charged.tokens
    ('hi', 2)
    """

    def __init__(self, path: Path | None, write: bool = True) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._replies: dict[str, Reply] = {}
        self._charges: dict[int, Charge] = {}
        self._number = 0
        self.models: set[str] = set()
        if path is None:
            return
        held = path.read_bytes() if path.exists() else b""
        whole = held.rfind(b"\n") + 1
        for at, line in enumerate(held[:whole].split(b"\n")[:-1], 1):
            self._take(line, at)
        if write:
            self._open(path, whole)

    def get(self, key: str) -> Reply | None:
        return self._replies.get(key)

    @property
    def charged(self) -> Charge:
        """What all requests in it are charged with."""
        charges = list(self._charges.values())
        paid = [charge.usd for charge in charges if charge.usd is not None]
        return Charge(sum(c.tokens for c in charges), sum(paid, Decimal(0)) if paid else None)

    def sent(self, key: str, purpose: str, worst: Charge) -> int:
        """Notes a request that is about to leave; the number it is closed by."""
        with self._lock:
            self._number += 1
            number = self._number
            self._charges[number] = worst
            self._write(
                _Sent(number=number, key=key, purpose=purpose, tokens=worst.tokens, usd=worst.usd)
            )
        return number

    def answered(
        self, number: int, key: str, model: str, purpose: str, reply: Reply, charge: Charge
    ) -> None:
        """Keeps an answer; the first one under a key stays."""
        entry = _Answered(
            number=number,
            key=key,
            model=model,
            purpose=purpose,
            reply=reply,
            tokens=charge.tokens,
            usd=charge.usd,
        )
        with self._lock:
            self._write(entry)
            self._keep(entry)

    def freed(self, number: int) -> None:
        """Notes that a request was not billed."""
        with self._lock:
            self._charges.pop(number, None)
            self._write(_Freed(number=number))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, path: Path, whole: int) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            _only_user(self._file, path)
            self._file.truncate(whole)
        except OSError as error:
            raise StoreError(f"The journal {path} cannot be written: {error.strerror}.") from error
        if not whole:
            self._write(_Head())

    def _take(self, line: bytes, at: int) -> None:
        try:
            entry = _ENTRY.validate_json(line)
        except ValidationError as error:
            raise StoreError(
                f"Line {at} of the journal {self._path} is damaged, or is none of a journal: "
                f"remove the line to ask again for what it held."
            ) from error
        if isinstance(entry, _Head):
            if entry.version > _VERSION:
                raise StoreError(f"The journal {self._path} was written by a newer version.")
            return
        self._number = max(self._number, entry.number)
        if isinstance(entry, _Answered):
            self._keep(entry)
        elif isinstance(entry, _Sent):
            self._charges[entry.number] = Charge(entry.tokens, entry.usd)
        else:
            self._charges.pop(entry.number, None)

    def _keep(self, entry: _Answered) -> None:
        self._charges[entry.number] = Charge(entry.tokens, entry.usd)
        self._replies.setdefault(entry.key, entry.reply)
        self.models.add(entry.model)

    def _write(self, entry: BaseModel) -> None:
        if self._file is None:
            return
        line = json.dumps(entry.model_dump(mode="json"), ensure_ascii=True)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _only_user(file: BinaryIO, path: Path) -> None:
    """Two runs with one journal would pay for the same request twice: the second one is told."""
    try:
        import fcntl
    except ImportError:  # another system: then it is on the user
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StoreError(f"The journal {path} is in use by another run.") from error
