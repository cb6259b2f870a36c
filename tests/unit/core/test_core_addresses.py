import pytest

from flaskllm.core.addresses import is_local


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost",
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.7",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.20",
        "::1",
        "[::1]",
        "fd12:3456::1",
        "[fc00::1]",
        "::ffff:127.0.0.1",
        "[::ffff:10.1.2.3]",
        "fd00::1%eth0",
    ],
)
def test_loopback_and_private_addresses_are_local(host):
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "localhost.",
        "localhost.example.com",
        "ollama",
        "126.255.255.255",
        "128.0.0.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "0.0.0.0",
        "100.64.0.1",
        "169.254.169.254",
        "8.8.8.8",
        "fe80::1",
        "::",
        "::2",
        "fec0::1",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1 ",
        "127.0.0.1:80",
        "[127.0.0.1]",
        "[::1",
        "1.127.0.0.1",
    ],
)
def test_everything_else_is_not_local(host):
    assert not is_local(host)
