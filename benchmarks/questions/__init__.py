"""The questions that `make bench` asks, in the order of their figures."""

from collections.abc import Callable

from benchmarks.question import Bench, Question
from benchmarks.questions.append import Append
from benchmarks.questions.archive import Archive
from benchmarks.questions.batch import Batches
from benchmarks.questions.commits import Commits
from benchmarks.questions.memory import Memory
from benchmarks.questions.peers import Peers
from benchmarks.questions.quarantine import Quarantine
from benchmarks.questions.run import Runs
from benchmarks.questions.schedules import Schedules
from benchmarks.questions.streams import Streams
from benchmarks.questions.upsert import Upsert

QUESTIONS: dict[str, Callable[[Bench], Question]] = {
    "append": Append,
    "peers": Peers,
    "upsert": Upsert,
    "streams": Streams,
    "quarantine": Quarantine,
    "memory": Memory,
    "commits": Commits,
    "run": Runs,
    "batch": Batches,
    "archive": Archive,
    "schedules": Schedules,
}
