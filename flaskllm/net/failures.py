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
    LLMServerError,
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
    # Not a passing thing: nobody asks the same place again in the same request.
    (
        ssl.SSLCertVerificationError,
        LLMAPIError,
        "The upstream's certificate was not accepted.",
    ),
    (ssl.SSLError, LLMAPIError, "No TLS connection could be agreed upon."),
    (
        urllib3.exceptions.ProxyError,
        LLMUnavailable,
        "The proxy did not connect to the upstream.",
    ),
    (socket.gaierror, LLMUnavailable, "The upstream's name could not be resolved."),
    (ConnectionRefusedError, LLMUnavailable, "The upstream refused the connection."),
    (
        urllib3.exceptions.NewConnectionError,
        LLMUnavailable,
        "The upstream could not be reached.",
    ),
    # It was taken and then let go of: at the next call it may well hold.
    (ConnectionError, LLMServerError, "The upstream closed the connection."),
    (requests.ConnectTimeout, LLMUnavailable, "The upstream did not take the call."),
    (requests.Timeout, LLMTimeout, "The upstream did not answer in time."),
    (ValueError, LLMUnavailable, "The upstream's address is not valid."),
    (BaseException, LLMUnavailable, "The upstream could not be reached."),
)


def explain(error: BaseException, has_reply: bool) -> APIError:
    """Return our error for one of `FOREIGN`.

    An upstream that had begun to answer broke the rules of HTTP, whatever the
    library calls it. Otherwise the causes, outermost first, say what it was.
    """
    if has_reply:
        return LLMProtocolError(
            details="The upstream's answer broke off or is not valid HTTP."
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
