"""What the text of a URL must fulfil before it may be called."""

from collections.abc import Sequence

from flaskllm.net.destinations import Destinations
from flaskllm.net.egress_errors import EgressRefused, Refusal
from flaskllm.net.egress_url import CalledUrl, parse


class EgressRules:
    """The rules of one gateway."""

    def __init__(
        self,
        destinations: Destinations,
        allowed_ports: Sequence[int],
        *,
        allow_http: bool = False,
    ) -> None:
        """Keep the rules.

        Args:
            destinations: The addresses that may be called.
            allowed_ports: The only ports that may be.
            allow_http: Whether TLS may be left out.
        """
        self.destinations = destinations
        self._ports = tuple(allowed_ports)
        self._schemes = ("https", "http") if allow_http else ("https",)

    def read(self, url: str) -> CalledUrl:
        """Return the parts of a URL that may be called, as far as its text tells.

        Raises:
            EgressRefused: It may not.
        """
        called = parse(url, self._schemes)
        if called.port not in self._ports:
            raise EgressRefused(Refusal.PORT, ", ".join(map(str, self._ports)))
        address = called.address
        if address is not None and not self.destinations.may_be_called(address):
            raise EgressRefused(Refusal.BLOCKED)
        return called
