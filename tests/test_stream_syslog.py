"""Syslog over UDP and TCP: messages become lines, senders wait or are counted, none does harm."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError, SettingsError
from logwright.logs.formats import detect
from logwright.stream import receiving
from logwright.stream.feed import Feed
from logwright.stream.receiving import Address, Caps
from logwright.stream.spool import Spool, SpoolFullError
from logwright.stream.syslog import SyslogSource
from logwright.stream.syslog_frames import Frames, as_line

pytestmark = pytest.mark.slow

HERE = Address("127.0.0.1", 0)
OLD = b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick"
NEW = b'<165>1 2003-10-11T22:14:15.003Z host app 8710 ID47 [ex@32473 iut="3"] An event'
WORDS = st.binary(max_size=30).map(lambda b: b"<13>" + b.replace(b"\n", b"").replace(b"\r", b""))


class TestFrames:
    @given(st.lists(st.tuples(WORDS, st.booleans()), max_size=8), st.data())
    def test_any_cut_gives_the_same_messages(
        self, messages: list[tuple[bytes, bool]], data: st.DataObject
    ) -> None:
        whole = b"".join(
            b"%d %b" % (len(text), text) if counted else text + b"\n" for text, counted in messages
        )
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
        frames = Frames(1000)
        found = b"".join(
            frames.feed(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        )
        assert found == b"".join(as_line(text) for text, _ in messages)
        assert (frames.held, frames.cut, frames.messages) == (0, 0, len(messages))

    @given(st.lists(st.binary(max_size=60) | st.just(b"99999 <"), max_size=20))
    def test_whatever_comes_is_lines_within_bounds(self, pieces: list[bytes]) -> None:
        frames = Frames(40)
        for piece in pieces:
            found = frames.feed(piece)
            assert all(len(line) <= 80 for line in found.split(b"\n"))
            assert frames.held <= 40 + len(b"999999999 <")
        found = frames.end()
        assert found.count(b"\n") == (found != b"")

    def test_messages_of_several_lines_stay_one(self) -> None:
        text = b"<34>boom\r\n  at x\n  at y\n"
        assert Frames(100).feed(b"%d %b" % (len(text), text)) == b"<34>boom\\n  at x\\n  at y\n"

    @pytest.mark.parametrize("counted", [True, False])
    @pytest.mark.parametrize("step", [1, 7, 1000])
    def test_a_long_message_is_cut_and_the_next_one_is_whole(
        self, counted: bool, step: int
    ) -> None:
        long = b"<1>" + b"x" * 200
        first = b"%d %b" % (len(long), long) if counted else long + b"\n"
        whole, frames = first + b"<2>next\n", Frames(50)
        found = b"".join(frames.feed(whole[i : i + step]) for i in range(0, len(whole), step))
        assert found == long[:50] + b"\n<2>next\n"
        assert frames.cut == 1

    def test_what_is_skipped_of_a_long_line_starts_no_message(self) -> None:
        frames = Frames(50)
        assert frames.feed(b"x" * 60) == b"x" * 50 + b"\n"
        assert frames.feed(b"5 <1>ab\n<2>next\n") == b"<2>next\n"

    def test_a_line_that_begins_with_a_number_is_a_line(self) -> None:
        found = Frames(100).feed(b"2024 was a year\n15 <1>twelve chars")
        assert found == b"2024 was a year\n<1>twelve chars\n"

    def test_nothing_is_no_message(self) -> None:
        frames = Frames(100)
        assert frames.feed(b"\n\r\n \n\0\n") == b""
        assert (frames.messages, frames.end()) == (0, b"")

    def test_headers_stay_for_the_readers(self) -> None:
        for text, name in ((OLD, "syslog"), (NEW, "syslog5424")):
            lines = Frames(1000).feed(b"%d %b" % (len(text), text)).splitlines()
            assert lines == [text]
            assert detect(lines).format.name == name


class Stuck:
    """A spool that is full until it is told otherwise."""

    most_bytes = 1 << 30

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.room = threading.Event()

    def append(self, data: bytes, arrived: int) -> str:
        if not self.room.is_set():
            raise SpoolFullError("full")
        self.data.append(data)
        return str(len(self.data))

    def sync(self, position: str | None = None) -> None:
        pass

    def feed(self, name: str, source: str) -> Feed:
        raise NotImplementedError

    def close(self) -> None:
        pass


@contextlib.contextmanager
def listening(spool: Any, **more: Any) -> Iterator[SyslogSource]:
    source = SyslogSource(HERE, spool, **more)
    bugs: list[dict[str, Any]] = []
    source._hall.loop.set_exception_handler(lambda loop, found: bugs.append(found))
    try:
        yield source
    finally:
        source.close()
    assert not bugs


def tcp(source: SyslogSource) -> socket.socket:
    return socket.create_connection(("127.0.0.1", source.port), timeout=10)


@contextlib.contextmanager
def udp(source: SyslogSource) -> Iterator[Callable[[bytes], object]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        yield lambda data: sock.sendto(data, ("127.0.0.1", source.port))


def read(feed: Feed, lines: int) -> bytes:
    """The next `lines` lines of a feed."""
    found, until = b"", time.monotonic() + 10
    while found.count(b"\n") < lines and time.monotonic() < until:
        found += b"".join(entry.data for entry in feed.read(1 << 20, 0.1))
    return found


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


class TestServer:
    def test_messages_arrive_over_both(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            (feed,), lost = source.feeds()
            feed.seek(None)
            assert (lost, source.feeds()) == ([], ([], []))
            assert feed.name == "syslog:127.0.0.1:0"
            with tcp(source) as link:
                link.sendall(OLD + b"\n" + b"%d %b" % (len(NEW), NEW))
                assert read(feed, 2) == OLD + b"\n" + NEW + b"\n"
            with udp(source) as send:
                send(OLD + b"\nmore")
                send(b"")
                send(NEW)
                assert read(feed, 2) == OLD + b"\\nmore\n" + NEW + b"\n"
            counts = source.counts
            assert (counts["messages"], counts["datagrams"], counts["connections"]) == (4, 3, 1)

    def test_what_a_connection_leaves_unfinished_is_a_message(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            (feed,), _ = source.feeds()
            feed.seek(None)
            for text in (b"<1>half", b"50 <1>half"):
                with tcp(source) as link:
                    link.sendall(text)
                assert read(feed, 1) == b"<1>half\n"

    def test_tcp_waits_while_there_is_no_room_and_loses_nothing(self) -> None:
        spool = Stuck()
        lines = [b"<13>line %d\n" % i for i in range(60_000)]
        with listening(spool, caps=Caps(desk=50_000)) as source, tcp(source) as link:
            sender = threading.Thread(target=link.sendall, args=(b"".join(lines) * 20,))
            sender.start()
            time.sleep(0.5)
            assert sender.is_alive()  # it has to wait
            assert source._hall.held < 1 << 20
            spool.room.set()
            sender.join(20)
            assert not sender.is_alive()
            link.shutdown(socket.SHUT_WR)
            wait_for(lambda: b"".join(spool.data).count(b"\n") == len(lines) * 20)
        assert b"".join(spool.data) == b"".join(lines) * 20

    def test_what_an_fsync_lost_is_written_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody would send it again."""
        dice, fsync, left = random.Random(1), os.fsync, [10]

        def broken(file: int) -> None:
            if left[0] and dice.random() < 0.7:
                left[0] -= 1
                raise OSError(28, "No space left on device")
            fsync(file)

        monkeypatch.setattr(receiving, "_RETRY", 0.01)
        spool = Spool(tmp_path)
        monkeypatch.setattr(os, "fsync", broken)
        with listening(spool) as source, tcp(source) as link:
            (feed,), _ = source.feeds()
            feed.seek(None)
            for number in range(50):
                link.sendall(b"<13>line %d\n" % number)
                time.sleep(0.005)
            lines = read(feed, 50).splitlines()
            assert sorted(lines) == sorted(b"<13>line %d" % number for number in range(50))
            assert (left[0], source.counts["unwritten"]) == (0, 0)

    def test_udp_that_finds_no_room_is_counted(self) -> None:
        spool = Stuck()
        with listening(spool, caps=Caps(desk=1_000)) as source, udp(source) as send:
            for i in range(300):
                send(b"<13>message %d" % i)
                time.sleep(0.001)
            counts = source.counts
            wait_for(lambda: counts["datagrams"] == 300)
            assert counts["datagrams_dropped"] > 0
            spool.room.set()
            kept = 300 - counts["datagrams_dropped"]
            wait_for(lambda: b"".join(spool.data).count(b"\n") == kept)
            assert counts["messages"] == kept

    def test_what_the_kernel_drops_is_counted_where_it_tells(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not Path("/proc/net/udp").exists():
            pytest.skip("only Linux tells")
        monkeypatch.setattr("logwright.stream.syslog._BUFFER", 4096)
        spool = Stuck()
        with listening(spool) as source, udp(source) as send:
            blocked, leave = threading.Event(), threading.Event()
            source._hall.loop.call_soon_threadsafe(lambda: blocked.set() or leave.wait(10))
            assert blocked.wait(10)
            for _ in range(500):
                send(b"<13>" + b"x" * 500)
            leave.set()
            wait_for(lambda: source.counts["datagrams_missed"] > 0)
            counts = source.counts
            wait_for(lambda: counts["datagrams"] + counts["datagrams_missed"] == 500)

    def test_connections_are_capped_and_the_slow_have_to_go(self, tmp_path: Path) -> None:
        caps = Caps(connections=20)
        with listening(Spool(tmp_path), caps=caps, patience=0.3) as source:
            (feed,), _ = source.feeds()
            feed.seek(None)
            with contextlib.ExitStack() as held:
                links = [held.enter_context(tcp(source)) for _ in range(25)]
                wait_for(lambda: source.counts["connections_refused"] == 5)
                links[0].sendall(b"<1>never en")
                wait_for(lambda: source.counts["connections_overdue"] == 1)
                assert len(source._hall.guests) == 19  # silence alone is no fault
                assert read(feed, 1) == b"<1>never en\n"
            wait_for(lambda: not source._hall.guests)
            assert source._hall.held == 0

    def test_unfinished_messages_share_one_bound(self, tmp_path: Path) -> None:
        with (
            listening(Spool(tmp_path), caps=Caps(unfinished=100_000)) as source,
            contextlib.ExitStack() as held,
        ):
            for _ in range(10):
                held.enter_context(tcp(source)).sendall(b"60000 <1>" + b"x" * 40_000)
            wait_for(lambda: source.counts["connections"] == 10)
            wait_for(lambda: len(source._hall.guests) <= 2)
            assert source._hall.held <= 100_000

    def test_closing_writes_what_was_read(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            with tcp(source) as link:
                link.sendall(b"<1>one\n<1>two")
                wait_for(lambda: source.counts["messages"] == 1)
                source.close()
            source.close()  # twice does no harm
        spool = Spool(tmp_path)
        feed = spool.feed("x", "x")
        feed.seek(None)
        assert read(feed, 2) == b"<1>one\n<1>two\n"
        spool.close()

    def test_noise_does_no_harm(self, tmp_path: Path) -> None:
        rng = random.Random(3)
        with listening(Spool(tmp_path), most=200) as source:
            (feed,), _ = source.feeds()
            feed.seek(None)
            with udp(source) as send:
                for i in range(200):
                    noise = rng.randbytes(rng.randint(0, 400))
                    noise = b"%d <" % rng.randint(0, 500) + noise if i % 3 else noise
                    send(noise)
                    with tcp(source) as link, contextlib.suppress(ConnectionError):
                        link.sendall(noise)
            wait_for(lambda: source.counts["connections"] == 200 and not source._hall.guests)
            wait_for(lambda: source.counts["datagrams"] == 200)
            found = read(feed, source.counts["messages"])
            assert found.count(b"\n") == source.counts["messages"]
            assert max(map(len, found.split(b"\n"))) <= 400  # newlines are two characters
            with tcp(source) as link:
                link.sendall(OLD + b"\n")
                assert read(feed, 1) == OLD + b"\n"


def test_an_address_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    with (
        listening(Spool(tmp_path / "a")) as source,
        pytest.raises(InputError, match=r"^Cannot listen on 127\.0\.0\.1:\d+: .*in use"),
    ):
        SyslogSource(Address("127.0.0.1", source.port), Spool(tmp_path / "b"))
    with pytest.raises(SettingsError, match=r"expected syslog://\[HOST\]:PORT"):
        SyslogSource.opened("syslog://h/x", Spool(tmp_path / "c"))
