"""What an API token is given has to make sense; the refusal names the mend."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError
from flaskllm.services.grant_checks import check_grant
from flaskllm.services.grants import Grant

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CHAT = frozenset({Scope.CHAT})
PLAIN = Grant("x", CHAT)


def checked(**fields):
    return check_grant(Grant(**({"name": "x", "scopes": CHAT} | fields)), NOW)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        pytest.param({"name": ""}, "name", id="empty name"),
        pytest.param({"name": "  "}, "name", id="blank name"),
        pytest.param({"name": "a\nb"}, "name", id="line feed"),
        pytest.param({"name": "\x1b[31m"}, "name", id="escape sequence"),
        pytest.param({"name": "a\u202eb"}, "name", id="turned direction"),
        pytest.param({"name": "a" * 101}, "name", id="long name"),
        pytest.param({"name": "a" * 10_000}, "name", id="very long name"),
        pytest.param({"name": "a\udcff"}, "name", id="half a surrogate"),
        pytest.param({"owner": "a" * 101}, "owner", id="long owner"),
        pytest.param({"owner": "\0"}, "owner", id="nul"),
        pytest.param({"owner": " "}, "owner", id="blank owner"),
        pytest.param({"scopes": frozenset()}, "scopes", id="no scope"),
        pytest.param({"expires_at": NOW}, "expires_at", id="now"),
        pytest.param({"expires_at": NOW - DAY}, "expires_at", id="past"),
        pytest.param(
            {"expires_at": datetime(2031, 1, 1)}, "expires_at", id="no offset"
        ),
        pytest.param(
            {"expires_at": datetime.max.replace(tzinfo=timezone(-12 * DAY / 24))},
            "expires_at",
            id="beyond the years",
        ),
        pytest.param({"aliases": frozenset()}, "aliases", id="no alias"),
        pytest.param({"aliases": frozenset({""})}, "aliases", id="empty alias"),
        pytest.param({"aliases": frozenset({"a" * 201})}, "aliases", id="long alias"),
        pytest.param({"aliases": frozenset({"a\tb"})}, "aliases", id="tab in alias"),
        pytest.param(
            {"aliases": frozenset(map(str, range(101)))}, "aliases", id="many aliases"
        ),
        pytest.param({"networks": ()}, "networks", id="no network"),
        pytest.param({"networks": ("here",)}, "networks", id="no address"),
        pytest.param({"networks": ("192.0.2.0/33",)}, "networks", id="long prefix"),
        pytest.param({"networks": ("10.1.2.3/8",)}, "networks", id="host bits"),
        pytest.param({"networks": ("fe80::1%eth0/64",)}, "networks", id="scoped"),
        pytest.param({"networks": ("1",)}, "networks", id="a number"),
        pytest.param({"networks": ("127.1",)}, "networks", id="shorthand"),
        pytest.param({"networks": ("192.0.2.1",) * 51}, "networks", id="many networks"),
        pytest.param({"tags": ("A",)}, "tags", id="capital tag"),
        pytest.param({"tags": ("a b",)}, "tags", id="blank in tag"),
        pytest.param({"tags": ("a" * 41,)}, "tags", id="long tag"),
        pytest.param({"tags": ("",)}, "tags", id="empty tag"),
        pytest.param({"tags": tuple("abcdefghijklmnopqrstu")}, "tags", id="many tags"),
        pytest.param({"requests_per_minute": 0}, "requests_per_minute", id="zero"),
        pytest.param({"tokens_per_minute": -1}, "tokens_per_minute", id="negative"),
        pytest.param(
            {"concurrent_requests": 10_000_001}, "concurrent_requests", id="too large"
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(fields, path):
    with pytest.raises(InvalidInputError) as refused:
        checked(**fields)

    (field,) = refused.value.fields
    assert field.path == path
    assert field.allowed
    assert len(refused.value.details) < 300


@pytest.mark.parametrize("name", ["a", "a" * 100, "Büro 東京", "mail server #1"])
def test_any_readable_name_will_do(name):
    assert checked(name=name).name == name


def test_what_is_plain_stays_as_it_is():
    assert check_grant(PLAIN, NOW) == PLAIN


def test_the_bounds_themselves_are_allowed():
    grant = checked(
        name="n" * 100,
        owner="o" * 100,
        aliases=frozenset(f"{number:0200}" for number in range(100)),
        networks=tuple(f"192.0.2.{number}/32" for number in range(50)),
        tags=tuple("abcdefghijklmnopqrst"),
        requests_per_minute=1,
        tokens_per_minute=10_000_000,
    )

    assert (len(grant.aliases), len(grant.networks), len(grant.tags)) == (100, 50, 20)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("192.0.2.7",), ("192.0.2.7/32",)),
        (("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.0/24",)),
        (("2001:DB8:0:0::1",), ("2001:db8::1/128",)),
        (("0.0.0.0/0", "::/0"), ("0.0.0.0/0", "::/0")),
        (("192.0.2.0/255.255.255.0",), ("192.0.2.0/24",)),
        (("::ffff:192.0.2.7",), ("192.0.2.7/32",)),
        (("::ffff:192.0.2.0/120",), ("192.0.2.0/24",)),
        (("::ffff:0:0/96",), ("0.0.0.0/0",)),
        (("::/90",), ("::/90",)),  # holds more than what is mapped
        (("2001:db8::/96",), ("2001:db8::/96",)),
    ],
)
def test_networks_have_one_form(given, kept):
    assert checked(networks=given).networks == kept


def test_a_mend_for_host_bits_is_the_network_itself():
    with pytest.raises(InvalidInputError) as refused:
        checked(networks=("10.1.2.3/8",))

    assert refused.value.fields[0].allowed == "10.0.0.0/8"


def test_tags_are_kept_once_in_their_order():
    assert checked(tags=("b", "a", "b")).tags == ("b", "a")


def test_an_end_is_kept_in_utc():
    east = (NOW + DAY).astimezone(timezone(timedelta(hours=9)))

    kept = checked(expires_at=east).expires_at

    assert (kept, kept.utcoffset()) == (NOW + DAY, timedelta(0))


def test_an_end_that_stays_may_have_passed():
    over = Grant("x", CHAT, NOW - DAY)

    assert check_grant(over, NOW, before=over) == over
