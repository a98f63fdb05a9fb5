"""The verbs as Python calls: everything the command line does, with values back.

    workspace = orchestrator.Workspace.open()
    report = workspace.run("gitlab")
    rows = workspace.query("from gitlab.issues")

What they raise is an OrchestratorError.
"""

# A verb is imported when it is called: one that needs no DuckDB must not wait for it.
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import UsageError
from orchestrator.events import Listener, nobody
from orchestrator.paths import Paths, find_workspace

if TYPE_CHECKING:
    import pyarrow

    from orchestrator.actions.add_tap import TapAdded
    from orchestrator.actions.audit import TapAudited
    from orchestrator.actions.check_tap import TapChecked
    from orchestrator.actions.compare_runs import RunsCompared
    from orchestrator.actions.configure import TapSettings
    from orchestrator.actions.deliver import Told
    from orchestrator.actions.discover import Discovered
    from orchestrator.actions.doctor import Check
    from orchestrator.actions.flow_state import FlowState
    from orchestrator.actions.install import TapInstalled
    from orchestrator.actions.keep_secrets import Recipient, SecretListed
    from orchestrator.actions.list_taps import TapListed
    from orchestrator.actions.literals import Moved
    from orchestrator.actions.load_messages import Loaded
    from orchestrator.actions.measure import Measure
    from orchestrator.actions.new_tap import TapMade
    from orchestrator.actions.outdated import TapOutdated
    from orchestrator.actions.prune import Leftover
    from orchestrator.actions.record_tap import TapRecorded
    from orchestrator.actions.recording import RunReport
    from orchestrator.actions.remove_tap import TapRemoved
    from orchestrator.actions.replay import Rehearsal
    from orchestrator.actions.rollback_tap import TapRolledBack
    from orchestrator.actions.schedule_flow import FlowScheduled
    from orchestrator.actions.search_hub import Found
    from orchestrator.actions.show_tap import TapShown
    from orchestrator.actions.status import FlowStatus
    from orchestrator.actions.try_tap import TapTried
    from orchestrator.actions.upgrade_tap import TapUpgraded
    from orchestrator.catalogs import Choice
    from orchestrator.config import Config, Hub, Nesting, Scrutiny
    from orchestrator.load.commit import Commit
    from orchestrator.secrets.identity import Identity
    from orchestrator.state import Run, Waiting
    from orchestrator.supervisor.stopping import Stop

