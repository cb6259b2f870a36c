"""The one seam where foreign errors of the network become ours."""

import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from flaskllm.core.errors import (
    APIError,
    LLMAPIError,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)

FOREIGN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
)

# The first row that any cause of a failure matches says what it was.
_EXPLANATIONS: tuple[tuple[type[BaseException], type[LLMAPIError], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        LLMUnavailable,
        "the upstream's certificate was not accepted",
    ),
    (ssl.SSLError, LLMUnavailable, "no TLS connection could be agreed upon"),
    (
        urllib3.exceptions.ProxyError,
        LLMUnavailable,
        "the proxy did not connect to the upstream",
    ),
    (socket.gaierror, LLMUnavailable, "the upstream's name could not be resolved"),
    (ConnectionRefusedError, LLMUnavailable, "the upstream refused the connection"),
    (ConnectionError, LLMUnavailable, "the upstream closed the connection"),
    (requests.ConnectTimeout, LLMUnavailable, "the upstream did not take the call"),
    (requests.Timeout, LLMTimeout, "the upstream did not answer in time"),
    (ValueError, LLMUnavailable, "the upstream's address is not valid"),
    (BaseException, LLMUnavailable, "the upstream could not be reached"),
)


def explain(error: BaseException, has_reply: bool) -> APIError:
    """Return our error for one of `FOREIGN`.

    An upstream that had begun to answer broke the rules of HTTP, whatever the
    library calls it. Otherwise the causes, outermost first, say what it was.
    """
    if has_reply:
        return LLMProtocolError(
            details="the upstream's answer broke off or is not valid HTTP"
        )
    causes = list(_causes(error))
    return next(
        ours(details=details)
        for kind, ours, details in _EXPLANATIONS
        if any(isinstance(cause, kind) for cause in causes)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
