"""`up` as a service of the user: what is written for systemd and launchd, however folders are called."""

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.config import Config, Destination, Tap
from orchestrator.errors import UsageError
from orchestrator.paths import Paths
from orchestrator.schedule.service import Service, service_of

EMPTY = Config({}, {}, {})
ODD = Path('/srv/my %h shop\'s "$HOME" \\ folder')


def service(root: Path = ODD, system: str = "linux", config: Config = EMPTY) -> Service:
    return service_of(Paths(root), config, ["--workers", "2"], system)


def lines(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


def test_a_unit_means_the_folder_however_it_is_called():
    said = lines(service().text)

    assert said["WorkingDirectory"] == '/srv/my %%h shop\'s "$HOME" \\ folder'
    assert said["ExecStart"].endswith('"--workspace" "/srv/my %%h shop\'s \\"$$HOME\\" \\\\ folder" "--workers" "2"')
    assert said["ReadWritePaths"] == '"/srv/my %%h shop\'s \\"$HOME\\" \\\\ folder"'


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("root", [ODD, Path("/srv/shop")])
def test_systemd_understands_every_line_of_it(tmp_path, root):
    # What is started has to be there.
    written = tmp_path / "shop.service"
    written.write_text(service(root).text)
    command = ["systemd-analyze", "verify", "--user", "--man=no", written]

    said = subprocess.run(command, env={"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True)

    assert (said.returncode, said.stderr) == (0, "")


def test_what_runs_write_outside_of_the_workspace_is_open_to_them():
    lake = Destination("lake", "parquet", Path("/mnt/lake/tables"))
    inside = Destination("warehouse", "duckdb", Path("/srv/shop/data/warehouse.duckdb"))
    tap = Tap("csv", "tap-csv", "csv", allow_write=(Path("/var/spool/csv"),))

    config = Config({"csv": tap}, {"lake": lake, "warehouse": inside}, {})

    said = lines(service(Path("/srv/shop"), config=config).text)

    assert said["ReadWritePaths"] == '"-/mnt/lake" "/srv/shop" "-/var/spool/csv"'


@pytest.mark.parametrize(("root", "private"), [("/srv/shop", "yes"), ("/tmp/shop", "no")])
def test_a_workspace_among_temporary_files_is_seen(root, private):
    assert lines(service(Path(root)).text)["PrivateTmp"] == private


def test_launchd_is_told_the_same():
    agent = service(system="darwin")

    said = plistlib.loads(agent.text.encode())
    assert said["ProgramArguments"][:4] == [sys.executable, "-P", "-m", "orchestrator"]
    assert said["ProgramArguments"][4:] == ["up", "--workspace", str(ODD), "--workers", "2"]
    assert said["WorkingDirectory"] == str(ODD)
    assert said["KeepAlive"] == {"SuccessfulExit": False}
    assert agent.file.name == f"{said['Label']}.plist"


def test_two_workspaces_of_the_same_name_have_services_of_their_own():
    assert service(Path("/srv/a/shop")).file.name != service(Path("/srv/b/shop")).file.name


@pytest.mark.parametrize(("root", "system"), [(Path("/srv/a\nb"), "linux"), (Path("/srv/shop"), "win32")])
def test_what_no_service_can_be_made_of_is_refused(root, system):
    with pytest.raises(UsageError):
        service(root, system)
