"""The session of `requests` that one deployment uses in one process."""

import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connectionpool import ConnectionPool

from flaskllm.net.sockets import WatchedPool, WatchedTLSPool, WatchedTLSSocket

MOST_URLS = 256  # some upstreams have the model's name in it, which callers choose
_POOLS = {"http": WatchedPool, "https": WatchedTLSPool}


@dataclass(slots=True)
class _Shared:
    session: requests.Session
    process_id: int
    borrowers: int = 0
    retired: bool = False


class Sessions:
    """Lends the session; makes it at first use, and again after a fork.

    A forked process must not touch the connections of its parent: two would
    speak on one wire.
    """

    def __init__(self, pool_size: int, ca_bundle: str | None) -> None:
        """Keep the settings; nothing is opened."""
        self._pool_size = pool_size
        self._ca_bundle = ca_bundle
        self._lock = threading.Lock()
        self._shared: _Shared | None = None

    @contextmanager
    def borrowed(self) -> Iterator[requests.Session]:
        """Lend the session; it stays open inside.

        Raises:
            OSError: The CA bundle cannot be read.
        """
        with self._lock:
            shared = self._shared
            if shared is None or shared.process_id != os.getpid():
                session = _open_session(self._pool_size, self._ca_bundle)
                shared = self._shared = _Shared(session, os.getpid())
            shared.borrowers += 1
        try:
            yield shared.session
        finally:
            with self._lock:
                shared.borrowers -= 1
                unused = shared.retired and not shared.borrowers
            if unused:
                shared.session.close()

    def close(self) -> None:
        """Close the session once nobody borrows it; the next one is new."""
        with self._lock:
            shared, self._shared = self._shared, None
            if shared is None:
                return
            shared.retired = True
            unused = not shared.borrowers
        if unused:
            shared.session.close()


class _Session(requests.Session):
    def send(
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send and return the reply, whatever it is.

        No redirect is followed: `requests` would read its body without a cap. No
        cookie is kept, and there are no hooks.
        """
        assert request.url is not None  # it is prepared
        return self.get_adapter(request.url).send(request, **options)


class Adapter(HTTPAdapter):
    """The pools, with watched connections and one TLS context."""

    def __init__(self, pool_size: int, context: ssl.SSLContext) -> None:
        """Keep both; nothing is opened."""
        self._context = context
        self._pools: dict[str, ConnectionPool] = {}
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(
            proxy,
            ssl_context=self._context,
            proxy_ssl_context=self._context,
            **options,
        )
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        """Return the pool for a URL; without a proxy it is worked out only once."""
        find = super().get_connection_with_tls_context
        if proxies:
            return find(request, verify, proxies, cert)
        url = request.url or ""
        pool = self._pools.get(url)
        if pool is None:
            if len(self._pools) >= MOST_URLS:
                self._pools.clear()
            pool = self._pools[url] = find(request, verify, proxies, cert)
        return pool

    def close(self) -> None:
        """Let go of the pools; whoever still reads from one keeps it."""
        self._pools.clear()
        super().close()

    def build_response(
        self, req: requests.PreparedRequest, resp: Any
    ) -> requests.Response:
        """Return a status and what is below; nobody asks for the rest."""
        response = requests.Response()
        response.request = req
        response.status_code = resp.status
        response.raw = resp
        return response

    def cert_verify(self, *_: Any) -> None:
        """Leave it to the context: `requests` would load the bundle every time."""


def check_ca_bundle(path: str) -> None:
    """Return when trusted certificates can be read from a file or a folder.

    Raises:
        ValueError: There is none; the text says where and why.
    """
    try:
        _read_certificates(path, os.stat(path).st_mtime_ns)
    except OSError as error:
        reason = "no PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(
            f"no certificates in PEM form can be read from {path!r} ({reason})"
        ) from error


@lru_cache(maxsize=8)
def _read_certificates(path: str, _changed_ns: int) -> None:
    # To read the usual bundle takes 20 ms, and settings are looked at again and again.
    tls_context(path)


def _open_session(pool_size: int, ca_bundle: str | None) -> requests.Session:
    session = _Session()
    session.trust_env = False
    adapter = Adapter(pool_size, tls_context(ca_bundle))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return what checks certificates and names, with watched sockets.

    Args:
        ca_bundle: A PEM file or a folder of them; None takes certifi's.

    Raises:
        OSError: It cannot be read.
    """
    ca_bundle = ca_bundle or DEFAULT_CA_BUNDLE_PATH
    folder = os.path.isdir(ca_bundle)
    context = ssl.create_default_context(
        cafile=None if folder else ca_bundle, capath=ca_bundle if folder else None
    )
    context.sslsocket_class = WatchedTLSSocket
    return context
