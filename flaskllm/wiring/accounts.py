"""What accounts are kept with."""

from flaskllm.services.account_house import House, TokenLimits
from flaskllm.services.accounts import Accounts
from flaskllm.services.budgets import BudgetStanding, judge, tell_passed
from flaskllm.services.ledger_book import Book
from flaskllm.services.ledger_writer import DirectWriter, LedgerWriter
from flaskllm.storage.ledger import Ledger
from flaskllm.wiring.ground import Ground


def build_accounts(ground: Ground, limits: TokenLimits) -> Accounts:
    """Return the accounts of this database; nothing is opened or started.

    `limits` count tokens per minute. Where no thread may write each request does.
    """
    clock, metrics = ground.clock, ground.metrics.money
    ledger = Ledger(ground.database, judge, clock)

    def tell(passed: tuple[BudgetStanding, ...]) -> None:
        tell_passed(passed, metrics.count_budget_passed)

    def make_book() -> Book:
        return Book(ledger.write, tell, clock, metrics)

    kind = LedgerWriter if ground.threaded else DirectWriter
    writer = kind(make_book, clock)
    return Accounts(House(writer, clock, ground.zone, metrics, limits), ledger)
