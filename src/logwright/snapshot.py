"""Snapshots: what a running pipeline remembers, as bytes that another process goes on from.

Every class that remembers something between batches has two methods: `paused` gives a `State`, and
`resume` takes one into a fresh object. A snapshot holds the states by name: ``LWS``, a format
number, a 16-byte BLAKE2b hash of all else, and the rest, compressed: a JSON head, then the arrays'
bytes one after the other. Nothing is believed: what is damaged, or newer, is a `StoreError`.

A snapshot holds lines as they came, secrets included: keep it as safe as the log itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.errors import StoreError

__all__ = ["SNAPSHOT_FORMAT", "Moved", "State", "decode", "encode", "join", "part", "sealed"]

SNAPSHOT_FORMAT = 1

_MAGIC = b"LWS"
_HASH = 16
_HEAD = len(_MAGIC) + 2 + _HASH + 8
_MOST = 4 << 30  # bytes, unpacked: no honest snapshot comes near it
_KINDS = frozenset("biuf")  # of numpy: truth, whole numbers, decimals
_OTHERWISE = "delete it to start anew, without what was open"


@dataclass(slots=True)
class State:
    """What a class remembers: small values, tables of columns, and bytes of its own, by name."""

    meta: dict[str, Any]
    tables: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class Moved(NamedTuple):
    """Where the templates and session keys of a snapshot stand in the process that goes on: today's
    index and code by those of the snapshot, and -1 in the last place, for those that were -1."""

    template: NDArray[np.int32]
    session: NDArray[np.int32]


def join(texts: list[bytes]) -> tuple[NDArray[np.int64], bytes]:
    """Several texts as their lengths and one text, for a state.

    >>> sizes, text = join([b"ab", b"", b"c"])
    >>> part(sizes, text)
    [b'ab', b'', b'c']
    """
    return np.array([len(text) for text in texts], np.int64), b"".join(texts)


def part(sizes: NDArray[np.int64], text: bytes) -> list[bytes]:
    """The texts that `join` put together; `ValueError` where they cannot be these."""
    ends = np.cumsum(sizes)
    if (sizes < 0).any() or int(sizes.sum()) != len(text):
        raise ValueError("texts and their lengths do not fit")
    pairs = zip((ends - sizes).tolist(), ends.tolist(), strict=True)
    return [text[a:b] for a, b in pairs]


def encode(states: Mapping[str, State]) -> bytes:
    """The states as one snapshot.

    >>> made = encode({"a": State({"n": 1}, {"t": {"x": np.arange(3)}}, {"f": b"raw"})})
    >>> back = decode(made)["a"]
    >>> back.meta, back.tables["t"]["x"].tolist(), back.files
    ({'n': 1}, [0, 1, 2], {'f': b'raw'})
    """
    return sealed(states)()


def sealed(states: Mapping[str, State]) -> Callable[[], bytes]:
    """What gives the states as they are now as one snapshot: half of the work, and more, that
    another thread can do while the states change."""
    head: dict[str, Any] = {}
    parts: list[bytes] = []
    for name, state in states.items():
        tables: dict[str, Any] = {}
        for table, columns in state.tables.items():
            tables[table] = {}
            for column, array in columns.items():
                if array.dtype.kind not in _KINDS:
                    raise TypeError(f"{name}.{table}.{column} holds {array.dtype}, no numbers")
                tables[table][column] = [array.dtype.str, list(array.shape)]
                parts.append(np.ascontiguousarray(array).tobytes())
        parts += state.files.values()
        files = {file: len(data) for file, data in state.files.items()}
        head[name] = {"meta": state.meta, "tables": tables, "files": files}
    return partial(_sealed, json.dumps(head, allow_nan=False).encode("ascii"), parts)


def _sealed(told: bytes, parts: Sequence[bytes]) -> bytes:
    size = 8 + len(told) + sum(map(len, parts))
    packed = pa.BufferOutputStream()  # part by part: they are too large to be put together first
    with pa.CompressedOutputStream(packed, "zstd") as out:
        for part in (len(told).to_bytes(8, "little"), told, *parts):
            out.write(part)
    rest = b"".join((size.to_bytes(8, "little"), packed.getvalue()))
    version = SNAPSHOT_FORMAT.to_bytes(2, "little")
    return b"".join((_MAGIC, version, _mark(version, rest), rest))


def _mark(version: bytes, rest: bytes) -> bytes:
    return blake2b(rest, digest_size=_HASH, person=version).digest()


def decode(data: bytes) -> dict[str, State]:
    """The states of a snapshot; `StoreError` where it is none, damaged, or newer.

    >>> decode(b"LWS" + bytes(40))
    Traceback (most recent call last):
    logwright.errors.StoreError: the snapshot is damaged: delete it to start anew, without what ...
    """
    if len(data) < _HEAD or data[:3] != _MAGIC:
        raise StoreError(f"this is no snapshot of a running pipeline: {_OTHERWISE}")
    version = int.from_bytes(data[3:5], "little")
    if version > SNAPSHOT_FORMAT:
        raise StoreError(
            f"the snapshot has format {version}, this version reads {SNAPSHOT_FORMAT} at most: "
            "update logwright"
        )
    rest = data[5 + _HASH :]
    if _mark(data[3:5], rest) != data[5 : 5 + _HASH]:
        raise StoreError(f"the snapshot is damaged: {_OTHERWISE}")
    try:
        return _states(rest)
    except (ArithmeticError, LookupError, TypeError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"the snapshot cannot be read ({error}): {_OTHERWISE}") from None


def _states(rest: bytes) -> dict[str, State]:
    size = int.from_bytes(rest[:8], "little")
    if size > _MOST:
        raise ValueError(f"{size:,} bytes")
    body = pa.Codec("zstd").decompress(rest[8:], size, asbytes=True)
    at = 8 + int.from_bytes(body[:8], "little")
    head = json.loads(body[8:at])
    found = {}
    for name, told in head.items():
        state = State(told["meta"])
        for table, columns in told["tables"].items():
            state.tables[table] = {}
            for column, (kind, shape) in columns.items():
                dtype = np.dtype(kind)
                if dtype.kind not in _KINDS:
                    raise ValueError(f"{kind} is no number")
                count = int(np.prod(shape, dtype=np.int64))
                array = np.frombuffer(body, dtype, count, at).reshape(shape).copy()
                state.tables[table][column] = array
                at += count * dtype.itemsize
        for file, length in told["files"].items():
            state.files[file] = body[at : at + length]
            at += length
        found[name] = state
    if at != len(body):
        raise ValueError("its parts do not fit")
    return found
