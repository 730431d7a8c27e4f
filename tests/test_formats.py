"""Every format reads its own samples, and the twelve published systems, as stated."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import FormatError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.formats import FORMATS, Detected, Format, detect, sample_lines, use
from logwright.logs.kernel import headers, lines
from logwright.logs.layout import level_code, run_on
from logwright.logs.timestamps import iso

Row = tuple[str | None, str | None, str | None, str | None, str]

# What each sample of each format is read as: time (in 2000 without a year, in 1970 without a day),
# host, component, level, message.
READ: dict[str, list[Row]] = {
    "bgl": [
        (
            "2005-06-03T22:42:50.675872Z",
            "R02-M1-N0-C:J12-U11",
            "KERNEL",
            "INFO",
            "instruction cache parity error corrected",
        ),
        (
            "2005-06-04T07:24:32.398284Z",
            "R23-M1-N8-I:J18-U11",
            "APP",
            "FATAL",
            "ciod: failed to read message prefix",
        ),
        (
            "2005-06-03T22:42:50.675872Z",
            "R02-M1-N0-C:J12-U11",
            "KERNEL",
            "INFO",
            "instruction cache parity error corrected",
        ),
    ],
    "thunderbird": [
        ("2005-11-09T20:01:01Z", "dn228", "crond", None, "(root) CMD (true)"),
        ("2005-11-09T20:01:01Z", "dn3", "kernel", None, "[KERNEL_IB] timed out"),
        ("2005-11-09T20:01:01Z", "dn228", "crond(pam_unix)", None, "session closed for user root"),
    ],
    "hpc": [
        (
            "2004-02-26T14:12:22Z",
            "node-246",
            "unix.hw",
            None,
            "Component State Change: Component alt0 is in the unavailable state (HWID=1973)",
        ),
        ("2005-12-23T01:06:40Z", "node-1", "gige", None, "ambient=30"),
    ],
    "hdfs": [
        (
            "2008-11-09T20:36:15Z",
            None,
            "dfs.DataNode$PacketResponder",
            "INFO",
            "PacketResponder 1 for block blk_38865049064139660 terminating",
        ),
        (
            "2008-11-09T21:40:43Z",
            None,
            "dfs.DataNode$DataXceiver",
            "WARN",
            "10.251.126.5:50010:Got exception",
        ),
    ],
    "healthapp": [
        ("2017-12-23T22:15:29Z", None, "Step_LSC", None, "onStandStepChanged 3579"),
        ("2017-12-24T00:07:20Z", None, "Step_SPUtils", None, " getTodayTotalDetailSteps = 0"),
    ],
    "proxifier": [
        (
            "2000-10-30T16:49:06Z",
            None,
            "chrome.exe",
            None,
            "proxy.cse.cuhk.edu.hk:5070 open through proxy HTTPS",
        ),
        (
            "2000-10-30T16:54:08Z",
            None,
            "ss.exe",
            None,
            "10.1.2.3:443 close, 0 bytes sent, lifetime 00:01",
        ),
    ],
    "apache": [
        (
            "2005-12-04T04:47:44Z",
            None,
            None,
            "notice",
            "workerEnv.init() ok /etc/httpd/workers2.properties",
        ),
        (
            "2005-12-04T05:15:09Z",
            None,
            None,
            "error",
            "[client 222.166.160.184] Directory index forbidden",
        ),
        (
            "2024-01-11T10:10:10.123456Z",
            None,
            "core",
            "error",
            "[client 10.0.0.1:5] AH00128: File does not exist: /var/www/x",
        ),
    ],
    "access": [
        ("2000-10-10T20:55:36Z", None, None, None, '"GET /apache_pb.gif HTTP/1.0" 200 2326'),
        ("2024-05-01T10:00:00Z", None, None, None, '"POST /api HTTP/1.1" 502 150 "-" "curl/8.5"'),
    ],
    "nginx": [
        (
            "2024-05-01T10:00:00Z",
            None,
            None,
            "error",
            "*5 connect() failed (111: Connection refused)",
        ),
        ("2024-05-01T10:00:01Z", None, None, "notice", "start worker process 29"),
    ],
    "cbs": [
        ("2016-09-28T04:30:30Z", None, "CBS", "Info", "Loaded Servicing Stack v6.1.7601"),
        ("2016-09-28T04:30:31Z", None, "CSI", "Info", "00000001@2016/9/27:20:30:31.455 Wcp"),
    ],
    "zookeeper": [
        (
            "2015-07-29T17:41:44.747Z",
            None,
            "QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection",
            "INFO",
            "Notification time out: 3200",
        ),
        (
            "2015-07-29T19:04:12.394Z",
            None,
            "/10.10.34.11:3888:QuorumCnxManager$Listener",
            "INFO",
            "Received connection request /10.10.34.11:45307",
        ),
    ],
    "android": [
        (
            "2000-03-17T16:13:38.811Z",
            None,
            "WindowManager",
            "D",
            "printFreezingDisplayLogsopening app",
        ),
        ("2000-03-17T16:13:38.936Z", None, "PowerManager_screenOn", "I", "DisplayPowerState"),
        ("2024-03-17T16:13:45.382Z", None, "AlarmManager", "E", "alarm set in the past"),
    ],
    "spark": [
        (
            "2017-06-09T20:10:40Z",
            None,
            "executor.CoarseGrainedExecutorBackend",
            "INFO",
            "Registered signal handlers",
        ),
        (
            "2017-06-09T20:10:45Z",
            None,
            "storage.BlockManager",
            "WARN",
            "Putting block rdd_0_1 failed",
        ),
    ],
    "hadoop": [
        (
            "2015-10-18T18:01:47.978Z",
            None,
            "org.apache.hadoop.mapreduce.v2.app.MRAppMaster",
            "INFO",
            "Created MRAppMaster for application appattempt_1445144423722_0020_000001",
        ),
        (
            "2015-10-18T18:05:27.570Z",
            None,
            "org.apache.hadoop.ipc.Client",
            "WARN",
            "Address change detected.",
        ),
    ],
    "python": [
        ("2020-01-01T00:00:00.123Z", None, "my.app", "INFO", "listening on port 8080"),
        ("2020-01-01T00:00:00.123Z", None, None, "WARNING", "disk is nearly full"),
        ("2020-01-01T00:00:00.123Z", None, "app", "ERROR", "Exception on /login [POST]"),
        ("2024-01-01T10:00:00Z", None, "MainProcess", "INFO", "Connected to redis://localhost"),
        ("2024-05-01T10:00:00.123Z", None, "__main__", "INFO", "loaded 12 items"),
        ("2024-05-01T10:00:00Z", None, None, "INFO", "Booting worker with pid: 1234"),
        ("2024-05-01T10:00:00Z", None, "web", "I", "200 GET / (127.0.0.1) 0.56ms"),
        ("2024-05-01T10:00:00.123Z", None, "ServerApp", "I", "Serving notebooks from /home"),
        (None, None, "root", "INFO", "this one has no time"),
        (None, None, None, "INFO", '127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK'),
    ],
    "log4j": [
        ("2024-05-01T10:00:00.123Z", None, "com.example.App", "INFO", "Started in 2.1 seconds"),
        ("1970-01-01T10:00:00.123Z", None, "c.e.web.Filter", "WARN", "slow request: 1200 ms"),
        ("2015-07-29T17:41:44.747Z", None, None, "INFO", "starting quorum peer"),
        ("2024-05-01T10:00:00.123Z", None, "o.s.b.SpringApplication", "INFO", "Up"),
        ("2024-05-01T08:00:00.123Z", None, "o.s.b.SpringApplication", "INFO", "Up now"),
        (
            "2024-05-01T10:00:00.123Z",
            None,
            "com.example.Dao",
            "ERROR",
            "no connection after 3 tries",
        ),
        (
            "2024-05-01T10:00:00.123Z",
            None,
            "org.apache.catalina.startup.Catalina.start",
            "INFO",
            "Server up",
        ),
        ("2024-05-01T10:00:00.123Z", "node-1", "o.e.n.Node", "INFO", "started"),
        ("2024-05-01T10:00:00.123Z", None, "CassandraDaemon.java:123", "INFO", "JVM vendor: x"),
    ],
    "openstack": [
        (
            "2017-05-16T00:00:00.008Z",
            None,
            "nova.osapi_compute.wsgi.server",
            "INFO",
            '10.11.10.1 "GET /v2/servers" status: 200',
        ),
        (
            "2017-05-16T00:00:04.500Z",
            None,
            "nova.compute.manager",
            "INFO",
            "[instance: b9000564] VM Started (Lifecycle Event)",
        ),
        (
            "2017-05-16T00:00:04.562Z",
            None,
            "nova.virt.libvirt.imagecache",
            "WARNING",
            "Unknown base file",
        ),
    ],
    "ruby": [
        ("2024-05-01T10:00:00.123456Z", None, None, "INFO", "Started GET / for 10.0.0.1"),
    ],
    "klog": [
        ("2000-05-01T10:00:00.123456Z", None, "controller.go", "I", "Starting workers"),
        ("2000-11-30T23:59:59.000001Z", None, "reflector.go", "E", "Failed to watch *v1.Pod: EOF"),
    ],
    "logfmt": [
        ("2024-05-01T10:00:00Z", None, None, "info", 'msg="listening" port=8080'),
        ("2024-05-01T08:00:00Z", None, None, "WARN", 'msg="slow query" ms=1200'),
        ("2024-05-01T10:00:00.123Z", None, "main.go", "info", 'msg="Server is ready"'),
    ],
    "cri": [
        ("2024-05-01T10:00:00.123456789Z", None, None, None, "listening on :8080"),
        ("2024-05-01T08:00:00.223456789Z", None, None, None, "panic: runtime error"),
    ],
    "database": [
        (
            "2024-05-01T10:00:00.123Z",
            None,
            None,
            "LOG",
            "database system is ready to accept connections",
        ),
        ("2024-05-01T10:00:02.125Z", None, "shop", "ERROR", 'relation "items" does not exist'),
        ("2024-05-01T10:00:00.123456Z", None, "Server", "Warning", "CA certificate is expired"),
    ],
    "syslog5424": [
        ("2003-10-11T22:14:15.003Z", "mymachine.example.com", "su", "<34", "'su root' failed"),
        ("2003-08-24T12:14:15.000003Z", "192.0.2.1", "evntslog", "<165", "An application event"),
        ("2003-10-11T22:14:15Z", "host", "app", "<165", "two elements"),
    ],
    "syslog": [
        (
            "2000-06-14T15:16:01Z",
            "combo",
            "sshd(pam_unix)",
            None,
            "authentication failure; logname= uid=0",
        ),
        (
            "2000-12-10T06:55:46Z",
            "LabSZ",
            "sshd",
            None,
            "Invalid user webmaster from 173.234.31.186",
        ),
        (
            "2000-10-11T22:14:15Z",
            "mymachine",
            "su",
            "<34",
            "'su root' failed for lonvick on /dev/pts/8",
        ),
        (
            "2000-07-01T09:00:55Z",
            "calvisitor-10-105",
            "kernel",
            None,
            "IOThunderboltSwitch<0>(0x0)::listen",
        ),
        ("2000-07-01T22:13:12Z", "air", "com.apple.xpc.launchd", None, "Unknown key: Type"),
        (
            "2024-05-01T08:00:00.123456Z",
            "web1",
            "systemd",
            None,
            "Started Session 12 of User root.",
        ),
        ("2000-06-14T15:16:01Z", None, "sshd", None, "Connection closed by 10.0.0.1"),
    ],
    "timestamped": [
        ("2024-05-01T10:00:00.123Z", None, None, "INFO", "user 12 logged in"),
        (
            "2024-05-01T10:00:00.123Z",
            None,
            None,
            "INFO",
            "new leader elected (kafka.controller.KafkaController)",
        ),
        ("2024-05-01T10:00:00Z", None, None, "error", "cannot open /dev/sda"),
        ("2023-11-14T22:13:20.123Z", None, None, None, "eth0 link up"),
        (
            "2024-05-01T10:00:00Z",
            None,
            None,
            None,
            "http: TLS handshake error from 10.0.0.1:5000: EOF",
        ),
        ("2024-05-01T10:00:00.123Z", None, None, "WARN", "queue is full"),
        ("1970-01-01T10:00:00Z", None, None, None, "tick"),
        ("1970-01-01T10:00:00Z", None, None, "INF", "Now listening on: http://localhost:5000"),
        ("2024-05-01T10:00:00Z", None, None, None, "job 17 done"),
        ("2024-05-01T10:00:00Z", None, None, None, "pump 3,stopped"),
        ("2024-05-01T10:00:00Z", None, "web-1", None, "listening"),
    ],
}


def read(detected: Detected, line: bytes) -> Row:
    content, ts, spans, status = run_on(detected.program, [line])
    assert status[0] == p.FULL
    host, component, level = (
        line[spans[0, 2 * i] : spans[0, 2 * i + 1]].decode() if spans[0, 2 * i] >= 0 else None
        for i in range(3)
    )
    time = iso(int(ts[0])) if ts[0] != NO_TIME else None
    return time, host, component, level, line[content[0] :].decode()


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_samples_are_detected_as_their_format_and_read_as_stated(format: Format) -> None:
    for number, sample in enumerate(format.samples):
        detected = detect([sample.encode()])
        assert detected.format is format
        if format.kind == "text":
            assert read(detected, sample.encode()) == READ[format.name][number]
        else:
            assert detected.program == b""


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_samples_are_read_alike_behind_a_label(format: Format) -> None:
    if format.kind != "text":
        return
    for sample, row in zip(format.samples, READ[format.name], strict=True):
        # The published sets' own label makes way: it is the label then.
        bare = sample.split(" ", 1)[1] if sample[:2] in ("- ", "AP", "VA") else sample
        line = b"LABEL " + bare.encode()
        detected = detect([line], label_prefix=True)
        assert read(detected, line) == row
        assert "label" in detected.slots


def test_names_are_unique_and_special_formats_come_before_general_ones() -> None:
    names = [format.name for format in FORMATS]
    assert len(set(names)) == len(names)
    assert names[-2:] == ["timestamped", "plain"]


def test_levels_of_samples_are_levels() -> None:
    levels = [row[3] for rows in READ.values() for row in rows if row[3] is not None]
    assert all(level_code(level.encode()) for level in levels)


# --- detection ------------------------------------------------------------------------------------


def test_the_reason_tells_format_and_share() -> None:
    good, bad = b"Jun 14 15:16:01 combo su: x", b"what?"
    assert detect([good] * 190 + [bad] * 10).reason == "syslog RFC 3164: 95 % of 200 sampled lines"


def test_indented_and_blank_lines_do_not_count() -> None:
    log = [b"2015-10-18 18:01:47,978 ERROR [main] a.b.C: failed", b"\tat a.b.C.run(C.java:5)", b""]
    assert detect(log * 3).reason == "Hadoop (log4j): 100 % of 3 sampled lines"


def test_the_special_format_wins_though_the_general_one_fits_more() -> None:
    tagged = b"Jan 12 06:49:42 irc sshd[7]: session opened"
    repeated = b"Jan 12 06:49:42 irc last message repeated 6 times"
    detected = detect([tagged] * 17 + [repeated] * 3)
    assert detected.format.name == "syslog"
    content, ts, spans, status = run_on(detected.program, [repeated])
    assert repeated[content[0] :] == b"last message repeated 6 times"
    assert ts[0] != NO_TIME
    assert repeated[spans[0, 0] : spans[0, 1]] == b"irc"
    assert status[0] == p.PARTIAL


def test_below_half_it_is_plain_text() -> None:
    detected = detect([b"<34>Oct 11 22:14:15 web su: x"] * 4 + [b"lorem ipsum"] * 6)
    assert detected.format.name == "plain"
    assert detected.reason == (
        "plain text: no format fits half of the sampled lines "
        "(best: syslog RFC 3164: 40 % of 10 sampled lines); see --format"
    )


@pytest.mark.parametrize("samples", [[], [b""], [b"  ", b"\t"]])
def test_nothing_to_look_at_is_plain_text(samples: list[bytes]) -> None:
    assert detect(samples).reason == "plain text: there are no lines to look at"
    assert detect(samples, label_prefix=True).slots == ("label",)


@pytest.mark.parametrize(
    "line",
    [b"lorem ipsum dolor", b"4111111111111111 card", b"I am here: ok", b"time is 10:00:00 now"],
)
def test_words_and_long_numbers_are_no_headers(line: bytes) -> None:
    assert detect([line]).format.name == "plain"


@pytest.mark.parametrize(
    ("line", "time", "content"),
    [
        (b"2024-05-01 10:00:00 Starting server", "2024-05-01T10:00:00Z", b"Starting server"),
        (b"2024-05-01 10:00:00 +0200 hi", "2024-05-01T08:00:00Z", b"hi"),
        (b"[01/May/2024:10:00:00 +0000] hi", "2024-05-01T10:00:00Z", b"hi"),
        (b"05/01/2024 01:00:00 PM foo bar", "2024-05-01T13:00:00Z", b"foo bar"),
        (b"25/12/2024 10:00:00 foo", "2024-12-25T10:00:00Z", b"foo"),
        (b"Wed May  1 10:00:00 UTC 2024 done", "2024-05-01T10:00:00Z", b"done"),
        (b"1714557600123 event x", "2024-05-01T10:00:00.123Z", b"event x"),
        (b"(2024-05-01T10:00:00Z) x", "2024-05-01T10:00:00Z", b"x"),
        (b"20240501T100000Z x", "2024-05-01T10:00:00Z", b"x"),
        (b"job7 [2024-05-01 10:00:00] x", "2024-05-01T10:00:00Z", b"x"),
    ],
)
def test_text_with_a_time_gets_at_least_that(line: bytes, time: str, content: bytes) -> None:
    detected = detect([line])
    at, ts, _, _ = run_on(detected.program, [line])
    assert (iso(int(ts[0])), line[at[0] :]) == (time, content)


def test_a_label_is_split_off_before_detection() -> None:
    published = [sample.encode() for sample in FORMATS[1].samples[:2]]
    labelled = detect(published, label_prefix=True)
    assert labelled.format.name == "bgl"
    assert "label" in labelled.slots
    _, _, spans, _ = run_on(labelled.program, published[1:])
    assert published[1][spans[0, 6] : spans[0, 7]] == b"APPREAD"
    assert "label" not in detect(published).slots


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_get_some_format(samples: list[bytes]) -> None:
    for label_prefix in (False, True):
        detected = detect(samples, label_prefix=label_prefix)
        run_on(detected.program, samples)


# --- by name, by layout ---------------------------------------------------------------------------


def test_a_named_format_is_used_whatever_fits() -> None:
    detected = use("SysLog", [b"lorem ipsum"])
    assert detected.format.name == "syslog"
    assert detected.program
    assert detected.reason == "syslog RFC 3164: 0 % of 1 sampled lines"


def test_a_named_format_takes_its_best_layout() -> None:
    samples = [b"2024-05-01T10:00:00+02:00 web su: x"]
    assert use("syslog", samples).names_year
    assert not use("syslog", []).names_year


def test_a_layout_may_be_given() -> None:
    detected = use("<Time> <Level> <Content>", [b"10:00:00 INFO x"] * 2)
    assert detected.reason == "layout as given: 100 % of 2 sampled lines"
    assert detected.slots == ("level",)
    assert not detected.names_day


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(FormatError, match=r"format 'sylog' is unknown: expected one of access, .*"):
        use("sylog", [])


# --- samples --------------------------------------------------------------------------------------


def test_sample_lines_are_spread_over_the_block() -> None:
    found = sample_lines(b"".join(b"%d\n\n" % i for i in range(5000)))
    assert len(found) == 200
    assert (found[0], found[-1]) == (b"0", b"4999")
    assert sample_lines(b"") == []


# --- published systems ----------------------------------------------------------------------------

# System: format, lines whose message is not the published one, first time, has a level column.
SYSTEMS = {
    "Apache": ("apache", 0, "2005-12-04T04:47:44Z", True),
    "BGL": ("bgl", 0, "2005-06-03T22:42:50.675872Z", True),
    "HDFS": ("hdfs", 0, "2008-11-09T20:36:15Z", True),
    "HPC": ("hpc", 0, "2004-02-26T14:12:22Z", False),
    "Hadoop": ("hadoop", 0, "2015-10-18T18:01:47.978Z", True),
    # One published message has spaces that its line has not.
    "HealthApp": ("healthapp", 1, "2017-12-23T22:15:29Z", False),
    # "syslogd 1.4.1: restart." has a space in its tag, which stays in the message, as does that
    # of "-- root[2421]: ROOT LOGIN".
    "Linux": ("syslog", 8, "2000-06-14T15:16:01Z", False),
    "OpenSSH": ("syslog", 0, "2000-12-10T06:55:46Z", False),
    "Proxifier": ("proxifier", 0, "2000-10-30T16:49:06Z", False),
    # Lines without a tag, which the published parser cuts at some colon.
    "Thunderbird": ("thunderbird", 9, "2005-11-09T20:01:01Z", False),
    "Windows": ("cbs", 0, "2016-09-28T04:30:30Z", True),
    "Zookeeper": ("zookeeper", 0, "2015-07-29T17:41:44.747Z", True),
}


@pytest.fixture(scope="module")
def loghub() -> dict[str, bytes]:
    from conftest import DATA

    path = Path(DATA) / "loghub_2k" / "loghub_2k.tar.zst"
    if not path.is_file():
        pytest.skip(f"the sampled logs are not at {path} (set LOGWRIGHT_TEST_DATA)")
    with pa.input_stream(str(path), compression="zstd") as stream:
        tar = tarfile.open(fileobj=io.BytesIO(stream.read()))  # noqa: SIM115 - memory only
        members = [(m.name.removeprefix("./"), tar.extractfile(m)) for m in tar if m.isfile()]
        return {name: file.read() for name, file in members if file is not None}


@pytest.mark.parametrize("system", SYSTEMS)
def test_published_systems(loghub: dict[str, bytes], system: str) -> None:
    name, differing, first, has_level = SYSTEMS[system]
    buf = loghub[f"{system}/{system}_2k.log"]
    text = loghub[f"{system}/{system}_2k.structured.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    detected = detect(sample_lines(buf))
    assert detected.format.name == name
    start, end = lines(buf)
    assert len(start) == len(rows)
    content, ts, spans, status = headers(buf, start, end, detected.program, 2000, 0)
    messages = [
        buf[c:e].decode().strip() for c, e in zip(content.tolist(), end.tolist(), strict=True)
    ]
    assert sum(m != r["Content"].strip() for m, r in zip(messages, rows, strict=True)) == differing
    assert np.mean(status == p.FULL) >= 0.99
    assert not np.any(ts == NO_TIME)
    assert iso(int(ts[0])) == first
    levels = [buf[s:e].decode() if s >= 0 else None for s, e in spans[:, 4:6].tolist()]
    if has_level:
        assert levels == [row["Level"] for row in rows]
        assert all(level_code(str(level).encode()) for level in set(levels))
    else:
        assert set(levels) == {None}
    # The other columns are called by other names there, or are cut otherwise.
    if system in ("BGL", "HDFS", "HPC", "Hadoop", "HealthApp", "Windows"):
        components = [buf[s:e].decode() for s, e in spans[:, 2:4].tolist()]
        assert components == [row["Component"] for row in rows]


def test_the_page_lists_every_format() -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
    assert all(f"| `{format.name}` | {format.title} |" in page for format in FORMATS)


def test_the_layouts_on_the_page_compile() -> None:
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
    layouts = re.findall(r"--format '(.*)'", page)
    assert len(layouts) == 2
    for layout in layouts:
        assert "level" in use(layout, []).slots
