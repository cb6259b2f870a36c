"""Nobody gives more than they have, whatever is asked for."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.auth import BOOTSTRAP, Principal, PrincipalLimits, Scope
from flaskllm.core.errors import PermissionDenied
from flaskllm.core.subjects import tag_of
from flaskllm.services.grants import (
    LIMITS,
    Grant,
    Holding,
    check_within,
    excess,
    grant_of,
)
from flaskllm.storage.budgets import BudgetRow

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CHAT = frozenset({Scope.CHAT})
ALL = frozenset(Scope)
NETWORKS = [
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.128.0.0/9",
    "10.1.2.3/32",
    "192.0.2.0/25",
    "192.0.2.128/25",
    "192.0.2.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
    "2001:db8::/33",
    "2001:db8:8000::/33",
    "::/0",
]
ADDRESSES = ["10.1.2.3", "10.200.0.1", "192.0.2.1", "192.0.2.200", "203.0.113.1"]
ADDRESSES += ["2001:db8::1", "2001:db8:ffff::1", "fe80::1"]


def budget(nanos=100, **more):
    row = BudgetRow("bud", "principal:me", "day", "hard", nanos, None, NOW, "me")
    return replace(row, **more)


def maybe(strategy):
    return st.none() | strategy


numbers = st.integers(1, 20)
tags = st.sampled_from(["a", "b", "c"])
grants = st.builds(
    Grant,
    st.just("x"),
    st.frozensets(st.sampled_from(list(Scope)), min_size=1),
    maybe(st.integers(1, 9).map(lambda days: NOW + timedelta(days=days))),
    st.booleans(),
    maybe(st.frozensets(st.sampled_from("abcd"), min_size=1)),
    maybe(numbers),
    maybe(numbers),
    maybe(numbers),
    maybe(st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=4).map(tuple)),
    st.just(""),
    st.lists(tags, unique=True, max_size=3).map(tuple),
)


rows = st.builds(
    budget,
    numbers,
    period=st.sampled_from(["day", "week", "month"]),
    kind=st.sampled_from(["hard", "hard", "soft"]),
    on_exhausted=maybe(st.sampled_from(["slow", "cheap"])),
)
row_lists = st.lists(rows, max_size=2)


def holding(grant, own_rows, rows_of_tags):
    """Return what the store has of a grant: a tag's budgets are the same for all."""
    of_tags = [
        replace(row, subject=f"tag:{tag}")
        for tag in grant.tags
        for row in rows_of_tags.get(tag, ())
    ]
    return Holding(grant, (*own_rows, *of_tags))


tables = st.dictionaries(tags, row_lists)
holdings = st.builds(holding, grants, row_lists, tables)


@st.composite
def chains(draw):
    """Return three holdings, of which each may give what the next one has."""
    table = draw(tables)
    chain = [holding(draw(grants), draw(row_lists), table)]
    while len(chain) < 3:
        above = chain[-1]
        wanted = holding(draw(grants), draw(row_lists), table)
        found = paths(wanted, above)
        # What would be too much is as the giver has it.
        same = {path: getattr(above.grant, path) for path in found - {"budgets"}}
        grant, own_rows = replace(wanted.grant, **same), wanted.budgets
        if "budgets" in found:
            grant, own_rows = replace(grant, tags=above.grant.tags), above.budgets
        chain.append(Holding(grant, own_rows))
    return chain


def paths(wanted, own):
    return {field.path for field in excess(wanted, own)}


def admits(grant, address):
    if grant.networks is None:
        return True
    return any(ip_address(address) in ip_network(each) for each in grant.networks)


