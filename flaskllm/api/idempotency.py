"""The header `Idempotency-Key`: a request that is repeated is not run again.

A view that is marked `@idempotent` is only asked where the request has no such
header, or where its key is claimed for it. Its answer, when it is a success, is kept
and told again to whoever repeats the request. Only where that was 202 it is asked
again: it tells how the work stands by now, and begins none.
"""

import logging
import re
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Final, cast

from flask import Response, g, request

from flaskllm.api import context
from flaskllm.api.callers import caller_socket
from flaskllm.api.recording import EndingBody, Recording
from flaskllm.api.streaming import EVENT_STREAM
from flaskllm.api.validation import read_body
from flaskllm.core import logs
from flaskllm.core.errors import InvalidInputError
from flaskllm.services.claims import Claim
from flaskllm.services.idempotency import MOST_ANSWER_BYTES, KeptAnswer
from flaskllm.services.request_prints import KeyedRequest

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"

# A string of RFC 8941, section 3.3.3; or bare, as most clients send it. Servers join
# headers of one name by commas, so only quotes can tell a comma from a second header.
_QUOTED = r'"(?:[ !#-\[\]-~]|\\["\\]){1,255}"'
_BARE = r"[!#-+\--~](?:[ -+\--~]{0,253}[!-+\--~])?"
PATTERN: Final = f"^(?:{_QUOTED}|{_BARE})$"
MOST_KEY_CHARACTERS: Final = 255

_ACCEPTED = 202
_MARK = "flaskllm_idempotent"
_ENVIRON = "HTTP_IDEMPOTENCY_KEY"
_MULTIPART = "multipart/form-data"
# What belongs to an answer; all else is of the moment, such as rate limits.
_KEPT_HEADERS = frozenset({"content-type", "location", "retry-after"})
_KEPT_PREFIX = "x-flaskllm-"
_ALLOWED = "once, 1 to 255 printable ASCII characters, in double quotes if with a comma"

View = Callable[[], Response]

_log = logging.getLogger(__name__)


def idempotent(max_body_bytes: int) -> Callable[[View], View]:
    """Let a view that costs money be asked once for all requests with one key.

    Stands next to the view, below the marks of the guard and of the description.

    Args:
        max_body_bytes: The cap of the route's body, which is read here first.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def run() -> Response:
            given = request.environ.get(_ENVIRON)
            if given is None:
                return view()
            return _run_once(view, read_key(given), max_body_bytes)

        setattr(run, _MARK, True)
        return run

    return mark


def is_idempotent(view: Callable[..., object]) -> bool:
    """Tell whether a view heeds the header."""
    return getattr(view, _MARK, False)


def is_repetition() -> bool:
    """Tell whether this very request was accepted before, by its key."""
    return bool(g.get("is_repetition", False))


def read_key(given: str) -> str:
    """Return the key in the value of the header, without its quotes.

    Raises:
        InvalidInputError: The value is none, or the header came twice.
    """
    if not re.fullmatch(PATTERN, given):
        raise InvalidInputError.of(HEADER, _problem(given), _ALLOWED)
    if not given.startswith('"'):
        return given
    return re.sub(r"\\(.)", r"\1", given[1:-1])


def _problem(given: str) -> str:
    if not given.strip():
        return "is empty"
    if "," in given:
        return "is given twice, or holds a comma"
    if len(given) > MOST_KEY_CHARACTERS:
        return f"has {len(given)} characters"
    return "cannot be read"


def _run_once(view: View, key: str, max_body_bytes: int) -> Response:
    body = read_body(max_body_bytes)
    asked = KeyedRequest(
        context.principal().id,
        key,
        tuple(_parts(body, max_body_bytes)),
        context.request_id(),
    )
    claimed = context.services().idempotency.claim(asked)
    if isinstance(claimed, KeptAnswer):
        if claimed.status != _ACCEPTED:
            return _replay(claimed)
        # What was accepted as a job knows its repetitions by itself, and is told as it
        # stands now.
        g.is_repetition = True
        return view()
    try:
        response = view()
    except BaseException:
        context.services().idempotency.release(claimed)
        raise
    return _keep(response, claimed)


def _parts(body: bytes, max_body_bytes: int) -> Iterator[bytes]:
    """Yield what makes this request another one than any that differs."""
    yield request.method.encode()
    yield request.path.encode("utf-8", "surrogatepass")
    yield request.query_string
    if request.mimetype != _MULTIPART:
        yield request.headers.get("Content-Type", "").encode("utf-8", "replace")
        yield body
        return
    # Each try makes up another boundary: the same form is never the same bytes.
    yield _MULTIPART.encode()
    request.max_form_memory_size = max_body_bytes
    yield from _form_parts()


def _form_parts() -> Iterator[bytes]:
    for name, value in request.form.items(multi=True):
        yield from _texts("field", name, value)
    for name, file in request.files.items(multi=True):
        yield from _texts("file", name, file.filename, file.content_type)
        yield file.read()
        file.seek(0)  # the view reads it again


def _texts(*texts: str | None) -> Iterator[bytes]:
    # A part of a form may come without a name at all.
    return ((text or "").encode("utf-8", "surrogatepass") for text in texts)


def _keep(response: Response, claim: Claim) -> Response:
    """Keep a success; whatever else it is, the next try may do better.

    What had to stay local is kept nowhere: a repetition of it is run again.
    """
    idempotency = context.services().idempotency
    if not 200 <= response.status_code < 300 or context.is_confined():
        idempotency.release(claim)
        return response
    headers = tuple(
        (name, value)
        for name, value in response.headers.items()
        if name.lower() in _KEPT_HEADERS or name.lower().startswith(_KEPT_PREFIX)
    )
    keep = partial(idempotency.store, claim, response.status_code, headers)
    if response.mimetype == EVENT_STREAM:
        response.response = Recording(
            cast(EndingBody, response.response),
            keep,
            partial(idempotency.release, claim),
            MOST_ANSWER_BYTES,
        )
    else:
        keep(response.get_data())
    return response


def _replay(kept: KeptAnswer) -> Response:
    caller_socket()  # or a caller who does not read would hold this thread
    logs.event(_log, logging.INFO, "answer_replayed", first_request_id=kept.request_id)
    response = Response(kept.body, status=kept.status, headers=kept.headers)
    response.headers[REPLAYED] = "true"
    return response
