import pytest

from flaskllm.core.addresses import is_local, is_public


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


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "example.org.",
        "a",
        "localhost.example.org",
        "8.8.8.8",
        "[2606:4700::1111]",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "1.2.3.4.5",
        "ä.example",
    ],
)
def test_names_and_global_addresses_may_be_public(host):
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.0.0.1.",
        "10.0.0.7",
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "[::1]",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "%31%32%37.0.0.1",
    ],
)
def test_addresses_inside_networks_are_never_public_however_written(host):
    assert not is_public(host)
