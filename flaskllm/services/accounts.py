"""Accounts: one for each request that spends money, and what becomes of all of them."""

from dataclasses import dataclass

from flaskllm.core.auth import Principal
from flaskllm.core.clock import Deadline
from flaskllm.services.account import Account
from flaskllm.services.account_house import House
from flaskllm.storage.ledger import Ledger

__all__ = ["Account", "Accounts"]

_SWEEP_ROWS = 200


@dataclass(frozen=True, slots=True)
class Accounts:
    """Opens an account for each request, and settles those that nobody closed.

    `house` is what they share, `ledger` where expired reservations are swept.
    """

    house: House
    ledger: Ledger

    def open(
        self, principal: Principal, *, request_id: str, source: str, deadline: Deadline
    ) -> "Account":
        """Return the account of one request, or of one turn; without I/O.

        Args:
            principal: Who pays.
            request_id: Of the request.
            source: Through which door it came, such as `openai:chat`; it is cut to
                40 characters.
            deadline: After it no attempt is under way any more.
        """
        return Account(self.house, principal, request_id, source[:40], deadline)

    def flush(self) -> None:
        """Return once what ended so far is written, at the latest after 5 s."""
        self.house.writer.flush()

    def sweep(self) -> int:
        """Settle expired reservations at their estimate; return how many.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        total = count = self.ledger.sweep(_SWEEP_ROWS)
        while count == _SWEEP_ROWS:
            count = self.ledger.sweep(_SWEEP_ROWS)
            total += count
        self.house.metrics.count_swept(total)
        return total