EVERYTHING = None
"""In the place of stream names: all of them."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace. Each method is one verb: it reads orchestrator.toml, does its work and gives a value.

    What a method raises is an OrchestratorError. `listen` hears what the verb does meanwhile.
    """

    paths: Paths

    @classmethod
    def open(cls, folder: Path | None = None) -> Workspace:
        """The workspace at `folder` (default: the current one) or in the nearest folder above. Raises NoWorkspace."""
        return cls(find_workspace(folder))

    @classmethod
    def init(cls, folder: Path) -> Workspace:
        """Makes `folder` a workspace. Raises UsageError when it is one."""
        from orchestrator.actions.init_workspace import init_workspace

        return cls(init_workspace(folder))

    @property
    def config(self) -> Config:
        """What orchestrator.toml says at this moment. Raises ConfigError."""
        from orchestrator.config import read_config

        return read_config(self.paths.config)

    # ── taps of one's own ──

    @staticmethod
    def new_tap(above: Path, name: str, *, kind: str = "rest", extends: str | None = None) -> TapMade:
        """Makes the project of a tap in a new folder in `above`, which need not be a workspace. `kind` is rest, sql
        or plain; `extends` is a tap that it specialises: a folder, or a tap of the workspace around `above`."""
        from orchestrator.actions.new_tap import new_tap
        from orchestrator.templates import Kind

        return new_tap(above, name, kind=Kind(kind), extends=extends)

    def test_tap(
        self, tap: str, *, records: int = 20_000, seconds: float = 60.0, listen: Listener = nobody
    ) -> TapTried:
        """Starts a tap in the ways in which it will be started, and judges what it says by some thirty points. Of each
        start at most so many `records` (0: all) and `seconds` are heard."""
        from orchestrator.actions.listening import Limits
        from orchestrator.actions.try_tap import try_tap

        return try_tap(self.paths, self.config, tap, Limits(seconds, records=records), listen=listen)

    def record_tap(
        self,
        tap: str,
        *,
        to: Path | None = None,
        each: int = 1000,
        seconds: float = 600.0,
        listen: Listener = nobody,
    ) -> TapRecorded:
        """Keeps what a tap offers and says as a tap that says the same without the source, in `to` or cassettes/TAP.
        At most `each` records of a stream (0: all), of so many seconds."""
        from orchestrator.actions.listening import Limits
        from orchestrator.actions.record_tap import record_tap

        return record_tap(self.paths, self.config, tap, Limits(seconds, each=each), to=to, listen=listen)

    # ── taps and their environments ──

    def add_tap(
        self,
        requirement: str,
        *,
        id: str | None = None,
        python: str | None = None,
        extras: Sequence[str] = (),
        overrides: Sequence[str] = (),
        build_constraints: Sequence[str] = (),
        no_build: bool = False,
        exclude_newer: str | None = None,
        executable: str | None = None,
        destination: str | None = None,
        fix: bool | Callable[[str], bool] = False,
        listen: Listener = nobody,
    ) -> TapAdded:
        """Installs a tap in an environment of its own, and adds it with a flow to `destination`.

        `requirement` is what pip would take, a git URL or a path; `extras` are installed beside it. Where the tap does
        not start, what mends it is sought; `fix` says whether it is taken, or is asked that with the command for it.
        """
        from orchestrator.actions.add_tap import add_tap

        return add_tap(
            self.paths,
            requirement,
            id=id,
            python=python,
            extras=extras,
            overrides=overrides,
            build_constraints=build_constraints,
            no_build=no_build,
            exclude_newer=exclude_newer,
            executable=executable,
            destination=destination,
            fix=_agreeing(fix),
            listen=listen,
        )

    def add_from_hub(
        self,
        name: str,
        *,
        variant: str | None = None,
        id: str | None = None,
        extras: Sequence[str] = (),
        listen: Listener = nobody,
        **options: Any,
    ) -> TapAdded:
        """Adds a tap by its name in the hub, in a `variant` or the one that is recommended. `options` are those of
        `add_tap`."""
        from orchestrator.actions.add_from_hub import add_from_hub

        return add_from_hub(self.paths, name, variant=variant, id=id, extras=extras, listen=listen, **options)

    def install(
        self, *, frozen: bool = False, fix: bool | Callable[[str], bool] = False, listen: Listener = nobody
    ) -> tuple[TapInstalled, ...]:
        """Builds every environment that is not as its lock says; with `frozen` no lock may change. `fix` as for
        `add_tap`."""
        from orchestrator.actions.install import install

        return install(self.paths, frozen=frozen, fix=_agreeing(fix), listen=listen)

    def upgrade(self, tap: str, *, fix: bool | Callable[[str], bool] = False, listen: Listener = nobody) -> TapUpgraded:
        """Moves a tap to the newest versions that its requirement allows, and compares them. `fix` as for `add_tap`."""
        from orchestrator.actions.upgrade_tap import upgrade_tap

        return upgrade_tap(self.paths, tap, fix=_agreeing(fix), listen=listen)

    def rollback(self, tap: str, *, listen: Listener = nobody) -> TapRolledBack:
        """Goes back to the environment that the tap had before."""
        from orchestrator.actions.rollback_tap import rollback_tap

        return rollback_tap(self.paths, tap, listen=listen)

    def remove_tap(self, tap: str, *, listen: Listener = nobody) -> TapRemoved:
        """Takes a tap and its flows out of the workspace. Rows and history stay."""
        from orchestrator.actions.remove_tap import remove_tap

        return remove_tap(self.paths, tap, listen=listen)

    def prune(self, *, dry_run: bool = False, listen: Listener = nobody) -> tuple[Leftover, ...]:
        """Removes what lies in envs/ and no lock names, or only tells of it."""
        from orchestrator.actions.prune import prune

        return prune(self.paths, dry_run=dry_run, listen=listen)

    def outdated(self) -> tuple[TapOutdated, ...]:
        """The taps from an index, each with the version that is locked, and those that there are."""
        from orchestrator.actions.outdated import outdated

        return outdated(self.paths)

    def audit(self, taps: Sequence[str] = ()) -> tuple[TapAudited, ...]:
        """What was published about the packages of these taps, or of all."""
        from orchestrator.actions.audit import audit_taps

        return audit_taps(self.paths, taps)

    def taps(self) -> tuple[TapListed, ...]:
        """The taps, and how the environment of each stands."""
        from orchestrator.actions.list_taps import list_taps

        return list_taps(self.paths)

    def tap(self, tap: str) -> TapShown:
        """All that is known of one tap."""
        from orchestrator.actions.show_tap import show_tap

        return show_tap(self.paths, tap)

    def settings(self, tap: str) -> TapSettings:
        """What a tap understands, what it is told of it, and who tells it."""
        from orchestrator.actions.configure import tap_settings

        return tap_settings(self.paths, tap)

    def configure(
        self,
        tap: str,
        *,
        set: Mapping[str, Any] = {},
        typed: Mapping[str, str] = {},
        unset: Iterable[str] = (),
    ) -> TapSettings:
        """Changes what a tap is told. `typed` are texts as a person types them, by the kinds of their settings.

        `{"secret": NAME}`, `{"env": NAME}`, `{"file": PATH}` and `{"command": [WORD, …]}` refer to a secret; one that
        is given itself goes to the vault.
        """
        from orchestrator.actions.configure import configure

        return configure(self.paths, tap, set=set, typed=typed, unset=unset)

    def edit_settings(self, tap: str, by: Callable[[str], str | None]) -> bool:
        """Changes the text of orchestrator.toml `by` an editor, and keeps it if it can be meant."""
        from orchestrator.actions.configure import edit

        return edit(self.paths, tap, by)

    def check(self, tap: str, *, patience: float | None = None, listen: Listener = nobody) -> TapChecked:
        """Whether a tap is let in by its source, and which of its streams can be read; nothing lands anywhere.

        A stream of which nothing comes for `patience` seconds is given up.
        """
        from orchestrator.actions.check_tap import PATIENCE, check_tap

        return check_tap(
            self.paths, self.config, tap, patience=PATIENCE if patience is None else patience, listen=listen
        )

    # ── secrets ──

    def secrets(self) -> tuple[SecretListed, ...]:
        """The names of the secrets in the vault, when each was set, and which taps refer to it."""
        from orchestrator.actions.keep_secrets import list_secrets

        return list_secrets(self.paths)

    def secret(self, name: str) -> SecretListed:
        """One of them; its value stays where it is."""
        from orchestrator.actions.keep_secrets import find_secret

        return find_secret(self.paths, name)

    def set_secret(self, name: str, value: str) -> SecretListed:
        """Keeps a secret in the vault, which is made where there is none, with an identity that opens it."""
        from orchestrator.actions.keep_secrets import set_secret

        return set_secret(self.paths, name, value)

    def remove_secret(self, name: str) -> SecretListed:
        """Takes a secret out of the vault; gives it as it was listed, with who still refers to it."""
        from orchestrator.actions.keep_secrets import remove_secret

        return remove_secret(self.paths, name)

    def move_secrets(self, tap: str) -> tuple[Moved, ...]:
        """Moves the secrets that stand in the settings of a tap into the vault; references take their places."""
        from orchestrator.actions.literals import move_literals

        return move_literals(self.paths, tap)

    @staticmethod
    def identity() -> Identity:
        """The identity that opens vaults here; one is made where there is none."""
        from orchestrator.actions.keep_secrets import own_identity

        return own_identity()

    def recipients(self) -> tuple[Recipient, ...]:
        """Who may read the vault."""
        from orchestrator.actions.keep_secrets import recipients

        return recipients(self.paths)

    def add_recipient(self, name: str, key: str) -> tuple[Recipient, ...]:
        """Encrypts the vault for one more, by their public key; gives all that may read it now."""
        from orchestrator.actions.keep_secrets import add_recipient

        return add_recipient(self.paths, name, key)

    def remove_recipient(self, name: str) -> tuple[Recipient, ...]:
        """Encrypts the vault for all but one; gives all that may read it now."""
        from orchestrator.actions.keep_secrets import remove_recipient

        return remove_recipient(self.paths, name)

    # ── streams ──

    def discover(self, tap: str) -> Discovered:
        """Asks a tap what it offers, keeps the answer, and tells what changed."""
        from orchestrator.actions.starting import discover_tap, prepare

        config = self.config
        flows = [flow.name for flow in config.flows.values() if flow.tap == tap]
        return discover_tap(self.paths, prepare(self.paths, config.tap(tap)), flows)

    def select(self, tap: str, patterns: Sequence[str]) -> tuple[Choice, ...]:
        """Makes `patterns` the selection of a tap; none at all: what the tap takes by default."""
        from orchestrator.actions.select_streams import select

        self._know_streams(tap)
        return select(self.paths, tap, patterns)

    def selection(self, tap: str, streams: Sequence[str] = ()) -> tuple[Choice, ...]:
        """What is taken of each stream of a tap, or of those that patterns name."""
        from orchestrator.actions.select_streams import selection

        self._know_streams(tap)
        return selection(self.paths, tap, streams)

    def _know_streams(self, tap: str) -> None:
        """Asks a tap what it offers where nobody did yet."""
        if not self.paths.catalog(self.config.tap(tap).id).exists():
            self.discover(tap)

    # ── runs ──

    def run(
        self,
        flow: str,
        *,
        full_refresh: frozenset[str] | None = frozenset(),
        from_commit: int | None = None,
        commit_rows: int | None = None,
        commit_seconds: float | None = None,
        on_bad_line: str | None = None,
        validate: str | None = None,
        due: str | None = None,
        wait: float = 0.0,
        stop: Stop | None = None,
        listen: Listener = nobody,
    ) -> RunReport:
        """Runs a flow. `full_refresh` names streams to read from their beginning (EVERYTHING: all);
        `from_commit` is the number of an earlier commit to start from; a commit closes at the first STATE after
        `commit_rows` or `commit_seconds`, which are the flow's own unless given, and so are
        `on_bad_line` (`fail` or `quarantine`) and `validate` (`types` or `full`). `due` is the time of the flow's
        schedule that it is started for, in RFC 3339. Where the flow is running already, its end is awaited for `wait`
        seconds."""
        from orchestrator.actions.running import refuse_second_run

        config = self.config
        settings = config.flow(flow)
        if not wait:
            # To import all that a run needs takes longer than to see that there is nothing to do.
            refuse_second_run(self.paths, flow)
        from orchestrator.actions.run_flow import run_flow
        from orchestrator.load.commit import CommitPolicy

        policy = CommitPolicy(
            settings.commit_rows if commit_rows is None else commit_rows,
            settings.commit_seconds if commit_seconds is None else commit_seconds,
        )
        try:
            return run_flow(
                self.paths,
                config,
                flow,
                full_refresh=full_refresh,
                from_commit=from_commit,
                policy=policy,
                scrutiny=_scrutiny(settings.scrutiny, on_bad_line, validate),
                due=due,
                wait=wait,
                stop=stop,
                listen=listen,
            )
        finally:
            if config.notify:
                from orchestrator.actions.take_notice import tell_of_run

                tell_of_run(self.paths, config, settings, listen)

    def replay(
        self, flow: str, *, run: int, to: str | None = None, stop: Stop | None = None, listen: Listener = nobody
    ) -> RunReport:
        """Loads the messages of an earlier run again, into the flow's own destination or the one named `to`."""
        from orchestrator.actions.replay import replay

        return replay(self.paths, self.config, flow, run=run, to=to, stop=stop, listen=listen)

    def rehearse(self, flow: str, *, run: int, to: str | None = None) -> Rehearsal:
        """What `replay` would load."""
        from orchestrator.actions.replay import rehearse

        return rehearse(self.paths, self.config, flow, run=run, to=to)

    def runs(self, flow: str | None = None) -> tuple[Run, ...]:
        """The runs of a flow, or of all flows, the newest first."""
        from orchestrator.state import Runs

        config = self.config
        flows = [config.flow(flow).name] if flow else config.flows
        runs = [run for name in flows for run in Runs(self.paths, name).all()]
        return tuple(sorted(runs, key=lambda run: (run.started, run.number), reverse=True))

    def find_run(self, flow: str, number: int) -> Run:
        """One run of a flow."""
        from orchestrator.state import Runs

        return Runs(self.paths, self.config.flow(flow).name).find(number)

    def compare_runs(self, flow: str, before: int, after: int) -> RunsCompared:
        """What is different about two runs of a flow."""
        from orchestrator.actions.compare_runs import compare_runs

        return compare_runs(self.paths, self.config, flow, before, after)

    def log(self, flow: str, *, run: int | None = None, follow: bool = False) -> Iterator[str]:
        """The lines that the tap wrote on stderr in a run, the newest unless given; `follow` waits for more."""
        from orchestrator.state import Runs, read_log

        runs = Runs(self.paths, self.config.flow(flow).name)
        number = run or (runs.numbers() or [1])[-1]
        return read_log(self.paths, flow, number, follow=follow)

    def log_lines(self, flow: str, *, run: int | None = None, follow: bool = False) -> Iterator[dict[str, Any]]:
        """The same, each with `flow`, `run`, and the `level` and the `stream` that it tells, or None."""
        from orchestrator.protocol.log_lines import taken_apart
        from orchestrator.state import Runs

        runs = Runs(self.paths, self.config.flow(flow).name)
        number = run or (runs.numbers() or [1])[-1]
        streams = runs.documents.outlines(runs.find(number).ran_with.outlines)
        for said in self.log(flow, run=number, follow=follow):
            line = taken_apart(said, streams)
            about = {"flow": flow, "run": number, "level": line.level, "stream": line.stream}
            yield {**about, "message": line.message}

    # ── state ──

    def state(self, flow: str, *, listen: Listener = nobody) -> FlowState:
        """What the next run of a flow starts from."""
        from orchestrator.actions.flow_state import show_state

        return show_state(self.paths, self.config, flow, listen)

    def history(self, flow: str) -> list[Commit]:
        """Every commit that is remembered of a flow, the oldest first."""
        from orchestrator.actions.flow_state import history

        return history(self.paths, self.config, flow)

    def set_state(self, flow: str, state: bytes, *, listen: Listener = nobody) -> FlowState:
        """Makes `state`, JSON text, what the next run of a flow starts from."""
        from orchestrator.actions.flow_state import set_state

        return set_state(self.paths, self.config, flow, state, listen)

    def reset_state(self, flow: str, *, listen: Listener = nobody) -> FlowState:
        """Makes the next run of a flow start from nothing. The rows stay."""
        from orchestrator.actions.flow_state import reset_state

        return reset_state(self.paths, self.config, flow, listen)

    # ── looking ──

    def query(self, question: str, *, to: str | None = None, listen: Listener = nobody) -> pyarrow.Table:
        """The answer of a destination to a question in SQL; `to` names it where there are several."""
        from orchestrator.actions.query import query

        return query(self.config, question, to=to, listen=listen)

    # ── schedules ──

    def schedule(
        self, flow: str, said: Mapping[str, Any] | None, place: Mapping[str, Any] | None = None
    ) -> FlowScheduled:
        """Gives a flow a schedule in the words of orchestrator.toml, such as `{"every": "15 min"}`, over what it says
        now; None takes it out. `place` may have its `priority`, and the flows that it comes `after`."""
        from orchestrator.actions.schedule_flow import schedule_flow

        return schedule_flow(self.paths, flow, said, place)

    def scheduled(self, flow: str) -> FlowScheduled:
        """The schedule of a flow, and when it is due next."""
        from orchestrator.actions.schedule_flow import scheduled

        return scheduled(self.paths, flow)

    def pause(self, flow: str) -> None:
        """Lets the schedule of a flow rest."""
        from orchestrator.actions.schedule_flow import pause_flow

        pause_flow(self.paths, flow)

    def resume(self, flow: str) -> bool:
        """Lets a flow be due again. Whether it was paused."""
        from orchestrator.actions.schedule_flow import resume_flow

        return resume_flow(self.paths, flow)

    # ── looking ──

    def status(self, flow: str | None = None) -> tuple[FlowStatus, ...]:
        """How each flow stands, or one."""
        from orchestrator.actions.status import status

        return status(self.paths, self.config, flow)

    # ── telling ──

    def told(self) -> tuple[Told, ...]:
        """Who is told of troubles, and what keeps messages from them."""
        config = self.config
        if not config.notify:
            return ()
        from orchestrator.actions.deliver import told

        return told(self.paths, config)

    def deliver(self, *, listen: Listener = nobody) -> tuple[Waiting, ...]:
        """Looks how flows stand, and sends what there is to tell; gives what was sent. `up` does so by itself."""
        from orchestrator.actions.deliver import deliver

        return deliver(self.paths, self.config, listen=listen)

    def send_trial(self, name: str | None = None, *, listen: Listener = nobody) -> tuple[str, ...]:
        """Sends a test message to all who are told, or to one; gives their names."""
        from orchestrator.actions.deliver import send_trial

        return send_trial(self.paths, self.config, name, listen)

    def measure(self) -> tuple[Measure, ...]:
        """The numbers of the workspace: rows, runs, durations, lateness, by flow and stream."""
        from orchestrator.actions.measure import measure

        return measure(self.paths, self.config)

    def doctor(self) -> tuple[Check, ...]:
        """What would keep a run from working."""
        from orchestrator.actions.doctor import doctor

        return doctor(self.paths)


