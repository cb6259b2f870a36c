"""How the tests of PostgreSQL look at its sessions, end them and wait for them."""

from urllib.parse import quote

import pytest
from database_rows import INSERT

from flaskllm.core.errors import ServiceUnavailable

OURS = "FROM pg_stat_activity WHERE application_name = 'flaskllm' AND datname = %s"
SOMEBODY_WAITS = (
    "SELECT count(*) > 0 FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = %s"
)


def with_options(url, *settings):
    """Return the URL with settings of the server for each of its connections."""
    options = " ".join(f"-c {setting}" for setting in settings)
    return f"{url}?options={quote(options)}"


def name_in(url):
    return url.rpartition("/")[2]


def end_backends(server, url):
    """Kill every connection of the program to this database; return how many."""
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) " + OURS, [name_in(url)]
        )
        return len(rows.fetchall())


def insert(database):
    """Write one row in a transaction of its own."""
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})


def refusal_of(database):
    """Return the error of a database that cannot be used."""
    with pytest.raises(ServiceUnavailable) as refused:
        database.check()
    return refused.value


def wait_until(server, query, name):
    """Return once the query about this database is answered with true."""
    with server.connect() as connection:
        while connection.execute(query, [name]).fetchone() == (False,):
            connection.execute("SELECT pg_sleep(0.01)")
