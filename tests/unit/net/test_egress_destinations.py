"""Which addresses may be called."""

from ipaddress import ip_address

import pytest

from flaskllm.net.destinations import Destinations

# The first and the last address of each network that may not be called.
_BLOCKED = """
0.0.0.0 0.255.255.255        10.0.0.0 10.255.255.255      100.64.0.0 100.127.255.255
127.0.0.0 127.255.255.255    168.63.129.16                169.254.0.0 169.254.255.255
172.16.0.0 172.31.255.255    192.0.0.0 192.0.0.255        192.0.2.0 192.0.2.255
192.31.196.0 192.31.196.255  192.52.193.0 192.52.193.255  192.88.99.0 192.88.99.255
192.168.0.0 192.168.255.255  192.175.48.0 192.175.48.255  198.18.0.0 198.19.255.255
198.51.100.0 198.51.100.255  203.0.113.0 203.0.113.255    224.0.0.0 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b:1:: 64:ff9b:1::8.8.8.8
100:: 1fff:ffff::1 2001:: 2001:1ff:ffff::1 2001:db8:: 2001:db8:ffff::1 2620:4f:8000::1
3ffe:: 3ffe:ffff::1 3fff:: 3fff:fff:ffff::1 4000:: 5f00:: fc00:: fdff:ffff::1 fe80::
fe80::1%1 febf:ffff::1 fec0:: feff:ffff::1 ff00:: ffff:ffff::1
"""
# Their neighbours, the internet's own.
_PUBLIC = """
1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
191.255.255.255 192.0.1.0 192.0.3.0 192.31.195.255 192.88.98.255 192.88.100.0
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 203.0.112.255
203.0.114.0 223.255.255.255
2000:: 2001:200:: 2001:db7:ffff::1 2001:db9:: 2606:2800::1 2a00:1450::1 3ffd:ffff::1
3fff:1000::
"""
BLOCKED, PUBLIC = _BLOCKED.split(), _PUBLIC.split()
# The same IPv4 address in other forms, which all lead to it.
FORMS = {
    "mapped": "::ffff:{0}",
    "NAT64": "64:ff9b::{0}",
    "6to4": "2002:{1:04x}:{2:04x}::1",
    "ISATAP": "2606:2800::5efe:{0}",
    "ISATAP of a public address": "2606:2800::200:5efe:{0}",
}


def form(name, text):
    number = int(ip_address(text))
    return FORMS[name].format(text, number >> 16, number & 0xFFFF)


@pytest.mark.parametrize("text", BLOCKED)
def test_what_is_not_of_the_internet_is_not_called(text):
    assert not Destinations().may_be_called(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_of_the_internet_is(text):
    assert Destinations().may_be_called(ip_address(text))


@pytest.mark.parametrize("name", FORMS)
def test_an_ipv4_address_in_an_ipv6_one_counts_as_itself(name):
    destinations = Destinations()

    for text in (each for each in BLOCKED if ":" not in each):
        assert not destinations.may_be_called(ip_address(form(name, text))), text
    assert destinations.may_be_called(ip_address(form(name, "8.8.8.8")))


def test_an_allowed_network_lets_its_addresses_in_and_no_other():
    destinations = Destinations(["10.1.0.0/16", "fd00:1::/32"])

    for text in ("10.1.2.3", "::ffff:10.1.2.3", "2002:a01:203::1", "fd00:1::5"):
        assert destinations.may_be_called(ip_address(text)), text
    for text in ("10.2.0.1", "::ffff:10.2.0.1", "127.0.0.1", "fd00:2::1", "::1"):
        assert not destinations.may_be_called(ip_address(text)), text


def test_what_is_in_an_allowed_address_is_looked_at_too():
    destinations = Destinations(
        ["fd00::/8", "64:ff9b:1::/48", "2001::/32", "::/96", "::ffff:0:0:0/96"]
    )

    for text in (
        "fd00::5efe:127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2001:0:7f00:1::f7f7:f7f7",
        "2001:0:808:808::80ff:fffe",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
    ):
        assert not destinations.may_be_called(ip_address(text)), text
    # Teredo: 8.8.8.8 by the server 8.8.4.4.
    for text in ("64:ff9b:1::8.8.8.8", "2001:0:808:404::f7f7:f7f7", "::1"):
        assert destinations.may_be_called(ip_address(text)), text


def test_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="10"):
        Destinations(["10.0.0.0/33"])
