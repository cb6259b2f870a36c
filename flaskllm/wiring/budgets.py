"""What budgets are kept with."""

from collections.abc import Callable

from flaskllm.core.auth import is_token_id
from flaskllm.llm.catalog import OFFLINE, Catalog
from flaskllm.services.budget_keeping import Budgets
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.wiring.ground import Ground


def build_budgets(ground: Ground, catalog: Callable[[], Catalog]) -> Budgets:
    """Return the budgets of this database; nothing is opened.

    What may take over are the aliases of the settings as they stand at the moment,
    and `offline`, which costs nothing and answers digests.
    """
    tokens = ApiTokens(ground.database)

    def is_principal(principal_id: str) -> bool:
        return is_token_id(principal_id) and tokens.find(principal_id) is not None

    def aliases() -> tuple[str, ...]:
        # Once each: a route may be called so as well.
        return tuple(dict.fromkeys((*catalog().aliases(), OFFLINE.name)))

    rows = BudgetRows(ground.database)
    return Budgets(rows, is_principal, aliases, ground.clock, ground.zone)
