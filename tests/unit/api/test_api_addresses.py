"""Whence an API token may be used, and how those are told who come from elsewhere."""

import pytest
from face_fakes import build, token_for
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskllm.api.addresses import is_within, peer_of

INSIDE = ("10.1.0.0/16", "2001:db8:7::/48", "192.0.2.9/32")

PEERS = {
    "an IPv4 address inside": ("10.1.255.255", True),
    "one beside": ("10.2.0.0", False),
    "a single address": ("192.0.2.9", True),
    "its neighbour": ("192.0.2.8", False),
    "an IPv6 address inside": ("2001:db8:7:ffff::1", True),
    "an IPv6 address beside": ("2001:db8:8::1", False),
    "IPv4 in IPv6, inside": ("::ffff:10.1.2.3", True),
    "IPv4 in IPv6, in hexadecimal": ("::ffff:0a01:0203", True),
    "IPv4 in IPv6, beside": ("::ffff:10.2.0.1", False),
    "IPv6 that only looks like it": ("::10.1.2.3", False),
    "a zone": ("2001:db8:7::1%eth0", True),
    "a zone of IPv4 in IPv6": ("::ffff:10.1.2.3%3", True),
    "no address": (None, False),
    "an empty one": ("", False),
    "a Unix socket": ("unix:", False),
    "a port too": ("10.1.2.3:443", False),
    "blanks": (" 10.1.2.3", False),
    "zeros in front": ("010.1.2.3", False),
    "a number": ("167838211", False),
    "a list": ("10.1.2.3, 10.1.2.4", False),
    "a name": ("localhost", False),
}


@pytest.mark.parametrize(("address", "inside"), PEERS.values(), ids=PEERS)
def test_a_peer_is_inside_a_network_or_refused(address, inside):
    assert is_within(address, INSIDE) is inside


@pytest.mark.parametrize(
    "network", ["::ffff:10.1.0.0/112", "10.1.0.0/16", "10.1.7.7/16", "0.0.0.0/0"]
)
@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_network_of_wrapped_addresses_is_that_of_the_addresses(network, address):
    assert is_within(address, (network,))


@pytest.mark.parametrize("address", ["10.1.2.3", None, "", "unix:", "::1"])
def test_without_a_list_everybody_may_pass(client, address):
    assert ask(client, address).status_code == 200


def test_with_an_empty_list_nobody_is():
    assert not is_within("10.1.2.3", ())


def test_all_of_ipv6_holds_no_ipv4():
    assert is_within("2001:db8::1", ("::/0",))
    assert not is_within("::ffff:10.1.2.3", ("::/0",))


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "-"),
        (None, "-"),
        ("unix:", "unix:"),
    ],
)
def test_a_peer_is_an_address_or_an_ipv6_network(address, peer):
    assert peer_of(address) == peer


def ask(client, address, **headers):
    return client.get(
        "/api/v1/templates",
        headers={"Authorization": f"Bearer {token_for('read')}", **headers},
        environ_base={"REMOTE_ADDR": address},
    )


@pytest.fixture
def confined(services):
    """Every API token may come from the networks above only."""
    services.api_tokens.given["networks"] = INSIDE
    return services


def test_who_comes_from_a_named_network_may_pass(confined, client):
    assert ask(client, "10.1.2.3").status_code == 200


@pytest.mark.parametrize("address", ["10.2.0.0", "", None])
def test_who_comes_from_elsewhere_is_told_where_to_look(
    confined, client, lines, address
):
    reply = ask(client, address)

    assert (reply.status_code, reply.json["code"]) == (403, "PERMISSION_DENIED")
    assert "X-Forwarded-For" in reply.json["details"]
    assert "server.proxy_hops" in reply.json["details"]
    assert not any(network in reply.text for network in INSIDE)
    level, _, fields = next(each for each in lines() if each[1] == "address_refused")
    assert level == "WARNING"
    assert fields == {"peer": address, "api_token_id": "read-id"}
    assert token_for("read") not in repr(lines())


def test_it_is_no_failed_proof(confined, client):
    for _ in range(30):
        assert ask(client, "10.2.0.0").status_code == 403


def test_a_bad_api_token_from_elsewhere_reads_as_a_bad_one(confined, client):
    reply = client.get(
        "/api/v1/templates",
        headers={"Authorization": "Bearer wrong"},
        environ_base={"REMOTE_ADDR": "10.2.0.0"},
    )

    assert reply.status_code == 401


def test_a_forwarded_address_is_believed_of_trusted_proxies_only(confined):
    app = build(confined)

    assert ask(app.test_client(), "10.1.2.3", X_Forwarded_For="10.2.0.0").status == (
        "200 OK"
    )
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)
    behind = app.test_client()

    def through(forwarded):
        header = {"X-Forwarded-For": forwarded}
        return ask(behind, "172.16.0.1", **header).status_code

    assert through("10.1.2.3") == 200
    assert through("10.2.0.0") == 403
    assert through("10.1.2.3, 10.2.0.0") == 403  # what a caller made up stands first


def test_a_network_that_cannot_be_read_closes_the_door(services, client):
    services.api_tokens.given["networks"] = ("everywhere",)

    assert ask(client, "10.1.2.3").status_code == 503
