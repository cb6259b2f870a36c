"""What a model wrote in a stream, piece by piece."""


class Written:
    """The pieces in their order; of which the answer's text can be told apart.

    Attributes:
        pieces: All of them. Whoever adds to it says that the piece is text of the
            answer; what is anything else is added by `add_other`.
    """

    __slots__ = ("_others", "pieces")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.pieces: list[str] = []
        self._others: set[int] = set()

    def add_other(self, piece: str) -> None:
        """Add what is no text of the (first) answer: a thought, arguments, ..."""
        self._others.add(len(self.pieces))
        self.pieces.append(piece)

    def all(self) -> str:
        """Return everything."""
        return "".join(self.pieces)

    def text(self) -> str:
        """Return the answer's text alone."""
        if not self._others:
            return self.all()
        return "".join(
            piece
            for place, piece in enumerate(self.pieces)
            if place not in self._others
        )
