"""The sampled logs of twelve systems, as text; tests that need them are skipped without them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest


def sampled(data: Path) -> dict[str, str]:
    path = data / "loghub_2k" / "loghub_2k.tar.zst"
    if not path.is_file():
        pytest.skip(f"the sampled logs are not at {path} (set LOGWRIGHT_TEST_DATA)")
    with pa.input_stream(str(path), compression="zstd") as stream:
        held = io.BytesIO(stream.read())
    with tarfile.open(fileobj=held) as tar:
        found = {m.name: tar.extractfile(m) for m in tar if m.name.endswith("_2k.log")}
        return {
            name: file.read().decode("utf-8", "surrogateescape")
            for name, file in found.items()
            if file is not None
        }
