"""Clustering: windows that speak of the same things, so that a model is asked once for each kind.

As in CodeAD (arXiv 2510.22986): of each line its `K_LINE` most frequent tokens, of each window the
k_window = int(ALPHA * L) tokens that are most frequent in what its lines keep, L being the mean
number of lines per window; then hierarchical agglomerative clustering. Ours are the choices that
the paper does not tell: the distance of Jaccard between token sets, average linkage, the cut, and
all constants below. Ours is also that tokens which nearly all windows hold are left out first: the
most frequent words of a window are those of every window, and say nothing of what it is about.

Tokens are those of templates, so a line costs nothing: windows that hold the same templates equally
often are one case, cases with the same tokens one row, and rows are clustered with the number of
their windows as a tie breaker for medoids. Of more than `MOST_ROWS` rows a sample, drawn by weight,
is clustered, and every other row joins the cluster whose medoid is nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.logs.shapes import is_variable
from logwright.rules.induction.candidates import cases_of
from logwright.windows.window import Windows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ALPHA", "K_LINE", "MOST_ROWS", "Clusters", "Space", "clusters", "space"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

K_LINE = 8
ALPHA = 1.0
LEAST_TOKENS, MOST_TOKENS = 8, 256
"""Bounds of k_window: sessions of three lines are not told apart by three words, and a window of
100,000 lines is no vocabulary."""

COMMON = 0.9
"""Share of windows from which on a token tells none of them from others."""

MOST_ROWS = 2000
"""Rows that are compared in pairs: 2,000 take 16 MB and a quarter of a second."""

CUT = 0.5
"""Mean distance from which on two clusters stay apart."""

_BLOCK = 4096
_SEED = 0


@dataclass(frozen=True)
class Space:
    """Windows as sets of tokens: `rows` (distinct sets by tokens, 0 or 1), the row of each window,
    and the tokens."""

    rows: csr_matrix
    of: Int64s
    tokens: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def distances(self, left: Int64s, right: Int64s) -> Floats:
        """Distances of Jaccard between rows (L) and rows (R): 0 alike, 1 nothing in common.

        >>> windows = Windows.of_sequences([[0], [0, 1], [1], []])
        >>> held = space(windows, ["disk full", "disk ok"])
        >>> held.distances(held.of[:1], held.of).round(2).tolist()
        [[0.0, 0.33, 0.67, 1.0]]
        """
        a, b = self.rows[left], self.rows[right]
        both = np.asarray((a @ b.T).todense(), np.float64)
        sizes_a = np.asarray(a.sum(axis=1), np.float64).reshape(-1, 1)
        sizes_b = np.asarray(b.sum(axis=1), np.float64).reshape(1, -1)
        either = sizes_a + sizes_b - both
        found: Floats = 1.0 - np.divide(both, either, out=np.ones_like(both), where=either > 0)
        return found


@dataclass(frozen=True)
class Clusters:
    """`of`: the cluster of each window, -1 for windows that were not asked for. Clusters are
    numbered from the one with the most windows; `medoids` is a window of each, the one that is
    nearest to all others of its cluster."""

    of: Int64s
    medoids: Int64s

    def __len__(self) -> int:
        return len(self.medoids)

    def members(self, cluster: int) -> Int64s:
        """The windows of a cluster, in order."""
        return np.flatnonzero(self.of == cluster)


def space(windows: Windows, texts: Sequence[str]) -> Space:
    """The windows by their frequent tokens; `texts` are the templates' texts by index.

    >>> sorted(space(Windows.of_sequences([[0], []]), ["took <*> s on node7"]).tokens)
    ['on', 's', 'took']
    """
    from scipy.sparse import csr_matrix

    cases = cases_of(windows)
    mask = np.zeros(len(windows), bool)
    mask[cases.first] = True
    # `select` keeps the order of windows: row r of what follows is the r-th window of the mask.
    owner, template, number = windows.select(mask).counts()
    at = np.cumsum(mask) - 1
    words = _words(windows, texts)
    held = words[template]
    held.data *= np.repeat(number, np.diff(held.indptr))
    sums = csr_matrix(
        (np.ones(len(owner)), owner, np.arange(len(owner) + 1)), shape=(len(owner), len(cases))
    )
    pooled = (sums.T @ held).tocsr() if len(owner) else csr_matrix((len(cases), words.shape[1]))
    weight = np.empty(len(cases))
    weight[at[cases.first]] = np.bincount(cases.of, minlength=len(cases))
    pooled = _telling(pooled, weight)
    lines = len(windows.events) / max(len(windows), 1)
    most = min(max(int(ALPHA * lines), LEAST_TOKENS), MOST_TOKENS)
    rows, row = _distinct(_strongest(pooled, most))
    of = row[at[cases.first]][cases.of] if len(cases) else np.empty(0, np.int64)
    return Space(rows, of.astype(np.int64), tuple(_vocabulary(texts)))


def clusters(
    held: Space, which: Bools | None = None, most: int = 40, most_rows: int = MOST_ROWS
) -> Clusters:
    """Clusters of the windows in `which` (all of them), `most` at most.

    >>> held = space(Windows.of_sequences([[0], [0], [1]]), ["disk full", "link down now"])
    >>> clusters(held).of.tolist()
    [0, 0, 1]
    """
    mask = np.ones(len(held.of), bool) if which is None else which
    asked = np.flatnonzero(mask)
    of = np.full(len(held.of), -1, np.int64)
    if not len(asked):
        return Clusters(of, np.empty(0, np.int64))
    rows, row_of, weight = np.unique(held.of[asked], return_inverse=True, return_counts=True)
    chosen = _sampled(weight, most_rows)
    label, medoid = _linked(held, rows[chosen], weight[chosen], most)
    of_row = np.empty(len(rows), np.int64)
    of_row[chosen] = label
    left = np.setdiff1d(np.arange(len(rows)), chosen)
    for at in range(0, len(left), _BLOCK):
        part = left[at : at + _BLOCK]
        of_row[part] = held.distances(rows[part], rows[chosen][medoid]).argmin(axis=1)
    size = np.bincount(of_row, weight, minlength=len(medoid))
    first = np.full(len(rows), len(asked), np.int64)
    np.minimum.at(first, row_of, np.arange(len(asked)))
    windows = asked[first[chosen[medoid]]]
    order = np.lexsort((windows, -size))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    of[asked] = rank[of_row][row_of]
    return Clusters(of, windows[order])


def _vocabulary(texts: Sequence[str]) -> list[str]:
    """The constant tokens of all templates, sorted."""
    return sorted({token for text in texts for token in _constant(text)})


def _constant(text: str) -> list[str]:
    """A template's tokens that hold neither a parameter nor anything variable, each once."""
    found = dict.fromkeys(text.split())
    return [
        token
        for token in found
        if "<*>" not in token and not is_variable(token.encode("utf-8", "surrogateescape"))
    ]


