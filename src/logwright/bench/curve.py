"""The curve of F1 against questions, as a picture (SVG) for the docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["drawn"]

_WIDTH, _HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 24, 48
_COLORS = ("#1668c7", "#c2410c", "#15803d")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.grid{stroke:#d0d7de}"
    "@media(prefers-color-scheme:dark){text{fill:#d0d7de}.grid{stroke:#444c56}}"
)


def drawn(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One line for each data set; a point is F1 with so many answers.

    >>> drawn({"hdfs": [{"questions": 0, "f1": 0.5}, {"questions": 9, "f1": 0.9}]}).count("<circle")
    2
    """
    most = max((p["questions"] for points in curves.values() for p in points), default=0) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="F1 against questions answered">',
        f"<style>{_STYLE}</style>",
    ]
    for f1 in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        y = _y(f1)
        parts.append(f'<path class="grid" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{f1:.1f}</text>')
    step = max(round(most / 6, -1), 10) if most > 20 else 5
    for number in range(0, int(most) + 1, int(step)):
        parts.append(
            f'<text x="{_x(number, most)}" y="{_HEIGHT - 26}" text-anchor="middle">{number}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">'
        "F1 by the number of questions answered</text>"
    )
    for i, (name, points) in enumerate(curves.items()):
        color = _COLORS[i % len(_COLORS)]
        at = [(_x(p["questions"], most), _y(p["f1"])) for p in points]
        line = " ".join(f"{x},{y}" for x, y in at)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>' for x, y in at]
        last = points[-1]
        told = escape(f"{name}: {last['f1']:.4g} with {last['questions']}")
        y = _y(0.3) + 20 * i
        parts.append(f'<rect x="{_WIDTH - 250}" y="{y - 9}" width="18" height="4" fill="{color}"/>')
        parts.append(f'<text x="{_WIDTH - 224}" y="{y}">{told}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(questions: float, most: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * questions / most, 1)


def _y(f1: float) -> float:
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * f1, 1)
