"""The proxy fails as it is told to, or tests that use it prove nothing."""

import socket
import threading
import time
from contextlib import closing, suppress

import pytest
from tcp_chaos import tcp_chaos


def echo(connection, mark):
    with closing(connection), suppress(ConnectionError):
        while heard := connection.recv(65536):
            connection.sendall(mark + heard)


@pytest.fixture
def start_server():
    """Start a server that says what it hears, after a mark of its own."""
    listeners = []

    def start(mark=b""):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                arguments = (connection, mark)
                threading.Thread(target=echo, args=arguments, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for each in listeners:
        each.shutdown(socket.SHUT_RDWR)
        each.close()


@pytest.fixture
def chaos(start_server):
    with tcp_chaos(start_server()) as proxy:
        yield proxy


@pytest.fixture
def connection(chaos):
    with connect(chaos) as opened:
        yield opened


def connect(chaos):
    return socket.create_connection(("127.0.0.1", chaos.port), timeout=5)


def ask(connection, text=b"hello"):
    connection.sendall(text)
    heard = b""
    while not heard.endswith(text):
        heard += connection.recv(65536)
    return heard


def is_silent(connection):
    connection.settimeout(0.05)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def test_at_first_all_passes_and_so_does_the_end(chaos, connection):
    assert ask(connection) == b"hello"
    large = b"x" * 300_000
    assert ask(connection, large) == large
    assert chaos.accepted == 1

    connection.shutdown(socket.SHUT_WR)

    assert connection.recv(1) == b""


def test_a_cut_resets_what_is_open_and_nothing_else(chaos, connection):
    ask(connection)

    chaos.cut()

    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    with connect(chaos) as another:
        assert ask(another) == b"hello"


def test_who_is_refused_may_come_back_when_it_is_healed(chaos, connection):
    ask(connection)

    chaos.refuse()

    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(chaos)

    chaos.heal()
    with connect(chaos) as another:
        assert ask(another) == b"hello"


@pytest.mark.parametrize("how", ["hang", "mute"])
def test_what_is_kept_back_comes_when_it_is_healed(chaos, connection, how):
    ask(connection)
    getattr(chaos, how)()

    connection.sendall(b"late")

    assert is_silent(connection)
    chaos.heal()
    assert connection.recv(65536) == b"late"


def test_what_is_asked_of_the_mute_arrives():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with tcp_chaos(port) as chaos, connect(chaos) as asking:
            chaos.mute()
            asking.sendall(b"x")
            heard, _ = listener.accept()
            with heard:
                assert heard.recv(1) == b"x"
                heard.sendall(b"y")
                assert is_silent(asking)


def test_a_cut_may_come_between_what_is_asked_and_its_answer(chaos, connection):
    ask(connection)
    chaos.cut_after(b"COMMIT")
    assert ask(connection, b"BEGIN") == b"BEGIN"

    with pytest.raises(ConnectionResetError):
        ask(connection, b"then COMMIT it")

    with connect(chaos) as another:
        assert ask(another, b"COMMIT") == b"COMMIT"


def test_the_slow_are_slow_in_both_directions(chaos, connection):
    chaos.delay(0.03)
    began = time.monotonic()
    ask(connection)
    assert time.monotonic() - began >= 0.06

    chaos.heal()
    chaos.drip(1000)
    began = time.monotonic()
    assert ask(connection, b"x" * 50) == b"x" * 50
    assert time.monotonic() - began >= 0.1


def test_new_connections_go_to_the_new_target(chaos, connection, start_server):
    ask(connection)

    chaos.retarget(start_server(b"second: "))

    with connect(chaos) as another:
        assert ask(another) == b"second: hello"
    assert ask(connection) == b"hello"


def test_a_target_that_is_gone_ends_connections(chaos):
    chaos.retarget(1)

    with connect(chaos) as asking:
        assert asking.recv(1) == b""
