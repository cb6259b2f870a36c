"""The master secret, the derived keys and the data folder."""

import hmac
import threading

import pytest

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.redaction import Redactor
from flaskllm.core.secret_files import ensure_data_dir, master_secret
from flaskllm.core.secrets import KeyRing, Purpose, derive_key

GIVEN = "0123456789abcdef0123456789abcdef"


def mode_of(path):
    return path.stat().st_mode & 0o777


def test_the_derivation_is_hkdf_sha_256_without_salt():
    # Computed by hand from RFC 5869 with HMAC-SHA-256: extract, then expand once.
    extracted = hmac.digest(bytes(32), b"master", "sha256")
    expanded = hmac.digest(extracted, b"flaskllm/x" + b"\x01", "sha256")

    assert derive_key(b"master", "x") == expanded


def test_keys_of_different_purposes_and_masters_differ():
    purposes = [*Purpose, "sessions", "session", ""]

    keys = {derive_key(m, p) for p in purposes for m in (b"a" * 32, b"b" * 32)}

    assert len(keys) == 2 * len(purposes)


def test_a_given_secret_is_used_and_no_secret_file_is_made(tmp_path):
    assert master_secret(GIVEN, tmp_path / "data") == GIVEN.encode()
    assert not list((tmp_path / "data").iterdir())


def test_a_given_secret_that_is_short_is_refused_without_quoting_it(tmp_path):
    with pytest.raises(ServiceUnavailable) as refused:
        master_secret("hunter2", tmp_path)

    assert "7 characters" in refused.value.details
    assert "hunter2" not in refused.value.details


def test_the_secret_is_made_once_and_private(tmp_path):
    folder = tmp_path / "data"

    made = master_secret(None, folder)

    assert len(made) == 43
    assert master_secret(None, folder) == made
    assert mode_of(folder) == 0o700
    assert mode_of(folder / "secret") == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_threads_that_start_together_get_one_secret(tmp_path):
    barrier, found = threading.Barrier(8), []

    def start():
        barrier.wait()
        found.append(master_secret(None, tmp_path / "data"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]


def test_white_space_around_the_secret_in_its_file_does_not_count(tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text(f"  {GIVEN}\r\n")

    assert master_secret(None, tmp_path) == GIVEN.encode()


def test_a_secret_file_that_is_cut_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("cut")

    with pytest.raises(ServiceUnavailable, match="not set up") as refused:
        master_secret(None, tmp_path)

    assert "has 3 characters" in refused.value.details
    assert path.read_text() == "cut"


def test_a_secret_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.write_text(GIVEN)
    path.chmod(0o640)

    with pytest.raises(ServiceUnavailable) as refused:
        master_secret(None, tmp_path)

    assert "mode 640" in refused.value.details
    assert "chmod 600" in refused.value.details
    assert GIVEN not in refused.value.details


def test_a_secret_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "secret").mkdir(mode=0o700)

    with pytest.raises(ServiceUnavailable) as refused:
        master_secret(None, tmp_path)

    assert "Is a directory" in refused.value.details
    assert str(tmp_path) not in refused.value.details


def test_a_data_folder_is_made_with_its_parents(tmp_path):
    folder = tmp_path / "a" / "b"

    assert ensure_data_dir(folder) == folder
    assert mode_of(folder) == 0o700


def test_an_empty_data_folder_is_narrowed(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)

    ensure_data_dir(folder)

    assert mode_of(folder) == 0o700


def test_a_used_data_folder_that_others_can_enter_is_refused_unchanged(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "something").touch()
    folder.chmod(0o750)

    with pytest.raises(ServiceUnavailable) as refused:
        ensure_data_dir(folder)

    assert "mode 750" in refused.value.details
    assert "chmod 700" in refused.value.details
    assert mode_of(folder) == 0o750


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").touch()

    with pytest.raises(ServiceUnavailable) as refused:
        ensure_data_dir(tmp_path / "data")

    assert "FLASKLLM_DATA_DIR" in refused.value.details
    assert "File exists" in refused.value.details


def test_a_key_ring_opens_nothing_until_a_key_is_wanted(tmp_path):
    folder = tmp_path / "data"
    ring = KeyRing(None, folder)

    assert not folder.exists()

    key = ring.key(Purpose.API_TOKENS)

    assert key == derive_key((folder / "secret").read_bytes().strip(), "api-tokens/1")


def test_a_secret_that_was_read_is_masked_in_the_logs(tmp_path):
    redactor = Redactor()
    KeyRing(None, tmp_path, redactor).key(Purpose.API_TOKENS)
    secret = (tmp_path / "secret").read_text().strip()

    assert redactor.redact(f"saw {secret}") == "saw ***"


def test_a_key_ring_reads_the_secret_once(tmp_path):
    ring = KeyRing(None, tmp_path)
    key = ring.key(Purpose.API_TOKENS)
    (tmp_path / "secret").unlink()

    assert ring.key(Purpose.API_TOKENS) == key
    assert not (tmp_path / "secret").exists()


def test_a_folder_that_cannot_be_looked_into_is_told_without_its_path(tmp_path):
    folder = tmp_path / ("x" * 300)

    with pytest.raises(ServiceUnavailable) as refused:
        KeyRing(None, folder).known(Purpose.MARK)

    assert refused.value.details == (
        "The file `secret` in the data folder cannot be used: File name too long."
    )


def put(folder, name, text, mode=0o600):
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / name).touch(mode=mode)
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def key_of(secret):
    return derive_key(secret.encode(), Purpose.CONTENT)


