"""What may be spent, and what was: prices, the budget, and the account that keeps both.

Before a request leaves, its worst case (a bound on the tokens of the prompt, and all of max_tokens)
is reserved; an answer replaces the reservation by what the server says it used. A request whose
fate is unknown (cut off, too late, unreadable) stays charged with its worst case, since it may
have been billed. So the sum of all charges exceeds a budget only where a server says it used more
than it was allowed to, which is told. Money is decimal: no rounding, however many requests.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from decimal import Decimal

from logwright.errors import SettingsError
from logwright.llm.errors import BudgetError
from logwright.llm.reply import Usage
from logwright.llm.request import Request

__all__ = ["Account", "Budget", "Charge", "Price", "Spending"]

_BUDGET = re.compile(r"(\$?)\s?(\d{1,12}(?:\.\d{1,9})?)\s?(usd|tokens?|)", re.ASCII | re.I)
_PRICE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?/\s?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens in and out."""

    prompt: Decimal
    completion: Decimal

    @classmethod
    def parse(cls, text: str) -> Price:
        """
        >>> Price.parse("0.15/0.60").of(1_000_000, 500_000)
        Decimal('0.45000000')
        """
        match = _PRICE.fullmatch(text.strip())
        if match is None:
            raise SettingsError(
                f"A price is IN/OUT in US dollars for a million tokens, such as 0.15/0.60, not "
                f"{text[:40]!r}."
            )
        return cls(Decimal(match[1]), Decimal(match[2]))

    def of(self, prompt: int, completion: int) -> Decimal:
        """Dollars for so many tokens."""
        return (self.prompt * prompt + self.completion * completion).scaleb(-6)

    def most_of(self, tokens: int) -> Decimal:
        """Dollars for so many tokens at most, whichever way they went.

        >>> Price.parse("1/4").most_of(1_000_000)
        Decimal('4.000000')
        """
        return (max(self.prompt, self.completion) * tokens).scaleb(-6)


@dataclass(frozen=True)
class Budget:
    """A most of dollars, or of tokens in and out together."""

    usd: Decimal | None = None
    tokens: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """
        >>> Budget.parse("4usd"), Budget.parse("100000 tokens")
        (Budget(usd=Decimal('4'), tokens=None), Budget(usd=None, tokens=100000))
        """
        match = _BUDGET.fullmatch(text.strip())
        unit = match[3].lower() or ("usd" if match[1] else "") if match else ""
        if match is not None and unit == "usd":
            return cls(usd=Decimal(match[2]))
        if match is not None and unit and not match[1] and "." not in match[2]:
            return cls(tokens=int(match[2]))
        raise SettingsError(
            f"A budget is a number of dollars or tokens, such as 4usd or 100000tokens, not "
            f"{text[:40]!r}."
        )


@dataclass(frozen=True)
class Charge:
    """What one request is charged with; dollars are unknown without a price."""

    tokens: int
    usd: Decimal | None


@dataclass(frozen=True)
class Spending:
    """What a run has asked and paid; `earlier` is what runs before it are charged with, in the same
    journal, with `earlier_lost` requests whose answer never came."""

    calls: int
    kept: int
    prompt: int
    completion: int
    usd: Decimal | None
    estimated: int
    lost: int
    earlier: Charge
    beyond: int
    earlier_lost: int = 0

    @property
    def so_far(self) -> str:
        """What is charged, in one figure.

        >>> Spending(2, 1, 1200, 80, None, 0, 0, Charge(0, None), 0).so_far
        '1,280 tokens'
        """
        if self.usd is None:
            return f"{self.prompt + self.completion:,} tokens"
        return f"{self.usd:.4f} usd"

    def told(self) -> str:
        """One line for people.

        >>> Spending(2, 1, 1200, 80, Decimal("0.5"), 1, 0, Charge(0, None), 0).told()
        '2 calls, 1 answer already known, 1,200 tokens in, 80 out (1 estimated), 0.5000 usd'
        """
        told = [f"{self.calls} call{'s' * (self.calls != 1)}"]
        if self.kept:
            told.append(f"{self.kept} answer{'s' * (self.kept != 1)} already known")
        marked = f" ({self.estimated} estimated)" if self.estimated else ""
        told.append(f"{self.prompt:,} tokens in, {self.completion:,} out{marked}")
        if self.usd is not None:
            told.append(f"{self.usd:.4f} usd")
        if self.earlier.tokens:
            usd = "" if self.earlier.usd is None else f" for {self.earlier.usd:.4f} usd"
            lost = f" ({self.earlier_lost} without an answer)" if self.earlier_lost else ""
            told.append(f"{self.earlier.tokens:,} tokens{usd} in earlier runs{lost}")
        if self.lost:
            told.append(f"{self.lost} without an answer, charged in full")
        if self.beyond:
            told.append(f"{self.beyond:,} tokens more than were allowed, by the server's word")
        return ", ".join(told)


