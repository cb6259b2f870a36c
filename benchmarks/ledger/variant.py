"""The gateway, and how it keeps its accounts: `shared`, `direct` or `none`.

`direct` is how a host without threads commits: each reservation and each closing by
itself. `none` neither reserves nor records; it is what the ledger is measured against.
"""

import os
from dataclasses import replace

from flaskllm.api.context import EXTENSION
from flaskllm.core.config import load_from_process
from flaskllm.core.redaction import Redactor
from flaskllm.factory import create_app
from flaskllm.wiring.accounts import build_accounts
from flaskllm.wiring.ground import lay_ground


class NoAccount:
    """Costs nothing, and keeps nothing."""

    cost_nanos = 0
    notices = ()

    def before(self, attempt):
        """Return."""

    def after(self, attempt, outcome):
        """Return."""


class NoAccounts:
    """Opens accounts that keep nothing."""

    def open(self, principal, **_):
        """Return one."""
        return NoAccount()

    def flush(self):
        """Return."""


def _application():
    app = create_app()
    kind, services = os.environ["ACCOUNTS"], app.extensions[EXTENSION]
    if kind == "none":
        accounts = NoAccounts()
    elif kind == "direct":
        settings = load_from_process().settings
        ground = lay_ground(settings, services.clock, Redactor())
        accounts = build_accounts(replace(ground, threaded=False), services.limits)
    else:
        return app
    app.extensions[EXTENSION] = replace(services, accounts=accounts)
    return app


application = _application()
