"""Secrets of all kinds are planted, and the command line is run over a tap that tells all it knows: nothing shows."""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from orchestrator.state import read_archive
from tests.cli.conftest import COMMAND, surroundings
from tests.cli.terminal import on_a_terminal
from tests.workspaces import FakeWorkspace

PROGRAM = Path(__file__).parents[1] / "taps" / "tap_canary.py"
KEY = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"

VAULT = {
    "plain": "glpat-canary01abcdef",
    "signs": """ca"na'ry/02+&=%?#\\ {}<>""",
    "letters": "kanärie-03-ünïcode-€-😀",
    "key": KEY.format("MIICanary04Q+/IBADANBg\nkqhkiCanary04G9w0BAQE="),
    "account": json.dumps({"type": "service", "private_key": KEY.format("MIIcanary05Q+/IBADAN\nBgcanary05b==")}),
    "url": "postgres://ada:canary06-p%40ss@db.test/shop",
    "nested": "canary07-in-a-table",
    "listed": "canary08-in-a-list",
    "number": "9876543210909",
    "words": "canary ten in four words",
    "for a variable": "canary11-for-the-environment",
    "refresh": "canary12-used-up",
    "hook": "json://ada:canary22-hook@127.0.0.1:1/canary23-path?+X-Key=canary24-header",
}
ENVIRONMENT = {
    "SHOP_TOKEN": "canary13-from-a-variable",
    "SHOP_KEY": "canary14-for-a-variable",
    "TAP_FAKE_API_KEY": "canary15-over-the-file",
    "AWS_SECRET_ACCESS_KEY": "canary16/ambient+key",
    "https_proxy": "http://ada:canary17-proxy@proxy.test:3128",
}
TYPED = "canary18-typed"
FILE = "canary19-in-a-file"
PRINTED = "canary20-printed"
RENEWED = "canary21-renewed"
SOUGHT = [
    *(secret for name, secret in VAULT.items() if name not in ("url", "key", "account", "hook")),
    "canary06-p",
    "MIICanary04Q+/IBADANBg",
    "kqhkiCanary04G9w0BAQE=",
    "MIIcanary05Q+/IBADAN",
    "Bgcanary05b==",
    *(secret for name, secret in ENVIRONMENT.items() if name != "https_proxy"),
    "canary17-proxy",
    *(TYPED, FILE, PRINTED, RENEWED),
    *("canary22-hook", "canary23-path", "canary24-header"),
]


