"""The seal: what only the test part holds has no text until test windows are scored.

Indices of templates that are new are no secret, their words are: a method that learns from them
has seen the test part. A method gets texts and vocabulary with a seal on both. Open from the first
are those of the windows it is given, history and validation; `Seal.open` opens the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, overload

import numpy as np
from numpy.typing import NDArray

from logwright.bench.parts import LeakError
from logwright.bench.protocol import Listed
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Seal", "Texts"]


def _closed() -> NoReturn:
    raise LeakError(
        "the text of a template that training never held was read before test windows were scored: "
        "read texts[:known], and of the others those of the windows that are scored"
    )


class Seal:
    """Keeps the texts closed that none of these windows holds.

    >>> seal = Seal([Windows.of_sequences([[0]])], 2)
    >>> texts = seal.texts(["disk ok", "disk failed"])
    >>> texts[0]
    'disk ok'
    >>> texts[1]
    Traceback (most recent call last):
    ...
    logwright.bench.parts.LeakError: the text of a template that training never held was read \
before test windows were scored: read texts[:known], and of the others those of the windows that \
are scored
    >>> seal.open()
    >>> list(texts)
    ['disk ok', 'disk failed']
    """

    def __init__(self, given: Sequence[Windows], size: int) -> None:
        """`size`: how many templates there are."""
        self._held = np.zeros(size, bool)
        for windows in given:
            self._held[windows.events.template] = True
        self._on_open: list[Callable[[], None]] = []

    def open(self) -> None:
        """From now on all texts may be read."""
        self._held[:] = True
        for act in self._on_open:
            act()

    def texts(self, texts: Sequence[str]) -> Texts:
        """These texts, under the seal."""
        return Texts(texts, self._held)

    def vocabulary(self, vocabulary: Vocabulary) -> Vocabulary:
        """The same vocabulary; templates under the seal have an id, and no text, types or parts.

        >>> from logwright.bench.hdfs import EventIds
        >>> seal = Seal([Windows.of_sequences([[0]])], 2)
        >>> sealed = seal.vocabulary(EventIds(2))
        >>> sealed.templates[0].text
        'event'
        >>> sealed.templates[1].text
        Traceback (most recent call last):
        ...
        logwright.bench.parts.LeakError: the text of a template that training never held was read \
before test windows were scored: read texts[:known], and of the others those of the windows that \
are scored
        >>> seal.open()
        >>> sealed.templates[1].text
        'event'
        """
        whole = vocabulary.templates
        shown = [
            template if held else _Closed(list(template.members))
            for template, held in zip(whole, self._held[: len(whole)].tolist(), strict=True)
        ]
        sealed = Listed(vocabulary.hashes, shown)
        # In place: a method may have kept the list itself.
        self._on_open.append(lambda: sealed.templates.__setitem__(slice(None), whole))
        return sealed


class _Closed(Template):
    """Stands for a template whose text may not be read yet."""

    def _worded(self) -> NoReturn:
        _closed()


class Texts(Sequence[str]):
    """The templates' texts by index, of which some are closed."""

    def __init__(self, texts: Sequence[str], held: NDArray[np.bool_]) -> None:
        self._texts, self._held = texts, held

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if not np.all(self._held[at]):
            _closed()
        return self._texts[at]
