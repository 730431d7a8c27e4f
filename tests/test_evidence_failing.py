"""Failure prediction from the lines alone."""

from __future__ import annotations

import pytest

from logwright.reasoning.answer import problems
from logwright.reasoning.evidence import failing
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options


def verdict(*lines: str, healthy: tuple[str, ...] = ()) -> str:
    material = Material.of_lines(lines)
    runs = (Material.of_lines(healthy),) if healthy else ()
    said = failing.answer(material, Options(healthy=runs))
    assert problems(said, material) == []
    return said.verdict


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DEVM/1/FAN_GONE: Fan 2 in slot 4 stopped.", "failure"),
        ("IFNET/4/IF_STATE: Interface 3 has turned into DOWN state.", "failure"),
        ("SHELL/6/SHELL_CMD: Command display version was run.", "no failure"),
        ("DEVM/1/hwFanFail_clear: The fan works again.", "no failure"),
        ("%LINEPROTO-5-UPDOWN: Line protocol on Gi0/1, changed state to down", "failure"),
        ("%SYS-5-CONFIG_I: Configured from console by vty0", "no failure"),
    ],
)
def test_a_message_of_a_switch_says_how_grave_it_is(line: str, expected: str) -> None:
    assert verdict(line) == expected


@pytest.mark.parametrize(
    "lines",
    [
        ("smartd: /dev/sdc: SMART Failure Predicted",),
        ("md0: Disk failure on sdb1. Operation continuing on 1 devices.", "app: request served"),
        ("kernel: Out of memory: Killed process 77 (java)",),
        ("api certificate expires in 3 days",),
    ],
)
def test_what_lasts_announces_a_failure(lines: tuple[str, ...]) -> None:
    assert verdict(*lines) == "failure"


def test_what_grows_announces_a_failure_and_what_does_not_passes() -> None:
    corrected = "EDAC MC0: 1 CE memory read error on DIMM_A2"
    quiet = [f"request {n} served" for n in range(40)]
    assert verdict(*quiet[:20], *[corrected] * 8, *quiet[20:22]) == "failure"
    spread = [line for n, line in enumerate(quiet) for line in ([line, corrected] * (n % 5 == 0))]
    assert verdict(*quiet, *spread[:2], *quiet) == "no failure"


def test_what_is_over_is_no_failure() -> None:
    assert verdict("db: connection refused", "db: reconnected to 10.0.0.8") == "no failure"
    assert (
        verdict("db: reconnected to 10.0.0.8", "db: connection refused", "db: panic") == "failure"
    )


def test_what_a_healthy_run_says_too_is_no_sign() -> None:
    lines = ("worker 3 started", "kernel: Out of memory: Killed process 77 (probe)")
    assert verdict(*lines) == "failure"
    assert verdict(*lines, healthy=("kernel: Out of memory: Killed process 12 (probe)",)) == (
        "no failure"
    )


def test_plain_lines_are_no_failure() -> None:
    assert verdict("started", "took 5 ms", "0 errors") == "no failure"


def test_the_signs_are_cited_the_gravest_first() -> None:
    material = Material.of_lines(["eth0: rx dropped 5", "kernel: Kernel panic - not syncing"])
    said = failing.answer(material, Options())
    assert said.citations[0].line == 2
    assert "line 2" in said.text
