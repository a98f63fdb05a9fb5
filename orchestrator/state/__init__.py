"""What is remembered of a flow, in `state/<flow>/`. The destination is the truth; all of this may be lost.

    commits.py     commits.jsonl: every commit, and each break in their history
    plans.py       schedule.json, paused.json: since when its schedule holds, and whether it rests
    notices.py     .notices.json: what was told of flows, and what waits to be sent
    runs.py        runs/000012/run.json: who ran when, and how it ended
    circumstances.py  ran-with/: what runs ran with, kept once for all that share it
    archive.py     runs/000012/messages.zst: the messages, for replay
    kept_files.py  runs/000012/files/: the files that BATCH messages name, for replay
    totals.py      totals.json: what all runs came to
    taplog.py      runs/000012/tap.log: what the tap said on stderr
    retention.py   how much of it stays

Only the process that holds the flow's OS lock (`running.lock`) writes; anybody may read meanwhile. The format is
described for people in `state/README.md`.
"""

from orchestrator.state.archive import ArchiveWriter, read_archive, rewrite_archive
from orchestrator.state.circumstances import Circumstances, Documents
from orchestrator.state.commits import Break, CommitLog, Entry
from orchestrator.state.kept_files import FilesWriter, KeptFiles
from orchestrator.state.notices import Noted, Notices, Waiting
from orchestrator.state.plans import Pause, Plans
from orchestrator.state.retention import Pruned, prune
from orchestrator.state.runs import Failure, Kind, Run, Runs, Status
from orchestrator.state.taplog import read_log

__all__ = [
    "ArchiveWriter",
    "Break",
    "Circumstances",
    "CommitLog",
    "Documents",
    "Entry",
    "Failure",
    "FilesWriter",
    "KeptFiles",
    "Kind",
    "Noted",
    "Notices",
    "Pause",
    "Plans",
    "Pruned",
    "Run",
    "Runs",
    "Status",
    "Waiting",
    "prune",
    "read_archive",
    "read_log",
    "rewrite_archive",
]
