"""The journal: every request that was sent and every answer, so that nothing is paid twice.

A file of JSON lines, each written whole and synced before the work goes on: `sent` before a request
leaves (with what it may cost), then `answer` or `freed` under the same number. A number without
either was lost on the way and stays charged. Answers are kept as they came, with placeholders: no
hidden value, and no key, is ever in it. A line cut off by a crash is dropped. The file is made when
there is something to write, so that a run that never asks leaves none.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from decimal import Decimal
from io import FileIO
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from logwright.errors import StoreError
from logwright.llm.budget import Charge, Price
from logwright.llm.reply import Reply, Usage

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
    >>> journal.get("lw-1").text, journal.charged().tokens
    ('hi', 2)
    """

    def __init__(self, path: Path | None, write: bool = True) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._replies: dict[str, Reply] = {}
        self._charges: dict[int, Charge] = {}
        self._usages: dict[int, Usage] = {}
        self._number = self._size = self._whole = 0
        self._writes = write and path is not None
        self.models: set[str] = set()
        if path is None:
            return
        held = _bytes_of(path)
        self._size = len(held or b"")
        for at, line in enumerate((held or b"").split(b"\n")[:-1], 1):
            self._take(line, at)
            self._whole += len(line) + 1
        if write and held is not None:
            self._open(path)

    def get(self, key: str) -> Reply | None:
        return self._replies.get(key)

    def charged(self, price: Price | None = None) -> Charge:
        """What all requests in it are charged with. What was asked without a price has that of
        `price`; where there is none either, the dollars are unknown."""
        charges = list(self._charges.items())
        paid = [self._paid(number, charge, price) for number, charge in charges]
        known = [usd for usd in paid if usd is not None]
        whole = sum(known, Decimal(0)) if known and len(known) == len(paid) else None
        return Charge(sum(charge.tokens for _, charge in charges), whole)

    @property
    def lost(self) -> int:
        """How many requests were sent and have no answer."""
        return len(self._charges.keys() - self._usages.keys())

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
        """Nothing is written any more, by no thread that is still at it."""
        with self._lock:
            self._writes = False
            if self._file is not None:
                self._file.close()
                self._file = None

    def _paid(self, number: int, charge: Charge, price: Price | None) -> Decimal | None:
        """The dollars of a request; of one that was asked without a price by the `price`."""
        if charge.usd is not None or price is None:
            return charge.usd
        usage = self._usages.get(number)
        if usage is None or usage.estimated:
            return price.most_of(charge.tokens)
        return price.of(usage.prompt, usage.completion)

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what could not be written must not come back when the file is closed.
            file = path.open("ab", buffering=0)
            _only_user(file, path)
            if file.tell() != self._size:
                file.close()
                raise StoreError(f"The journal {path} was written by another run: run this again.")
            file.truncate(self._whole)
        except OSError as error:
            self._unwritable(error)
        self._file = file
        if not self._whole:
            self._append(_Head())

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
        self._usages[entry.number] = entry.reply.usage
        self._replies.setdefault(entry.key, entry.reply)
        self.models.add(entry.model)

    def _write(self, entry: BaseModel) -> None:
        if not self._writes or self._path is None:
            return
        if self._file is None:
            self._open(self._path)
        self._append(entry)

    def _append(self, entry: BaseModel) -> None:
        assert self._file is not None
        line = json.dumps(entry.model_dump(mode="json"), ensure_ascii=True).encode() + b"\n"
        try:
            left = line
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):  # else it is dropped when the journal is read
                self._file.truncate(self._whole)
            self._unwritable(error)
        self._whole += len(line)

    def _unwritable(self, error: OSError) -> NoReturn:
        raise StoreError(
            f"The journal {self._path} cannot be written: {error.strerror}."
        ) from error


def _bytes_of(path: Path) -> bytes | None:
    """What a journal holds, None where there is none yet."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"The journal {path} cannot be read: {error.strerror}.") from error


def _only_user(file: FileIO, path: Path) -> None:
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
