"""The vocabulary: from process-local shape codes to template indices, and what is known of each.

Indices ``0..known-1`` are the model's templates as detectors learned them, in the order of their
ids; templates that come up later follow in order of first sight. Ids are stable, indices are not:
they never leave a process. Where a user has merged templates since, several indices show one
template (`templates.learned`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.logs.allowance import Allowance
from logwright.logs.batch import Int32s, Int64s
from logwright.templates.miner import Miner, Template

__all__ = ["Vocabulary"]


class Vocabulary:
    """Templates by index, and the index of every shape code seen in this process."""

    def __init__(self, miner: Miner, templates: Sequence[Template] | None = None) -> None:
        """`templates`: those that are known; the miner's, as detectors know them, if not given."""
        self.miner = miner
        if templates is None:
            ids, templates = miner.learned()
        else:
            ids = [t.id for t in templates]
        self.templates: list[Template] = list(templates)
        self.template_ids = [template.id for template in self.templates]
        self.known = len(self.templates)
        self._ids = list(ids)
        self._index = {name: i for i, name in enumerate(ids)}
        self._of_shape = np.empty(0, np.int32)
        self._hash = np.empty(0, np.uint64)
        self._allowance: Allowance | None = None
        self._folded = -1

    def __len__(self) -> int:
        return len(self.templates)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """A 64-bit number per template, from the id under which detectors know it: the same in
        every process."""
        if len(self._hash) < len(self._ids):
            more = [int(name[2:], 16) for name in self._ids[len(self._hash) :]]
            self._hash = np.concatenate((self._hash, np.array(more, np.uint64)))
        return self._hash

    def learn_shapes(self, codes: Int32s, keys: NDArray[np.uint64]) -> None:
        """Enter shape codes whose keys the miner has grouped."""
        self._enter(codes, self.miner.learned_of(keys))

    def expect(self, folded: tuple[NDArray[np.uint64], bytes], allowance: Allowance) -> int:
        """From now on take in only as many new templates as are allowed; the shapes of others get
        the template of a line that is given, whose index it returns."""
        key, content = folded
        self._folded = self._add(*self.miner.meet((int(key[0, 0]), int(key[0, 1])), content))
        self._allowance = allowance
        return self._folded

    def meet_shapes(
        self,
        codes: Int32s,
        keys: NDArray[np.uint64],
        contents: Sequence[bytes],
        lines: Int64s | None = None,
    ) -> None:
        """Enter shape codes met while detecting: known shapes by their group, new ones by
        `Miner.meet`, which looks at nothing but the frozen groups and the shape itself. `lines` say
        when they were met, so that new templates are held to what is allowed."""
        found = self.miner.learned_of(keys)
        met: dict[int, int] = {}  # a shape comes with several lines
        for at in np.flatnonzero(found < 0).tolist():
            code = int(codes[at])
            if code not in met:
                key = (int(keys[at, 0]), int(keys[at, 1]))
                line = None if lines is None else int(lines[at])
                met[code] = self._meet(code, key, contents[at], line)
            found[at] = met[code]
        self._enter(codes, found)

    def _meet(self, code: int, key: tuple[int, int], content: bytes, line: int | None) -> int:
        if line is not None and code < len(self._of_shape) and self._of_shape[code] >= 0:
            return int(self._of_shape[code])
        name, template = self.miner.meet(key, content)
        if self._allowance is None or line is None or name in self._index:
            return self._add(name, template)
        return self._add(name, template) if self._allowance.take(line, 1) else self._folded

    def fold(self, codes: Int32s) -> None:
        """Enter shapes that were met before, and were not allowed a template then; those that are
        known by now stay what they are."""
        new = codes[self.of(codes) >= self.known]
        self._enter(new, np.full(len(new), self._folded, np.int32))

    def _add(self, name: str, template: Template) -> int:
        at = self._index.get(name)
        if at is None:
            at = self._index[name] = len(self.templates)
            self.templates.append(template)
            self.template_ids.append(template.id)
            self._ids.append(name)
        return at

    def _enter(self, codes: Int32s, templates: Int32s) -> None:
        if not len(codes):
            return
        room = int(codes.max()) + 1
        if room > len(self._of_shape):
            grown = np.full(max(room, 2 * len(self._of_shape)), -1, np.int32)
            grown[: len(self._of_shape)] = self._of_shape
            self._of_shape = grown
        self._of_shape[codes] = templates

    def matching(self, pattern: str) -> Callable[[Int32s], NDArray[np.bool_]]:
        """A function that tells which template indices have a text that the expression finds."""
        regex = re.compile(pattern)
        known: list[bool] = []

        def match(templates: Int32s) -> NDArray[np.bool_]:
            known.extend(bool(regex.search(t.text)) for t in self.templates[len(known) :])
            return np.array(known, bool)[templates] if known else np.zeros(len(templates), bool)

        return match

    def of(self, codes: Int32s) -> Int32s:
        """Template indices of shape codes, which must have been entered."""
        return self._of_shape[codes]
