"""Samples: the first megabyte of each source, seen before any of its blocks is processed.

Formats and session keys are found from samples of a fixed size, so that what is found does not
depend on the size of blocks or on how a pipe delivers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from logwright.logs.batch import Block

__all__ = ["SAMPLE_BYTES", "sampled"]

SAMPLE_BYTES = 1 << 20


def sampled(
    blocks: Iterable[Block],
    begin_source: Callable[[int, bytes], None],
    begin_run: Callable[[], None],
) -> Iterator[Block]:
    """The blocks, each after `begin_source` was called with its source's sample.

    `begin_run` is called once, before the first block: when the sources begun so far make up a
    whole sample together, or at the end of the input. A sample ends with a whole line where it can.

    >>> blocks = [Block(b"a\\n", 0, 0, 1), Block(b"b\\n", 0, 2, 2), Block(b"c\\n", 1, 0, 1)]
    >>> for block in sampled(blocks, lambda i, s: print(i, s), lambda: print("begin")):
    ...     print(block.buf)
    0 b'a\\nb\\n'
    1 b'c\\n'
    begin
    b'a\\n'
    b'b\\n'
    b'c\\n'
    """
    held: list[Block] = []
    sample = bytearray()
    source, begun, started, total = -1, True, False, 0

    def begin() -> None:
        nonlocal begun, total
        whole = len(sample) < SAMPLE_BYTES
        stop = len(sample) if whole else sample.rfind(b"\n") + 1 or len(sample)
        begin_source(source, bytes(sample[:stop]))
        begun, total = True, total + len(sample)

    for block in blocks:
        if block.source_id != source:
            if not begun:
                begin()
            source, begun = block.source_id, False
            sample.clear()
        held.append(block)
        if not begun:
            sample += block.buf[: SAMPLE_BYTES - len(sample)]
            if len(sample) == SAMPLE_BYTES:
                begin()
        if begun and not started and total >= SAMPLE_BYTES:
            begin_run()
            started = True
        if begun and started:
            yield from held
            held.clear()
    if not begun:
        begin()
    if not started:
        begin_run()
    yield from held
