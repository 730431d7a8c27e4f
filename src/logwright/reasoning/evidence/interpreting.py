"""Interpretation: what the lines tell, in order: what is talking, what it does, what goes wrong and
what that means, and how it ends. Nothing is said that no line says or that is not known of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.evidence.scene import Happening, Scene, cite, long, message, numbers, times
from logwright.reasoning.evidence.subjects import component, deed, things
from logwright.reasoning.evidence.vendor import Vendor
from logwright.reasoning.knowledge import Known
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

__all__ = ["answer"]

_FEW = 6
_TOLD = 4
_SAMPLE = 200

_SOURCE = re.compile(
    r"(?<![\w.])([a-z][\w-]*(?:\.[\w$-]+)*\.[A-Z][\w$]*|[A-Za-z][\w./-]*(?=\[\d+\]:)"
    r"|(?<=\[)[a-z_]{2,}(?=:[a-z]+\d?\] )|[A-Z][A-Za-z]+(?:\.[A-Z]\w+)+)(?![\w(])"
)
_ACTORS = (
    ("address", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])")),
    ("block", re.compile(r"\bblk_-?\d+")),
    ("container", re.compile(r"\bcontainer_\w+")),
    ("request", re.compile(r"\breq(?:uest)?[-_]?(?:id)?[-=:_ ]\"?[0-9a-f-]{6,}", re.I)),
    ("file", re.compile(r"(?<![\w/])(?:/[\w.+-]+){2,}|\b[A-Z]:(?:[/\\][\w.-]+){2,}")),
)


def answer(material: Material, options: Options) -> Answer:
    """What the lines say.

    >>> material = Material.of_lines(["app started", "app: No space left on device"])
    >>> said = answer(material, Options())
    >>> print(said.text)
    2 lines. It begins with "app started" (line 1). What goes wrong: "app: No space left on \
device" (line 2). A file system cannot take another byte (or has no inode left).
    """
    scene = Scene.of(material, options.healthy)
    parts = [*_setting(scene), *_course(scene), *_trouble(scene), *_end(scene)]
    wrong = [cite(material, _line(scene, happening)) for happening in _gravest(scene)]
    every = wrong + [citation for step in parts for citation in step.citations]
    return Answer(
        task=Task.INTERPRET,
        verdict="",
        text=" ".join(step.text for step in parts),
        steps=() if options.fast else tuple(parts),
        citations=tuple(dict.fromkeys(every))[: 2 * _FEW],
        confidence=0.8 if any(happening.known for happening in scene.wrong) else 0.5,
        strategy="interpret-procedural" if wrong else "interpret-conceptual",
    )


def _setting(scene: Scene) -> list[Step]:
    """What is talking, how much, how long, about what."""
    many = len(scene.material)
    if many == 1:
        return _single(scene)
    told = [happening.first for happening in scene.happenings]
    seconds = scene.seconds(min(told), max(happening.last for happening in scene.happenings))
    text = f"{many:,} lines"
    if seconds is not None and seconds > 0:
        text += f" over {long(seconds)}"
    cited = [min(told)]
    sources = _common(scene, _SOURCE)
    if sources:
        text += " from " + ", ".join(name for name, _ in sources[:2])
        cited += [line for _, line in sources[:2]]
    actors = []
    for kind, pattern in _ACTORS:
        for name, line in _common(scene, pattern)[:1]:
            actors.append(f"{kind} {name}")
            cited.append(line)
    if actors:
        text += ", about " + ", ".join(actors[:3])
    return [Step(text=text + ".", citations=_cites(scene, cited))]


def _single(scene: Scene) -> list[Step]:
    """Who writes the only line there is, what it is about, and what it says is done."""
    said = message(scene.material.text(1))
    writers = [name for name, _ in _common(scene, _SOURCE)[:1]] or [component(said)]
    text = "One line" + f" from {writers[0]}" * bool(writers[0])
    body = said[said.find(writers[0]) + len(writers[0]) :].removeprefix(":").strip()
    if named := things(body):
        text += ", about " + ", ".join(named)
    done = deed(body)
    if done and len(done) < len(said):
        text += f': "{done}" (line 1)'
    if text == "One line":
        return []
    return [Step(text=text + ".", citations=_cites(scene, [1]))]


def _course(scene: Scene) -> list[Step]:
    """What happens, in order: all of it where it is little, else how it begins."""
    told = [happening for happening in scene.happenings if not happening.frame]
    plain = [happening for happening in told if not happening.wrong and not happening.recovery]
    if not plain:
        return []
    if len(told) <= _FEW:
        words = [_said(scene, happening) for happening in plain]
        text = f"It begins with {words[0]}" if len(words) == 1 else "In order: " + "; ".join(words)
        if len(told) == 1:
            text = f"It says {words[0]}"
        return [Step(text=text + ".", citations=_cites(scene, [one.first for one in plain]))]
    often = max(plain, key=lambda happening: happening.count)
    text = f"It begins with {_said(scene, told[0])}"
    cited = [told[0].first]
    if often.count > 1 and often is not told[0]:
        text += f"; most often it says {_said(scene, often)}"
        cited.append(often.first)
    return [Step(text=text + ".", citations=_cites(scene, cited))]


def _trouble(scene: Scene) -> list[Step]:
    """What goes wrong, the gravest first, and what it means."""
    gravest = _gravest(scene)
    if not gravest:
        told = [happening.first for happening in scene.happenings]
        line = min(told)
        text = "Nothing goes wrong in these lines, as far as their words tell."
        return [Step(text=text, citations=_cites(scene, [line]))]
    steps = []
    explained: set[str] = set()
    for at, happening in enumerate(gravest):
        line = _line(scene, happening)
        lead = "What goes wrong: " if at == 0 else "Also: "
        text = lead + _said(scene, replace(happening, first=line)) + "."
        known = [one for one in _known(happening) if one.name not in explained][:2]
        explained.update(one.name for one in known)
        text += "".join(" " + one.meaning for one in known)
        vendor = Vendor.of(scene.material.text(line))
        if vendor is not None:
            text += f" The device grades it {vendor.digit} ({vendor.means})."
        steps.append(Step(text=text, citations=_cites(scene, [line])))
    rest = len([one for one in scene.wrong if not one.frame]) - len(gravest)
    if rest > 0:
        more = [one.first for one in scene.wrong if one not in gravest][:2]
        text = f"{rest} more kinds of line tell of trouble, such as {numbers(more)}."
        steps.append(Step(text=text, citations=_cites(scene, more)))
    return steps


def _end(scene: Scene) -> list[Step]:
    """Whether it ends well."""
    for happening in _gravest(scene)[:1]:
        well = scene.over(happening)
        if well is not None:
            after = scene.seconds(happening.first, well.last)
            later = f", {long(after)} later" if after is not None and after > 0 else ""
            words = f'"{message(scene.material.text(well.last))}"'
            text = f"It is well again{later}: {words} (line {well.last})."
            return [Step(text=text, citations=_cites(scene, [well.last]))]
        if happening.count > 1 and happening.last != happening.first:
            span = scene.seconds(happening.first, happening.last)
            lasts = f" over {long(span)}" if span else ""
            text = f"It recurs{lasts}, to line {happening.last}."
            return [Step(text=text, citations=_cites(scene, [happening.last]))]
    return []


def _gravest(scene: Scene) -> list[Happening]:
    """A few of what goes wrong, in the order of the lines; no two that are known by one name."""
    kept: list[Happening] = []
    names: set[str] = set()
    for happening in scene.wrong:
        known = {one.name for one in _known(happening)}
        if known and known <= names:
            continue
        names |= known
        kept.append(happening)
    return sorted(kept[:_TOLD], key=lambda happening: happening.first)


def _known(happening: Happening) -> list[Known]:
    return [known for known in happening.known if not known.recovery]


def _line(scene: Scene, happening: Happening) -> int:
    """The line to show for a happening: where it is known by a value, the one that holds it."""
    shape = scene.columns.shape
    for known in _known(happening):
        for line in scene.seen.lines_of(known)[:_SAMPLE].tolist():
            if shape[line - 1] == shape[happening.first - 1]:
                return int(line)
    return happening.first


def _said(scene: Scene, happening: Happening) -> str:
    words = message(scene.material.text(happening.first))
    often = f", {times(happening.count)}" if happening.count > 1 else ""
    return f'"{words}" (line {happening.first}{often})'


def _common(scene: Scene, pattern: re.Pattern[str]) -> list[tuple[str, int]]:
    """What a pattern finds most often, with the first line of each."""
    count: Counter[str] = Counter()
    first: dict[str, int] = {}
    many = len(scene.material)
    # An even sample of a long material: names that matter stand in many lines.
    for at in range(0, many, max(1, many // _SAMPLE)):
        for name in set(pattern.findall(scene.material.lines[at][:400])):
            count[name] += 1
            first.setdefault(name, at + 1)
    return [(name, first[name]) for name, _ in count.most_common(2)]


def _cites(scene: Scene, lines: list[int]) -> tuple[Citation, ...]:
    return tuple(cite(scene.material, line) for line in dict.fromkeys(lines))
