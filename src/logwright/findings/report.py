"""placeholder"""
from collections.abc import Sequence
from os import PathLike
from logwright.findings.finding import Finding
from logwright.findings.run import Run
def write_report(run: Run, findings: Sequence[Finding], path: str | PathLike[str]) -> None:
    pass
