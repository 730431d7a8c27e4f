"""Table: windows with their lines, for induction, backtests and tests, where no batch is at hand.

Lines that are equal but for their time are held once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logwright.logs.batch import Int32s, Int64s
from logwright.rules.engine.combine import Floats, seconds
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

__all__ = ["Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Window ``i`` owns the lines ``bounds[i]:bounds[i + 1]``; `code` says which of the distinct
    `lines` (whose own times do not count) each is, `ts` its time in seconds."""

    bounds: Int64s
    lines: tuple[Line, ...]
    code: Int32s
    ts: Floats
    keys: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @staticmethod
    def of_windows(windows: Sequence[Window]) -> Table:
        """From windows as rules see them.

        >>> table = Table.of_windows([Window.of_texts(["a", "b", "a"], key="k")])
        >>> len(table), table.code.tolist(), table.window(0).lines[1].text
        (1, [0, 1, 0], 'b')
        """
        known: dict[tuple[object, ...], int] = {}
        lines: list[Line] = []
        code: list[int] = []
        for window in windows:
            for line in window.lines:
                same = (
                    line.text, line.level, line.template, line.params, line.component, line.host
                )  # fmt: skip
                if same not in known:
                    known[same] = len(lines)
                    lines.append(line)
                code.append(known[same])
        sizes = [len(window.lines) for window in windows]
        return Table(
            np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64),
            tuple(lines),
            np.array(code, np.int32),
            np.array([line.ts for window in windows for line in window.lines], np.float64),
            tuple(window.key for window in windows),
        )

    @staticmethod
    def of_templates(
        windows: Windows, texts: Sequence[str], ids: Sequence[str], keys: Sequence[str] = ()
    ) -> Table:
        """From windows of template indices whose lines are not at hand: a line's text is its
        template's text. `keys` are names of the windows, their numbers if not given."""
        events = windows.events
        pairs = (events.template.astype(np.int64) << 8) | events.level
        distinct, code = np.unique(pairs, return_inverse=True)
        lines = tuple(
            Line(texts[pair >> 8], level=pair & 255, template=ids[pair >> 8])
            for pair in distinct.tolist()
        )
        named = tuple(keys) or tuple(str(key) for key in windows.key.tolist())
        return Table(windows.bounds, lines, code.astype(np.int32), seconds(events.ts), named)

    def window(self, i: int) -> Window:
        """Window `i` as rules see it."""
        span = slice(int(self.bounds[i]), int(self.bounds[i + 1]))
        pairs = zip(self.code[span].tolist(), self.ts[span].tolist(), strict=True)
        return Window([_at(self.lines[code], ts) for code, ts in pairs], self.keys[i])


def _at(line: Line, ts: float) -> Line:
    return Line(line.text, ts, line.level, line.template, line.params, line.component, line.host)
