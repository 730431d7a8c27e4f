"""A connection to an endpoint: one POST, bounded in time and bytes, told apart by what went wrong.

The `openai` package makes the connection (TLS, proxies, pooling) and nothing else: it does not try
again, follow redirects, or read a body, since each of these could cost money, carry the key to
another host, or fill the memory.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from logwright.errors import MissingExtraError, SettingsError
from logwright.llm.address import Address
from logwright.llm.events import completion, too_long
from logwright.llm.patience import retry_after
from logwright.llm.request import Request

__all__ = ["MOST_BYTES", "AttemptError", "Connection"]

MOST_BYTES = 8 << 20
"""Of an answer: a million tokens have about four."""
_MOST_ERROR_BYTES = 64 << 10
_SHOWN = 300
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")
_AGAIN = frozenset({429, *range(500, 600)})
_FINAL = frozenset({401, 402, 403, 404, 405, 407, 410})
"""Statuses that speak of the key, the account or the address, not of the question."""
_TOO_LONG = frozenset({400, 413, 422, 500})
"""Statuses with which servers refuse a question that is too long."""


@dataclass(eq=False)
class AttemptError(Exception):
    """An attempt without an answer. `again`: it may be tried again, up to `tries` times where that
    is less than usual; `billed`: nobody knows whether the server counts it; `after`: seconds the
    server asks to wait; `final`: no other question would fare better; `too_long`: the question is
    longer than the model can take, which is so many tokens (0 where the server does not say)."""

    reason: str
    again: bool
    billed: bool
    after: float | None = None
    final: bool = False
    tries: int | None = None
    too_long: int | None = None


class Connection:
    """An open connection to an endpoint; may be used from several threads."""

    def __init__(self, where: Address) -> None:
        try:
            import openai
        except ImportError as error:
            raise MissingExtraError("llm", "openai") from error
        self._where = where
        try:
            self._http = openai.DefaultHttpxClient(
                follow_redirects=False,
                event_hooks={"response": [self._refused]},
                # A proxy would be sent the key and the questions for its own machine.
                trust_env=not where.loopback,
            )
        except Exception as error:  # of several kinds, by what is wrong with a proxy's URL
            raise SettingsError(_proxy_told(error)) from error
        # What the environment of this machine says about its user is not for any endpoint.
        names = ["OpenAI-Organization", "OpenAI-Project", *([] if where.key else ["Authorization"])]
        self._headers: dict[str, Any] = {name: openai.Omit() for name in names}
        self._headers["Accept-Encoding"] = "identity"
        self._client = openai.OpenAI(
            base_url=where.base,
            api_key=where.key or "none",
            max_retries=0,
            http_client=self._http,
        )

    @property
    def base(self) -> str:
        """Where it leads, for people."""
        return self._where.base

    def close(self) -> None:
        self._client.close()

    def post(self, request: Request, seconds: float) -> bytes:
        """The body of the answer, or a `AttemptError`."""
        import openai

        late = time.monotonic() + seconds
        body: dict[str, Any] = request.body(self._where.limit)
        try:
            with self._client.chat.completions.with_streaming_response.create(
                **body, timeout=seconds, extra_headers=self._headers
            ) as response:
                told = self._read(response.iter_bytes(), late)
                return self._whole(told, response.headers.get("content-type", ""))
        except AttemptError:
            raise
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, AttemptError):
                raise error.__cause__ from None
            raise self._broken(error.__cause__ or error) from error
        except Exception as error:
            if not _of_transport(error):
                raise
            raise self._broken(error) from error

    def _read(self, chunks: Any, late: float) -> bytes:
        pieces, size = [], 0
        for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                raise AttemptError(f"answered with more than {MOST_BYTES:,} bytes", False, True)
            if time.monotonic() > late:
                raise AttemptError("took too long to answer", True, True)
            pieces.append(chunk)
        return self._where.without_key(b"".join(pieces).decode("utf-8", "replace")).encode()

    def _whole(self, body: bytes, kind: str) -> bytes:
        """The body; events, which some servers send unasked, as the one body they tell."""
        if kind.partition(";")[0].strip().lower() != "text/event-stream":
            return body
        told = completion(body)
        if told is None:
            raise AttemptError("cut the connection", True, True)
        return told

    def _refused(self, response: Any) -> None:
        """Called with every response before anything reads it."""
        status: int = response.status_code
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if 300 <= status < 400:
            raise AttemptError(
                "sends elsewhere (a redirect), which is not followed", False, False, final=True
            )
        if status != 200:
            said = b"" if coding != "identity" else _beginning(response.iter_bytes())
            told = self._excerpt(said)
            after = retry_after(response.headers.get("retry-after"))
            reason = f"answered with status {status}{told}"
            most = too_long(said) if status in _TOO_LONG else None
            raise AttemptError(
                reason, status in _AGAIN, False, after, status in _FINAL, too_long=most
            )
        if coding not in ("", "identity"):
            raise AttemptError(
                "packs its answers, which was not asked for", False, True, None, True
            )

    def _excerpt(self, body: bytes) -> str:
        """The beginning of what an error says, on one line."""
        text = self._where.without_key(_said(body))
        text = "".join(char if char.isprintable() else " " for char in text)
        text = " ".join(text.split())[:_SHOWN].rstrip(".")
        return f": {text}" if text else ""

    def _broken(self, error: BaseException) -> AttemptError:
        kind = type(error).__name__
        sent = kind not in _NEVER_SENT
        if "Timeout" in kind:
            return AttemptError("took too long to answer", True, sent)
        reason = "cut the connection" if sent else "cannot be reached"
        return AttemptError(reason, True, sent)


def _beginning(chunks: Any) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > _MOST_ERROR_BYTES:
            break
    return body


def _said(body: bytes) -> str:
    """The sentence of an error's body: its message where it is the usual JSON, else all of it.

    >>> _said(b'{"error": {"message": "no such model", "code": 7}}'), _said(b"<p>no</p>")
    ('no such model', '<p>no</p>')
    """
    text = body.decode("utf-8", "replace")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return text
    error = told.get("error", told) if isinstance(told, dict) else told
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else text


def _proxy_told(error: Exception) -> str:
    """Why a proxy of the environment cannot be used, without its URL, which may hold a password."""
    why = "cannot be used: its URL is expected as http://HOST:PORT"
    if isinstance(error, ImportError):
        why = "is a SOCKS proxy, which needs socksio: pip install socksio"
    return f"The proxy of the environment (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY) {why}."


def _of_transport(error: BaseException) -> bool:
    """Errors of the HTTP client while a body is read; its package depends on that of openai."""
    return any(kind.__name__ == "HTTPError" for kind in type(error).__mro__)
