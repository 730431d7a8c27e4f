"""Calls at a time: in order, never more than allowed, and gone when they are interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_server import serving, slow
from logwright.llm.parallel import each

ASKING = """
import sys
from logwright.llm import Ask, open_chat, user
asks = [Ask([user(f"question {n}")], 50, "a test") for n in range(9)]
with open_chat(sys.argv[1], "m", parallel=3) as chat:
    try:
        chat.ask_many(asks)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_results_are_in_order_and_no_more_run_than_allowed(waits: list[int], most: int) -> None:
    lock, now, peak = threading.Lock(), 0, 0

    def call(wait: int) -> int:
        nonlocal now, peak
        with lock:
            now += 1
            peak = max(peak, now)
        time.sleep(wait / 2000)
        with lock:
            now -= 1
        return wait * 2

    assert each(call, waits, most) == [wait * 2 for wait in waits]
    assert peak <= most


def test_an_interrupt_waits_for_no_server() -> None:
    with serving(slow(30)) as server:
        child = subprocess.Popen(
            [sys.executable, "-c", ASKING, server.url], stdout=subprocess.PIPE, text=True
        )
        end = time.monotonic() + 60
        while len(server.bodies) < 3 and time.monotonic() < end:
            time.sleep(0.05)
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            said, _ = child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            pytest.fail("it waits for answers that nobody wants")
        assert time.monotonic() - began < 10
        assert len(server.bodies) == 3
    assert (said, child.returncode) == ("stopped\n", 0)
