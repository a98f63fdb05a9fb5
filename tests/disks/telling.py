"""A run that writes down the commits that it tells of: `python -m tests.disks.telling WORKSPACE FILE`.

Ends as the run does, with what an error says on stdout.
"""

import os
import sys
from pathlib import Path

from orchestrator.actions.run_flow import run_flow
from orchestrator.config import read_config
from orchestrator.errors import OrchestratorError
from orchestrator.events import Committed, Event
from orchestrator.paths import Paths
from tests.workspaces import FLOW


def main(root: str, told: str) -> None:
    paths, file = Paths(Path(root)), os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def listen(event: Event) -> None:
        if isinstance(event, Committed):
            os.write(file, str(event.number).encode())

    try:
        run_flow(paths, read_config(paths.config, environ={}), FLOW, listen=listen)
    except OrchestratorError as error:
        print(error.message)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