def _words(windows: Windows, texts: Sequence[str]) -> csr_matrix:
    """Templates by tokens: 1 for the `K_LINE` tokens of each that most lines of all hold."""
    from scipy.sparse import csr_matrix

    place = {token: i for i, token in enumerate(_vocabulary(texts))}
    uses = np.bincount(windows.events.template, minlength=len(texts))
    kept = [[place[token] for token in _constant(text)] for text in texts]
    total = np.zeros(len(place))
    for tokens, n in zip(kept, uses, strict=True):
        total[tokens] += n
    kept = [sorted(sorted(tokens, key=lambda t: (-total[t], t))[:K_LINE]) for tokens in kept]
    starts = np.cumsum([0, *map(len, kept)])
    indices = np.array([token for tokens in kept for token in tokens], np.int64)
    return csr_matrix((np.ones(len(indices)), indices, starts), shape=(len(texts), len(place)))


def _telling(pooled: csr_matrix, weight: Floats) -> csr_matrix:
    """Without the tokens that nearly all windows hold; `weight` is how many a row stands for."""
    from scipy.sparse import diags

    owner = np.repeat(np.arange(pooled.shape[0]), np.diff(pooled.indptr))
    held = np.bincount(pooled.indices, weight[owner], minlength=pooled.shape[1])
    left = (pooled @ diags((held <= COMMON * weight.sum()).astype(np.float64))).tocsr()
    left.eliminate_zeros()
    return left