def spelled(secret: str) -> set[bytes]:
    """What would tell of a secret in a file: more than the tap's own spellings, for these are sought."""
    content = secret.encode()
    cores = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + content).decode()
        cores.add(text[-(-before * 8 // 6) : (before + len(content)) * 8 // 6])
    cores |= {core.translate(str.maketrans("+/", "-_")) for core in cores}
    texts = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1], *cores}
    return {text.encode() for text in texts}


CANARIES = {secret: spelled(secret) for secret in SOUGHT}


def shown_in(content: bytes) -> list[str]:
    return [secret for secret, spellings in CANARIES.items() if any(each in content for each in spellings)]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which all that is written lies below the folder of the test, and that holds canaries."""
    (tmp_path / "tmp").mkdir()
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    return places | {"XDG_CONFIG_HOME": str(tmp_path / "config"), "EDITOR": "true"} | ENVIRONMENT


@pytest.fixture
def planted(tmp_path: Path, home: dict[str, str]) -> FakeWorkspace:
    """A workspace whose tap is told all of them. What is kept by others lies elsewhere."""
    root, elsewhere = tmp_path / "shop", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (elsewhere / "token").write_text(FILE)
    (elsewhere / "printed").write_text(PRINTED)
    (elsewhere / "renewed").write_text(RENEWED)
    workspace = FakeWorkspace(root)
    workspace.install(program=str(PROGRAM))
    workspace.behave(
        ends="well",
        witness=str(elsewhere / "witness"),
        renews=str(elsewhere / "renewed"),
        **{
            f"{name}_token": {"secret": name}
            for name in ("plain", "signs", "letters", "key", "account", "words", "number")
        },
        url={"secret": "url"},
        login={"user": "ada", "password": {"secret": "nested"}},
        keys=[{"secret": "listed"}],
        api_key={"secret": "plain"},
        token={"secret": "refresh"},
        from_variable={"env": "SHOP_TOKEN"},
        from_file={"file": str(elsewhere / "token")},
        from_command={"command": ["cat", str(elsewhere / "printed")]},
    )
    # It writes down elsewhere what it is given.
    workspace.notify(name="team", to={"secret": "hook"})
    workspace.choose(sandbox="none", env={"FOR_TAP": {"secret": "for a variable"}, "FOR_TAP_TOO": {"env": "SHOP_KEY"}})
    return workspace


@contextmanager
def watched_arguments(seen: list[list[str]]) -> Iterator[None]:
    """Looks at the arguments of everything that is started meanwhile."""
    over, ours = threading.Event(), psutil.Process()

    def look() -> None:
        while not over.wait(0.02):
            for each in ours.children(recursive=True):
                with suppress(psutil.Error, OSError):
                    seen.append(each.cmdline())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def commands(workspace: FakeWorkspace) -> Iterator[tuple[list[str], str]]:
    """The whole command line, over taps that end well and badly: words, and what goes to stdin."""
    for name, secret in VAULT.items():
        yield ["secret", "set", name], secret
    yield ["secret", "list"], ""
    yield ["secret", "recipients", "list", "--json"], ""
    yield ["config", "fake", "set", "api_secret=x"], ""
    yield ["config", "fake", "list", "--origin"], ""
    yield ["config", "fake", "--json"], ""
    yield ["taps", "show", "fake"], ""
    yield ["taps", "show", "fake", "--json"], ""
    yield ["discover", "fake"], ""
    yield ["select", "fake", "--list"], ""
    yield ["check", "fake", "--patience", "5"], ""
    for ends in ("well", "badly", "garbled", "refused"):
        workspace.behave(ends=ends)
        yield ["run", "shop", "--json"], ""
        yield ["run", "shop", "-v"], ""
        yield ["logs", "shop"], ""
        yield ["check", "fake"], ""
    workspace.behave(ends="garbled")
    yield ["run", "shop", "--on-bad-line", "quarantine"], ""
    yield ["query", "from _orchestrator.quarantine", "--json"], ""
    yield ["replay", "shop", "--run", "9", "--to", "scratch"], ""
    yield ["query", "from _orchestrator.quarantine", "--to", "scratch", "--json"], ""
    yield ["tap", "test", "fake", "--json"], ""
    workspace.behave(ends="well")
    yield ["tap", "record", "fake", "--to", "recorded"], ""
    yield ["runs", "shop"], ""
    yield ["runs", "shop", "--json"], ""
    yield ["status", "--json"], ""
    yield ["runs", "show", "shop", "2", "--json"], ""
    yield ["runs", "diff", "shop", "1", "2"], ""
    yield ["runs", "diff", "shop", "1", "2", "--json"], ""
    yield ["logs", "shop", "--json"], ""
    yield ["metrics"], ""
    workspace.behave(ends="badly")
    yield ["run", "shop", "--log-format", "json"], ""
    yield ["notify", "deliver"], ""
    yield ["notify", "test"], ""
    yield ["notify", "--json"], ""
    yield ["status"], ""
    workspace.behave(ends="well")
    yield ["state", "history", "shop", "--json"], ""
    yield ["state", "export", "shop"], ""
    yield ["doctor"], ""
    yield ["doctor", "--report"], ""
    yield ["secret", "remove", "plain", "--yes"], ""
    yield ["run", "shop", "-v"], ""
    yield ["config", "fake", "unset", "api_secret"], ""


def test_planted_secrets_show_nowhere_but_where_they_were_put(tmp_path, planted, home):
    seen: list[list[str]] = []
    said: dict[str, bytes] = {}
    codes: list[int] = []

    with watched_arguments(seen):
        question = ("password (secret): ", f"{TYPED}\n")
        written = on_a_terminal("config", "fake", "set", "password", at=planted.paths.root, typed=[question], **home)
        said["config fake set password"] = written.encode()
        planted.behave(password={"secret": "fake.password"})
        for words, stdin in commands(planted):
            ended = subprocess.run(
                [*COMMAND, *words],
                cwd=planted.paths.root,
                env=surroundings(**home),
                input=stdin.encode(),
                capture_output=True,
            )
            said[f"{len(said)} {' '.join(words)}"] = ended.stdout + ended.stderr
            codes.append(ended.returncode)

    # It is no silence that hides them: taps ran, ended in every way, and were heard.
    assert b"internal error" not in b"".join(said.values())
    assert {0, 1, 4} <= set(codes)
    log = planted.paths.tap_log("shop", 1).read_text()
    assert log.count("***") > 500
    witness = json.loads((tmp_path / "elsewhere" / "witness").read_text())
    assert witness[1]["FOR_TAP"] == VAULT["for a variable"]

    hits = {name: found for name, output in said.items() if (found := shown_in(output))}
    assert hits == {}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "elsewhere" not in path.parts]
    assert len(files) > 40
    assert [(path, shown_in(path.read_bytes())) for path in files if shown_in(path.read_bytes())] == []
    archives = [path for path in files if path.name == "messages.zst"]
    assert len(archives) > 5
    assert [
        (path, shown_in(b"".join(read_archive(path)))) for path in archives if shown_in(b"".join(read_archive(path)))
    ] == []
    assert any(str(PROGRAM) in words for words in seen)
    assert [words for words in [*seen, witness[0]] if shown_in("\0".join(words).encode())] == []


def test_a_tap_is_given_no_variable_that_is_not_for_it(tmp_path, planted, home, orchestrator):
    for name, secret in VAULT.items():
        orchestrator("secret", "set", name, at=planted.paths.root, stdin=secret, **home)
    key = (tmp_path / "config" / "orchestrator" / "identity.txt").read_text()

    ran = orchestrator("run", "shop", at=planted.paths.root, **home, ORCHESTRATOR_IDENTITY=key)

    assert ran.exit_code == 0, ran.err
    arguments, environment = json.loads((tmp_path / "elsewhere" / "witness").read_text())
    assert not [word for word in arguments if shown_in(word.encode())]
    held = {name for name, value in environment.items() if shown_in(value.encode()) or "AGE-SECRET" in value}
    assert held == {"FOR_TAP", "FOR_TAP_TOO", "AWS_SECRET_ACCESS_KEY", "https_proxy"}
