"""Downloads: resumed where they broke off, checked, and there only when they are whole.

A file grows as ``NAME.part`` beside its place. What is there is asked for no more (HTTP ``Range``);
a server that sends all of it anew is taken at its word. Size and MD5 are compared before the file
gets its name; one that is wrong is removed.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from logwright.errors import InputError

__all__ = ["Told", "checked", "download"]

Told = Callable[[int, int | None], None]
"""Called with the bytes that are there, and all (None where unknown)."""

_CHUNK = 1 << 18
_TRIES = 5
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


def download(
    url: str,
    target: Path,
    size: int | None = None,
    md5: str | None = None,
    told: Told | None = None,
    pause: float = 1.0,
) -> None:
    """Fetch `url` to `target`; `InputError` says where to put the file by hand if that fails.

    A connection that breaks off is taken up again, after `pause` seconds and longer each time,
    until five in a row brought nothing.
    """
    part = target.with_name(f"{target.name}.part")
    by_hand = f"download it elsewhere, put it at {target}, and run the command again"
    tries = 0
    while True:
        before = _held(part)
        try:
            _fetch(url, part, size, told)
            break
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise InputError(f"{url} answers {error.code} {error.reason}: {by_hand}") from None
            reason: object = f"{error.code} {error.reason}"
        except urllib.error.URLError as error:
            reason = error.reason
        except (OSError, http.client.HTTPException, _BrokenOffError) as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            if full or (isinstance(error, OSError) and error.filename is not None):
                raise InputError(f"{part} cannot be written: {error}") from None
            reason = error
        tries = 1 if _held(part) > before else tries + 1
        if tries == _TRIES or (isinstance(reason, OSError) and not _held(part)):
            kept = f" (what came is kept in {part})" if _held(part) else ""
            raise InputError(f"{url} cannot be fetched ({reason}){kept}: {by_hand}")
        time.sleep(pause * tries)
    wrong = checked(part, size, md5)
    if wrong is not None:
        part.unlink()
        raise InputError(f"{url} is not what was published: {wrong}; it was removed")
    os.replace(part, target)


def _held(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _fetch(url: str, part: Path, size: int | None, told: Told | None) -> None:
    held = _held(part)
    if size is not None and held > size:
        part.unlink()  # of another version
        held = 0
    if held and held == size:
        return
    part.parent.mkdir(parents=True, exist_ok=True)
    headers = {"User-Agent": "logwright", "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not held:
            raise
        if error.headers.get("Content-Range") == f"bytes */{held}":
            return  # nothing is missing
        part.unlink()
        raise _BrokenOffError("what was fetched before is no part of it") from None
    with answer:
        begin, total = _place(answer, held)
        with open(part, "ab" if begin else "wb") as file:
            at = begin
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                at += len(chunk)
                if size is not None and at > size:
                    raise InputError(f"{url} is not what was published: it has over {size:,} bytes")
                if told is not None:
                    told(at, total or size)
    whole = total or size
    if whole is not None and at < whole:
        raise _BrokenOffError(f"it broke off at {at:,} of {whole:,} bytes")


def _place(answer: http.client.HTTPResponse, held: int) -> tuple[int, int | None]:
    """Where the answer's first byte belongs, and the size of the whole file."""
    if answer.status == 206:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) not in (0, held):
            raise _BrokenOffError("it sent another part than it was asked for")
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def checked(path: Path, size: int | None, md5: str | None) -> str | None:
    """What of a file is not as published, None where all is."""
    held = path.stat().st_size
    if size is not None and held != size:
        return f"{held:,} bytes instead of {size:,}"
    if md5 is not None:
        with open(path, "rb") as file:
            found = hashlib.file_digest(
                file, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
        if found != md5:
            return f"MD5 {found} instead of {md5}"
    return None