def _strongest(pooled: csr_matrix, most: int) -> csr_matrix:
    """Each row's `most` largest entries, as ones; among equals the token that fewer rows hold, as
    it tells more."""
    from scipy.sparse import csr_matrix

    owner = np.repeat(np.arange(pooled.shape[0]), np.diff(pooled.indptr))
    common = np.bincount(pooled.indices, minlength=pooled.shape[1])
    order = np.lexsort((pooled.indices, common[pooled.indices], -pooled.data, owner))
    rank = np.arange(len(order)) - pooled.indptr[owner[order]]
    keep = np.sort(order[rank < most])
    keep = keep[np.lexsort((pooled.indices[keep], owner[keep]))]
    starts = np.searchsorted(owner[keep], np.arange(pooled.shape[0] + 1))
    ones = np.ones(len(keep), np.int32)
    return csr_matrix((ones, pooled.indices[keep], starts), shape=pooled.shape)


def _distinct(rows: csr_matrix) -> tuple[csr_matrix, Int64s]:
    """The distinct rows, ordered by what they hold (so that the order of windows does not decide
    among equals), and which of them each row is."""
    keys = [
        tuple(rows.indices[rows.indptr[at] : rows.indptr[at + 1]].tolist())
        for at in range(rows.shape[0])
    ]
    first = {key: at for at, key in enumerate(keys)}
    ordered = sorted(first)
    number = {key: i for i, key in enumerate(ordered)}
    return rows[[first[key] for key in ordered]], np.array([number[key] for key in keys], np.int64)


def _sampled(weight: Int64s, most: int) -> Int64s:
    """Rows that are clustered in pairs: all, or a sample drawn by weight without repeats."""
    if len(weight) <= most:
        return np.arange(len(weight))
    # The keys of Efraimidis and Spirakis: the largest u ** (1 / weight).
    keys = np.log(np.random.default_rng(_SEED).random(len(weight))) / weight
    return np.sort(np.argpartition(-keys, most)[:most])


def _linked(held: Space, rows: Int64s, weight: Int64s, most: int) -> tuple[Int64s, Int64s]:
    """The cluster of each row, from 0 on, and each cluster's medoid as a position in `rows`."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    pairs = held.distances(rows, rows)
    np.fill_diagonal(pairs, 0.0)
    label = np.arange(len(rows))
    if len(rows) > 1:
        tree = linkage(squareform(pairs, checks=False), "average")
        merges = max(int(np.count_nonzero(tree[:, 2] <= CUT)), len(rows) - most)
        label = _merged(tree[:merges, :2].astype(np.int64), len(rows))
    names, label = np.unique(label, return_inverse=True)
    medoids = np.empty(len(names), np.int64)
    for name in range(len(names)):
        mine = np.flatnonzero(label == name)
        medoids[name] = mine[(pairs[np.ix_(mine, mine)] @ weight[mine]).argmin()]
    return label.astype(np.int64), medoids


def _merged(merges: Int64s, n: int) -> Int64s:
    """The cluster of each of `n` rows after some merges, each of two numbers; those from `n` on are
    earlier merges. (`fcluster` cannot cut between merges of the same height.)"""
    root = np.arange(n + len(merges))
    for at in range(len(merges) - 1, -1, -1):
        root[merges[at]] = root[n + at]
    found: Int64s = root[:n]
    return found
