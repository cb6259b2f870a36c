"""Which headers are fit to be sent."""

import re
from collections.abc import Mapping

from flaskllm.core.errors import InternalError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, 5.5: no control characters; and what Latin-1 cannot carry is a slip.
_VALUE = re.compile(r"(?!\s)[\t\x20-\x7e\xa0-\xff]*")


def refuse_bad_headers(headers: Mapping[str, str]) -> None:
    """Return when every name and value may stand on a line of a request.

    Raises:
        InternalError: One may not; its name is told, never its value.
    """
    for name, value in headers.items():
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise InternalError(
                details=f"The header {name!r} was not sent: a line break, a control "
                "character or a character beyond Latin-1 is in it."
            )