class Account:
    """Reservations and charges of a run; safe to use from several threads.

    >>> account = Account(Budget.parse("100tokens"), None)
    >>> held = account.reserve(Request("m", (("user", "hi"),), 10))
    >>> account.settle(held, Usage(prompt=3, completion=4)).tokens
    7
    >>> account.reserve(Request("m", (("user", "hi"),), 50))
    Traceback (most recent call last):
    logwright.llm.errors.BudgetError: The budget of 100 tokens does not allow the next request: \
7 are spent, and it may take 132 more.
    """

    def __init__(self, budget: Budget | None, price: Price | None) -> None:
        if budget is not None and budget.usd is not None and price is None:
            raise SettingsError(
                "A budget in usd needs the model's price: give it as --price IN/OUT in US dollars "
                "for a million tokens, or a budget in tokens."
            )
        self._budget = budget or Budget()
        self._price = price
        self._lock = threading.Lock()
        self._held = Charge(0, None if price is None else Decimal(0))
        self._earlier, self._earlier_lost = Charge(0, None), 0
        self._calls = self._kept = self._estimated = self._lost = self._beyond = 0
        self._prompt = self._completion = 0
        self._usd = None if price is None else Decimal(0)

    def before(self, earlier: Charge, lost: int = 0) -> None:
        """Counts what earlier runs of the same work were charged with, `lost` requests that have
        no answer among it."""
        with self._lock:
            self._earlier, self._earlier_lost = earlier, lost
            self._held = _sum(self._held, earlier)

    def reserve(self, request: Request) -> Charge:
        """Holds the worst case of a request, or raises `BudgetError` and holds nothing."""
        worst = self._charge(*request.most_tokens)
        with self._lock:
            self._check(worst)
            self._held = _sum(self._held, worst)
        return worst

    def owed(self, request: Request) -> Charge:
        """Holds the worst case of a request that was answered already, whatever the budget."""
        worst = self._charge(*request.most_tokens)
        with self._lock:
            self._held = _sum(self._held, worst)
        return worst

    def settle(self, held: Charge, usage: Usage) -> Charge:
        """An answer came: what it is charged with. Where usage had to be estimated, what is held
        stays charged, since reasoning that was not shown may have been billed."""
        told = self._charge(usage.prompt, usage.completion)
        charged = held if usage.estimated else told
        with self._lock:
            self._held = _sum(self._held, held, -1)
            self._held = _sum(self._held, charged)
            self._calls += 1
            self._estimated += usage.estimated
            self._prompt += usage.prompt
            self._completion += usage.completion
            self._beyond += max(charged.tokens - held.tokens, 0)
            if self._usd is not None and charged.usd is not None:
                self._usd += charged.usd
        return charged

    def free(self, held: Charge) -> None:
        """The server refused the request, or it never left: nothing is charged."""
        with self._lock:
            self._held = _sum(self._held, held, -1)

    def lose(self, held: Charge) -> None:
        """Nobody knows whether the request was billed: its worst case stays charged."""
        with self._lock:
            self._lost += 1
            if self._usd is not None and held.usd is not None:
                self._usd += held.usd

    def known(self) -> None:
        """Counts an answer that cost nothing, since it was there."""
        with self._lock:
            self._kept += 1

    @property
    def spending(self) -> Spending:
        with self._lock:
            return Spending(
                self._calls,
                self._kept,
                self._prompt,
                self._completion,
                self._usd,
                self._estimated,
                self._lost,
                self._earlier,
                self._beyond,
                self._earlier_lost,
            )

    @property
    def charged(self) -> Charge:
        """All that is charged or held, earlier runs included."""
        return self._held

    def _charge(self, prompt: int, completion: int) -> Charge:
        usd = None if self._price is None else self._price.of(prompt, completion)
        return Charge(prompt + completion, usd)

    def _check(self, worst: Charge) -> None:
        most, held = self._budget, self._held
        if most.tokens is not None and held.tokens + worst.tokens > most.tokens:
            raise BudgetError(
                f"The budget of {most.tokens:,} tokens does not allow the next request: "
                f"{held.tokens:,} are spent, and it may take {worst.tokens:,} more."
            )
        spent, more = held.usd or Decimal(0), worst.usd or Decimal(0)
        if most.usd is not None and spent + more > most.usd:
            raise BudgetError(
                f"The budget of {most.usd} usd does not allow the next request: {spent:.4f} usd "
                f"are spent, and it may cost {more:.4f} usd more."
            )


def _sum(a: Charge, b: Charge, sign: int = 1) -> Charge:
    usd = None if a.usd is None else a.usd + sign * (b.usd or Decimal(0))
    return Charge(a.tokens + sign * b.tokens, usd)