PREVIOUS = "fedcba9876543210fedcba9876543210"


class TestPreviousSecret:
    def test_without_one_there_is_one_key(self, tmp_path):
        assert KeyRing(GIVEN, tmp_path).keys(Purpose.CONTENT) == (key_of(GIVEN),)

    @pytest.mark.parametrize("where", ["setting", "file"])
    def test_its_key_comes_after_the_current_one(self, tmp_path, where):
        if where == "file":
            put(tmp_path, "secret.previous", f"{PREVIOUS}\n")
        given = PREVIOUS if where == "setting" else None
        ring = KeyRing(GIVEN, tmp_path, previous=given)

        assert ring.keys(Purpose.CONTENT) == (key_of(GIVEN), key_of(PREVIOUS))
        assert ring.key(Purpose.CONTENT) == key_of(GIVEN)

    def test_the_setting_goes_before_the_file(self, tmp_path):
        put(tmp_path, "secret.previous", "x" * 40)

        ring = KeyRing(GIVEN, tmp_path, previous=PREVIOUS)

        assert ring.keys(Purpose.CONTENT)[1:] == (key_of(PREVIOUS),)

    def test_a_secret_that_did_not_change_is_no_second_one(self, tmp_path):
        ring = KeyRing(GIVEN, tmp_path, previous=GIVEN)

        assert ring.keys(Purpose.CONTENT) == (key_of(GIVEN),)

    def test_it_is_masked_in_the_logs_too(self, tmp_path):
        redactor = Redactor()
        put(tmp_path, "secret.previous", PREVIOUS)
        KeyRing(GIVEN, tmp_path, redactor).keys(Purpose.CONTENT)

        assert redactor.redact(f"{GIVEN} {PREVIOUS}") == "*** ***"

    @pytest.mark.parametrize(
        ("text", "mode", "told"),
        [("cut", 0o600, "has 3 characters"), (PREVIOUS, 0o644, "mode 644")],
        ids=["cut", "open to others"],
    )
    def test_a_file_that_is_no_good_is_refused_by_its_name(
        self, tmp_path, text, mode, told
    ):
        put(tmp_path, "secret.previous", text, mode)

        with pytest.raises(ServiceUnavailable) as refused:
            KeyRing(GIVEN, tmp_path).keys(Purpose.CONTENT)

        assert "`secret.previous`" in refused.value.details
        assert told in refused.value.details
        assert text not in refused.value.details

    def test_one_that_is_short_is_refused(self, tmp_path):
        with pytest.raises(ServiceUnavailable) as refused:
            KeyRing(GIVEN, tmp_path, previous="short").keys(Purpose.CONTENT)

        assert "`previous_secret` has 5 characters" in refused.value.details


class TestSecretInMemory:
    def test_it_is_made_once_and_no_folder_is_touched(self, tmp_path):
        folder = tmp_path / "data"
        ring = KeyRing(None, folder, when_missing="make_in_memory")

        keys = ring.keys(Purpose.CONTENT)

        assert len(keys) == 1
        assert ring.keys(Purpose.CONTENT) == keys
        assert ring.keys(Purpose.MARK) != keys
        assert not folder.exists()

    def test_another_process_has_another_one(self, tmp_path):
        rings = [KeyRing(None, tmp_path, when_missing="make_in_memory") for _ in "ab"]

        assert len({ring.key(Purpose.CONTENT) for ring in rings}) == 2

    def test_threads_that_start_together_get_one(self, tmp_path):
        ring = KeyRing(None, tmp_path, when_missing="make_in_memory")
        barrier, found = threading.Barrier(8), set()

        def start():
            barrier.wait()
            found.add(ring.key(Purpose.CONTENT))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 1

    def test_a_given_one_is_used(self, tmp_path):
        ring = KeyRing(GIVEN, tmp_path / "no", when_missing="make_in_memory")

        assert ring.keys(Purpose.CONTENT) == (key_of(GIVEN),)
        assert not (tmp_path / "no").exists()


class TestSecretThatMustBeGiven:
    def test_a_given_one_is_used_and_no_folder_is_made(self, tmp_path):
        ring = KeyRing(GIVEN, tmp_path / "no", when_missing="refuse")

        assert ring.keys(Purpose.CONTENT) == (key_of(GIVEN),)
        assert not (tmp_path / "no").exists()

    def test_none_is_made_up(self, tmp_path):
        with pytest.raises(ServiceUnavailable) as refused:
            KeyRing(None, tmp_path, when_missing="refuse").key(Purpose.CONTENT)

        assert "FLASKLLM_SECRET" in refused.value.details
        assert list(tmp_path.iterdir()) == []

    def test_one_that_is_short_is_refused(self, tmp_path):
        with pytest.raises(ServiceUnavailable) as refused:
            KeyRing("short", tmp_path, when_missing="refuse").key(Purpose.CONTENT)

        assert "`secret` has 5 characters" in refused.value.details
