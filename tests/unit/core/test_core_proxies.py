"""Which proxy leads where, and which file of certificates is trusted."""

import pytest

from flaskllm.core.proxies import Proxies, ca_bundle_of, proxies_of

FAR = "https://far.example/v1"


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({}, None, None),
        ({"HTTP_PROXY": "http://p:1"}, "http://p:1", None),
        ({"HTTPS_PROXY": "http://p:1"}, None, "http://p:1"),
        ({"https_proxy": "http://a", "HTTPS_PROXY": "http://b"}, None, "http://a"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://b"}, None, None),
        ({"https_proxy": "p:3128"}, None, "http://p:3128"),
        ({"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}, None, None),
        ({"http_proxy": "http://p", "REQUEST_METHOD": "GET"}, "http://p", None),
    ],
)
def test_the_proxy_follows_the_scheme(environ, http, https):
    proxies = proxies_of(environ)

    assert proxies.for_url("http://far.example/") == http
    assert proxies.for_url(FAR) == https


@pytest.mark.parametrize(
    ("no_proxy", "url", "straight"),
    [
        ("", FAR, False),
        ("*", FAR, True),
        ("far.example", FAR, True),
        ("far.example", "https://sub.far.example:8443/v1", True),
        (".far.example", "https://sub.far.example/v1", True),
        ("far.example", "https://so-far.example/v1", False),
        ("a, FAR.example:444", "https://far.example:444/v1", True),
        ("far.example:444", FAR, False),
        ("10.0.0.7", "http://10.0.0.7:8000/v1", True),
    ],
)
def test_no_proxy_names_the_hosts_reached_straight(no_proxy, url, straight):
    proxies = Proxies(http="http://p", https="http://p", no_proxy=no_proxy)

    assert proxies.for_url(url) == (None if straight else "http://p")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_this_machine_is_never_asked_of_a_proxy(host):
    assert Proxies(http="http://p").for_url(f"http://{host}:8000/v1") is None


def test_other_schemes_have_no_proxy():
    assert Proxies(http="http://p").for_url("ftp://far.example") is None


def test_a_password_is_not_in_the_text_form():
    assert "geheim" not in repr(Proxies(http="http://u:geheim@p", https="geheim"))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"SSL_CERT_FILE": ""}, None),
        ({"CURL_CA_BUNDLE": "c", "SSL_CERT_FILE": "b", "REQUESTS_CA_BUNDLE": "a"}, "a"),
        ({"CURL_CA_BUNDLE": "c", "SSL_CERT_FILE": "b"}, "b"),
        ({"CURL_CA_BUNDLE": "c"}, "c"),
    ],
)
def test_the_first_bundle_of_certificates_counts(environ, expected):
    assert ca_bundle_of(environ) == expected


@pytest.mark.parametrize(
    ("proxy", "passwords"),
    [
        ("http://p:1", ()),
        ("http://ann@p:1", ()),
        ("http://ann:sec%40ret@p:1", ("sec@ret",)),
        ("ann:se:cret@p:1", ("se:cret",)),
        ("http://ann:secret@[::1", ("secret",)),
    ],
)
def test_the_passwords_are_known_for_the_logs_to_mask(proxy, passwords):
    assert proxies_of({"http_proxy": proxy}).passwords() == passwords
    assert proxies_of({"https_proxy": proxy}).passwords() == passwords
