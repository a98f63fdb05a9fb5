"""A tap reaches what it needs of this machine, and what it is told of; the rest of it is not there for it."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.config import Sandbox
from orchestrator.errors import EnvironmentBroken
from orchestrator.supervisor.command import Command
from orchestrator.supervisor.launcher import landlock_version
from orchestrator.supervisor.process import TapProcess
from orchestrator.supervisor.sandbox import SYSTEM, Allowed, Confinement, Named, named_in, python_of

ROOT = Path(__file__).parents[2]
confined = pytest.mark.skipif(landlock_version() < 6, reason="this kernel has no Landlock, or one of before Linux 6.12")

TRY = """
import json, os, sys

def outcome(attempt):
    try:
        return attempt() or "done"
    except OSError as error:
        return type(error).__name__

print(json.dumps({words: outcome(lambda: eval(words)) for words in json.loads(sys.argv[1])}))
"""


@pytest.fixture
def home(tmp_path):
    """A folder with a file to be read, one to be written, and one that is nobody's business."""
    for name in ("source", "work", "private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path


def command_in(home, program, *arguments, sandbox=Sandbox.LANDLOCK):
    allowed = SYSTEM | python_of(sys.executable) | Allowed(reads=(home / "source",), writes=(home / "work",))
    told = (sys.executable, "-IS", "-c", program, *arguments)
    return Command(told, {}, home, home / "config.json", confinement=Confinement(sandbox, allowed))


@pytest.fixture
def attempts(home):
    """A function that gives what comes of each attempt, a Python expression, in the sandbox."""

    def attempt(*words, **options):
        asked = json.dumps([each.format(home=home) for each in words])
        with TapProcess(command_in(home, TRY, asked, **options), home / "log") as process:
            said = b"".join(process.blocks())
            assert process.wait() == 0, (home / "log").read_text()
        return [*json.loads(said).values()]

    return attempt


@confined
def test_a_tap_reads_what_it_may_and_nothing_else(attempts):
    allowed = attempts(
        "open('{home}/source/file').read()", "os.listdir('{home}/source')[0]", "open('source/file').read()"
    )
    refused = attempts(
        "open('{home}/private/file').read()",
        "os.listdir('{home}/private')",
        "os.listdir('{home}')",
        "open('{home}/source/../private/file').read()",
        "os.listdir('/')",
        "os.listdir('/etc')",
        "open('/etc/shadow').read()",
        f"os.listdir({str(Path.home())!r})",
        "os.listdir('/tmp')",
    )

    assert allowed == ["source", "file", "source"]
    assert set(map(str, refused)) == {"PermissionError"}


@confined
def test_a_tap_writes_where_it_may_and_nowhere_else(attempts, home):
    allowed = attempts(
        "open('{home}/work/file', 'w').write('mine') and None",
        "os.mkdir('{home}/work/new')",
        "open('{home}/work/new/file', 'w').close()",
        "os.rename('{home}/work/new/file', '{home}/work/other')",
        "open('/dev/null', 'w').close()",
    )
    refused = attempts(
        "open('{home}/source/file', 'a').close()",
        "os.truncate('{home}/source/file', 0)",
        "os.unlink('{home}/source/file')",
        "open('{home}/private/new', 'w').close()",
        "os.link('{home}/source/file', '{home}/work/link')",
        "os.symlink('{home}/private', '{home}/private/link')",
        "open('/tmp/of-a-tap', 'w').close()",
    )

    assert allowed == ["done"] * 5
    assert {*refused} <= {"PermissionError", "OSError"}
    assert (home / "source" / "file").read_text() == "source"


@confined
def test_a_link_leads_nowhere_that_a_tap_may_not_reach(attempts, home):
    (home / "source" / "link").symlink_to(home / "private" / "file")

    assert attempts("open('{home}/source/link').read()", "os.symlink('{home}/private', '{home}/work/way')") == [
        "PermissionError",
        "done",
    ]
    assert attempts("open('{home}/work/way/file').read()") == ["PermissionError"]


@confined
def test_a_tap_starts_no_program_that_it_brought(attempts, home):
    shutil.copy("/bin/true", home / "work" / "program")

    started = "__import__('subprocess').run([{path!r}]).returncode or 'started'"
    assert attempts(started.format(path=str(home / "work" / "program")), started.format(path="/bin/true")) == [
        "PermissionError",
        "started",
    ]


@confined
def test_a_tap_reaches_neither_the_process_nor_the_environment_of_its_run(attempts):
    refused = attempts(
        f"open('/proc/{os.getpid()}/environ').read()",
        f"open('/proc/{os.getpid()}/mem').read()",
        f"os.readlink('/proc/{os.getpid()}/fd/0')",
        f"os.kill({os.getpid()}, 0)",
        "os.kill(os.getppid(), 9)",
    )

    assert set(map(str, refused)) == {"PermissionError"}


@confined
def test_what_a_tap_starts_is_confined_like_it(attempts):
    shell = "__import__('subprocess').run(['/bin/cat', '{home}/private/file'], stderr=-3).returncode"

    assert attempts(shell) == [1]


@confined
def test_names_certificates_and_temporary_files_are_there_for_a_tap(attempts):
    said = attempts(
        "__import__('socket').getaddrinfo('localhost', 80) and None",
        "__import__('ssl').create_default_context() and None",
        "__import__('pwd').getpwuid(0).pw_name",
        "__import__('multiprocessing').Lock() and None",
        "len(os.urandom(8))",
    )

    assert said == ["done", "done", "root", "done", 8]


def test_without_a_sandbox_a_tap_reaches_what_we_do(attempts):
    assert attempts("open('{home}/private/file').read()", sandbox=Sandbox.NONE) == ["private"]


# ── a kernel without Landlock ────────────────────────────────────────────────────────────────────

# A program of the Berkeley packet filter, for seccomp(2): ENOSYS for landlock_create_ruleset, leave for the rest.
_FILTER = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def without_landlock():
    """From here on the kernel has no Landlock for this process and its children."""
    instructions = (_Instruction * len(_FILTER))(*(_Instruction(*each) for each in _FILTER))
    program = _Program(len(_FILTER), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
    assert landlock_version() == 0


def start_without_landlock(home, sandbox):
    without_landlock()
    command = command_in(Path(home), TRY, json.dumps(["open('private/file').read()"]), sandbox=Sandbox(sandbox))
    try:
        with TapProcess(command, Path(home) / "log") as process:
            print(*json.loads(b"".join(process.blocks())).values())
    except EnvironmentBroken as error:
        print(error.cause)


@pytest.mark.parametrize(
    ("sandbox", "said"),
    [
        (Sandbox.AUTO, "private"),
        (Sandbox.LANDLOCK, "the kernel has no Landlock, which its sandbox asks for"),
    ],
)
def test_where_the_kernel_has_no_landlock_a_tap_that_asks_for_it_is_not_started(home, sandbox, said):
    program = f"from tests.supervisor.test_sandbox import *; start_without_landlock({str(home)!r}, {sandbox.value!r})"
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (asked.stdout.strip(), asked.stderr) == (said, "")


# ── what it is told of ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shop(tmp_path):
    for name in ("shop/state", "shop/secrets", "shop/exports/2026", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("shop/exports/a.csv", "shop/secrets/key.json", "elsewhere/ä b.csv"):
        (tmp_path / name).touch()
    (tmp_path / "shop" / "way-in").symlink_to(tmp_path / "shop" / "secrets")
    return tmp_path / "shop"


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("exports/a.csv", ["exports/a.csv"]),
        ("exports/*.csv", ["exports"]),
        ("{shop}/exports/20[0-9]*/*.csv", ["exports"]),
        ("file://{shop}/exports", ["exports"]),
        ("file:///{shop}/../elsewhere/%C3%A4%20b.csv", ["../elsewhere/ä b.csv"]),
        ({"files": [{"path": "../elsewhere"}, {"path": "exports"}]}, ["../elsewhere", "exports"]),
        ("exports/not-there.csv", []),
        ("https://api.test/exports", []),
        ("", []),
        ("/", []),
        (".", []),
        ("..", []),
        ("*.csv", []),
        ("state", []),
        ("secrets/key.json", []),
        ("exports/../secrets", []),
        ("way-in/key.json", []),
        ("x\0y", []),
        ("x" * 300, []),
        ({"start_date": "2026-01-01", "page_size": 100, "active": True, "nothing": None}, []),
    ],
)
def test_a_tap_may_read_the_files_that_it_is_told_of_but_not_those_of_the_workspace(shop, told, read):
    told = json.loads(json.dumps(told).replace("{shop}", str(shop)))
    named = named_in(told, shop, closed=(shop / "state", shop / "secrets"), too_wide=(shop, Path.home()))

    assert named.allowed == Allowed(reads=tuple(Path(os.path.realpath(shop / path)) for path in read))


def test_of_a_pattern_in_a_folder_that_is_too_wide_a_tap_reads_the_files_that_fit_it(shop):
    for name in ("a.csv", "b.csv", "notes.txt"):
        (shop / name).touch()
    named = named_in(["*.csv", "./state/*"], shop, closed=(shop / "state",), too_wide=(shop,))

    assert named == Named(Allowed(reads=(shop / "a.csv", shop / "b.csv"), lists=(shop,)))


def test_what_is_too_much_to_open_by_its_mention_is_told_where_it_was_surely_meant(shop):
    told = {"path": ".", "way": "./state", "prefix": "/", "schema": "state", "root": str(shop), "all": "./**"}
    named = named_in(told, shop, closed=(shop / "state",), too_wide=(shop,))

    assert named == Named(Allowed(), (".", "./state", str(shop), "./**"))