class TestEveryGrant:
    """What holds for whatever a machine makes up."""

    @given(holdings)
    def test_everybody_may_give_what_they_have_themselves(self, own):
        assert excess(own, own) == ()

    @given(chains())
    def test_who_is_made_by_somebody_who_was_made_has_no_more_than_the_first(
        self, chain
    ):
        first, second, third = chain

        assert excess(second, first) == excess(third, second) == ()
        assert excess(third, first) == ()

    @given(holdings, holdings)
    def test_what_may_be_given_opens_nothing_that_was_shut(self, wanted, own):
        found = paths(wanted, own)
        given, had = wanted.grant, own.grant

        if "scopes" not in found and Scope.ADMIN not in had.scopes:
            assert given.scopes <= had.scopes
        if "direct_models" not in found:
            assert had.direct_models or not given.direct_models
        if "aliases" not in found:
            for alias in "abcd":
                is_new = given.aliases is None or alias in given.aliases
                assert not is_new or had.aliases is None or alias in had.aliases
        if "networks" not in found:
            for address in ADDRESSES:
                assert admits(had, address) or not admits(given, address)
        if "expires_at" not in found and had.expires_at is not None:
            assert given.expires_at is not None
            assert given.expires_at <= had.expires_at
        for name in LIMITS:
            if name not in found and getattr(had, name) is not None:
                assert getattr(given, name) is not None
                assert getattr(given, name) <= getattr(had, name)

    @given(holdings, holdings)
    def test_each_hard_budget_of_the_giver_binds_the_new_one(self, wanted, own):
        if "budgets" in paths(wanted, own):
            return
        for row in own.budgets:
            if row.kind == "soft" or tag_of(row.subject) in wanted.grant.tags:
                continue
            assert any(
                each.kind == "hard"
                and each.period == row.period
                and each.limit_nanos <= row.limit_nanos
                for each in wanted.budgets
            )

    @given(holdings, holdings)
    def test_a_refusal_names_each_field_once_and_what_is_allowed(self, wanted, own):
        found = excess(wanted, own)

        assert len({field.path for field in found}) == len(found)
        assert all(field.problem and field.allowed for field in found)
        known = {each.name for each in fields(Grant)} | {"budgets"}
        assert {field.path for field in found} <= known

    @given(holdings)
    def test_the_api_token_of_the_settings_may_give_all(self, wanted):
        assert excess(wanted, Holding(grant_of(BOOTSTRAP))) == ()


PLAIN = Grant("x", CHAT)
MORE = [
    ("scopes", {"scopes": frozenset({Scope.READ})}, {"scopes": CHAT}, "chat"),
    ("scopes", {"scopes": ALL}, {"scopes": CHAT | {Scope.READ}}, "chat, read"),
    ("direct_models", {"direct_models": True}, {}, "false"),
    ("aliases", {}, {"aliases": frozenset("ab")}, "a part of a, b"),
    (
        "aliases",
        {"aliases": frozenset("bc")},
        {"aliases": frozenset("ab")},
        "a part of a, b",
    ),
    ("networks", {}, {"networks": ("10.0.0.0/8",)}, "a part of 10.0.0.0/8"),
    (
        "networks",
        {"networks": ("192.0.2.0/23",)},
        {"networks": ("192.0.2.0/24",)},
        "a part of 192.0.2.0/24",
    ),
    (
        "networks",
        {"networks": ("::/0",)},
        {"networks": ("0.0.0.0/0",)},
        "a part of 0.0.0.0/0",
    ),
    ("expires_at", {}, {"expires_at": NOW}, f"at the latest {NOW.isoformat()}"),
    (
        "expires_at",
        {"expires_at": NOW + timedelta(microseconds=1)},
        {"expires_at": NOW},
        f"at the latest {NOW.isoformat()}",
    ),
    ("tokens_per_minute", {}, {"tokens_per_minute": 5}, "1 to 5"),
    (
        "requests_per_minute",
        {"requests_per_minute": 6},
        {"requests_per_minute": 5},
        "1 to 5",
    ),
    ("concurrent_requests", {}, {"concurrent_requests": 1}, "1 to 1"),
]


@pytest.mark.parametrize(("path", "wanted", "own", "allowed"), MORE)
def test_more_is_refused_by_its_name_and_what_is_allowed(path, wanted, own, allowed):
    one, other = replace(PLAIN, **wanted), replace(PLAIN, **own)

    (field,) = excess(Holding(one), Holding(other))

    assert (field.path, field.allowed) == (path, allowed)


ENOUGH = [
    ({"scopes": ALL}, {"scopes": frozenset({Scope.ADMIN})}),
    (
        {"networks": ("192.0.2.0/24",)},
        {"networks": ("192.0.2.0/25", "192.0.2.128/25")},  # neighbours are one
    ),
    ({"networks": ("10.1.2.3/32",)}, {"networks": ("::/0", "10.0.0.0/8")}),
    ({"expires_at": NOW}, {"expires_at": NOW}),
    ({"requests_per_minute": 5}, {"requests_per_minute": 5}),
    ({"requests_per_minute": 5}, {}),
    ({"aliases": frozenset("a")}, {"aliases": frozenset("ab")}),
    ({"owner": "somebody", "tags": ("any",)}, {}),  # labels grant nothing
]


@pytest.mark.parametrize(("wanted", "own"), ENOUGH)
def test_as_much_or_less_is_given(wanted, own):
    one, other = replace(PLAIN, **wanted), replace(PLAIN, **own)

    assert excess(Holding(one), Holding(other)) == ()


