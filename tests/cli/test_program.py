"""The way into the program and out of it."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from orchestrator import __version__
from orchestrator.api import Workspace
from orchestrator.cli import main
from orchestrator.cli.program import COMMANDS
from orchestrator.cli.program import orchestrator as program
from tests.cli.conftest import COMMAND, surroundings
from tests.workspaces import wait_until

NAMES = [name for section in COMMANDS.values() for name in section]
HEAVY = ("rich", "duckdb", "pyarrow", "msgspec", "tomlkit", "jsonschema", "uv", "pyrage", "keyring")


@pytest.mark.parametrize("name", NAMES)
def test_the_line_in_the_table_is_how_the_command_describes_itself(name):
    command = program.get_command(click.Context(program), name)

    lines = {name: line for section in COMMANDS.values() for name, line in section.items()}
    assert command is not None
    assert str(command.help).partition("\n")[0] == lines[name]


def test_help_lists_every_command_and_imports_none():
    program = "from orchestrator.cli import main; import sys; main(['--help']); print(*sys.modules, file=sys.stderr)"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=surroundings())

    modules = ended.stderr.split()
    assert not [name for name in NAMES if f"  {name} " not in ended.stdout]
    assert not [module for module in modules if module.startswith(("orchestrator.cli.commands", *HEAVY))]


@pytest.mark.parametrize(("words", "limit"), [(["--help"], 15), (["completion", "bash"], 15), (["status"], 30)])
def test_it_starts_fast(shop, tmp_path, words, limit):
    """CPU time beside that of a bare Python, so that neither the machine nor what else runs on it counts."""
    shop.run()
    # Compiled once, as an installation is.
    environ = surroundings(PYTHONPYCACHEPREFIX=str(tmp_path / "compiled"))
    environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def cost(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare, ours = ([sys.executable, "-c", "pass"], [*COMMAND, *words])
    cost(ours)
    ratio = min(cost(ours) for _ in range(5)) / min(cost(bare) for _ in range(5))
    assert ratio < limit


@pytest.mark.parametrize(
    ("words", "complaint", "hint"),
    [
        (["rum"], 'there is no command "rum"', 'did you mean "orchestrator run"?'),
        (["frobnicate"], 'there is no command "frobnicate"', "orchestrator --help"),
        (["state", "shw"], 'there is no command "shw"', 'did you mean "orchestrator state show"?'),
        (["run", "--jsn"], "there is no option --jsn", "did you mean --json?"),
        (["add-tap"], "missing argument 'PACKAGE'", "orchestrator add-tap --help"),
        (["--workspace", "nowhere", "status"], "there is no folder nowhere", "orchestrator init nowhere"),
        (["status"], "there is no workspace in", "orchestrator init"),
    ],
)
def test_what_was_mistyped_is_named_with_what_was_meant(orchestrator, words, complaint, hint):
    said = orchestrator(*words)

    assert (said.exit_code, said.out) == (2, "")
    assert said.err.startswith(f"error: {complaint}")
    assert said.err.endswith(f"\n  hint: {hint}\n")


def test_alone_it_shows_its_help(orchestrator):
    said = orchestrator()

    assert (said.exit_code, said.out) == (2, "")
    assert said.err.startswith("Usage: orchestrator [OPTIONS] COMMAND")


def test_with_json_an_error_is_a_document_too(orchestrator, shop):
    said = orchestrator("runs", "nope", "--json")

    assert said.exit_code == 2
    assert said.document["error"]["message"] == 'there is no flow "nope" in orchestrator.toml'
    assert said.document["error"]["exit_code"] == 2


@pytest.mark.parametrize("words", [["-v", "status"], ["status", "-v"], ["status"]])
def test_a_traceback_is_shown_only_when_asked_for(orchestrator, words):
    said = orchestrator(*words)

    assert ("Traceback" in said.err) == ("-v" in words)
    assert "\nerror: " in f"\n{said.err}"


def test_an_error_of_our_own_is_an_internal_one(shop, monkeypatch, capsys):
    monkeypatch.setattr(Workspace, "status", lambda *_: 1 / 0)

    exit_code = main(["--workspace", str(shop.paths.root), "status"])

    assert exit_code == 1
    assert capsys.readouterr().err == (
        "error: internal error\n"
        "  cause: ZeroDivisionError: division by zero\n"
        "  hint: run the same command with -v to see where it happened\n"
    )


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["--workspace", "{shop}", "status"], {}),
        (["status", "--workspace", "{shop}"], {}),
        (["status"], {"ORCHESTRATOR_WORKSPACE": "{shop}"}),
    ],
)
def test_the_workspace_can_be_named_anywhere(orchestrator, shop, tmp_path_factory, words, environ):
    root = str(shop.paths.root)
    words = [word.format(shop=root) for word in words]
    environ = {name: value.format(shop=root) for name, value in environ.items()}

    said = orchestrator(*words, at=tmp_path_factory.mktemp("elsewhere"), **environ)

    assert (said.exit_code, said.out.split()[:2]) == (0, ["flow", "to"])


def test_every_option_can_come_from_the_environment(orchestrator, shop):
    assert orchestrator("status", ORCHESTRATOR_STATUS_FORMAT="csv").out.startswith("flow,to,run,")


@pytest.mark.parametrize("rows", [1, 5000])
def test_a_reader_that_goes_away_ends_it_quietly(shop, start, rows):
    shop.source(issues={"rows": rows})
    shop.run()
    query = start("query", "from shop.issues", "--format", "csv")

    query.stdout.close()

    assert (query.stderr.read(), query.wait()) == ("", 1)


def test_ctrl_c_ends_it_with_130(start, shop):
    waiting = start("state", "set", "shop")
    wait_until(lambda: _reads_stdin(waiting.pid))

    waiting.send_signal(signal.SIGINT)

    _, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, err.strip()) == (130, "error: stopped")


def _reads_stdin(pid):
    """Whether a process waits for bytes on descriptor 0; the first word is the number of the system call."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[:2] in (["0", "0x0"], ["63", "0x0"])


def test_a_shell_completes_commands_and_the_names_of_the_workspace(orchestrator, shop):
    shop.run()

    def completed(*words):
        environ = {"COMP_WORDS": " ".join(("orchestrator", *words)), "COMP_CWORD": str(len(words))}
        said = orchestrator(_ORCHESTRATOR_COMPLETE="bash_complete", **environ)
        return [line.removeprefix("plain,") for line in said.out.split()]

    assert completed("rem") == ["remove-tap"]
    assert completed("run", "s") == ["shop"]
    assert completed("discover", "") == ["fake"]
    assert completed("select", "fake", "!") == ["!issues"]
    assert completed("select", "fake", "issues.n") == ["issues.n", "issues.name"]
    assert completed("run", "shop", "--full-refresh", "") == ["issues"]
    assert completed("query", "x", "--to", "") == ["warehouse", "scratch"]
    assert completed("state", "h") == ["history"]


def test_a_shell_that_completes_outside_a_workspace_is_not_bothered(orchestrator):
    said = orchestrator(_ORCHESTRATOR_COMPLETE="bash_complete", COMP_WORDS="orchestrator run ", COMP_CWORD="2")

    assert (said.exit_code, said.out.strip(), said.err) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_completion_script(orchestrator, shell):
    said = orchestrator("completion", shell)

    assert said.exit_code == 0
    assert f"_ORCHESTRATOR_COMPLETE={shell}_complete" in said.out


def test_the_module_is_the_program(orchestrator):
    assert orchestrator("--version").out == f"orchestrator {__version__}\n"
