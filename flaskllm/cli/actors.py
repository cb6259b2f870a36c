"""Who acts on the command line, for the audit."""

import os
import pwd

from flaskllm.core.auth import Actor


def cli_actor() -> Actor:
    """Return the user of this machine who runs the command, as `cli:NAME`.

    Where the system knows no name it is the user's number.
    """
    number = os.getuid()
    try:
        # Not by `getpass`: that believes variables, which anybody may set.
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Actor(f"cli:{name[:32]}")