OF_TAG = {"subject": "tag:team"}
BOUND = [
    pytest.param((), (), True, id="nobody is bound"),
    pytest.param((), (budget(),), False, id="none at all"),
    pytest.param((budget(),), (budget(),), True, id="as much"),
    pytest.param((budget(99),), (budget(),), True, id="less"),
    pytest.param((budget(101),), (budget(),), False, id="more"),
    pytest.param((budget(period="week"),), (budget(),), False, id="another period"),
    pytest.param((budget(kind="soft"),), (budget(),), False, id="a soft one"),
    pytest.param((), (budget(kind="soft"),), True, id="a soft one binds nobody"),
    pytest.param(
        (budget(on_exhausted="slow"),), (budget(),), False, id="goes on when spent"
    ),
    pytest.param(
        (budget(),), (budget(on_exhausted="slow"),), True, id="stops when spent"
    ),
    pytest.param(
        (budget(on_exhausted="slow"),),
        (budget(on_exhausted="slow"),),
        True,
        id="goes on alike",
    ),
    pytest.param((), (budget(**OF_TAG),), False, id="not of the tag"),
    pytest.param((budget(),), (budget(**OF_TAG),), True, id="its own for the tag's"),
]


@pytest.mark.parametrize(("wanted", "own", "is_enough"), BOUND)
def test_a_hard_budget_needs_one_as_tight(wanted, own, is_enough):
    found = paths(Holding(PLAIN, wanted), Holding(PLAIN, own))

    assert found == (set() if is_enough else {"budgets"})


FAST = replace(PLAIN, aliases=frozenset({"fast"}))
TAKEOVERS = [
    pytest.param(FAST, "fast", (), True, id="a name of one's own"),
    pytest.param(FAST, "dear", (), False, id="another name"),
    pytest.param(FAST, "dear", ("dear",), True, id="where one comes already"),
    pytest.param(PLAIN, "dear", (), True, id="all names are one's own"),
]


@pytest.mark.parametrize(("grant", "alias", "own", "is_enough"), TAKEOVERS)
def test_no_budget_leads_to_a_name_that_the_giver_may_not_send(
    grant, alias, own, is_enough
):
    """A budget of nothing would be leave to use the alias that takes over."""
    wanted = Holding(FAST, (budget(0, on_exhausted=alias),))
    binding = tuple(budget(on_exhausted=each) for each in own)

    found = paths(wanted, Holding(grant, binding))

    assert found == (set() if is_enough else {"budgets"})


def test_who_carries_the_tag_is_bound_by_its_budget():
    tagged = Holding(replace(PLAIN, tags=("team",)))
    own = Holding(PLAIN, (budget(**OF_TAG),))

    assert excess(tagged, own) == ()


def test_the_budgets_that_are_needed_are_told_in_dollars():
    own = (
        budget(25_100_000_000, on_exhausted="slow"),
        budget(5, period="month", **OF_TAG),
    )

    (field,) = excess(Holding(PLAIN), Holding(PLAIN, own))

    assert field.allowed == (
        "a hard budget of at most 25.10 US dollars a day (on_exhausted: slow or none); "
        "the tag team, or a hard budget of at most 0.000000005 US dollars a month"
    )


def test_a_long_list_is_cut():
    own = Holding(
        replace(PLAIN, aliases=frozenset(f"a{each:03}" for each in range(99)))
    )

    (field,) = excess(Holding(PLAIN), own)

    assert field.allowed.startswith("a part of a000, a001,")
    assert field.allowed.endswith("a019 ... (99 in all)")


def test_the_refusal_names_all_that_is_too_much():
    wanted = Holding(replace(PLAIN, scopes=ALL, direct_models=True))

    with pytest.raises(PermissionDenied, match="Not so much") as refused:
        check_within(wanted, Holding(PLAIN), "Not so much.")

    assert [field.path for field in refused.value.fields] == ["scopes", "direct_models"]
    assert refused.value.details == (
        "scopes: more than yours: admin, read, webhook, allowed: chat; "
        "direct_models: more than yours: true, allowed: false"
    )


def test_what_is_not_too_much_passes():
    check_within(Holding(PLAIN), Holding(PLAIN), "Never said.")


def test_a_principal_has_what_it_was_given():
    principal = Principal(
        "id",
        "x",
        CHAT,
        "api",
        True,
        frozenset("a"),
        PrincipalLimits(1, 2, 3),
        ("10.0.0.0/8",),
        "Ann",
        ("team",),
        NOW,
    )

    assert grant_of(principal) == Grant(
        "x", CHAT, NOW, True, frozenset("a"), 1, 2, 3, ("10.0.0.0/8",), "Ann", ("team",)
    )
