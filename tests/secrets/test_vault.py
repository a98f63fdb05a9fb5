"""The vault keeps secrets in a file that only its recipients open, and is never half written or silently empty."""

import json
import multiprocessing
import signal
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from orchestrator import failpoints
from orchestrator.errors import CredentialsError, DamagedFile, UnknownName, UsageError
from orchestrator.failpoints import Step
from orchestrator.paths import Paths
from orchestrator.secrets.identity import VARIABLE, find_identity, identity_file, make_identity, seal
from orchestrator.secrets.vault import Vault, check_name
from tests.processes import forked


class FileKeyring(KeyringBackend):
    """A keyring in a file."""

    priority = 1
    name = "a file"

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def get_password(self, service: str, username: str) -> str | None:
        kept = json.loads(self._file.read_text()) if self._file.exists() else {}
        return kept.get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.write_text(json.dumps({f"{service}/{username}": password}))


SECRET = "glpat-hunter22 ä\nsecond line"


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path)


def keep(paths, environ=None, **secrets):
    vault = Vault(paths) if environ is None else Vault(paths, environ)
    vault.change(lambda content: content.with_secrets(secrets))


def values(paths, environ=None):
    content = (Vault(paths) if environ is None else Vault(paths, environ)).read()
    return {name: kept.value for name, kept in content.secrets.items()}


