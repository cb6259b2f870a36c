"""What is kept, for how long, and how it is copied, measured and removed."""

from dataclasses import dataclass

from flaskllm.services.keeping.backups import Backups
from flaskllm.services.keeping.erasing import Erasing
from flaskllm.services.keeping.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Keeping:
    """The use cases of the database as a whole."""

    backups: Backups
    erasing: Erasing
    sizes: Sizes