def search_hub(word: str, hub: Hub | None = None, *, listen: Listener = nobody) -> Found:
    """The taps in the hub whose names have a word in them. Needs no workspace; one may say another `hub`."""
    from orchestrator.actions import search_hub as action
    from orchestrator.config.reading import hub_of

    return action.search_hub(hub or hub_of({}), word, listen)


def load_messages(
    blocks: Iterable[bytes],
    to: str,
    *,
    flow: str = "load",
    acknowledge: Callable[[bytes], None] = lambda state: None,
    before_commit: Callable[[], None] = lambda: None,
    batch_roots: tuple[Path, ...] = (),
    soft_delete: bool = False,
    nested: str = "json",
    flatten: int = 0,
    commit_rows: int | None = None,
    commit_seconds: float | None = None,
    on_bad_line: str | None = None,
    validate: str | None = None,
    listen: Listener = nobody,
) -> Loaded:
    """Loads Singer messages, lines in blocks of any size, into `to`: `duckdb:PATH` or `parquet:FOLDER`.

    Needs no workspace. Each state goes to `acknowledge` once it is committed; what `before_commit` raises keeps it
    from being. An empty block tells that nothing came for a moment, when a commit may close. `nested="struct"` makes
    structs and lists of objects and arrays; members have columns of their own for `flatten` levels. What cannot land is
    an error, or with `on_bad_line="quarantine"` goes to the table `_orchestrator.quarantine`; with `validate="full"`
    records have to keep all of their JSON Schema. Raises RunFailed or DestinationError; what was acknowledged stays.
    """
    from orchestrator.actions import load_messages as action
    from orchestrator.config import COMMIT_ROWS, COMMIT_SECONDS, USUAL_SCRUTINY
    from orchestrator.destinations import open_destination
    from orchestrator.load.commit import CommitPolicy

    kind, separator, path = to.partition(":")
    if not separator or not path:
        raise UsageError(f'"{to}" is no destination', hint="duckdb:PATH or parquet:FOLDER")
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,62}", flow):
        raise UsageError(f'"{flow}" cannot be the name of a flow', hint="use 1 to 63 of a-z, 0-9, - and _")
    policy = CommitPolicy(
        COMMIT_ROWS if commit_rows is None else commit_rows,
        COMMIT_SECONDS if commit_seconds is None else commit_seconds,
    )
    schema = "main" if kind == "duckdb" else ""
    with open_destination(kind, Path(path).expanduser().absolute(), schema, listen) as destination:
        return action.load_messages(
            blocks,
            destination,
            flow=flow,
            policy=policy,
            acknowledge=acknowledge,
            before_commit=before_commit,
            batch_roots=batch_roots,
            soft_delete=soft_delete,
            scrutiny=_scrutiny(USUAL_SCRUTINY, on_bad_line, validate),
            nesting=_nesting(nested, flatten),
            listen=listen,
        )


def _scrutiny(usual: Scrutiny, on_bad_line: str | None, validate: str | None) -> Scrutiny:
    from orchestrator.config import OnBadLine, Scrutiny, Validate

    try:
        return Scrutiny(
            usual.on_bad_line if on_bad_line is None else OnBadLine(on_bad_line),
            usual.validate if validate is None else Validate(validate),
        )
    except ValueError as error:
        raise UsageError(str(error), hint='on_bad_line="quarantine", validate="full"') from error


def _nesting(nested: str, flatten: int) -> Nesting:
    from orchestrator.config import Nested, Nesting

    try:
        return Nesting(Nested(nested), flatten)
    except ValueError as error:
        raise UsageError(str(error), hint='nested="struct", flatten=1') from error


def _agreeing(fix: bool | Callable[[str], bool]) -> Callable[[str], bool]:
    """Who says whether a remedy is taken."""
    return fix if callable(fix) else lambda command: fix
