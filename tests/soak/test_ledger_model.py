"""Whatever happens to attempts, and in whatever order: the ledger is the invoices.

Several processes reserve, settle, release and die; sweepers come in between, and news
of an attempt may come late, or twice.
"""

from collections import defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import rollup_sums
from fakes import FakeClock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from ledger_scene import (
    NOON,
    disagreements,
    open_attempts,
    open_ledger,
    released,
    reservation,
    set_budget,
    settled,
    spent_of,
    usage_by_id,
)
from rounds import rounds
from sqlalchemy import text

from flaskllm.storage.ledger import Admitted
from flaskllm.storage.rollup_building import RollupBuilding
from flaskllm.storage.usage import ABANDONED

PEOPLE = ("ann", "bob")
BUDGET = 10_000
ZONES = ("Europe/Berlin", "Asia/Kathmandu")
TABLES = (
    "ledger",
    "reservations",
    "spending",
    "usage",
    "budgets",
    "budget_notices",
    *rollup_sums.TABLES,
)


class Attempts(RuleBasedStateMachine):
    """The ledger of `database`, and what the upstream invoiced for each attempt.

    `known` are attempts whose process lives; a crash takes them out of it, and with
    them whatever it still had to tell.
    """

    database = None
    known = Bundle("known")
    told = Bundle("told")

    def __init__(self):
        super().__init__()
        with self.database.transaction() as connection:
            for table in TABLES:
                connection.execute(text(f"DELETE FROM {table}"))
        set_budget(self.database, "principal:ann", BUDGET)
        self.clock = FakeClock(NOON)
        self.ledger = open_ledger(self.database, self.clock)
        self.number = 0
        self.arrived = {}  # what an attempt cost whose usage was told
        self.open = {}  # held by a process, or left by one

    @rule(
        target=known,
        wanted=st.lists(
            st.tuples(st.sampled_from(PEOPLE), st.integers(0, 4000)),
            min_size=1,
            max_size=5,
        ),
    )
    def reserve(self, wanted):
        made = [self.make(*each) for each in wanted]
        spent = sum(spent_of(self.database, "principal:ann"))

        verdicts = self.ledger.write(made, []).verdicts

        for held, verdict in zip(made, verdicts, strict=True):
            fits = held.principal_id != "ann" or (
                spent < BUDGET and spent + held.reserved_nanos <= BUDGET
            )
            assert isinstance(verdict, Admitted) == fits
            if fits:
                self.open[held.attempt_id] = held
                spent += held.reserved_nanos if held.principal_id == "ann" else 0
        admitted = [held for held in made if held.attempt_id in self.open]
        return multiple(*admitted)

    def make(self, principal, nanos):
        self.number += 1
        return reservation(
            f"att_{self.number}",
            nanos,
            principal=principal,
            created_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(seconds=60),
        )

    @rule(target=told, held=consumes(known), cost=st.integers(0, 9000))
    def settle(self, held, cost):
        self.tell(settled(held, cost), cost)
        return held

    @rule(target=told, held=consumes(known), part=st.integers(0, 100))
    def cancel(self, held, part):
        """The caller hung up: what was used is estimated, within the reservation."""
        cost = held.reserved_nanos * part // 100
        closing = settled(held, cost, outcome="CALLER_GONE", is_estimated=True)
        self.tell(closing, cost)
        return held

    @rule(target=told, held=consumes(known))
    def release(self, held):
        self.tell(released(held), 0)
        return held

    def tell(self, closing, cost):
        self.ledger.write([], [closing])
        self.arrived[closing.attempt_id] = cost
        self.open.pop(closing.attempt_id, None)

    @rule(held=told, cost=st.integers(0, 9000))
    def tell_again(self, held, cost):
        self.ledger.write([], [settled(held, cost), released(held)])

    @rule(held=consumes(known))
    def crash(self, held):
        """The process is gone: nobody will ever tell how this attempt ended."""

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule(most=st.integers(1, 3))
    def sweep(self, most):
        expired = self.expired()

        assert self.ledger.sweep(most) == min(most, len(expired))

        left = open_attempts(self.database)
        self.open = {key: each for key, each in self.open.items() if key in left}
        assert len(self.expired()) == max(0, len(expired) - most)

    @rule(hours=st.integers(1, 60))
    def wait_long(self, hours):
        self.clock.advance(3600 * hours)

    @rule(zone=st.sampled_from(ZONES))
    def make_days(self, zone):
        """Hours and days are made; what comes later for them is brought to them."""
        building = RollupBuilding(self.database, ZoneInfo(zone))
        while building.build_day(self.clock.now()):
            pass

    @rule()
    def sweep_all(self):
        while self.ledger.sweep(2):
            pass
        self.open = {
            key: each
            for key, each in self.open.items()
            if each.expires_at > self.clock.now()
        }

    def expired(self):
        now = self.clock.now()
        return [each for each in self.open.values() if each.expires_at <= now]

    @invariant()
    def the_tables_agree(self):
        assert disagreements(self.database) == []
        assert open_attempts(self.database) == set(self.open)

    @invariant()
    def what_arrived_is_what_is_settled(self):
        sums, rows = defaultdict(int), usage_by_id(self.database)
        for row in rows.values():
            if row.outcome == ABANDONED:
                assert row.is_estimated
                sums[row.principal_id] += row.cost_nanos
            else:
                assert row.cost_nanos == self.arrived[row.id]
                sums[row.principal_id] += self.arrived[row.id]
        assert {key for key, row in rows.items() if row.outcome != ABANDONED} == set(
            self.arrived
        )
        for each in PEOPLE:
            held = [
                one.reserved_nanos
                for one in self.open.values()
                if one.principal_id == each
            ]
            expected = sum(held), sums[each]
            assert spent_of(self.database, f"principal:{each}") == expected

    def teardown(self):
        self.clock.advance(3600)
        self.sweep_all()
        assert open_attempts(self.database) == set()
        assert disagreements(self.database) == []
        for each in PEOPLE:
            assert spent_of(self.database, f"principal:{each}")[0] == 0


@pytest.mark.timeout(rounds(120, 2400))
def test_the_ledger_is_the_sum_of_the_invoices(database_url, make_database):
    class Here(Attempts):
        database = make_database(database_url)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=rounds(20, 1000),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
