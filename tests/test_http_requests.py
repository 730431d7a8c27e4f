"""HTTP requests out of bytes: the same however they are cut, and bounded whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.stream.http_requests import Head, RefusedError, Request, RequestReader


def answers(reader: RequestReader, pieces: list[bytes]) -> list[Request | int]:
    found: list[Request | int] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (whole := reader.next()) is not None:
                found.append(whole)
        except RefusedError as error:
            return [*found, error.status]
    return found


class TestRequests:
    HEAD = b"POST /v1/logs HTTP/1.1\r\nHost: a\r\n"

    @given(st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=4), st.data())
    def test_any_cut_gives_the_same_requests(
        self, bodies: list[tuple[bytes, bool]], data: st.DataObject
    ) -> None:
        whole = b""
        for body, chunked in bodies:
            if chunked:
                chunks = [body[i : i + 7] for i in range(0, len(body), 7)]
                coded = b"".join(b"%x;x=y\r\n%b\r\n" % (len(c), c) for c in chunks)
                whole += self.HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + coded
                whole += b"0\r\nTrailer: x\r\n\r\n"
            else:
                whole += self.HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
        pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        found = answers(RequestReader(1000, lambda head: None), pieces)
        assert [r.body for r in found if isinstance(r, Request)] == [body for body, _ in bodies]

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            (b"hello\r\n\r\n", 400),
            (b"POST /v1/logs HTTP/2.0\r\n\r\n", 400),
            (b"POST /v1/logs HTTP/1.1\r\n\r\n", 400),
            (HEAD + b"Content-Length: -1\r\n\r\n", 400),
            (HEAD + b"Content-Length: +1\r\n\r\n", 400),
            (HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
            (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
            (HEAD + b"Folded: a\r\n b\r\n\r\n", 400),
            (HEAD + b"Space : a\r\n\r\n", 400),
            (HEAD + b"Bare: a\rb\r\n\r\n", 400),
            (HEAD + b"Content-Length: 1001\r\n\r\n", 413),
            (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 300, 400),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0\r\n" + b"a: b\r\n" * 70_000, 413),
            (HEAD + b"".join(b"H%d: a\r\n" % i for i in range(101)) + b"\r\n", 431),
            (HEAD + b"Long: " + b"a" * 17_000, 431),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, text: bytes, status: int) -> None:
        assert answers(RequestReader(1000, lambda head: None), [text])[-1] == status

    @given(st.binary(max_size=300), st.integers(1, 50))
    def test_random_bytes_are_held_within_bounds(self, noise: bytes, step: int) -> None:
        reader = RequestReader(1000, lambda head: None)
        pieces = [noise[i : i + step] for i in range(0, len(noise), step)]
        for found in answers(reader, [self.HEAD, *pieces]):
            assert isinstance(found, Request) or found in (400, 413, 431)

    def test_the_head_is_judged_before_the_body_comes(self) -> None:
        def judge(head: Head) -> None:
            raise RefusedError(404, "not here")

        reader = RequestReader(1000, judge)
        assert answers(reader, [self.HEAD + b"Content-Length: 900\r\n\r\n"]) == [404]
        assert reader.head is not None
