"""Decompression of gzip, zstd, bzip2 and xz as byte streams (`logs.streams`).

Bad data raises nothing: what decodes is delivered, then a note says where and why the rest is
missing.
Memory is bounded whatever the data says: output goes to the caller's view, a step at a time.

Left out: zip and tar archives (several files in one), lz4, snappy.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import Protocol

import pyarrow as pa

from logwright.logs.streams import ByteStream, Notify, RawFile

__all__ = ["MAGICS", "decoded"]

_ZSTD_SKIPPABLE = [bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16)]
MAGICS: dict[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **dict.fromkeys(_ZSTD_SKIPPABLE, "zstd"),
    b"\xfd7zXZ\x00": "xz",
    # "BZh" alone could begin a line of text: the block's magic is asked for as well.
    **{b"BZh%d" % level + b"1AY&SY": "bzip2" for level in range(1, 10)},
    **{b"BZh%d" % level + b"\x17rE8P\x90": "bzip2" for level in range(1, 10)},
}
"""First bytes of compressed files -> kind."""

_CHUNK = 1 << 16
_XZ_MEMORY = 256 << 20  # `xz -9` needs 65 MiB; a header may ask for 4 GiB


def decoded(kind: str, stream: ByteStream, raw: RawFile, notify: Notify) -> ByteStream:
    """What `stream` holds, decompressed; `kind` is one of the values of `MAGICS`."""
    if kind == "zstd":
        return _Zstd(stream, raw, notify)
    return _Members(kind, stream, raw, notify)


class _Decoder(Protocol):
    """The interface of the standard library's bz2 and lzma decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflate:
    """gzip with the interface of `_Decoder`, exact up to the byte at which damage begins."""

    def __init__(self) -> None:
        self.needs_input = True
        self._inflate = zlib.decompressobj(wbits=31)
        self._tail = b""
        self._error: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._tail if self._error else self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._error:
            raise self._error
        data = self._tail + data
        before = self._inflate.copy()  # 40 KB; zlib drops a call's output when it finds damage
        try:
            out = self._inflate.decompress(data, max_length)
        except zlib.error as error:
            self._error = error
            self.needs_input = False
            return self._replay(before, data)
        self._tail = self._inflate.unconsumed_tail
        self.needs_input = not self._tail and len(out) < max_length
        return out

    def _replay(self, inflate: zlib._Decompress, data: bytes) -> bytes:
        pieces = []
        for at in range(len(data)):
            try:
                pieces.append(inflate.decompress(data[at : at + 1]))
            except zlib.error:
                self._tail = data[at:]
                break
        return b"".join(pieces)


def _new_decoder(kind: str) -> _Decoder:
    if kind == "gzip":
        return _Inflate()
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


class _Members:
    """gzip, bzip2 or xz: one compressed stream after the other, as `cat a.gz b.gz` makes them."""

    def __init__(self, kind: str, stream: ByteStream, raw: RawFile, notify: Notify):
        self._kind = kind
        self._stream = stream
        self._raw = raw
        self._notify = notify
        self._decoder = _new_decoder(kind)
        self._input = b""
        self._output = memoryview(b"")
        self._start = 0  # of this member in the compressed bytes
        self._begun = True  # a file that holds nothing at all ends early, too
        self._gave = False
        self._over = False

    def readinto(self, view: memoryview, /) -> int:
        while not self._output:
            if self._over:
                return 0
            self._step(len(view))
        size = min(len(view), len(self._output))
        view[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _step(self, size: int) -> None:
        if self._decoder.eof:
            self._input = self._decoder.unused_data
            self._decoder = _new_decoder(self._kind)
            self._begun = self._gave = False
        if not self._input and self._decoder.needs_input:
            chunk = bytearray(_CHUNK)
            self._input = bytes(chunk[: self._stream.readinto(memoryview(chunk))])
            if not self._input:
                self._over = True
                if self._begun:
                    where = f"at byte {self._raw.position:,} (compressed)"
                    came = "; what came before was read"
                    self._notify(f"{self._kind} stream ends early {where}{came}")
                return
        if not self._begun:  # zeros between members are padding
            self._input = self._input.lstrip(b"\0")
            if not self._input:
                return
            self._begun = True
            self._start = self._raw.position - len(self._input)
        data, self._input = self._input, b""
        try:
            self._output = memoryview(self._decoder.decompress(data, size))
            self._gave = self._gave or len(self._output) > 0
        except (zlib.error, OSError, EOFError, lzma.LZMAError) as error:
            self._over = True
            if self._start and not self._gave:
                where = f"at byte {self._start:,} (compressed)"
                self._notify(f"what follows {where} is not {self._kind} data: left out")
            else:
                rest = self._decoder.unused_data if self._kind == "gzip" else data
                where = f"at byte {self._raw.position - len(rest):,} (compressed)"
                came = "; what came before was read"
                self._notify(f"{self._kind} stream is damaged {where}: {error}{came}")


class _Zstd:
    """zstd by way of Arrow, which goes on through several frames."""

    def __init__(self, stream: ByteStream, raw: RawFile, notify: Notify):
        self._raw = raw
        self._notify = notify
        self._feed = _Feed(stream)
        self._arrow = pa.CompressedInputStream(pa.PythonFile(self._feed, mode="r"), "zstd")
        self._over = False

    def readinto(self, view: memoryview, /) -> int:
        if self._over:
            return 0
        size = min(len(view), _CHUNK)
        # Arrow fills the view but loses the count when it meets damage. 0xFF is in no text, so
        # what is not 0xFF any more was written.
        view[:size] = b"\xff" * size
        try:
            got = int(self._arrow.readinto(view[:size]))
            if not self._raw.position:
                raise EOFError  # to Arrow, nothing at all is a whole stream
            return got
        except (OSError, EOFError, pa.ArrowException) as error:
            self._over = True
            where = f"byte {self._raw.position:,} (compressed)"
            came = "; what came before was read"
            if self._feed.ended:
                self._notify(f"zstd stream ends early at {where}{came}")
            else:
                self._notify(f"zstd stream is damaged before {where}: {error}{came}")
            return len(bytes(view[:size]).rstrip(b"\xff"))


class _Feed(io.RawIOBase):
    """The compressed bytes as the Python file that Arrow reads from."""

    def __init__(self, stream: ByteStream):
        self.ended = False
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        # Small steps: of the step in which Arrow meets damage, nothing comes out.
        chunk = bytearray(8192 if size < 0 else min(size, 8192))
        got = self._stream.readinto(memoryview(chunk))
        self.ended = got == 0
        return bytes(chunk[:got])
