"""Deliberate mistakes in commits, state and the supervisor, each of which a test has to catch.

python -m tests.faults mutations         makes each of them in a copy, and runs the test that should turn red
python -m tests.faults.mutations         writes the list into docs/guarantees.md
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tests.faults.figures import Figure

ROOT = Path(__file__).parents[2]
GUARANTEES = ROOT / "docs" / "guarantees.md"
SLOWEST = 300.0
"""Seconds for one test. One that hangs has caught nothing, unless it has a limit of its own."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A `mistake`: in `file` there stands `new` in the place of `old`. `caught_by` is the test that turns red."""

    mistake: str
    file: str
    old: str
    new: str
    caught_by: str

    def made_in(self, root: Path) -> str:
        """The file with the mistake. Raises ValueError where what it takes the place of is not there, or not once."""
        text = (root / self.file).read_text()
        if text.count(self.old) != 1 or self.old == self.new:
            raise ValueError(f"{self.file} has {self.old!r} {text.count(self.old)} times")
        return text.replace(self.old, self.new)


MUTATIONS = (
    # ── when rows settle ──
    Mutation(
        "A commit closes before the STATE that stands for its rows",
        "orchestrator/load/commit.py",
        "may_settle = unsettled and not since_state and isinstance",
        "may_settle = unsettled and isinstance",
        "tests/load/test_commit.py::test_rows_after_the_last_state_wait_for_the_next_one_however_long_the_tap_is_silent",
    ),
    Mutation(
        "A new version takes effect before the STATE after it",
        "orchestrator/load/commit.py",
        "activations.append(Activation(message.stream, message.version, gathering.sequence))\n"
        "                since_state += 1\n",
        "activations.append(Activation(message.stream, message.version, gathering.sequence))\n",
        "tests/load/test_commit.py::test_an_activation_waits_for_a_state_as_rows_do",
    ),
    Mutation(
        "An empty STATE wipes the bookmark",
        "orchestrator/load/commit.py",
        "if state is None or (is_empty(state) and before is not None):",
        "if state is None:",
        "tests/actions/test_run_flow.py::test_an_empty_state_does_not_wipe_the_bookmark",
    ),
    Mutation(
        "Half of a table is shown when its tap breaks off",
        "orchestrator/load/commit.py",
        "publish=gathering if checkpoint.ended else {},",
        "publish=gathering,",
        "tests/actions/test_run_flow.py::test_a_full_table_that_breaks_off_leaves_the_old_rows",
    ),
    Mutation(
        "Numbers of commits leave one out",
        "orchestrator/load/commit.py",
        "(last.number if last else 0) + 1,",
        "(last.number + 1 if last else 0) + 1,",
        "tests/load/test_commit.py::test_commits_are_numbered_from_one_without_gaps",
    ),
    Mutation(
        "Rows of a batch have the sequence of the batch before",
        "orchestrator/load/commit.py",
        "        self.sequence += count\n",
        "",
        "tests/load/test_commit.py::test_the_sequence_goes_on_from_the_last_row_that_settled",
    ),
    Mutation(
        "After the clock went back new rows are older than those that settled",
        "orchestrator/actions/landing.py",
        "return max(self.last.sequence if self.last else 0, now() * 1000)",
        "return now() * 1000",
        "tests/actions/test_run_flow.py::test_where_the_clock_went_back_rows_that_came_later_are_later",
    ),
    # ── commits ──
    Mutation(
        "A commit that lost rows on the way is written",
        "orchestrator/destinations/contract.py",
        "if staged != counted:",
        "if staged.keys() != counted.keys():",
        "tests/destinations/test_contract.py::test_a_commit_that_counts_other_rows_than_were_staged_is_refused",
    ),
    Mutation(
        "A commit is written over one of another process",
        "orchestrator/destinations/contract.py",
        "if last != commit.number - 1:",
        "if last > commit.number:",
        "tests/destinations/test_contract.py::test_a_commit_that_another_process_wrote_first_is_a_conflict",
    ),
    Mutation(
        "In DuckDB the state settles after the rows",
        "orchestrator/destinations/duckdb.py",
        "            _remember(connection, commit)\n\n",
        '            connection.execute("COMMIT; BEGIN")\n            _remember(connection, commit)\n\n',
        "tests/destinations/test_contract.py::test_rows_and_state_agree_after_a_kill_at_any_moment_of_a_commit",
    ),
    Mutation(
        "What was committed stays staged",
        "orchestrator/destinations/duckdb.py",
        "            self._write(commit, frugal=False)\n        self._staging.clear()\n",
        "            self._write(commit, frugal=False)\n",
        "tests/destinations/test_contract.py::test_the_last_row_of_a_key_wins_across_commits",
    ),
    Mutation(
        "Of the rows of one key the first one wins",
        "orchestrator/destinations/duckdb_tables.py",
        "AS SELECT {sql.names(key)}, max(",
        "AS SELECT {sql.names(key)}, min(",
        "tests/destinations/test_contract.py::test_the_last_row_of_a_key_wins_within_a_batch",
    ),
    Mutation(
        "A row that comes again does not take the place of the one before",
        "orchestrator/destinations/duckdb_tables.py",
        "WHERE {sql.same_key('held', 'arriving', key)}",
        "WHERE false",
        "tests/destinations/test_contract.py::test_the_last_row_of_a_key_wins_across_commits",
    ),
    Mutation(
        "Going back takes rows with a key as well",
        "orchestrator/destinations/duckdb_tables.py",
        "if place is not None and not place.landed.key:",
        "if place is not None:",
        "tests/destinations/test_contract.py::test_a_rewind_takes_away_only_rows_without_a_key_that_came_later",
    ),
    Mutation(
        "A new table is added to the old one",
        "orchestrator/destinations/duckdb_tables.py",
        '        self._run(f"DELETE FROM {live.relation}")\n',
        "",
        "tests/destinations/test_contract.py::test_a_new_generation_is_unseen_until_it_is_complete",
    ),
    Mutation(
        "After a crash nobody finishes what a parquet commit left half done",
        "orchestrator/destinations/manifest.py",
        "        self.show(manifest.holdings if manifest else ())\n",
        "",
        "tests/destinations/test_parquet.py::test_a_crash_before_any_step_of_a_commit_leaves_all_of_it_or_nothing",
    ),
    Mutation(
        "New parquet files come before old ones go",
        "orchestrator/destinations/manifest.py",
        "        for name in there - named:\n"
        "            durable.remove(folder / name)\n"
        "        for name in arriving:\n"
        "            durable.rename(self._files / name, folder / name)\n",
        "        for name in arriving:\n"
        "            durable.rename(self._files / name, folder / name)\n"
        "        for name in there - named:\n"
        "            durable.remove(folder / name)\n",
        "tests/destinations/test_parquet.py::test_a_crash_before_any_step_of_a_commit_leaves_all_of_it_or_nothing",
    ),
    Mutation(
        "A manifest names files that no disk holds yet",
        "orchestrator/destinations/manifest.py",
        "                    durable.sync_file(part.path)\n",
        "",
        "tests/destinations/test_parquet.py::test_what_a_manifest_names_is_on_the_disk_before_it",
    ),
    Mutation(
        "A manifest is there before the names of its files are",
        "orchestrator/destinations/manifest.py",
        "        durable.sync_folder(self._files)\n",
        "",
        "tests/destinations/test_parquet.py::test_what_a_manifest_names_is_on_the_disk_before_it",
    ),
    # ── files ──
    Mutation(
        "A file gets its name before its content is on the disk",
        "orchestrator/durable.py",
        "            os.fchmod(file.fileno(), mode)\n            sync(file.fileno(), path)\n",
        "            os.fchmod(file.fileno(), mode)\n",
        "tests/destinations/test_parquet.py::test_what_a_manifest_names_is_on_the_disk_before_it",
    ),
    Mutation(
        "A line is written behind one that a crash tore",
        "orchestrator/durable.py",
        "end = _end_of_last_line(file.fileno())",
        "end = os.lseek(file.fileno(), 0, os.SEEK_END)",
        "tests/state/test_commits.py::test_a_torn_last_line_is_left_out_and_written_over",
    ),
    Mutation(
        "Two runs of a flow hold its lock",
        "orchestrator/durable.py",
        "                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n                break\n",
        "                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)\n                break\n",
        "tests/actions/test_run_flow.py::test_a_flow_that_runs_is_not_run_twice_and_after_kill_9_the_next_run_just_works",
    ),
    # ── the memory of commits and runs ──
    Mutation(
        "A run believes the log, and not the destination",
        "orchestrator/actions/run_flow.py",
        "last = destination.last_commit(name)",
        "last = history.last()",
        "tests/actions/test_run_flow.py::test_without_its_state_folder_a_flow_goes_on_from_what_the_destination_holds",
    ),
    Mutation(
        "A log that is one commit behind takes that for a break",
        "orchestrator/state/commits.py",
        "held.number == (last.number if last else 0) + 1:",
        "held.number == (last.number if last else 0):",
        "tests/state/test_commits.py::test_a_log_that_is_one_behind_takes_the_commit_of_the_destination",
    ),
    Mutation(
        "Nobody notices that a destination was emptied",
        "orchestrator/state/commits.py",
        "        if _same(last, held):\n            return []\n",
        "        if held is None or _same(last, held):\n            return []\n",
        "tests/state/test_commits.py::test_a_destination_that_was_emptied_begins_a_history_of_its_own",
    ),
    Mutation(
        "Commits that a break took away count on",
        "orchestrator/state/commits.py",
        "standing = [commit for commit in standing if commit.number <= entry.stands]",
        "standing = [*standing]",
        "tests/state/test_commits.py::test_nothing_of_the_history_counts_for_a_destination_that_it_does_not_know",
    ),
    Mutation(
        "Numbers of runs begin again when state/ was lost",
        "orchestrator/state/runs.py",
        "return max([after, *self.numbers()]) + 1",
        "return max([0, *self.numbers()]) + 1",
        "tests/state/test_runs.py::test_numbers_do_not_repeat_after_state_was_lost",
    ),
    Mutation(
        "A commit is written before its messages are archived",
        "orchestrator/actions/run_flow.py",
        "commit = landing.take(step, before_commit=settle)",
        "commit = landing.take(step)",
        "tests/actions/test_run_flow.py::test_of_a_run_that_is_killed_what_was_committed_can_be_replayed",
    ),
    Mutation(
        "What settles of an archive still waits to be compressed",
        "orchestrator/state/archive.py",
        '"""Waits until all that was written can be read after any crash. Raises DestinationFull, RunFailed."""\n'
        "        self._drain()\n",
        '"""Waits until all that was written can be read after any crash. Raises DestinationFull, RunFailed."""\n',
        "tests/state/test_archive.py::test_what_was_settled_can_be_read_while_the_run_goes_on",
    ),
    Mutation(
        "An archive that was changed is read as if it were shorter",
        "orchestrator/state/archive.py",
        "if (closed and place != size) or (whole and not closed):",
        "if whole and not closed:",
        "tests/state/test_archive.py::test_an_archive_that_was_changed_later_is_not_read_as_if_it_were_shorter",
    ),
    Mutation(
        "A file that its tap wrote over is replayed",
        "orchestrator/state/kept_files.py",
        "if not kept.exists() or _entry(kept) != entry:",
        "if not kept.exists():",
        "tests/state/test_kept_files.py::test_a_file_that_was_written_over_is_damaged",
    ),
    Mutation(
        "Rows that come again after going back are there twice",
        "orchestrator/actions/beginning.py",
        "Beginning(commit.state, rewind=Rewind(commit.sequence))",
        "Beginning(commit.state)",
        "tests/actions/test_run_flow.py::test_a_run_may_start_from_an_earlier_commit_and_brings_each_row_once",
    ),
    # ── whether a tap ended well ──
    Mutation(
        "Nobody looks at the exit code of a tap",
        "orchestrator/actions/run_flow.py",
        "        if exit_code or process.over:\n            raise tap_failed(",
        "        if process.over:\n            raise tap_failed(",
        "tests/actions/test_run_flow.py::test_a_tap_that_dies_keeps_what_it_committed_and_nothing_more",
    ),
    Mutation(
        "A tap that was stopped with its run counts as one that read all",
        "orchestrator/actions/ending.py",
        "    if stop.signal is not None:\n",
        "    if False:\n",
        "tests/actions/test_ending.py::test_a_tap_that_is_stopped_with_its_run_and_takes_its_leave_is_a_stopped_run",
    ),
    Mutation(
        "A stream that was asked for and never announced is no failure",
        "orchestrator/actions/ending.py",
        "    if unheard:\n",
        "    if unheard and not landing.streams:\n",
        "tests/actions/test_run_flow.py::test_a_selected_stream_without_a_schema_fails_the_run_and_is_named",
    ),
    # ── the supervisor ──
    Mutation(
        "What left the session of a tap outlives it",
        "orchestrator/supervisor/launcher.py",
        "        _prctl(_PR_SET_CHILD_SUBREAPER, 1)\n",
        "        pass\n",
        "tests/supervisor/test_launcher.py::test_what_left_the_session_of_the_tap_ends_with_it",
    ),
    Mutation(
        "Who was forked off a run keeps its tap alive",
        "orchestrator/supervisor/launcher.py",
        "if ours in awake or now >= deadline",
        "if now >= deadline",
        "tests/supervisor/test_launcher.py::test_a_process_that_was_forked_off_the_run_does_not_keep_the_tap",
    ),
    Mutation(
        "A tap that does not listen goes on after its grace",
        "orchestrator/supervisor/launcher.py",
        'timeout, deadline = _NEVER, min(deadline, now + order["grace"])',
        "timeout = _NEVER",
        "tests/supervisor/test_limits.py::test_a_tap_that_does_not_listen_is_killed_with_all_that_holds_its_pipes",
    ),
    Mutation(
        "Of the memory of a tap that of its children is left out",
        "orchestrator/supervisor/launcher.py",
        "for pid in self._family if (stat := _stat(pid))]",
        "for pid in self._family[:1] if (stat := _stat(pid))]",
        "tests/supervisor/test_limits.py::test_what_a_tap_and_its_children_use_together_is_held_against_its_memory",
    ),
    Mutation(
        "A tap inherits a pipe of its launcher",
        "orchestrator/supervisor/launcher.py",
        "os.set_inheritable(report, False)",
        "os.set_inheritable(report, True)",
        "tests/supervisor/test_launcher.py::test_a_tap_inherits_nothing_that_is_open",
    ),
    Mutation(
        "A tap that crashes leaves its memory on the disk",
        "orchestrator/supervisor/launcher.py",
        "    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n",
        "",
        "tests/supervisor/test_launcher.py::test_a_tap_gains_no_privileges_and_dumps_no_core",
    ),
    Mutation(
        "A tap writes over what it may read",
        "orchestrator/supervisor/launcher.py",
        '"reads": _READ_FILE | _READ_DIR,',
        '"reads": _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE,',
        "tests/supervisor/test_sandbox.py::test_a_tap_writes_where_it_may_and_nowhere_else",
    ),
    Mutation(
        "A tap that only logs counts as idle",
        "orchestrator/supervisor/process.py",
        "self._is_idle_since(max(heard_at, self.stderr.heard_at))",
        "self._is_idle_since(heard_at)",
        "tests/supervisor/test_limits.py::test_a_tap_that_says_something_is_not_idle",
    ),
    Mutation(
        "Secrets stand in the log of a tap",
        "orchestrator/supervisor/stderr.py",
        'line = self._scrub(raw.decode(errors="replace"))',
        'line = raw.decode(errors="replace")',
        "tests/supervisor/test_process.py::test_what_is_logged_is_scrubbed",
    ),
    Mutation(
        "A link leads a BATCH out of its folders",
        "orchestrator/paths.py",
        "place = Path(os.path.realpath(path))",
        "place = Path(os.path.normpath(path))",
        "tests/supervisor/test_batch_files.py::test_a_link_that_leads_outside_is_refused",
    ),
    # ── what leaves ──
    Mutation(
        "A query writes files",
        "orchestrator/actions/query.py",
        "        _refuse_orders(duckdb.extract_statements(question))\n",
        "",
        "tests/cli/test_query.py::test_a_query_changes_nothing_and_reads_nothing_else",
    ),
    Mutation(
        "Words of a tap reach the terminal as they are",
        "orchestrator/cli/terminal.py",
        "return plain(text).translate(",
        "return text.translate(",
        "tests/cli/test_plain.py::test_nothing_that_a_tap_says_steers_the_terminal_that_it_is_run_on",
    ),
)


