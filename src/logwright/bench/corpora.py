"""Large inputs for throughput and memory, made from the small public samples.

Replicas differ in what differs in real life: times go on, block ids, digits and user names change.
"""

from __future__ import annotations

import json
import random
import re
import tarfile
import uuid
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from logwright.errors import InputError

__all__ = ["bgl", "fresh_ids", "hdfs", "json_lines", "mixed", "write_file"]

_SEED = 20_261_122
_USER = re.compile(rb"(?<=\buser[ =])[A-Za-z]+\b")


def _unpacked(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    raw: bytes = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd").read()
    return raw


def bgl(data: Path) -> Iterator[bytes]:
    """Endless replicas of 100,000 BlueGene/L lines; each begins where the last one ended."""
    text = _unpacked(data / "bgl" / "bgl_first100k.log.zst")
    parts = [line.split(b" ", 2) for line in text.splitlines()]
    epochs = [int(p[1]) for p in parts]
    span = epochs[-1] - epochs[0] + 60
    shift = 0
    while True:
        yield b"".join(
            b"%b %d %b\n" % (p[0], epoch + shift, p[2])
            for p, epoch in zip(parts, epochs, strict=True)
        )
        shift += span


def json_lines(data: Path) -> Iterator[bytes]:
    """The same lines as JSON objects, as a structured logger writes them."""
    for text in bgl(data):
        out = []
        for line in text.splitlines():
            _, epoch, _, host, _, _, _, name, level, message = line.split(b" ", 9)
            record = {
                "ts": f"{datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%dT%H:%M:%SZ}",
                "level": level.decode(),
                "host": host.decode(),
                "logger": name.decode(),
                "msg": message.decode("utf-8", "replace"),
            }
            out.append(json.dumps(record))
        yield "".join(f"{line}\n" for line in out).encode()


def hdfs(data: Path) -> Iterator[bytes]:
    """Endless replicas of 187,497 raw HDFS lines, with block ids and days of their own."""
    table = _unpacked(data / "hdfs" / "hdfs_raw_sample.tsv.zst").splitlines()[1:]
    rows = sorted(line.split(b"\t", 2)[2].replace(b"\t", b" ", 4) for line in table)
    text = b"\n".join(row.replace(b"\t", b" ") for row in rows) + b"\n"
    days = sorted({row[:6] for row in rows})
    replica = 0
    while True:
        out = re.sub(rb"blk_-?", b"blk_%d" % (replica + 1), text)
        for day in days:
            moved = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])) + timedelta(
                days=len(days) * replica
            )
            out = re.sub(rb"(?m)^" + day + rb" ", moved.strftime("%y%m%d ").encode(), out)
        yield out
        replica += 1


def fresh_ids(data: Path, kind: str, lines: int) -> bytes:
    """Lines of 80 Hadoop statements, each with an identifier never seen before."""
    rng = random.Random(_SEED)
    base = _systems(data)["Hadoop"][:80]

    def identifier() -> bytes:
        if kind == "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128))).encode()
        return rng.randbytes(16).hex().encode() if kind == "hex" else b64encode(rng.randbytes(16))

    return b"".join(b"%b id %b\n" % (base[i % len(base)], identifier()) for i in range(lines))


def _systems(data: Path) -> dict[str, list[bytes]]:
    """The raw lines of each system of loghub_2k."""
    packed = data / "loghub_2k" / "loghub_2k.tar.zst"
    if not packed.is_file():
        raise InputError(f"{packed} is not there: name the folder of the data sets with --data")
    out = {}
    stream = pa.CompressedInputStream(pa.OSFile(str(packed)), "zstd")
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.name.endswith("_2k.log") and (file := tar.extractfile(member)):
                out[Path(member.name).parent.name] = file.read().splitlines()
    return out


def mixed(data: Path, replicas: int) -> bytes:
    """All systems shuffled; in each replica digits are permuted and user names drawn anew."""
    rng = random.Random(_SEED)
    lines = [line for system in sorted(_systems(data).items()) for line in system[1]]
    names = [bytes(rng.choices(range(97, 123), k=rng.randint(4, 9))) for _ in range(5_000)]
    out = []
    for _ in range(replicas):
        rng.shuffle(lines)
        digits = list(b"0123456789")
        for line in lines:
            rng.shuffle(digits)
            table = bytes.maketrans(b"0123456789", bytes(digits))
            out.append(_USER.sub(rng.choice(names), line.translate(table)))
    return b"\n".join(out) + b"\n"


def write_file(path: Path, replicas: Iterator[bytes], size: int) -> int:
    """Write whole replicas until the file holds `size` bytes or more; gives the number of lines."""
    lines = written = 0
    with open(path, "wb") as file:
        while written < size:
            text = next(replicas)
            file.write(text)
            written += len(text)
            lines += text.count(b"\n")
    return lines
