"""What makes a line safe to write: no live secret in it, and no second line."""

import base64
import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
# A shorter value (a local server's key "none") would mask ordinary words.
SHORTEST_SECRET_CHARACTERS = 6

# Line breaks, control and escape characters, marks that turn the reading
# direction, and halves of surrogate pairs: each could forge or hide a line.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_IN_A_URL = str.maketrans("+/", "-_")
# What neither JSON nor a URL writes in another way, as our own API tokens.
_UNCHANGED = re.compile(r"[0-9A-Za-z_.~-]+")


def escape(text: str) -> str:
    """Return `text` as one line that no terminal obeys."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


class Redactor:
    """Masks every secret that it was told, in whatever form a line holds it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask `secret` from now on, unless it is shorter than six characters."""
        if len(secret) < SHORTEST_SECRET_CHARACTERS:
            return
        with self._lock:
            self._forms = _longest_first({*self._forms, *forms_of(secret)})

    def redact(self, line: str, passing: Iterable[str] = ()) -> str:
        """Return `line` with each secret masked.

        Args:
            line: What is to be written.
            passing: The `forms_of` a secret that is known for now only.
        """
        for form in (*self._forms, *passing):
            # Many plain searches are faster than one pattern of alternatives.
            if form in line:
                line = line.replace(form, MASK)
        return line


def forms_of(secret: str) -> tuple[str, ...]:
    """Return the secret as it is, escaped, URL-encoded and in base64, longest first."""
    base64_forms = _base64_forms(secret.encode("utf-8", "surrogatepass"))
    if _UNCHANGED.fullmatch(secret):
        return _longest_first({secret, *base64_forms})
    percent = quote(secret, safe="")
    forms = {
        secret,
        escape(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        percent,
        quote(secret),
        quote_plus(secret),
        re.sub("%..", lambda octet: octet.group().lower(), percent),
        *base64_forms,
    }
    return _longest_first(forms)


def _longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    # A form inside a longer one would leave the rest of that to read.
    return tuple(sorted(forms, key=len, reverse=True))


def _base64_forms(secret: bytes) -> set[str]:
    """Return what base64 makes of the secret at each of the three alignments.

    Only characters that depend on the secret alone count, so it is found inside
    a longer encoded text, such as a Basic credential, as well.
    """
    found = set()
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        last = (shift + len(secret)) * 8 // 6
        plain = base64.b64encode(bytes(shift) + secret)[first:last].decode("ascii")
        found.add(plain)
        found.add(plain.translate(_IN_A_URL))
    return found
