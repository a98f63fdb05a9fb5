"""Makes a folder a workspace: orchestrator.toml with a first destination, and a place for everything else."""

from pathlib import Path

from orchestrator import durable
from orchestrator.errors import UsageError
from orchestrator.paths import Paths

# What git keeps can be read by everybody the repository is shared with.
READABLE = 0o644

CONFIG = """\
# What runs here and where its rows land. `orchestrator` edits this file too; comments and order survive.
# It belongs in git: secrets stay outside and are only referred to.

[destinations.warehouse]
type   = "duckdb"                  # or "parquet", with a folder as path
path   = "data/warehouse.duckdb"   # from this file on
schema = "{flow}"                  # where its tables go; {flow} and {tap} are filled in

# A tap reads a source. `orchestrator add-tap tap-gitlab` installs one and writes this, with its flow:
#
# [taps.gitlab]
# package = "tap-gitlab==0.5.1"    # a PyPI requirement, a git+https URL or a path
# python  = "3.11"
# with    = ["pytz"]               # what it needs and does not say
# select  = ["projects", "issues.*", "!issues.description"]
#
# [taps.gitlab.config]
# api_url       = "https://gitlab.com/api/v4"
# private_token = { secret = "gitlab.private_token" }   # or { env = "NAME" }, { file = "PATH" }
#
# A flow carries the rows of a tap to a destination:
#
# [[flows]]
# name = "gitlab"
# from = "gitlab"
# to   = "warehouse"
# mode = "auto"                    # upsert by key; without one replace (full table) or append (incremental)
"""

GITIGNORE = """\
# What is rebuilt, remembered or filled. orchestrator.toml, envs/*.lock and catalogs/*.json are committed.
/envs/*/
/envs/.*
/catalogs/*.none
/secrets/
/state/
/data/
"""


def init_workspace(folder: Path) -> Paths:
    """Makes `folder` a workspace, and the folder itself where there is none. Returns its paths.

    A .gitignore that is there gets the lines it lacks. Raises UsageError when the folder is a workspace already, or
    cannot be one; what was in it stays.
    """
    paths = Paths(folder.absolute())
    if paths.config.exists():
        raise UsageError(
            f"{folder} is a workspace already",
            cause=f"{paths.config} exists",
            data="nothing was changed",
            hint="orchestrator add-tap NAME",
        )
    try:
        for place in (paths.envs, paths.catalogs, paths.state):
            durable.make_folder(place)
        _ignore(paths.root / ".gitignore")
        # Last, because it is what makes the folder a workspace.
        durable.write(paths.config, CONFIG, mode=READABLE)
    except OSError as error:
        raise UsageError(f"{folder} cannot become a workspace", cause=f"{error.strerror}: {error.filename}") from error
    return paths


def _ignore(path: Path) -> None:
    written = path.read_text() if path.exists() else ""
    known = written.splitlines()
    missing = [line for line in GITIGNORE.splitlines() if line not in known]
    if missing:
        before = written.rstrip("\n") + "\n\n" if written.strip() else ""
        durable.write(path, before + "\n".join(missing) + "\n", mode=READABLE)
