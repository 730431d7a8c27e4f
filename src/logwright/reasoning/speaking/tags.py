r"""The form a language model answers in: plain text between tags, each of which stands once.

It asks little of a small model, can be cut short, and a reader that wants every tag once cannot be
deceived by tags that a model copied from a log. `parse` and `render` are inverse: what `render`
writes is what models are trained to write.
"""

from __future__ import annotations

import re

from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.material import Material
from logwright.reasoning.speaking.citing import MisfitError, Reader, cite, confidence
from logwright.reasoning.speaking.quotes import disarmed, plain
from logwright.reasoning.task import Task

__all__ = ["NOT_ENOUGH", "TAGS", "TEXT_TASKS", "MisfitError", "cite", "parse", "render"]

TAGS = ("plan", "think", "answer", "lines", "rivals", "confidence")
"""In the order in which they are asked for; a fast answer is `answer` alone."""
TEXT_TASKS = frozenset({Task.INTERPRET, Task.SOLUTION})
"""Tasks whose answer is a text without a verdict."""
NOT_ENOUGH = "not enough evidence"

_UNSURE = 0.5
"""Confidence of an answer that tells none, as fast ones do."""
_PLAN = "Plan: "
_TAG = re.compile(rf"<(/?)({'|'.join(TAGS)})>", re.I)
_END_MARKS = " .:;!*`\"'"


def parse(text: str, task: Task, material: Material) -> Answer:
    """The answer in a model's text. That its citations hold is for `answer.problems` to say: a
    quote that the line does not hold stays as it was written.

    Raises:
        MisfitError: tags are missing, stand twice or cross, or hold what they should not.

    >>> material = Material.of_lines(["all well", "disk full"])
    >>> answer = parse('''<think>It is full [2: "disk full"]</think><answer>abnormal</answer>
    ... <lines>2: disk full</lines><confidence>0.9</confidence>''', Task.ANOMALY, material)
    >>> answer.verdict, answer.citations[0].line, answer.confidence
    ('abnormal', 2, 0.9)
    """
    parts = _parts(text)
    if "answer" not in parts:
        raise MisfitError("there is no <answer>")
    reader = Reader(task, material)
    inner: list[Citation] = []
    said = reader.told(parts["answer"], inner).strip()
    verdict, rest, enough = _verdict(said, task)
    steps = [reader.step(line) for line in parts.get("think", "").split("\n") if line.strip()]
    if plan := " ".join(filter(None, map(str.strip, parts.get("plan", "").split("\n")))):
        steps.insert(0, reader.step(_PLAN + plan))
    citations = [*reader.lines(parts.get("lines", "")), *inner]
    return Answer(
        task=task,
        verdict=verdict,
        text=rest or verdict or NOT_ENOUGH,
        steps=tuple(steps),
        citations=tuple(dict.fromkeys(citations)),
        rivals=tuple(reader.rivals(parts.get("rivals", ""))),
        confidence=confidence(parts["confidence"]) if "confidence" in parts else _UNSURE,
        enough=enough,
    )


def render(answer: Answer, fast: bool = False) -> str:
    """An answer as a model is to write it; `fast` begins with `<answer>` and ends there.

    >>> print(render(Answer(task=Task.ANOMALY, verdict="normal", text="normal", confidence=1,
    ...     citations=(Citation(line=1, quote="all well"),))))
    <think></think>
    <answer>normal</answer>
    <lines>1: all well</lines>
    <confidence>1</confidence>
    """
    said = answer.text
    if answer.task not in TEXT_TASKS or not answer.enough:
        head = answer.verdict if answer.enough else NOT_ENOUGH
        said = head if answer.text.strip() in ("", head) else f"{head}\n{answer.text}"
    said = _out(said)
    if fast:
        cited = "".join(f" {cite(citation)}" for citation in answer.citations)
        return f"<answer>{said}{cited}</answer>"
    steps = list(answer.steps)
    parts = []
    if steps and steps[0].text.startswith(_PLAN):
        plan = _stepped(steps.pop(0)).replace("\n", " ")
        parts.append(f"<plan>{plan.removeprefix(_PLAN)}</plan>")
    think = "\n".join(f"- {line}" for step in steps for line in _stepped(step).split("\n"))
    lines = "\n".join(f"{c.line}: {disarmed(c.quote)}" for c in answer.citations)
    parts += [f"<think>{think}</think>", f"<answer>{said}</answer>", f"<lines>{lines}</lines>"]
    if answer.rivals:
        parts.append("<rivals>" + "\n".join(map(_rival, answer.rivals)) + "</rivals>")
    return "\n".join([*parts, f"<confidence>{answer.confidence:.6g}</confidence>"])


def _parts(text: str) -> dict[str, str]:
    """What stands between the tags. A chat template may have opened `<think>` in the prompt, and a
    stop sequence may have eaten the last closing tag."""
    parts: dict[str, str] = {}
    opened, begin = "", 0
    for at, found in enumerate(tags := list(_TAG.finditer(text))):
        closing, name = bool(found[1]), found[2].lower()
        if not closing:
            if opened:
                raise MisfitError(f"<{name}> stands inside <{opened}>, or </{opened}> is missing")
            if name in parts:
                raise MisfitError(f"<{name}> stands twice: each tag stands once")
            opened, begin = name, found.end()
            continue
        if at == 0 and name == "think":
            opened = name
        if name != opened:
            raise MisfitError(f"</{name}> closes nothing: each tag stands once")
        parts[name] = text[begin : found.start()].strip()
        opened = ""
    if opened in ("answer", "confidence"):
        parts[opened] = text[begin:].strip()
    elif opened:
        raise MisfitError(f"</{opened}> is missing")
    if not tags:
        raise MisfitError("there are no tags in it")
    return parts


def _verdict(said: str, task: Task) -> tuple[str, str, bool]:
    """Verdict, text and whether the evidence is enough."""
    first, _, rest = said.partition("\n")
    head, rest = first.strip().strip("`").strip(), plain(rest.strip())
    low = head.lower().strip(_END_MARKS)
    if low.startswith(NOT_ENOUGH):
        return "", rest or plain(head[len(NOT_ENOUGH) :].strip(_END_MARKS)), False
    if task in TEXT_TASKS:
        return "", plain(said), True
    for allowed in task.verdicts:
        if re.match(rf"{allowed}\b", low):
            more = head[head.lower().find(allowed) + len(allowed) :].strip(_END_MARKS + ",-")
            return allowed, "\n".join(filter(None, (plain(more), rest))), True
    if task.verdicts:
        expected = " or ".join((*task.verdicts, NOT_ENOUGH))
        raise MisfitError(f"<answer> begins with {head!r:.80}: expected {expected}")
    if not head:
        raise MisfitError("<answer> is empty")
    return plain(head), rest, True


def _out(text: str) -> str:
    """Text that holds none of our tags; its lines stay."""
    return "\n".join(disarmed(line) for line in text.split("\n"))


def _stepped(step: Step) -> str:
    lines = (disarmed(line).strip() for line in step.text.split("\n"))
    text = "\n".join(filter(None, lines))
    marks = [mark for mark in map(cite, step.citations) if mark not in text]
    return " ".join(filter(None, (text, *marks)))


def _rival(rival: Rival) -> str:
    told = f"{rival.confidence:.6g} | {disarmed(rival.text)}"
    for name, citations in (("for", rival.supporting), ("against", rival.contradicting)):
        if citations:
            told += f" | {name} " + " ".join(map(cite, citations))
    return told
