"""What a deployment costs, and how much of it may be used: the operator's terms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars for a million tokens: one dollar a million is 1,000,000,000.

    `cache_read` and `cache_write` are for input that the upstream has kept or keeps;
    None means that it costs as much as other input. `reasoning` is for thoughts; None
    means that they cost as much as other output. `tiers` rise in `above_tokens`.
    """

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    tiers: "tuple[Tier, ...]" = ()

    def at(self, tokens_input: int) -> "Price":
        """Return the price for an input of so many tokens, cached ones included.

        Beyond a tier's bound all tokens cost what it says, not only those beyond.
        """
        reached = self
        for tier in self.tiers:
            if tokens_input > tier.above_tokens:
                reached = tier.price
        return reached


@dataclass(frozen=True, slots=True)
class Tier:
    """What everything costs once the input has more tokens than this."""

    above_tokens: int
    price: Price


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked of a deployment; None is without limit.

    `concurrent_requests` counts attempts that are under way; the others count per
    sliding minute, tokens of input and output together.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None


UNLIMITED = Limits()
