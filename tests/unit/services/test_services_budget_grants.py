"""Nobody gives more than they have."""

from dataclasses import replace

import pytest
from budget_rows import budget
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import PermissionDenied
from flaskllm.llm.allowed import Allowed
from flaskllm.services.budget_grants import check_change, is_as_tight

OWN = budget("own", 100, subject="principal:ann")
OTHER = budget("other", 80, subject="principal:bob")
LENIENT = replace(OWN, on_exhausted="local")

# Who changes it, what it was, what it is to be.
ALLOWED = {
    "who has none may do anything": ((), OTHER, None),
    "a tighter one of one's own": ((OWN,), OWN, replace(OWN, limit_nanos=99)),
    "the same again": ((OWN,), OWN, OWN),
    "another's, up to one's own": ((OWN,), OTHER, replace(OTHER, limit_nanos=100)),
    "another's, for a period that binds oneself not": (
        (OWN,),
        replace(OTHER, period="day"),
        replace(OTHER, period="day", limit_nanos=900),
    ),
    "a new one, not above one's own": ((OWN,), None, OTHER),
    "a new soft one": ((OWN,), None, replace(OTHER, kind="soft", limit_nanos=900)),
    "a soft one away": ((OWN,), replace(OWN, kind="soft"), None),
    "a soft one higher": (
        (OWN,),
        replace(OTHER, kind="soft"),
        replace(OTHER, kind="soft", limit_nanos=900),
    ),
    "a soft one made hard": ((OWN,), replace(OTHER, kind="soft"), OTHER),
    "without the alias": ((LENIENT,), LENIENT, OWN),
    "another's with the same alias": (
        (LENIENT,),
        OTHER,
        replace(OTHER, on_exhausted="local"),
    ),
}
REFUSED = {
    "one's own away": ((OWN,), OWN, None),
    "another's away": ((OWN,), OTHER, None),
    "one's own made soft": ((OWN,), OWN, replace(OWN, kind="soft")),
    "one's own higher": ((OWN,), OWN, replace(OWN, limit_nanos=101)),
    "another's above one's own": ((OWN,), OTHER, replace(OTHER, limit_nanos=101)),
    "a new one above one's own": ((OWN,), None, replace(OTHER, limit_nanos=101)),
    "one's own with an alias": ((OWN,), OWN, LENIENT),
    "one's own with another alias": (
        (LENIENT,),
        LENIENT,
        replace(OWN, on_exhausted="dear"),
    ),
    "of two that bind the tighter counts": (
        (OWN, replace(OWN, subject="tag:sales", limit_nanos=90)),
        OTHER,
        replace(OTHER, limit_nanos=95),
    ),
}


@pytest.mark.parametrize(("own", "before", "after"), ALLOWED.values(), ids=ALLOWED)
def test_allowed(own, before, after):
    check_change(own, before, after)


@pytest.mark.parametrize(("own", "before", "after"), REFUSED.values(), ids=REFUSED)
def test_refused(own, before, after):
    with pytest.raises(PermissionDenied):
        check_change(own, before, after)


FAST = Allowed(frozenset({"fast"}))
LEADS_AWAY = replace(OTHER, on_exhausted="dear")


@pytest.mark.parametrize(
    ("own", "before", "after"),
    [
        pytest.param((), None, replace(OTHER, on_exhausted="fast"), id="own name"),
        pytest.param((), LEADS_AWAY, replace(LEADS_AWAY, limit_nanos=1), id="as it is"),
        pytest.param((), LEADS_AWAY, OTHER, id="no longer"),
        pytest.param((), LEADS_AWAY, None, id="away"),
        pytest.param(
            (replace(LEADS_AWAY, subject="principal:ann"),),
            None,
            LEADS_AWAY,
            id="where one comes already",
        ),
    ],
)
def test_a_budget_may_lead_where_its_maker_may_go(own, before, after):
    check_change(own, before, after, FAST)


@pytest.mark.parametrize("before", [None, OTHER], ids=["a new one", "an old one"])
def test_no_budget_leads_to_a_name_that_its_maker_may_not_send(before):
    with pytest.raises(PermissionDenied) as caught:
        check_change((), before, LEADS_AWAY, FAST)

    assert "on_exhausted" in caught.value.details


def test_a_refusal_says_what_one_has():
    with pytest.raises(PermissionDenied) as caught:
        check_change([LENIENT], None, replace(OTHER, limit_nanos=101))

    assert caught.value.details == (
        "Your own hard budget for one month is 0.0000001 US dollars, on_exhausted: "
        "local; allowed: at most that."
    )


ROWS = st.builds(
    budget,
    limit_nanos=st.integers(0, 3),
    kind=st.sampled_from(["hard", "soft"]),
    period=st.sampled_from(["day", "month"]),
).flatmap(
    lambda row: st.sampled_from(
        [row, replace(row, on_exhausted="local"), replace(row, on_exhausted="dear")]
        if row.kind == "hard"
        else [row]
    )
)


@given(own=st.lists(ROWS, min_size=1), before=ROWS, after=ROWS)
def test_what_may_be_loosened_stays_within_each_budget_of_one_s_own(own, before, after):
    binding = [each for each in own if each.kind == "hard"]
    after = replace(after, period=before.period)
    try:
        check_change(binding, before, after)
    except PermissionDenied:
        return
    is_tighter = before.kind == "soft" or (
        after.kind == "hard" and is_as_tight(after, before)
    )
    is_within = after.kind == "hard" and all(
        is_as_tight(after, each) for each in binding if each.period == after.period
    )
    assert not binding or is_tighter or is_within
