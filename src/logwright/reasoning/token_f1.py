"""`token_f1`: how well a template tells the parts of a line that vary from those that do not.

Every token of the line is either part of the template or variable; a template is read as saying
which, by the cheapest alignment with the line. R-Log (arXiv 2509.25987) rewards parsing so, on the
word pieces of cased BERT. **Deviation:** the word list of BERT would have to be downloaded, so
tokens are those of BERT's *basic* tokenizer, which comes before the pieces: runs of letters and
digits, with every other character a token of its own. A long word counts once here, several times
there. As released, special characters are dropped and neighbouring `<*>` are one.
"""

from __future__ import annotations

import re

__all__ = ["classes", "token_f1", "tokens"]

WILD = "<*>"
_MISSED = 1.0  # a token that only one side has
_TOKEN = re.compile(r"<\*>|[^\W_]+|_|[^\w\s]")


def tokens(text: str) -> list[str]:
    """Tokens of a line or a template, special characters dropped, `<*><*>` as one.

    >>> tokens("Receiving block blk_<*><*> src: /10.2.0.1")
    ['Receiving', 'block', 'blk', '<*>', 'src', '10', '2', '0', '1']
    """
    found: list[str] = []
    wild_ended = -1
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == WILD:
            # `<*>.<*>` stays two tokens in the text but is one here: what parts them is dropped.
            if not (found and found[-1] == WILD and match.start() - wild_ended <= 1):
                found.append(token)
            wild_ended = match.end()
        elif token.isalnum():
            found.append(token)
    return found


def classes(template: str, line: str) -> list[bool]:
    """For each token of the line, whether the template says that it varies.

    A `<*>` stands for one token or more. What the template does not account for counts as variable:
    it is not in the template.

    >>> classes("Served block <*> to <*>", "Served block blk_1 to 10.2.0.1")
    [False, False, True, True, False, True, True, True, True]
    """
    wanted, given = tokens(template), tokens(line)
    costs = _costs(wanted, given)
    varies = [True] * len(given)
    i, j = len(wanted), len(given)
    while i and j:
        here = costs[i][j]
        wild = wanted[i - 1] == WILD
        if not wild and wanted[i - 1] == given[j - 1] and here == costs[i - 1][j - 1]:
            varies[j - 1] = False
            i, j = i - 1, j - 1
        elif wild and here == costs[i - 1][j - 1]:
            i, j = i - 1, j - 1
        elif (wild and here == costs[i][j - 1]) or here == costs[i][j - 1] + _MISSED:
            j -= 1
        else:
            i -= 1
    return varies


def _costs(wanted: list[str], given: list[str]) -> list[list[float]]:
    """Cost of aligning the first i tokens of the template with the first j of the line."""
    costs = [[_MISSED * j for j in range(len(given) + 1)]]
    for i, token in enumerate(wanted, 1):
        above, row = costs[-1], [_MISSED * i]
        for j, seen in enumerate(given, 1):
            best = min(above[j], row[j - 1]) + _MISSED
            if token == WILD:
                best = min(best, above[j - 1], row[j - 1])
            elif token == seen:
                best = min(best, above[j - 1])
            row.append(best)
        costs.append(row)
    return costs


def token_f1(template: str, truth: str, line: str) -> float:
    """F1 of the tokens that a template says vary, against the true template; of those that stay
    where the truth has nothing that varies. In [0, 1].

    >>> line, truth = "Served block blk_17 to 10.2.0.1", "Served block blk_<*> to <*>"
    >>> token_f1(truth, truth, line)
    1.0
    >>> round(token_f1("Served block <*> to <*>", truth, line), 2), token_f1(line, truth, line)
    (0.91, 0.0)
    """
    said, true = classes(template, line), classes(truth, line)
    positive = any(true)
    hits = sum(s == t == positive for s, t in zip(said, true, strict=True))
    spoken, there = sum(s == positive for s in said), sum(t == positive for t in true)
    # A line of special characters alone has no tokens: then only the same template is right.
    if not true:
        return float(template == truth)
    return 2 * hits / (spoken + there)
