from typing import Any

def lines(buf: Any, start: Any, end: Any) -> int: ...
def headers(
    buf: Any,
    start: Any,
    end: Any,
    content: Any,
    ts: Any,
    spans: Any,
    status: Any,
    program: Any,
    year: int,
    day: int,
) -> None: ...
def token_spans(buf: Any, start: Any, end: Any, ordinal: Any, begin: Any, stop: Any) -> None: ...
def watch(
    buf: Any,
    start: Any,
    end: Any,
    shape: Any,
    plan: Any,
    layout: Any,
    slots: Any,
    known: Any,
    found: Any,
    numbers: Any,
) -> int: ...

class Table:
    span: int
    def __init__(self, salt: int, /) -> None: ...
    def __len__(self) -> int: ...
    def encode(self, buf: Any, start: Any, end: Any, codes: Any, fresh: Any) -> int: ...
    def intern(self, buf: Any, start: Any, end: Any, codes: Any, fresh: Any) -> int: ...
    def keys(self, codes: Any, out: Any) -> None: ...
    def evict(self, codes: Any) -> None: ...