def figures(folder: Path, mutations: Iterable[Mutation] = MUTATIONS) -> Iterator[Figure]:
    mutations = tuple(mutations)
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "data", "build", "dist"))
    # A test that is red anyway catches nothing.
    already = _outcome(tree, *dict.fromkeys(mutation.caught_by for mutation in mutations))
    missed = [] if already == "green" else [f"without any mistake the tests are {already}"]
    for mutation in [] if missed else mutations:
        outcome = _tried(tree, mutation)
        click.echo(f"    {outcome}: {mutation.mistake}", err=True)
        if outcome != "red":
            missed.append(f"{mutation.mistake} ({outcome})")
    reached = "; ".join(missed) or f"{len(mutations)} of {len(mutations)}"
    yield Figure("A mistake in the code turns a test red", f"each of {len(mutations)}", reached, not missed)


def _tried(tree: Path, mutation: Mutation) -> str:
    """What becomes of the test that should catch it."""
    place = tree / mutation.file
    right = place.read_text()
    place.write_text(mutation.made_in(tree))
    try:
        return _outcome(tree, mutation.caught_by)
    finally:
        place.write_text(right)


_OUTCOMES = {0: "green", 1: "red"}


def _outcome(tree: Path, *tests: str) -> str:
    """What becomes of tests of a tree: "green", "red", "hangs", or else they could not be run."""
    options = ("-q", "-x", "--timeout=0", "-p", "no:cacheprovider", "-p", "no:xdist")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tree,
        # What was compiled of a file that was changed twice in a second would be taken for that of the other one.
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SLOWEST * max(1, len(tests) / 4))
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "hangs"
    return _OUTCOMES.get(process.returncode, f"not run: {said.decode(errors='replace')[-300:]!r}")


# ── the list, in docs/guarantees.md ──────────────────────────────────────────────────────────────

_LIST = re.compile(r"(?<=\| mistake \| shown by \|\n\|---\|---\|\n)(?:\| .* \|\n)*")


def with_list(text: str) -> str:
    """The text of the guarantees with the list as it is."""
    rows = (f"| {mutation.mistake} | `{mutation.caught_by}` |\n" for mutation in MUTATIONS)
    return _LIST.sub("".join(rows).replace("\\", r"\\"), text)


if __name__ == "__main__":
    GUARANTEES.write_text(with_list(GUARANTEES.read_text()))
