"""A small history with two kinds of anomalies, and models that answer by what they are asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from llm_server import Handler, Step, completion
from logwright.rules.induction.induction import Sample
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

TEXTS = [
    "job <*> started by the scheduler",
    "job <*> finished with status ok",
    "heartbeat received from partner",
    "data TLB error interrupt on <*>",
    "ciod: failed to read message prefix from <*>",
    "generating core.<*>",
]
IDS = [f"t-{at}" for at in range(len(TEXTS))]
TLB, CIOD, CORE = 3, 4, 5

RULES = {
    "TLB": 'def rule(w):\n    """TLB errors of the memory."""\n'
    '    return any(phrase(line.text, "TLB error") for line in w.lines)\n',
    "ciod": 'def rule(w):\n    """Failed reads of ciod."""\n'
    '    return any("failed to read message" in line.text for line in w.lines)\n',
    "normal": 'def rule(w):\n    """Jobs without errors."""\n'
    '    return not any(search("error|failed", line.text) for line in w.lines)\n',
}


def history(n: int = 60, texts: dict[int, str] | None = None) -> tuple[Sample, list[Window]]:
    """Windows of jobs; each fifth holds a TLB error, each seventh a failed read, and cores are
    dumped now and then. The last fifth is the validation slice."""
    sequences, labels, held = [], [], []
    for at in range(n):
        sequence = [0, 2, 1, 0, 2, 1] + [CORE] * (at % 4 == 1)
        bad = TLB if at % 5 == 3 else CIOD if at % 7 == 2 else None
        if bad is not None:
            sequence[3:3] = [bad] * (1 + at % 2)
        sequences.append(sequence)
        labels.append(bad is not None)
        held.append(Window([_line(t, at, i, texts or {}) for i, t in enumerate(sequence)]))
    windows = Windows.of_sequences(sequences)
    return Sample(windows, TEXTS, IDS, np.array(labels), n - n // 5), held


def _line(template: int, at: int, place: int, texts: dict[int, str]) -> Line:
    value = f"R{at % 8:02d}-M{place % 2}" if template in (TLB, CIOD) else str(1000 + 7 * at)
    text = texts.get(template, TEXTS[template]).replace("<*>", value)
    level = 7 if template in (TLB, CIOD) else 3
    return Line(text, 1e9 + 60 * at + place, level, IDS[template], [value], "KERNEL", "")


def subject(prompt: str) -> str:
    """Which rule is asked for: what stands first in the contrast, or a normal one."""
    if "False for all others" not in prompt:
        return "normal"
    tlb, ciod = prompt.find("TLB error"), prompt.find("ciod")
    return "ciod" if tlb < 0 or 0 <= ciod < tlb else "TLB"


def fenced(code: str) -> str:
    return f"Here is the rule:\n```python\n{code}```\n"


def answering(answer: Callable[[str, list[str]], Any]) -> Step:
    """A step that answers by the subject and by the turns after the opening; for a chat that asks
    one question at a time."""

    def step(handler: Handler) -> None:
        turns = [message["content"] for message in handler.server.bodies[-1]["messages"]]
        said = answer(subject(turns[1]), turns[2:])
        body = said if isinstance(said, dict) else completion(said)
        handler.send(200, json.dumps(body).encode())

    return step


def rightly(of: str, _: list[str]) -> str:
    return fenced(RULES[of])
