"""Requests as files, in the JSONL form of batch APIs: to be reviewed, moved, or answered off-line.

FOLDER/requests.jsonl holds what is still to be answered; answers are read from
FOLDER/answers*.jsonl. A request whose answer is there leaves requests.jsonl at the next run. To
keep requests that were handed in from being handed in twice, rename the file to sent-NAME.jsonl:
what such files hold is not written again, unless its answer was an error. A request that was cut
off by a crash is dropped, and written again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from logwright.errors import InputError, StoreError
from logwright.llm.budget import Account, Charge
from logwright.llm.errors import Waiting
from logwright.llm.journal import Journal
from logwright.llm.reply import Reply, ReplyError, reply_from
from logwright.llm.request import Request

__all__ = ["Batch"]

_URL = "/v1/chat/completions"
_LIMIT = "max_completion_tokens"
"""The batch API of its inventor refuses `max_tokens` for newer models; other servers know both."""
_MOST_LINE = 64 << 20
_SHOWN = 200


class Batch:
    """A model that answers later. `complete` raises `Waiting` where there is no answer yet."""

    def __init__(self, folder: Path, account: Account, journal: Journal) -> None:
        self._path = folder / "requests.jsonl"
        self._account = account
        self._journal = journal
        self._lock = threading.Lock()
        self._errors: dict[str, str] = {}
        self._answers: dict[str, list[Any]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be the folder of a batch: {error.strerror}."
            ) from error
        for path in sorted(folder.glob("answers*.jsonl")):
            for at, line in _lines(path):
                self._take(line, path, at)
        self._waiting = self._tidy()
        self._sent = {
            key
            for path in sorted(folder.glob("sent-*.jsonl"))
            for key, _ in _requests(path)
            if key not in self._answers and key not in self._errors
        }
        self._reserved: set[str] = set()
        self._again: set[str] = set()

    def complete(self, request: Request, purpose: str) -> tuple[Reply, Charge]:
        """The reply in the answer files and its charge; else `Waiting`, once it is written."""
        key = request.key
        for body in self._answers.get(key, ()):
            try:
                reply = reply_from(body, request)
            except ReplyError as error:
                self._errors[key] = str(error)
            else:
                return reply, self._paid(request, reply, purpose)
        with self._lock:
            if key not in self._reserved:
                self._account.reserve(request)
                self._reserved.add(key)
            if any(role == "assistant" for role, _ in request.turns):
                self._again.add(key)
            if key not in self._waiting and key not in self._sent:
                self._append(request)
                self._waiting.add(key)
            waiting = len(self._waiting | self._sent)
            raise Waiting(self._path, waiting, self._trouble(), len(self._again))

    def close(self) -> None:
        """Nothing is open: every request was synced when it was written."""

    def _paid(self, request: Request, reply: Reply, purpose: str) -> Charge:
        held = self._account.owed(request)
        charge = self._account.settle(held, reply.usage)
        number = self._journal.sent(request.key, purpose, held)
        self._journal.answered(number, request.key, request.model, purpose, reply, charge)
        return charge

    def _take(self, line: bytes, path: Path, at: int) -> None:
        """One answer: the first good one of a request counts."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        key = told.get("custom_id") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(key, str):
            raise InputError(
                f"Line {at} of {path} is no answer of a batch: an object with custom_id and "
                f"response is expected."
            )
        response = told.get("response")
        body = response.get("body") if isinstance(response, dict) else None
        status = response.get("status_code", 200) if isinstance(response, dict) else None
        if told.get("error") or status != 200 or not isinstance(body, dict):
            self._errors[key] = _shown(told.get("error") or body or told)
        else:
            self._answers.setdefault(key, []).append(body)

    def _tidy(self) -> set[str]:
        """Drops what is answered from requests.jsonl; the keys of what stays."""
        if not self._path.exists():
            return set()
        held = list(_requests(self._path))
        still = {key: line for key, line in held if key not in self._answers}
        size = sum(map(len, still.values()))
        try:
            if size != self._path.stat().st_size:
                fresh = self._path.with_name(".requests.tmp")
                with fresh.open("wb") as file:
                    file.writelines(still.values())
                    file.flush()
                    os.fsync(file.fileno())
                fresh.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from error
        return set(still)

    def _append(self, request: Request) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(_line(request))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"{self._path} cannot be written: {error.strerror}.")

    def _trouble(self) -> str:
        failed = [error for key, error in self._errors.items() if key in self._waiting]
        return f" ({len(failed)} were answered with an error: {failed[0]})" if failed else ""


def _line(request: Request) -> bytes:
    told = {
        "custom_id": request.key,
        "method": "POST",
        "url": _URL,
        "body": request.body(_LIMIT),
    }
    return json.dumps(told, ensure_ascii=True).encode() + b"\n"


def _requests(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and line of each request of a file, which a person may have edited or cut."""
    for at, line in _lines(path):
        try:
            key = json.loads(line)["custom_id"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if not line.endswith(b"\n"):
                return
            raise InputError(
                f"Line {at} of {path} is no request of a batch: remove it, and it is written again."
            ) from error
        yield str(key), line.rstrip(b"\n") + b"\n"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            at = 0
            while line := file.readline(_MOST_LINE):
                at += 1
                if line.strip():
                    yield at, line
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def _shown(error: object) -> str:
    text = json.dumps(error, ensure_ascii=True)
    return text[:_SHOWN]
