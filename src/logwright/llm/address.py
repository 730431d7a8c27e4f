"""Where an endpoint is and the key to it: checked once, never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from logwright.errors import SettingsError

__all__ = ["Address", "address", "key_of_environment"]

KEYS = ("LOGWRIGHT_LLM_KEY", "OPENAI_API_KEY")
_LEAST_SECRET = 6
"""Shorter keys are words such as "none" that local servers want; they are no secret."""


@dataclass(frozen=True)
class Address:
    """`base` is the URL up to `/chat/completions`; `limit` is its name for `max_tokens`;
    `loopback`: it is on this machine."""

    base: str
    limit: str
    key: str = field(repr=False)
    loopback: bool = False
    warning: str | None = None

    def without_key(self, text: str) -> str:
        """The text without the key: a server may send back what it was sent."""
        if len(self.key) < _LEAST_SECRET:
            return text
        return text.replace(self.key, "[key]")


def key_of_environment() -> str:
    """The key in `LOGWRIGHT_LLM_KEY`, else `OPENAI_API_KEY`, else nothing."""
    name = next((name for name in KEYS if os.environ.get(name, "").strip()), None)
    if name is None:
        return ""
    key = os.environ[name].strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"{name} is no key: it holds characters that no key has.")
    return key


def address(url: str, key: str) -> Address:
    """The address of an endpoint.

    >>> address("http://localhost:8000", "").base
    'http://localhost:8000/v1'
    >>> address("http://models.example/v1", "sk-123456").warning
    'The key goes to http://models.example/v1 unencrypted: use https.'
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError("--llm is no URL that can be read.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(
            "--llm is the URL of an endpoint (http:// or https://), local:FOLDER, batch:FOLDER "
            "or replay:FILE."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(
            f"The URL of --llm holds a password or a query: give the key in {KEYS[0]} instead."
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    base = f"{parts.scheme}://{parts.netloc}{path}"
    here = _loopback(host)
    in_clear = parts.scheme == "http" and not here
    return Address(
        base=base,
        # The newer models of its inventor refuse the name that all other servers know.
        limit="max_completion_tokens" if host == "api.openai.com" else "max_tokens",
        key=key,
        loopback=here,
        warning=_warning(base, host, len(key) >= _LEAST_SECRET) if in_clear else None,
    )


def _warning(base: str, host: str, secret: bool) -> str | None:
    """What is to be said of a URL whose requests others can read on their way."""
    proxies = {} if proxy_bypass(host) else getproxies()
    proxy = proxies.get("http") or proxies.get("all")
    if proxy is None:
        return f"The key goes to {base} unencrypted: use https." if secret else None
    what = "The key and the questions go" if secret else "The questions go"
    through = proxy.rpartition("@")[2].rpartition("//")[2]  # it may hold a password
    return f"{what} to {base} unencrypted through the proxy {through}: use https."


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
