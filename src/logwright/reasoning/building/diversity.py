"""Diversity: which of many texts to keep, so that they repeat each other as little as possible.

A determinantal point process gives a set a weight that grows with how little its members are alike.
The likeliest set is looked for greedily (Chen, Zhang and Zhou 2018, arXiv 1709.05135): each step
takes the text that those before it explain the least. Texts are TF-IDF vectors of words and pairs
of them; their likeness is the cosine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["diverse", "embedded"]

_WORD = re.compile(r"<\*>|[^\W_]+")
_LEAST = 1e-3
"""Of a text this part must be new, as a squared length, or it is as good as taken already."""


def embedded(texts: Sequence[str]) -> csr_array:
    """TF-IDF of words and pairs of words: a row of length 1 for each text.

    >>> rows = embedded(["disk full", "disk full", "link down"])
    >>> (rows @ rows.T).toarray().round(2)[0].tolist()
    [1.0, 1.0, 0.0]
    """
    from scipy.sparse import csr_array

    number: dict[str, int] = {}
    columns: list[int] = []
    counts: list[int] = []
    bounds = [0]
    for text in texts:
        words = [word.lower() for word in _WORD.findall(text)] or [""]
        terms = Counter(words)
        terms.update(f"{one} {two}" for one, two in pairwise(words))
        columns += [number.setdefault(term, len(number)) for term in terms]
        counts += terms.values()
        bounds.append(len(columns))
    at = np.array(columns, np.int64)
    held = np.bincount(at, minlength=len(number))
    rare = np.log((1 + len(texts)) / (1 + held)) + 1
    weight = (1 + np.log(np.array(counts, np.float64))) * rare[at]
    rows = csr_array((weight, at, np.array(bounds)), shape=(len(texts), max(len(number), 1)))
    length = np.sqrt(np.add.reduceat(weight**2, bounds[:-1])) if len(texts) else np.ones(0)
    rows.data /= np.repeat(length, np.diff(bounds))
    return rows


def diverse(texts: Sequence[str], most: int) -> list[int]:
    """The places of at most so many texts, the most telling choice first; the first k are what is
    chosen where k are asked for. Texts that say nothing new are left out.

    >>> diverse(["disk full", "disk full", "link down", "disk full now"], 3)
    [2, 0, 3]
    """
    if not texts or most < 1:
        return []
    rows = embedded(texts)
    many = min(most, len(texts))
    # What the chosen ones explain of each text, a column for each: the rows of the triangular
    # factor of the chosen ones' likeness, which grows by one column a step.
    explained: NDArray[np.float32] = np.zeros((many, len(texts)), np.float32)
    new = np.ones(len(texts))
    # All are as new as each other at first: begin with what is least like the rest.
    first = int(np.argmin(rows @ (rows.T @ np.ones(len(texts)))))
    one = np.zeros(rows.shape[1])
    chosen: list[int] = []
    while len(chosen) < many:
        at = int(np.argmax(new)) if chosen else first
        if new[at] < _LEAST:
            break
        step = len(chosen)
        own = slice(rows.indptr[at], rows.indptr[at + 1])
        one[rows.indices[own]] = rows.data[own]
        like = rows @ one
        one[rows.indices[own]] = 0.0
        mine = explained[:step, at]
        column = (like - mine @ explained[:step]) / np.sqrt(new[at])
        explained[step] = column
        new = np.maximum(new - column**2, 0.0)
        new[at] = -1.0
        chosen.append(at)
        new[chosen] = -1.0
    return chosen
