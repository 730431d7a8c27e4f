"""Words: causes weigh more than symptoms, counts of nought weigh nothing."""

from __future__ import annotations

import pytest

from logwright.templates.wording import CAUSE, GRAVE, HINT, SYMPTOM, trouble

TEXTS = {
    GRAVE: [
        "kernel panic - not syncing",
        "write failed: No space left on device",
        "java.lang.OutOfMemoryError: out of memory",
        "machine check interrupt",
    ],
    CAUSE: [
        "java.net.ConnectException: Connection refused",
        "Caused by: java.util.NoSuchElementException: No value present",
        "KeyError: 'sku'",
        "dial tcp <*>: i/o timeout: no route to host",
        "open /etc/shop.yml: permission denied",
        "An existing connection was forcibly closed by the remote host",
        "user <*> not found",
    ],
    SYMPTOM: [
        "could not store order <*>",
        "request failed",
        "Exception in createBlockOutputStream",
        "3 errors",
    ],
    HINT: ["Killing taskAttempt <*>", "slow request: <*> ms", "retrying in <*> s"],
    0: [
        "started in <*> ms",
        "build done, 0 errors",
        "Tests run: <*>, Failures: <*>, Errors: <*>",
        "finished without errors",
        "error=null code=<*>",
        "failover group is ready",
    ],
}


@pytest.mark.parametrize(("grade", "text"), [(g, t) for g, ts in TEXTS.items() for t in ts])
def test_what_words_name(grade: int, text: str) -> None:
    assert trouble(text) == grade


def test_a_long_text_takes_no_time() -> None:
    assert trouble("x." * 50_000) == 0
    assert trouble("connection " * 20_000) == 0
    assert trouble("error" * 20_000) == SYMPTOM
