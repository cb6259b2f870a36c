"""The way out as the settings want it."""

import pytest
from fakes import FakeClock

from flaskllm.core.config import ConfigError, load
from flaskllm.net.egress import EgressRefused
from flaskllm.wiring.egress import build_egress


def built(tmp_path, text=""):
    (tmp_path / "flaskllm.yaml").write_text(text)
    return build_egress(load({}, tmp_path).settings, FakeClock())


def test_without_settings_only_https_to_the_internet_is_allowed(tmp_path):
    egress = built(tmp_path)

    for url in ("https://hooks.example/", "https://hooks.example:8443/"):
        egress.check(url)
    for url in ("http://hooks.example/", "https://10.1.2.3/", "https://a.example:80/"):
        with pytest.raises(EgressRefused):
            egress.check(url)


def test_the_settings_let_more_in(tmp_path):
    egress = built(
        tmp_path,
        "callbacks:\n  allowed_networks: [10.0.0.0/8]\n  allowed_ports: [80]\n"
        "  allow_http: true\n  trusted_proxy: http://proxy.server:3128\n",
    )

    egress.check("http://10.1.2.3/")


def test_a_proxy_that_is_none_stops_the_start_without_its_password(tmp_path):
    with pytest.raises(ConfigError) as caught:
        built(tmp_path, "callbacks: {trusted_proxy: 'https://me:word@proxy.server:1'}")

    assert "callbacks.trusted_proxy" in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")
