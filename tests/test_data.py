"""Data sets: what loaders make of labelled logs, and how published ones are fetched and kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from logwright.bench import catalog
from logwright.bench.additions import add, own_sets
from logwright.bench.archives import unpack
from logwright.bench.datasets import known, of_files, open_dataset
from logwright.bench.download import download
from logwright.bench.labelled import learn_templates, read_lines, windows_of
from logwright.bench.loaders.applications import classes, read_applications
from logwright.bench.loaders.corrections import Correction, corrected_lines
from logwright.bench.loaders.own import read_own
from logwright.bench.loaders.sessions import read_hdfs, read_openstack
from logwright.bench.parts import Guard
from logwright.bench.protocol import cuts
from logwright.cli.main import app
from logwright.errors import InputError
from logwright.settings import Settings

BODY = bytes(range(256)) * 4_000
MD5 = hashlib.md5(BODY).hexdigest()
HOUR = 3_600


class Server(BaseHTTPRequestHandler):
    """Serves BODY, in the ways in which servers fail; `asked` notes the ranges."""

    way = "good"
    asked: list[str | None] = []  # noqa: RUF012 - set anew for each test

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.asked.append(asked)
        begin = int(asked.split("=")[1].rstrip("-")) if asked and self.way != "no ranges" else 0
        if self.way == "absent":
            self.send_error(404)
            return
        if begin >= len(BODY):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(BODY)}")
            self.end_headers()
            return
        body = BODY if self.way != "wrong bytes" else b"x" * len(BODY)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        most = 300_000 if self.way in ("breaks off", "no ranges") else len(body)
        whole = self.way == "no ranges" and len(self.asked) > 1
        self.wfile.write(body[begin:] if whole else body[begin : begin + most])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Server.way, Server.asked = "good", []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/set.bin"
        server.shutdown()


def test_a_download_has_its_name_only_when_it_is_whole(url: str, tmp_path: Path) -> None:
    target = tmp_path / "folder" / "set.bin"
    told: list[tuple[int, int | None]] = []
    download(url, target, len(BODY), MD5, lambda at, total: told.append((at, total)))
    assert target.read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert [p.name for p in target.parent.iterdir()] == ["set.bin"]


def test_a_download_that_breaks_off_goes_on_where_it_was(url: str, tmp_path: Path) -> None:
    Server.way = "breaks off"
    download(url, tmp_path / "set.bin", len(BODY), MD5, pause=0)
    assert (tmp_path / "set.bin").read_bytes() == BODY
    assert Server.asked[:2] == [None, "bytes=300000-"]
    assert len(Server.asked) == -(-len(BODY) // 300_000)


def test_what_an_earlier_run_fetched_is_not_asked_for_again(url: str, tmp_path: Path) -> None:
    (tmp_path / "set.bin.part").write_bytes(BODY[:1_000])
    download(url, tmp_path / "set.bin", len(BODY), MD5)
    assert (tmp_path / "set.bin").read_bytes() == BODY
    assert Server.asked == ["bytes=1000-"]


def test_a_part_that_is_whole_is_not_asked_for(url: str, tmp_path: Path) -> None:
    (tmp_path / "set.bin.part").write_bytes(BODY)
    download(url, tmp_path / "set.bin", len(BODY), MD5)
    assert Server.asked == []
    (tmp_path / "other.part").write_bytes(BODY)
    download(url, tmp_path / "other")  # of unknown size: the server says that nothing is missing
    assert (tmp_path / "other").read_bytes() == BODY


def test_a_server_without_ranges_is_read_from_the_beginning(url: str, tmp_path: Path) -> None:
    Server.way = "no ranges"
    download(url, tmp_path / "set.bin", len(BODY), MD5, pause=0)
    assert (tmp_path / "set.bin").read_bytes() == BODY
    assert len(Server.asked) == 2


def test_wrong_bytes_are_removed(url: str, tmp_path: Path) -> None:
    Server.way = "wrong bytes"
    with pytest.raises(InputError, match=f"is not what was published: MD5 .* instead of {MD5}"):
        download(url, tmp_path / "set.bin", len(BODY), MD5)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="bytes"):
        download(url, tmp_path / "set.bin", len(BODY) - 1, MD5)


def test_without_a_network_one_sentence_says_where_to_put_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        download("http://127.0.0.1:9/BGL.zip", tmp_path / "BGL.zip")
    assert f"put it at {tmp_path / 'BGL.zip'}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_refusal_says_so(url: str, tmp_path: Path) -> None:
    Server.way = "absent"
    with pytest.raises(InputError, match="answers 404 Not Found: download it elsewhere"):
        download(url, tmp_path / "set.bin")


def tar_of(path: Path, members: dict[str, bytes], link: str | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link is not None:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return path


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in members.items():
            pack.writestr(name, content)
    return path


def test_archives_are_unpacked_whole(tmp_path: Path) -> None:
    members = {"a/x.log": b"one\n", "y.log": b"two\n"}
    packed = tmp_path / "spirit2.gz"
    packed.write_bytes(gzip.compress(b"three\n"))
    for archive in (zip_of(tmp_path / "s.zip", members), tar_of(tmp_path / "s.tar.gz", members)):
        folder = tmp_path / f"of-{archive.name}"
        unpack(archive, folder, 1_000)
        assert {str(p.relative_to(folder)) for p in folder.rglob("*.log")} == set(members)
    unpack(packed, tmp_path / "spirit", 1_000)
    assert (tmp_path / "spirit" / "spirit2").read_bytes() == b"three\n"


@pytest.mark.parametrize("name", ["../out.log", "/tmp/out.log", "a/../../out.log", "..\\out.log"])
def test_an_archive_writes_nowhere_else(tmp_path: Path, name: str) -> None:
    for archive in (
        tar_of(tmp_path / "s.tar.gz", {"in.log": b"", name: b"x"}),
        zip_of(tmp_path / "s.zip", {"in.log": b"", name: b"x"}),
    ):
        with pytest.raises(InputError, match="outside its folder"):
            unpack(archive, tmp_path / "data" / "set", 1_000)
    assert list((tmp_path / "data").iterdir()) == []
    assert not (tmp_path / "out.log").exists()


def test_links_are_left_out_and_bombs_end_early(tmp_path: Path) -> None:
    unpack(tar_of(tmp_path / "l.tar.gz", {"a": b"x"}, "/etc/passwd"), tmp_path / "l", 1_000)
    assert [p.name for p in (tmp_path / "l").iterdir()] == ["a"]
    bomb = zip_of(tmp_path / "b.zip", {"zeros": bytes(5_000_000)})
    with pytest.raises(InputError, match="unpacks to over 1,000 bytes"):
        unpack(bomb, tmp_path / "b", 1_000)
    damaged = tmp_path / "d.tar.gz"
    damaged.write_bytes((tmp_path / "l.tar.gz").read_bytes()[:60])
    with pytest.raises(InputError, match="is damaged"):
        unpack(damaged, tmp_path / "d", 1_000)
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "d").exists()


def bgl_line(second: int, label: str, text: str) -> str:
    node, at = "R02-M1-N0-C:J12-U11", 1_117_838_570 + second
    local = f"2005-06-03-15.42.{second % 60:02}.363779"
    return f"{label} {at} 2005.06.03 {node} {local} {node} RAS APP INFO {text}"


def write_bgl(path: Path, lines: int = 400) -> Path:
    """One line a minute, every 50th an alert."""
    rows = [
        bgl_line(60 * i, "-" if i % 50 else "DISK", f"job {i} done" if i % 50 else f"disk {i} bad")
        for i in range(lines)
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_label_never_reaches_a_shape(tmp_path: Path) -> None:
    lines = read_lines(
        [str(write_bgl(tmp_path / "BGL.log"))], Settings(label_prefix=True, session="none")
    )
    assert len(lines) == 400
    assert lines.truth.sum() == 8
    assert {lines.kinds[k] for k in lines.kind[lines.truth]} == {"DISK"}
    texts = b"\n".join(lines.contents)
    assert b"DISK" not in texts
    assert b"disk 0 bad" in texts
    assert np.diff(lines.ts).min() == 60 * 10**9


def test_windows_are_of_lines_of_time_and_of_sessions(tmp_path: Path) -> None:
    lines = read_lines(
        [str(write_bgl(tmp_path / "BGL.log"))], Settings(label_prefix=True, session="none")
    )
    rows = lines.rows(100, 300, "20")
    windows, truth, kinds, corrected = windows_of(lines, rows, "20")
    assert windows.sizes.tolist() == [20] * 10
    assert truth.sum() == 4
    assert [bool(kind) for kind in kinds] == truth.tolist()
    assert corrected is None
    assert windows.events.row.tolist() == rows.tolist()
    hours, truth, _, _ = windows_of(lines, rows, "1h")
    assert hours.sizes.sum() == 200
    assert (hours.events.ts // (HOUR * 10**9))[hours.bounds[:-1]].tolist() == hours.key.tolist()
    with pytest.raises(InputError, match="overlap"):
        windows_of(lines, rows, "20/10")


def test_lines_of_several_files_are_in_order_of_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    at = "2024-05-01 10:00:0{} INFO {}\n"
    first.write_text("begins without a time\n" + at.format(2, "two") + at.format(4, "four"))
    second.write_text(at.format(1, "one") + at.format(3, "three"))
    lines = read_lines([str(first), str(second)], Settings(session="none"), by_time=True)
    texts = [lines.contents[code].decode() for code in lines.shape.tolist()]
    assert texts == ["one", "begins without a time", "two", "three", "four"]


def test_a_gap_is_one_window(tmp_path: Path) -> None:
    lines = read_lines(
        [str(write_bgl(tmp_path / "BGL.log"))], Settings(label_prefix=True, session="none")
    )
    assert lines.after_gap(100, "20") == 120
    after = lines.after_gap(100, "1h")
    assert lines.ts[after] - lines.ts[99] > HOUR * 10**9 >= lines.ts[after - 1] - lines.ts[99]


def test_templates_are_learned_from_the_chosen_rows_alone(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    users = [f"user {u} came" for u in ("ann", "bob", "cy", "dot", "eve", "flo")]
    log.write_text("\n".join([*users[:3], *["tick"] * 5, *users[3:], "never before"]) + "\n")
    lines = read_lines([str(log)], Settings(session="none"))
    vocabulary = learn_templates(lines, np.arange(4, dtype=np.int64))
    learned = [t.text for t in vocabulary.templates[: vocabulary.known]]
    assert "never before" not in learned
    texts = [vocabulary.templates[i].text for i in vocabulary.of(lines.shape).tolist()]
    assert texts[-1] == "never before"
    whole = learn_templates(lines, np.arange(len(lines), dtype=np.int64))
    assert whole.known == len(whole) != vocabulary.known


def test_no_line_is_in_two_parts_of_a_split(tmp_path: Path) -> None:
    dataset = of_files(write_bgl(tmp_path / "BGL.log"), None)
    for window in ("20", "1h"):
        series = dataset.series(window)
        for cut in cuts(series, 3):
            split = series.split(cut)
            guard = Guard()
            guard.see(split.train.windows)
            guard.see(split.validation.windows)
            guard.check(split.test)
            assert split.test.windows.events.template.max() < len(split.vocabulary)


HDFS = (
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block {} ending\n"
)


def test_hdfs_has_a_label_per_block(tmp_path: Path) -> None:
    log, labels = tmp_path / "HDFS.log", tmp_path / "anomaly_label.csv"
    order = ["blk_-1", "blk_22", "blk_-1", "blk_3", "blk_22"]
    log.write_text("".join(HDFS.format(block) for block in order))
    labels.write_text("BlockId,Label\nblk_-1,Normal\nblk_22,Anomaly\nblk_99,Normal\n")
    lines = read_hdfs(log, labels)
    windows, truth, kinds, _ = windows_of(lines, lines.rows(0, 2, "session"), "session")
    assert windows.sizes.tolist() == [2, 2]
    assert truth.tolist() == [False, True]
    assert kinds == ["", "Anomaly"]
    assert "1 lines belong to no labelled session: left out" in lines.notes
    assert lines.rows(1, 2, "session").tolist() == [1, 3]  # the second block to begin, all of it


def test_hadoop_has_a_class_per_application(tmp_path: Path) -> None:
    at = "2015-10-18 18:{:02}:47,978 INFO [main] org.apache.hadoop.App: {}\n"
    for run, minutes in (("application_1_0001", (5, 7)), ("application_1_0002", (1, 6))):
        for container, minute in enumerate(minutes):
            log = tmp_path / run / f"container_{container}.log"
            log.parent.mkdir(exist_ok=True)
            log.write_text(at.format(minute, "begins") + at.format(minute, "ends"))
    (tmp_path / "abnormal_label.txt").write_text(
        "### WordCount\nNormal:\n+ application_1_0001\n\nDisk full:\n+ application_1_0002\n"
    )
    lines = read_applications(tmp_path)
    windows, truth, kinds, _ = windows_of(lines, np.arange(8), "session")
    assert [lines.sessions[k] for k in windows.key] == ["application_1_0002", "application_1_0001"]
    assert truth.tolist() == [True, False]
    assert kinds == ["Disk full", ""]
    with pytest.raises(InputError, match="x:1: application_1_0001 before any class"):
        classes("+ application_1_0001", "x")


def test_openstack_has_its_abnormal_machines_named(tmp_path: Path) -> None:
    good, bad = "b9000564-fe1a-409b-b8cc-1e88b294cd1d", "544fd51c-4edc-4780-baae-ba1d80a0acfc"
    line = (
        "nova.log 2017-05-16 00:00:0{}.500 2931 INFO nova.compute.manager [req-3ea4052c - - - - -] "
        "[instance: {}] VM Started\n"
    )
    (tmp_path / "openstack_normal1.log").write_text(line.format(2, good))
    (tmp_path / "openstack_abnormal.log").write_text(line.format(1, bad) + line.format(3, good))
    (tmp_path / "anomaly_labels.txt").write_text(f"The anomalies:\n\n{bad}\n")
    lines = read_openstack(tmp_path)
    assert [lines.sessions[s] for s in lines.session] == [bad, good, good]
    assert lines.truth.tolist() == [True, False, False]


def own(folder: Path, log: str, labels: str) -> tuple[Path, Path]:
    (folder / "a.log").write_text(log)
    (folder / "a.labels").write_text(labels)
    return folder / "a.log", folder / "a.labels"


def test_own_labels_are_numbers_words_or_sessions(tmp_path: Path) -> None:
    lines, by_session = read_own(*own(tmp_path, "a\nb\nc\n", "0\n1\n0\n"))
    assert (lines.truth.tolist(), by_session) == ([False, True, False], False)
    lines, _ = read_own(*own(tmp_path, "a\nb\nc\n", "normal\nDisk full\n-\n"))
    assert [lines.kinds[k] for k in lines.kind] == ["", "Disk full", ""]
    log = "".join(f"{verb} blk_{n:03}\n" for n in range(30) for verb in ("put", "got"))
    labels = "session,label\n" + "".join(f"blk_{n:03},{n % 10 // 9}\n" for n in range(30))
    lines, by_session = read_own(*own(tmp_path, log, labels))
    assert by_session
    assert lines.truth.sum() == 6
    assert lines.units("session") == 30


def test_a_record_of_several_lines_has_the_label_of_any(tmp_path: Path) -> None:
    start = "2024-05-01 10:00:0{} ERROR it broke\n"
    log = start.format(1) + "    at a.b(C.java:1)\n    at a.b(C.java:2)\n" + start.format(2)
    lines, _ = read_own(*own(tmp_path, log, "0\n0\n1\n0\n"))
    assert lines.truth.tolist() == [True, False]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("0\n1\n", r"a.labels: 2 labels for the 3 lines of .*a.log: expected one label a line, or"),
        ("0\n1\nyes\n", r"a.labels:3: 'yes': expected 0 or 1, as in line 1"),
        ("ok\n\nbad\n", r"a.labels:2: no label: expected 0, 1, or a word"),
        ("", r"a.labels: no labels"),
        ("session,label\nblk_1\n", r"a.labels:2: 'blk_1': expected 'session,label'"),
        ("session,label\nx,1\nx,0\n", r"a.labels:3: session x has two labels"),
        ("session,label\nx,1\n", r"a.labels: none of its 1 sessions is in the log; the log has"),
    ],
)
def test_labels_that_do_not_fit_are_told(tmp_path: Path, labels: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_own(*own(tmp_path, "a\nb\nc\n", labels))


def test_a_log_without_labels_in_front_is_told(tmp_path: Path) -> None:
    log, _ = own(tmp_path, "- all\n- is\n- well\n", "")
    with pytest.raises(InputError, match="none of 3 lines is an alert: expected a label in front"):
        of_files(log, None)


def test_corrections_change_only_what_was_found_wrong(tmp_path: Path) -> None:
    log = tmp_path / "BGL.log"
    log.write_text(
        "\n".join(
            [
                bgl_line(0, "-", "parity error in bank 0x7"),
                bgl_line(1, "APP", "parity error in bank 3"),
                bgl_line(2, "APP", "job exited normally with exit code 1"),
                bgl_line(3, "-", "bank error"),
            ]
        )
    )
    lines = read_lines([str(log)], Settings(label_prefix=True, session="none"))
    corrections = [
        Correction.of("parity error in bank <*>", abnormal=True),
        Correction.of("<*> exited normally with exit code <*>", abnormal=False),
    ]
    corrected = corrected_lines(lines, corrections)
    assert corrected is not None
    assert corrected.tolist() == [True, True, False, False]
    assert corrected_lines(lines, []) is None


def test_an_added_set_is_found_by_its_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    log, labels = own(tmp_path, "a 1\nb 2\n" * 50, "0\n1\n" * 50)
    add(data, "shop", log, labels, False, frozenset())
    assert [one.name for one in own_sets(data)] == ["shop"]
    manifest = json.loads((data / "own" / "shop" / "manifest.json").read_text())
    assert manifest["files"]["a.log"]["sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert open_dataset("shop", data).lines == "lines 1-100"
    add(data, "shop", log, None, True, frozenset())  # again: it replaces the first
    assert (data / "own" / "shop" / "a.log").is_symlink()
    log.write_text("longer than before\n" * 100)
    with pytest.raises(InputError, match="add it again"):
        own_sets(data)
    with pytest.raises(InputError, match="is the name of a set that is known"):
        add(data, "bgl", log, None, False, frozenset({"bgl"}))
    with pytest.raises(InputError, match="is no name for a set"):
        add(data, "../x", log, None, False, frozenset())


def test_get_checks_what_was_put_there_by_hand(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bgl(tmp_path / "BGL.log")
    archive = zip_of(tmp_path / "BGL.zip", {"BGL.log": (tmp_path / "BGL.log").read_bytes()})
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    source = replace(catalog.source_of("bgl"), url=url, md5=md5, size=archive.stat().st_size)
    monkeypatch.setattr(catalog, "SOURCES", (source,))
    data = tmp_path / "data"
    place = source.archive(data)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no")
    command = ["data", "get", "bgl", "--data", str(data)]
    answer = CliRunner().invoke(app, command)
    assert "is not what was published: 2 bytes" in str(answer.exception)
    place.write_bytes(archive.read_bytes())
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0, answer.output
    assert "MD5 as published" in answer.output
    assert open_dataset("bgl", data).series("20")
    assert f"bgl is in {data}" in CliRunner().invoke(app, command).output


def test_list_and_add_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_DATA", str(tmp_path / "data"))
    log, labels = own(tmp_path, "a 1\nb 2\n" * 50, "0\n1\n" * 50)
    command = ["data", "add", str(log), "--as", "shop", "--labels", str(labels)]
    assert CliRunner().invoke(app, command).exit_code == 0
    sets = json.loads(CliRunner().invoke(app, ["data", "list", "--json"]).output)["sets"]
    assert [one["name"] for one in sets if one["present"]] == ["shop"]
    assert next(one for one in sets if one["name"] == "spirit")["md5"] is None
    assert "57 MB" in CliRunner().invoke(app, ["data", "list"]).output
    told = CliRunner().invoke(app, ["data", "get", "spirit", "--where"]).output
    assert f"to:   {tmp_path / 'data' / 'loghub' / 'spirit2.gz'}" in told
    assert "md5:  not published" in told


def test_a_set_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="logwright data get thunderbird"):
        open_dataset("thunderbird", tmp_path)
    with pytest.raises(InputError, match="name the folder of the data sets with --data"):
        open_dataset("hdfs", tmp_path)
    with pytest.raises(InputError, match="no data set is called 'bgll': expected one of hdfs"):
        open_dataset("bgll", tmp_path)


@pytest.mark.slow
def test_the_sets_of_the_folder_are_read(data: Path) -> None:
    there = {name for name, (_, present) in known(data).items() if present}
    assert {"hdfs", "hdfs-raw", "bgl-raw", "bgl-windows20", "hadoop"} <= there
    bgl = open_dataset("bgl-raw", data, 20_000)
    assert bgl.lines == "lines 1-20,000 of 4,747,963"
    assert len(bgl.series("100")) == 20_000
    hadoop = open_dataset("hadoop", data)
    assert len(hadoop.series()) == 39
    table = open_dataset("bgl-windows20", data, 30_000)
    assert len(table.series()) == 30_000
    assert table.texts is not None
    hdfs = open_dataset("hdfs", data, 10_000)
    assert hdfs.lines.startswith("blocks 1-10,000 of 575,061")
    assert hdfs.texts is None
