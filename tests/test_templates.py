"""Template text and ids, and the benchmark's scores on a small labelled set."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from logwright.bench.templates import run, scores
from logwright.errors import InputError
from logwright.templates.template import Template

LINES = [(f"took {n} ms", "took <*> ms") for n in range(5)] + [("ready", "ready")]


def table() -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Content", "EventTemplate"])
    writer.writerows(LINES)
    return out.getvalue()


def test_text_shows_odd_bytes_as_escapes() -> None:
    line = b"bad \xff byte 1"
    template = Template([b"\xff" * 16], line, lines=((line,),))
    assert template.text == "bad \\xff byte <*>"
    assert template.id == "t-" + "f" * 16
    assert template.render(template.parameters(line)) == line


def test_aliases_are_the_other_members_ids() -> None:
    template = Template([b"\x11" * 16, b"\x22" * 16], former=("t-3",))
    assert template.aliases == ("t-2222222222222222", "t-3")


def test_scores_count_whole_groups() -> None:
    split = scores([0, 1, 2], ["a <*>", "a <*>", "b"], ["a <*>", "a <*>", "b"])
    assert split == {"GA": 0.3333, "PA": 1.0, "FTA": 0.4}


@pytest.mark.parametrize("packed", [False, True])
def test_run_reads_folders_and_archives(tmp_path: Path, packed: bool) -> None:
    pytest.importorskip("drain3")
    folder = tmp_path / "loghub_2k"
    folder.mkdir()
    raw = table().encode()
    if packed:
        with (
            pa.CompressedOutputStream(str(folder / "loghub_2k.tar.zst"), "zstd") as stream,
            tarfile.open(fileobj=stream, mode="w|") as tar,
        ):
            member = tarfile.TarInfo("loghub_2k/Tiny/Tiny_2k.structured.csv")
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    else:
        (folder / "Tiny").mkdir()
        (folder / "Tiny" / "Tiny_2k.structured.csv").write_bytes(raw)
    result = run(tmp_path, None)
    (row,) = result["rows"]
    assert (row["system"], row["lines"], row["found"], row["true"]) == ("Tiny", 6, 2, 2)
    assert (row["GA"], row["PA"], row["FTA"]) == (1.0, 1.0, 1.0)
    assert set(result["summary"]) == {
        f"{who}{score}" for who in ("", "drain3_", "drain3_masks_") for score in ("GA", "PA", "FTA")
    }


def test_run_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no LogHub 2k system"):
        run(tmp_path, None)


def test_lines_of_a_shape_of_which_some_had_a_secret_are_worded() -> None:
    lines = (b"session 12ab.x begins", b"session [redacted secret] begins")
    for order in (lines, lines[::-1]):
        assert Template([bytes(16)], lines=(order,)).text.startswith("session ")
