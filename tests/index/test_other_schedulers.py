"""Flows that Airflow and Dagster run, as docs/how-to/use-another-scheduler.md has it.

They take a minute each, and are deselected: `make test ARGS='-m schedulers'` runs them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import ROOT
from tests.workspaces import FakeWorkspace

pytestmark = [pytest.mark.index, pytest.mark.schedulers]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture
def shop(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    shop = FakeWorkspace(root)
    shop.source(issues={"rows": 3}, labels={"rows": 2})
    return shop


def program(shop, imports):
    """The Python of the document that imports this, for this workspace and the flow in it."""
    text = (ROOT / "docs/how-to/use-another-scheduler.md").read_text()
    found = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (one,) = (each for each in found if imports in each)
    return one.replace("/srv/shop", str(shop.paths.root)).replace("gitlab", "shop").replace('DAG("shop"', 'DAG("dag"')


def environment(folder, *requirements):
    """The programs of an environment of its own."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *requirements], check=True)
    return folder / "bin"


def run(*command, at, **environ):
    """What a program says, which finds `orchestrator` where this one is."""
    surroundings = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | environ
    told: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    ended = subprocess.run(command, cwd=at, env=surroundings, **told)
    return ended.returncode, ended.stdout


def test_airflow_runs_a_flow_and_takes_its_answer(shop, tmp_path):
    airflow = environment(tmp_path / "airflow", "apache-airflow>=3") / "airflow"
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "shop.py").write_text(program(shop, "import DAG"))
    home = {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
    }
    assert run(airflow, "db", "migrate", at=tmp_path, **home)[0] == 0

    code, said = run(airflow, "dags", "test", "dag", at=tmp_path, **home)

    assert code == 0, said
    assert "state=success" in said
    assert "Done. Returned value was: 5" in said
    assert shop.last_run.committed == {"issues": 3, "labels": 2}


def test_dagster_runs_a_flow_and_is_told_what_it_brought(shop, tmp_path):
    dagster = environment(tmp_path / "dagster", "dagster", "dagster-pipes") / "dagster"
    (tmp_path / "pipe.py").write_text(program(shop, "from dagster_pipes import"))
    (tmp_path / "assets.py").write_text(program(shop, "import dagster as dg"))
    (tmp_path / "home").mkdir()

    command = (dagster, "asset", "materialize", "--select", "shop", "-f", "assets.py")
    code, said = run(*command, at=tmp_path, DAGSTER_HOME=str(tmp_path / "home"))

    assert code == 0, said
    assert "RUN_SUCCESS" in said
    assert "ASSET_MATERIALIZATION" in said
    assert shop.last_run.committed == {"issues": 3, "labels": 2}
