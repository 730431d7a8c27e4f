"""Money: no order of requests spends more than the budget, and unknown prices are not guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_server import half, right, serving, status
from logwright.errors import SettingsError
from logwright.llm import Ask, BudgetError, ModelAnswerError, open_chat, user
from logwright.llm.budget import Account, Budget, Charge, Price
from logwright.llm.journal import Journal
from logwright.llm.patience import Patience
from logwright.llm.reply import Reply, Usage
from logwright.llm.request import Request

QUICK = Patience(tries=2, base=0.001, timeout=5, deadline=10)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("4usd", Budget(usd=Decimal(4))),
        ("$0.50", Budget(usd=Decimal("0.50"))),
        ("2.5 USD", Budget(usd=Decimal("2.5"))),
        ("100000tokens", Budget(tokens=100_000)),
        ("1 token", Budget(tokens=1)),
    ],
)
def test_budgets_are_dollars_or_tokens(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "4", "4eur", "-1usd", "1.5tokens", "$4tokens", "nan usd"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="4usd"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["1", "a/b", "1/2/3", "-1/2", "inf/1"])
def test_other_prices_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="IN/OUT"):
        Price.parse(text)


def test_dollars_without_a_price_are_one_sentence() -> None:
    with pytest.raises(SettingsError, match="--price IN/OUT"):
        open_chat("http://localhost/v1", "m", budget="4usd")


steps = st.lists(
    st.tuples(
        st.sampled_from(["settle", "free", "lose", "estimated"]),
        st.text(max_size=30),
        st.integers(1, 200),
        st.floats(0, 1),
    ),
    max_size=30,
)


@given(steps, st.integers(0, 2_000))
def test_no_order_of_outcomes_exceeds_the_budget(steps: list, most: int) -> None:
    budget, price = Budget(usd=Decimal(most) / 1_000_000), Price(Decimal(1), Decimal(2))
    account = Account(budget, price)
    charged = Decimal(0)
    for outcome, text, max_tokens, part in steps:
        request = Request("m", (("user", text),), max_tokens)
        try:
            held = account.reserve(request)
        except BudgetError:
            continue
        prompt, completion = request.most_tokens
        usage = Usage(
            prompt=int(prompt * part),
            completion=int(completion * part),
            estimated=outcome == "estimated",
        )
        if outcome in ("settle", "estimated"):
            charged += account.settle(held, usage).usd
        elif outcome == "free":
            account.free(held)
        else:
            account.lose(held)
            charged += held.usd
        assert account.charged.usd == charged <= budget.usd
    assert account.spending.usd == charged


@given(st.text())
def test_the_bound_of_a_prompt_is_at_least_its_bytes(text: str) -> None:
    prompt, _ = Request("m", (("user", text),), 1).most_tokens
    assert prompt >= len(text.encode("utf-8", "replace"))


def test_the_budget_stops_before_the_request_that_might_exceed_it() -> None:
    with serving(right()) as server, open_chat(server.url, "m", budget="300tokens") as chat:
        for n in range(7):  # 90 tokens in at most, 50 out; 25 are used
            chat.ask([user(f"question {n}")], max_tokens=50, purpose="a test")
        with pytest.raises(BudgetError, match="300 tokens"):
            chat.ask([user("question 7")], max_tokens=50, purpose="a test")
        assert chat._account.charged.tokens == 175
    assert len(server.bodies) == 7


def test_parallel_requests_share_one_budget() -> None:
    with (
        serving(right()) as server,
        open_chat(server.url, "m", budget="300tokens", parallel=4) as chat,
    ):
        with pytest.raises(BudgetError):
            chat.ask_many([Ask([user(f"question {n}")], 50, "a test") for n in range(20)])
        assert chat._account.charged.tokens <= 300
        assert len(server.bodies) == chat.spending.calls


def test_an_attempt_of_unknown_fate_stays_charged() -> None:
    with (
        serving(half, right()) as server,
        open_chat(server.url, "m", price="1/1", patience=QUICK) as chat,
    ):
        chat.ask([user("why?")], max_tokens=50, purpose="a test")
        spending = chat.spending
    assert spending.lost == 1
    assert spending.usd > Decimal("0.000050")
    assert "charged in full" in spending.told()


def test_a_refused_attempt_is_not_charged() -> None:
    with (
        serving(status(500)) as server,
        open_chat(server.url, "m", budget="200tokens", patience=QUICK) as chat,
    ):
        with pytest.raises(ModelAnswerError):
            chat.ask([user("why?")], max_tokens=50, purpose="a test")
        assert chat._account.charged.tokens == 0


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "many",
        {},
        {"prompt_tokens": -5, "completion_tokens": 3},
        {"prompt_tokens": "20", "completion_tokens": 5},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 1e300, "completion_tokens": True},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
    ],
)
def test_usage_that_makes_no_sense_is_estimated_and_charged_at_its_worst(usage: object) -> None:
    with (
        serving(right("fine", usage)) as server,
        open_chat(server.url, "m", price="1/1") as chat,
    ):
        answer = chat.ask([user("why?")], max_tokens=50, purpose="a test")
        assert "1 estimated" in chat.spending.told()
    assert answer.usage.estimated
    assert 0 < answer.usage.completion <= 50
    assert answer.cost >= Decimal("0.000050")


def test_what_the_server_used_beyond_its_limit_is_told() -> None:
    usage = {"prompt_tokens": 20, "completion_tokens": 5_000}
    with (
        serving(right("fine", usage)) as server,
        open_chat(server.url, "m", budget="500tokens") as chat,
    ):
        chat.ask([user("why?")], max_tokens=50, purpose="a test")
        assert "more than were allowed" in chat.spending.told()
        with pytest.raises(BudgetError):
            chat.ask([user("and now?")], max_tokens=50, purpose="a test")


def test_earlier_runs_without_a_price_count_at_the_price_of_now(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    usage = Usage(prompt=1000, completion=100)
    number = journal.sent("lw-1", "a test", Charge(5000, None))
    journal.answered(
        number, "lw-1", "m", "a test", Reply(text="x", usage=usage), Charge(1100, None)
    )
    journal.sent("lw-2", "a test", Charge(2000, None))  # the run was killed
    journal.close()
    with open_chat("http://localhost/v1", "m", record=path) as chat:
        told = chat.spending.told()
    assert "3,100 tokens in earlier runs (1 without an answer)" in told
    more = {"price": "1/4", "record": path}
    with open_chat("http://localhost/v1", "m", budget="0.01usd", **more) as chat:
        told = chat.spending.told()
        assert chat.spending.earlier.usd == Decimal("0.0094")  # 1,000 + 4 * 100 + 4 * 2,000
        with pytest.raises(BudgetError, match=r"0\.0094 usd"):
            chat.ask([user("why?")], max_tokens=500, purpose="a test")
    assert "3,100 tokens for 0.0094 usd in earlier runs (1 without an answer)" in told


def test_earlier_runs_of_the_same_journal_count(tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    usage = {"prompt_tokens": 90, "completion_tokens": 50}
    with serving(right("fine", usage)) as server:
        for n in range(2):
            with open_chat(server.url, "m", budget="300tokens", record=journal) as chat:
                chat.ask([user(f"q{n}")], max_tokens=50, purpose="a test")
        with (
            open_chat(server.url, "m", budget="300tokens", record=journal) as chat,
            pytest.raises(BudgetError, match="280 are spent"),
        ):
            chat.ask([user("q3")], max_tokens=50, purpose="a test")
