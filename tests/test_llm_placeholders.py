"""What is hidden stays hidden, is the same wherever it stands, and comes back whole."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_samples import sampled
from logwright.llm.placeholders import Placeholders
from logwright.logs.redaction import redact

PIECES = st.sampled_from(
    [
        "password=hunter2hunter2 ",
        "token: ",
        "10.0.0.7",
        "::1",
        "fe80::1",
        "00:1b:44:11:3a:b7",
        "ann@example.com",
        "db1.example.com",
        "host=web1 ",
        "user=ann ",
        "/home/ann/",
        "REDACTED_IP_1_",
        "REDACTED_",
        "REDACTED",
        "_1_",
        "IP_",
        "[redacted secret]",
        "AKIAIOSFODNN7EXAMPLE",
        "Authorization: Bearer abcdefghijklmnop1234567890",
        "postgres://ann:s3cret@db/x",
        "é",
        "\udcff",
        "\ud800",
        "\n",
        " ",
        "1",
        "=",
        '"',
    ]
)
texts = st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=12).map("".join)


@given(st.lists(texts, max_size=4))
@example(["host=REDACTED_IP_1_"])
@example(["password=aREDACTED_IP_1_b", "user=REDACTED"])
@example(["REDACTED_IP_10.0.0.7"])
@example(["10.0.0.7 is not REDACTED_IP_1_"])
def test_hiding_and_restoring_give_the_text_again(parts: list[str]) -> None:
    names = Placeholders()
    hidden = [names.hide(part) for part in parts]
    assert [names.restore(text) for text in hidden] == parts
    assert [names.restore(names.mask(text)) for text in hidden] == parts


@given(texts)
def test_nothing_is_shown_that_redaction_would_not_show(text: str) -> None:
    hidden = Placeholders().hide(text)
    for secret in ("hunter2", "s3cret", "AKIAIOSFODNN7EXAMPLE"):
        if secret.encode() not in redact(text.encode("utf-8", "surrogatepass")):
            assert secret not in hidden


@given(texts, texts)
def test_a_conversation_that_grows_keeps_its_names(first: str, second: str) -> None:
    names = Placeholders()
    assert names.hide(first) == Placeholders().hide(first)
    assert names.hide(first) == Placeholders().hide(first)
    names.hide(second)
    assert names.hide(first) == Placeholders().hide(first)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("rhost=218.188.2.4 user=ann", "218.188.2.4"),
        ("src: /10.250.19.102:54106 dest", "10.250.19.102"),
        ("Invalid user webmaster from x", "webmaster"),
        ("Failed password for ann from x port 1", "ann"),
        ("reverse mapping for ns.example.com [x]", "ns.example.com"),
        ("open /home/ann/.bashrc", "ann"),
        ("mail to ann@example.com", "ann@example.com"),
        ("link 00:1b:44:11:3a:b7 up", "00:1b:44:11:3a:b7"),
        ("peer 2001:db8::ff00:42:8329 gone", "2001:db8::ff00:42:8329"),
        ("peer fe80:0:0:0:204:61ff:fe9d:f156 gone", "fe80:0:0:0:204:61ff:fe9d:f156"),
    ],
)
def test_identities_are_hidden(text: str, value: str) -> None:
    names = Placeholders()
    hidden = names.hide(text)
    assert value not in hidden
    assert names.restore(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "org.apache.hadoop.hdfs.server.datanode.DataNode$PacketReceiver failed",
        "connect to localhost 127.0.0.1:80 as root",
        "R02-M1-N0-C:J12-U11 RAS KERNEL INFO at 2005-06-03-15.42.50.363779",
        "took 1.2.3 s at 12:30:45, version 10.4.1",
        "def rule(w):\n    token = search('a::b', line.text)\n    return w.lines[::2]",
        "java.net.SocketException in java.home",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert Placeholders().hide(text) == text


def test_the_same_value_has_the_same_name_and_others_have_not() -> None:
    names = Placeholders()
    hidden = names.hide("from 10.0.0.1 to 10.0.0.2 via 10.0.0.1").split()
    assert hidden[1] == hidden[5] != hidden[3]


def test_time_is_linear_in_hostile_lines() -> None:
    for text in ("a." * 40_000, "1:" * 40_000, ":" * 80_000, "a@" * 40_000, "REDACTED_" * 9_000):
        began = time.perf_counter()
        Placeholders().hide(text)
        assert time.perf_counter() - began < 3


def test_real_logs_come_back(data: Path) -> None:
    for text in (log[:60_000] for log in sampled(data).values()):
        names = Placeholders()
        assert names.restore(names.mask(names.hide(text))) == text
