"""What differs between the kinds of database that can be used."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine

from flaskllm.storage.copies import Copies
from flaskllm.storage.presence import Presence

Options = Mapping[str, object]
"""Execution options of SQLAlchemy that a connection gets before it begins."""

PATIENCE = "patience_seconds"
"""The option that says how long a transaction may wait for others' locks."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Whom a thread of this process waits for before it gets a connection.

    `connect` gets it then.
    """

    reading: AbstractContextManager[object]
    writing: AbstractContextManager[object]
    connect: Callable[[Engine], Connection] = Engine.connect


class Store(Protocol):
    """One kind of database at one address. It opens nothing until it is asked to.

    Attributes:
        is_shared: Other hosts may use the same database at the same time.
        reading: For a transaction that sees one unchanging state and never writes.
        writing: For a transaction that writes.
        durable: For one whose commit must outlive a loss of power.
    """

    is_shared: bool
    reading: Options
    writing: Options
    durable: Options

    def make_engine(self) -> Engine:
        """Return an engine that has not connected.

        Raises:
            ServiceUnavailable: What it needs is not installed.
        """
        ...

    @property
    def is_lasting(self) -> bool:
        """Tell whether what is written outlives the process."""
        ...

    def make_workflow_engine(self, statement_ms: int) -> Engine:
        """Return an engine of the kind that DBOS needs; it has not connected.

        Args:
            statement_ms: How long a statement may take; 0 is as long as it needs.

        Raises:
            ServiceUnavailable: What it needs is not installed, or nothing lasts here.
        """
        ...

    def turns(self) -> Turns:
        """Return what keeps this process's threads apart."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Make what the database lies in; keep others from making it as well.

        Raises:
            ServiceUnavailable: Another process does not finish; a retry helps.
            OSError: The file or its folder cannot be made.
        """
        ...

    def enter(self) -> Presence | None:
        """Return the sign that this process uses the database; None where none is.

        Call it while `alone`, so that nobody replaces the database in between.
        """
        ...

    def lock_schema(self, connection: Connection) -> None:
        """Hold the schema's lock until the end of the open transaction.

        Raises:
            ServiceUnavailable: Another process does not finish; a retry helps.
        """
        ...

    def fold_log(self, engine: Engine) -> bool:
        """Bring what lies in a log beside the database into it, and empty the log.

        Return False where others who read it were in the way.
        """
        ...

    def log_bytes(self) -> int | None:
        """Return how long the log beside the database is; None where there is none."""
        ...

    def copies(self) -> Copies:
        """Return what makes copies of the whole database, and puts them back.

        Raises:
            ServiceUnavailable: It lies in memory.
        """
        ...

    def exists(self) -> bool:
        """Tell whether there is something to connect to, without making it."""
        ...

    def describe(self, connection: Connection) -> str:
        """Return the product, its version and how it keeps transactions whole."""
        ...

    def find_faults(self, connection: Connection) -> tuple[str, ...]:
        """Return what is wrong with what lies in the database; it may take long."""
        ...
