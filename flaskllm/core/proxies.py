"""The way out through proxies, read once, and asked for each address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

# The first that is set counts.
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies for http and https, and the hosts reached without one.

    They are left out of the text form, since an address may carry a password.
    """

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    no_proxy: str = ""

    def for_url(self, url: str) -> str | None:
        """Return the proxy to reach `url` through, or None for the straight way.

        `no_proxy` lists host names, each with the names below it and with or
        without a port; `*` is every host. This machine is never asked of a proxy.
        """
        parts = urlsplit(url)
        proxy = {"http": self.http, "https": self.https}.get(parts.scheme)
        if proxy is None or _is_this_machine(parts.hostname or ""):
            return None
        _, _, host = parts.netloc.rpartition("@")
        return None if proxy_bypass_environment(host, {"no": self.no_proxy}) else proxy

    def passwords(self) -> tuple[str, ...]:
        """Return the passwords in the addresses, for the logs to mask."""
        logins = ((each or "").rpartition("@")[0] for each in (self.http, self.https))
        found = (login.rpartition("://")[2].partition(":")[2] for login in logins)
        return tuple(unquote(password) for password in found if password)


def proxies_of(environ: Mapping[str, str]) -> Proxies:
    """Return the proxies that an environment names.

    `http_proxy`, `https_proxy` and `no_proxy`, the lower-case form before the
    upper-case one, as `urllib` reads them. Under CGI `HTTP_PROXY` would be a
    header of the caller's making and is not read.
    """
    cgi = "REQUEST_METHOD" in environ
    http = environ.get("http_proxy") if cgi else _variable(environ, "http_proxy")
    return Proxies(
        http=_with_scheme(http or None),
        https=_with_scheme(_variable(environ, "https_proxy")),
        no_proxy=_variable(environ, "no_proxy") or "",
    )


def ca_bundle_of(environ: Mapping[str, str]) -> str | None:
    """Return the first file of trusted certificates that an environment names."""
    return next((environ[name] for name in CA_BUNDLES if environ.get(name)), None)


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    # A lower-case variable that is set but empty switches the proxy off.
    return environ.get(name, environ.get(name.upper())) or None


def _with_scheme(proxy: str | None) -> str | None:
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False
