"""Solutions: from what is known of the errors in the lines to what to do, the safest first.

The cause that `causes` names comes first, then what else is known to be wrong. Looking comes before
changing; a fault that has gone away by itself is said to have gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence import causes
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.scene import Happening, Scene, cite, message, times
from logwright.reasoning.evidence.vendor import Vendor
from logwright.reasoning.knowledge import Known, knowledge
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["OF_CAUSE", "answer"]

_MOST = 3
_NOTICE = 5
_UNNAMED = 0.4
"""The confidence in advice where no line tells what started it."""
_MOST_ACTS = 4
_RANK = {"critical": 3, "error": 2, "warning": 1, "info": 0}

OF_CAUSE = {
    "address in use": "address already in use",
    "authentication failure": "login failed",
    "bug in the code": "uncaught exception",
    "certificate problem": "certificate is not trusted",
    "data corrupt": "checksum does not match",
    "deadlock": "deadlock (database)",
    "dependency unavailable": "connection refused",
    "disk full": "no space left",
    "hardware fault": "machine check",
    "machine down": "node lost",
    "missing file": "no such file",
    "name resolution failure": "name cannot be resolved",
    "network disconnection": "network is unreachable",
    "out of memory": "killed for memory",
    "overload": "machine too busy",
    "permission denied": "permission denied",
    "timeout": "connection timed out",
    "too many open files": "too many open files",
    "version mismatch": "class or module missing",
}
"""What is known of a cause, where no line names an error of its own."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """Something known that is wrong, and the line that says so."""

    known: Known
    line: int
    rank: float


def answer(material: Material, options: Options) -> Answer:
    """What to do.

    >>> material = Material.of_lines(["bind() to 0.0.0.0:80 failed (98: Address already in use)"])
    >>> said = answer(material, Options())
    >>> said.verdict, said.text.splitlines()[1]
    ('address already in use', '1. see who holds the port (ss -ltnp) (line 1)')
    """
    clues = Clues.of(material, options.healthy)
    scene = Scene.beside(clues)
    line, vendor = _only(material)
    if vendor is not None and (vendor.ended or vendor.digit >= _NOTICE):
        return _nothing_to_do(scene, line, vendor)
    started = causes.told_by(clues, fast=True)
    faults = _faults(scene, started)
    passed: list[_Fault] = []
    if not started.enough:
        # What has passed by itself is no reason to do anything where nothing names a cause.
        passed = [f for f in faults if f.known.transient and _over(scene, f) is not None]
        faults = [fault for fault in faults if fault not in passed]
    if not faults:
        return _unknown(scene, passed)
    over = _over(scene, faults[0])
    head = f"Cause: {started.verdict}. " if started.enough else ""
    if not started.enough and len(scene.happenings) > 1:
        head = "No line tells what started it. "
    head += f"Line {faults[0].line}: {faults[0].known.meaning} Usual causes: "
    head += "; ".join(faults[0].known.causes) + "."
    steps = [_fault_step(scene, fault) for fault in faults]
    if over is not None:
        steps.append(over)
        head += f" {over.text}"
    looks = [(text, fault) for fault in faults for text in fault.known.look][:_MOST_ACTS]
    mends = [(text, fault) for fault in faults for text in fault.known.mend][:_MOST_ACTS]
    steps += [_act(scene, text, fault) for text, fault in (*looks, *mends)]
    rank = started.confidence if started.enough else _UNNAMED
    return Answer(
        task=Task.SOLUTION,
        verdict=faults[0].known.name,
        text=_text(head, looks, mends, over is not None),
        steps=() if options.fast else tuple(steps),
        citations=tuple(dict.fromkeys(cite(material, fault.line) for fault in faults)),
        confidence=rank,
        strategy="solution-manual" if over is not None else "solution-procedural",
    )


def _only(material: Material) -> tuple[int, Vendor | None]:
    """The line there is, if there is one only, and its head, if it is one of a switch."""
    told = [number for number, line in enumerate(material.lines, 1) if line.strip()]
    return told[0], Vendor.of(material.text(told[0])) if len(told) == 1 else None


def _nothing_to_do(scene: Scene, line: int, vendor: Vendor) -> Answer:
    """A message that a device grades as no trouble, or that ends an alarm, asks for nothing."""
    cited = cite(scene.material, line)
    grade = f"the device grades it {vendor.digit} ({vendor.means})"
    why = "it ends an alarm" if vendor.ended else grade
    text = f"Nothing needs to be done: {why} (line {line})."
    return Answer(
        task=Task.SOLUTION,
        verdict="no action",
        text=text,
        steps=(Step(text=f"{_capital(why)}.", citations=(cited,)),),
        citations=(cited,),
        confidence=0.7,
        strategy="solution-manual",
    )


def _faults(scene: Scene, started: Answer) -> list[_Fault]:
    """What is known to be wrong, what the cause rests on first."""
    cited = [citation.line for citation in started.citations] if started.enough else []
    best: dict[str, _Fault] = {}
    for happening in scene.wrong:
        for known in happening.known:
            if known.recovery or known.name in best:
                continue
            lines = scene.seen.lines_of(known).tolist()
            line = next((line for line in cited if line in lines), lines[0])
            # A line that the cause rests on outweighs any grade; errors outweigh their echoes.
            rank = _RANK[known.severity] + (10 - cited.index(line) if line in cited else 0)
            best[known.name] = _Fault(known, line, rank - (0.5 if known.transient else 0))
    faults = sorted(best.values(), key=lambda fault: (-fault.rank, fault.line))
    named = OF_CAUSE.get(started.verdict) if cited else None
    if named is not None and all(fault.line not in cited for fault in faults):
        known = next(known for known in knowledge() if known.name == named)
        faults.insert(0, _Fault(known, cited[0], 20))
    if faults and faults[0].line in cited:
        # Where the cause is clear, mending its echoes mends nothing.
        faults = [fault for fault in faults if fault.line in cited]
    return faults[:_MOST]


def _over(scene: Scene, fault: _Fault) -> Step | None:
    """Whether the fault has gone away, and by which line."""
    shape = scene.columns.shape
    code = shape[fault.line - 1]
    here = next((one for one in scene.happenings if shape[one.first - 1] == code), None)
    well: Happening | None = scene.over(here) if here is not None else None
    if well is None:
        return None
    text = (
        f'It seems to be over: "{message(scene.material.text(well.last))}" '
        f"(line {well.last}). What follows keeps it from coming back."
    )
    return Step(text=text, citations=(cite(scene.material, well.last),))


def _fault_step(scene: Scene, fault: _Fault) -> Step:
    often = len(scene.seen.lines_of(fault.known))
    said = f", {times(often)}" if often > 1 else ""
    causes_of = "; ".join(fault.known.causes)
    text = f"Line {fault.line}{said}: {fault.known.meaning} Usual causes: {causes_of}."
    return Step(text=text, citations=_cites(scene, fault))


def _act(scene: Scene, text: str, fault: _Fault) -> Step:
    return Step(text=f"{_capital(text)}.", citations=_cites(scene, fault))


def _cites(scene: Scene, fault: _Fault) -> tuple[Citation, ...]:
    return (cite(scene.material, fault.line),)


def _text(
    head: str, looks: list[tuple[str, _Fault]], mends: list[tuple[str, _Fault]], over: bool
) -> str:
    lines = [head, *(f"{{}} {text} (line {fault.line})" for text, fault in looks)]
    if mends:
        lines.append("Then, if that fits:" if not over else "To be done once:")
        lines += [f"{{}} {text} (line {fault.line})" for text, fault in mends]
    number, told = 0, []
    for line in lines:
        if line.startswith("{} "):
            number += 1
            line = f"{number}. {line[3:]}"
        told.append(line)
    return "\n".join(told)


def _unknown(scene: Scene, passed: list[_Fault]) -> Answer:
    """Nothing is wrong, nothing is known of it, or it has passed."""
    cited: tuple[Citation, ...]
    if passed:
        first = passed[0]
        words = f'"{message(scene.material.text(first.line))}" (line {first.line})'
        text = f"Not enough evidence for advice: {words} has passed, and no line names its cause."
        cited = _cites(scene, first)
    elif scene.wrong:
        worst = scene.wrong[0]
        words = f'"{scene.message(worst)}" (line {worst.first})'
        text = f"Not enough evidence for advice: {words} tells of trouble, but not of what kind."
        cited = (cite(scene.material, worst.first),)
    else:
        text, cited = "Not enough evidence: no line tells of trouble.", ()
    return Answer(
        task=Task.SOLUTION, verdict="", text=text, citations=cited, confidence=0, enough=False
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