def somebody_else(tmp_path):
    """The environment of another person, and their public key."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}
    return environ, make_identity(environ).recipient


def test_a_secret_comes_back_as_it_was_kept_and_stands_nowhere_in_the_file(paths):
    keep(paths, token=SECRET)

    assert values(paths) == {"token": SECRET}
    sealed = paths.vault.read_bytes()
    assert sealed.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert b"token" not in sealed
    assert paths.vault.stat().st_mode & 0o777 == 0o600


def test_the_first_secret_makes_an_identity_that_only_its_owner_can_read(paths):
    assert find_identity() is None

    keep(paths, token="a")

    file = identity_file()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert find_identity() == make_identity()


def test_what_age_itself_writes_as_an_identity_is_read(paths):
    made = make_identity()
    file = identity_file()
    file.write_text(f"# created: 2026-01-01T00:00:00Z\n{file.read_text()}\n")

    assert find_identity() == made


def test_an_identity_may_come_from_a_variable(paths):
    keep(paths, token=SECRET)
    key = identity_file().read_text()
    identity_file().unlink()

    assert values(paths, {VARIABLE: key}) == {"token": SECRET}


def test_the_keyring_keeps_the_identity_where_there_is_one(paths, tmp_path):
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring(tmp_path / "keyring.json"))
    try:
        keep(paths, token=SECRET)

        assert not identity_file().exists()
        assert values(paths) == {"token": SECRET}
        identity = find_identity()
        assert identity is not None
        assert identity.place == "the keyring (a file)"
    finally:
        keyring.set_keyring(before)


def test_a_keyring_that_is_locked_is_told(paths, tmp_path):
    class Locked(FileKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise KeyringLocked("nobody unlocked it")

    before = keyring.get_keyring()
    keyring.set_keyring(Locked(tmp_path / "keyring.json"))
    try:
        with pytest.raises(CredentialsError, match="the keyring of this system does not answer") as refusal:
            keep(paths, token=SECRET)
    finally:
        keyring.set_keyring(before)

    assert refusal.value.cause == "nobody unlocked it"
    assert not paths.vault.exists()


def test_without_an_identity_nothing_is_read_and_nothing_is_written_over(paths, tmp_path):
    keep(paths, token=SECRET)
    sealed = paths.vault.read_bytes()
    nobody = {"XDG_CONFIG_HOME": str(tmp_path / "empty")}

    for touch in (Vault(paths, nobody).read, lambda: keep(paths, nobody, token="b")):
        with pytest.raises(CredentialsError, match=r"there is no identity here that opens secrets\.age") as refusal:
            touch()
        assert (refusal.value.hint or "").startswith("orchestrator secret identity ")
    assert paths.vault.read_bytes() == sealed
    assert not (tmp_path / "empty").exists()


def test_with_another_identity_it_is_said_who_lets_one_in(paths, tmp_path):
    keep(paths, token=SECRET)
    environ, key = somebody_else(tmp_path)

    with pytest.raises(CredentialsError, match=r"does not open secrets\.age") as refusal:
        values(paths, environ)

    assert (refusal.value.hint or "").startswith(f"orchestrator secret recipients add NAME {key} ")


def test_a_text_that_is_no_identity_is_told_and_not_shown(paths):
    with pytest.raises(CredentialsError, match=f"there is no identity in the variable {VARIABLE}") as refusal:
        keep(paths, {VARIABLE: "AGE-SECRET-KEY-hunter22"}, token="a")

    assert "hunter22" not in str(refusal.value)


@pytest.mark.parametrize("damage", ["torn", "zeroed", "emptied", "flipped", "merged", "other JSON"])
def test_a_damaged_file_is_told_and_nothing_is_written_over_it(paths, damage):
    keep(paths, token=SECRET)
    whole = paths.vault.read_bytes()
    identity = find_identity()
    assert identity is not None
    damaged = {
        "torn": whole[: len(whole) // 2],
        "zeroed": bytes(len(whole)),
        "emptied": b"",
        "flipped": whole[:300] + (b"B" if whole[300:301] == b"A" else b"A") + whole[301:],
        "merged": b"<<<<<<< HEAD\n" + whole + b"=======\n" + whole + b">>>>>>> other\n",
        "other JSON": seal(b'{"secrets": []}', [identity.recipient]),
    }[damage]
    paths.vault.write_bytes(damaged)

    for touch in (Vault(paths).read, lambda: keep(paths, token="b")):
        with pytest.raises(DamagedFile, match=r"secrets\.age is damaged") as refusal:
            touch()
        assert (refusal.value.hint or "").startswith("git checkout ")
        assert (refusal.value.cause == "git could not merge two changes of it") == (damage == "merged")
    assert paths.vault.read_bytes() == damaged


def test_a_recipient_reads_what_was_kept_before_and_after_until_it_is_removed(paths, tmp_path):
    environ, key = somebody_else(tmp_path)
    keep(paths, before="1")
    Vault(paths).change(lambda content: content.with_recipient("ada", key))
    keep(paths, after="2")

    assert values(paths, environ) == {"before": "1", "after": "2"}
    keep(paths, environ, theirs="3")
    assert values(paths) == {"before": "1", "after": "2", "theirs": "3"}
    Vault(paths).change(lambda content: content.without_recipient("ada"))
    with pytest.raises(CredentialsError):
        values(paths, environ)


@pytest.mark.parametrize("key", ["age1nothing", "AGE-SECRET-KEY-1QQ", "ssh-ed25519 AAAA", ""])
def test_what_is_no_public_key_lets_nobody_in(paths, key):
    keep(paths, token="a")

    with pytest.raises(UsageError, match="is no public key") as refusal:
        Vault(paths).change(lambda content: content.with_recipient("ada", key))

    assert not key or key not in str(refusal.value)
    assert len(Vault(paths).read().recipients) == 1


def test_a_recipient_that_is_not_there_is_told_with_the_one_that_is_near(paths, tmp_path):
    _, key = somebody_else(tmp_path)
    Vault(paths).change(lambda content: content.with_recipient("grace", key))

    with pytest.raises(UnknownName) as refusal:
        Vault(paths).change(lambda content: content.without_recipient("grce"))
    with pytest.raises(UsageError, match='there is a recipient "grace" already'):
        Vault(paths).change(lambda content: content.with_recipient("grace", make_identity().recipient))

    assert refusal.value.hint == 'did you mean "grace"?'


def test_setting_the_same_value_again_leaves_the_file_as_it_is(paths):
    keep(paths, token=SECRET)
    sealed = paths.vault.read_bytes()

    keep(paths, token=SECRET)

    assert paths.vault.read_bytes() == sealed


def _keep_ten(folder: str, environ: dict[str, str], who: int) -> None:
    for n in range(10):
        keep(Paths(Path(folder)), environ, **{f"{who}-{n}": "x"})


def test_what_many_keep_at_once_is_all_kept(paths, tmp_path):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "shared")}
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_keep_ten, args=(str(paths.root), environ, who)) for who in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert len(values(paths, environ)) == 30


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [Step.FILE_WRITE, Step.FILE_SYNC, Step.FILE_RENAME])
def test_kill_9_at_any_step_leaves_the_old_vault_or_the_new_one(paths, tmp_path, step, moment):
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "shared")}
    keep(paths, environ, token="old", other="kept")
    process = forked.Process(target=_keep_new, args=(paths, environ, f"{moment} {step} secrets.age:kill"))

    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    is_there = (step, moment) == (Step.FILE_RENAME, "after")
    assert values(paths, environ) == {"token": "new" if is_there else "old", "other": "kept"}
    keep(paths, environ, token="newest")
    assert [path.name for path in paths.root.glob("*secrets.age*")] == ["secrets.age"]


def _keep_new(paths, environ, armed):
    failpoints.arm(failpoints.failpoint(armed))
    keep(paths, environ, token="new")


@pytest.mark.parametrize("name", ["gitlab", "gitlab.private_token", "two words", "schlüssel", "a/b"])
def test_a_secret_may_be_called_so(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", " a", "a\nb", "-x", "\x1b[2J", "a" * 201])
def test_a_secret_may_not_be_called_so(name):
    with pytest.raises(UsageError, match="cannot be the name of a secret"):
        check_name(name)


def test_a_secret_is_not_shown_by_what_holds_it(paths):
    keep(paths, token="hunter22")

    assert "hunter22" not in repr(Vault(paths).read())
    assert identity_file().read_text().split()[-1] not in repr(find_identity())
