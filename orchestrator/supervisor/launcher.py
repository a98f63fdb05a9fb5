"""The program between a run and its tap: it starts the tap with less than we may do, and whatever the tap started ends
with the tap, or with us.

It is run as a file, by a Python without packages, before the first message of each run: so it imports little, and
nothing of ours. `launching.py` gives it its order.

It reads the order on its stdin, which then is its lifeline: where that ends, we are gone. On a pipe it tells
`started PID`, or `cannot WHY`; `over WHAT` when the tap took more than it may; `took BYTES`, of memory and at most;
and `ended CODE`, that of the tap.
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import sys
import time

# `signal` would import enum, and `typing` what takes longer than all the rest.
from _signal import NSIG, SIG_DFL, SIG_IGN, SIGINT, SIGKILL, SIGTERM, getsignal, signal  # type: ignore[import-not-found]

ASK = b"a"
"""On the lifeline: the tap is asked to end."""
END = b"e"
"""The same, and it has its grace for it."""
KILL = b"k"
"""The same, at once."""

TIMEOUT, MEMORY, PROCESSES, CPU_TIME = "timeout", "memory", "processes", "cpu_time"
"""What a tap may take too much of, as the order and the report call it."""

_ON_LINUX = sys.platform.startswith("linux")
_NEVER = float("inf")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Order = Mapping[str, Any]
    Tell = Callable[[str], object]


CONFINE = "confine"
"""As the first argument, before a descriptor and a command: only to become that command, with less than we may do."""


def main() -> None:
    if sys.argv[1] == CONFINE:
        return _become_confined(int(sys.argv[2]), sys.argv[3:])
    report = int(sys.argv[1])
    os.set_inheritable(report, False)
    # A service manager ends all of us at once; the tap may still take its leave, and we wait for it.
    signal(SIGTERM, SIG_IGN)
    signal(SIGINT, SIG_IGN)
    order: Order = marshal.loads(_read(int.from_bytes(_read(4), "big")))
    if _ON_LINUX:
        # What the tap started and left behind becomes our child, wherever it went.
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def tell(words: str) -> None:
        os.write(report, f"{words}\n".encode())

    tap, why_not = _start(order)
    if why_not:
        os.waitpid(tap, 0)
        tell(f"cannot {why_not}")
        return
    # Whoever reads the tap has to meet the end of what it says.
    for ours in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), ours)
    tell(f"started {tap}")
    status = _watch(tap, order, tell)
    tell(f"took {_most_memory()}")
    tell(f"ended {os.waitstatus_to_exitcode(status)}")


def _become_confined(order: int, command: list[str]) -> None:
    with open(order, "rb") as file:
        confinement: Order = marshal.load(file)
    if _ON_LINUX:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if confinement["allowed"] and (landlock_version() or confinement["must_confine"]):
        _confine(confinement["allowed"])
    os.execv(command[0], command)


def _read(length: int) -> bytes:
    content = b""
    while len(content) < length:
        block = os.read(0, length - len(content))
        if not block:
            sys.exit("nobody gave an order")
        content += block
    return content


# ── the tap, before it is one ────────────────────────────────────────────────────────────────────


def _start(order: Order) -> tuple[int, str]:
    """The process of the tap; and why it could not become one, or nothing."""
    failed, failing = os.pipe()
    launcher = os.getpid()
    tap = os.fork()
    if tap == 0:
        try:
            _become(order, launcher)
        except BaseException as error:
            os.write(failing, (getattr(error, "strerror", None) or str(error)).encode())
        finally:
            os._exit(127)
    os.close(failing)
    with open(failed, "rb") as file:
        # It ends with nothing when the tap has taken over.
        return tap, file.read().decode()


def _become(order: Order, launcher: int) -> None:
    # A session of its own: what the tap does to its group does not reach us.
    os.setsid()
    if _ON_LINUX:
        _prctl(_PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != launcher:
            return
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if most := order["limits"]["open_files"]:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if order["allowed"] and (landlock_version() or order["must_confine"]):
        _confine(order["allowed"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0, inheritable=True)
    # What we, Python or whoever started us ignore, whoever we start would ignore as well.
    for number in range(1, NSIG):
        if getsignal(number) == SIG_IGN:
            _heed(number)
    os.execve(order["arguments"][0], order["arguments"], order["environment"])


def _heed(number: int) -> None:
    try:
        signal(number, SIG_DFL)
    except OSError:
        # There are two that the C library keeps for itself.
        return


def _prctl(option: int, value: int) -> None:
    """prctl(2). Raises OSError."""
    import ctypes

    nothing = ctypes.c_ulong(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), nothing, nothing, nothing):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


# ── what it may reach: landlock(7), by its system calls ──────────────────────────────────────────

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ONLY_THE_VERSION = 1
_BENEATH_A_PATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _USE_DEVICE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_MAKE_DEVICES = 1 << 6 | 1 << 11
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _USE_DEVICE
_EVERYTHING = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_EVERYTHING_SINCE_5 = (1 << 16) - 1
# CAP_DAC_OVERRIDE, for files of whoever they are, and CAP_NET_BIND_SERVICE.
_OF_A_CONFINED_ROOT = (1, 10)
_SOCKETS_AND_SIGNALS_OF_OTHERS = 1 << 0 | 1 << 1


def landlock_version() -> int:
    """What the kernel can do of Landlock, by the number of its interface; 0 is nothing."""
    if not _ON_LINUX:
        return 0
    try:
        return _syscall(_CREATE_RULESET, None, 0, _ONLY_THE_VERSION)
    except OSError:
        return 0


def _confine(allowed: Mapping[str, list[bytes]]) -> None:
    """From here on this process and all that it starts reach only what is `allowed`. Raises OSError."""
    import struct

    version = landlock_version()
    if not version:
        raise OSError(0, "the kernel has no Landlock, which its sandbox asks for")
    handled = _EVERYTHING.get(version, _EVERYTHING_SINCE_5)
    rights = {
        "lists": _READ_DIR,
        "reads": _READ_FILE | _READ_DIR,
        "runs": _READ_FILE | _READ_DIR | _EXECUTE,
        "writes": handled & ~(_EXECUTE | _MAKE_DEVICES),
    }
    if os.geteuid() == 0:
        _drop_capabilities()
    attributes = struct.pack("=QQQ", handled, 0, _SOCKETS_AND_SIGNALS_OF_OTHERS)
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _syscall(_CREATE_RULESET, attributes, length, 0)
    for kind, paths in allowed.items():
        for path in paths:
            try:
                place = os.open(path, os.O_PATH)
            except OSError:
                # What is not there, nobody can reach.
                continue
            access = rights[kind] & handled
            if not os.path.isdir(path):
                access &= _OF_FILES
            _syscall(_ADD_RULE, rules, _BENEATH_A_PATH, struct.pack("=Qi", access, place), 0)
            os.close(place)
    _syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _drop_capabilities() -> None:
    """Some of what root may do goes around Landlock: with CAP_PERFMON it reads the environment of any process."""
    with open("/proc/sys/kernel/cap_last_cap", "rb") as file:
        last = int(file.read())
    for capability in range(last + 1):
        if capability not in _OF_A_CONFINED_ROOT:
            try:
                _prctl(_PR_CAPBSET_DROP, capability)
            except PermissionError:
                # A root that may not even give one up, as in a container without capabilities, has none of these.
                return


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    """Raises OSError."""
    import ctypes

    given = (ctypes.c_long(each) if isinstance(each, int) else ctypes.c_char_p(each) for each in arguments)
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(ctypes.c_long(number), *given)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


# ── the tap, until its end ───────────────────────────────────────────────────────────────────────


def _watch(tap: int, order: Order, tell: Tell) -> int:
    """Waits for the end of the tap, sees to it that there is one, and ends what it left behind. Its wait status."""
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    # A pipe alone would not do: a process that was forked off us holds its other end as well.
    ours, exits = _end_of(order["supervisor"]), _end_of(tap)
    for end in (ours, exits):
        if end is not None:
            waiting.register(end, select.POLLIN)
    use = _Use(order["limits"])
    tick = use.tick if exits is not None else 0.02
    timeout = time.monotonic() + (order["limits"][TIMEOUT] or _NEVER)
    deadline = _NEVER
    while (status := _reap(tap)) is None:
        awake = {descriptor for descriptor, _ in waiting.poll(tick * 1000)}
        word = os.read(0, 1) if 0 in awake else None
        now = time.monotonic()
        if now >= timeout:
            tell(f"over {TIMEOUT}")
        if now >= timeout or word == END:
            timeout, deadline = _NEVER, min(deadline, now + order["grace"])
            word = ASK
        if word == ASK:
            _ask_to_end(tap, order)
        if ours in awake or now >= deadline or word not in (None, ASK):
            break
        if over := use.over(now):
            tell(f"over {over}")
            break
    return _end_all(tap, status)


def _end_of(pid: int) -> int | None:
    """A descriptor that is readable when the process has ended, where the system has such ones."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _reap(tap: int) -> int | None:
    """Waits for those that ended; the wait status of the tap, if it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == tap:
            return status


def _end_all(tap: int, status: int | None) -> int:
    """Ends the tap and whatever it started. The wait status of the tap."""
    # In one stroke: of a group that is killed like this nobody starts another one.
    _signal_group(tap, SIGKILL)
    while True:
        try:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                for left in _family():
                    _signal(left, SIGKILL)
                # Those whose parent ended become our children, and are met in the next round.
                pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return status or 0
        if pid == tap:
            status = ended


def _ask_to_end(tap: int, order: Order) -> None:
    if not order["is_enclosed"]:
        return _signal_group(tap, SIGTERM)
    # Whoever encloses it would end at once, and take all with it that may still take its leave.
    for enclosed in _family():
        if enclosed != tap:
            _signal(enclosed, SIGTERM)


def _signal_group(tap: int, number: int) -> None:
    try:
        os.killpg(tap, number)
    except (ProcessLookupError, PermissionError):
        return


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


# ── what it uses ─────────────────────────────────────────────────────────────────────────────────


class _Use:
    """What the tap and all that it started use together, held against what they may."""

    def __init__(self, limits: Mapping[str, float | None]) -> None:
        self._most = {what: most for what in (PROCESSES, CPU_TIME, MEMORY) if (most := limits[what]) and _ON_LINUX}
        # Memory grows fast, and whoever is watched closely can be stopped near the limit.
        self.tick = 0.05 if MEMORY in self._most else 0.2
        self._family: list[int] = []
        self._look_again = 0.0

    def over(self, now: float) -> str | None:
        """What they use too much of."""
        if not self._most:
            return None
        # To find them all is dear: the whole machine is looked through.
        if now >= self._look_again:
            self._family = _family()
            self._look_again = now + 0.2
        used = [stat for pid in self._family if (stat := _stat(pid))]
        return next((what for what, most in self._most.items() if self._sum(what, used) > most), None)

    def _sum(self, what: str, used: list[_Stat]) -> float:
        if what == PROCESSES:
            return sum(not stat.is_over for stat in used)
        if what == CPU_TIME:
            reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
            return reaped.ru_utime + reaped.ru_stime + sum(stat.seconds for stat in used)
        resident = sum(stat.bytes for stat in used)
        # What they share counts once; but to know what they share takes the kernel a while.
        return resident if resident <= self._most[MEMORY] else sum(_own_bytes(stat) for stat in used)


def _most_memory() -> int:
    """Bytes that the largest of those that ended had in memory at most."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # Linux counts in kilobytes: https://man7.org/linux/man-pages/man2/getrusage.2.html
    return most * 1024 if _ON_LINUX else most


_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class _Stat:
    """A line of /proc/PID/stat; see proc(5)."""

    def __init__(self, pid: int, line: bytes) -> None:
        # The name of the program may hold anything, also spaces and brackets.
        fields = line[line.rindex(b")") + 2 :].split()
        self.pid = pid
        self.is_over = fields[0] in b"ZX"
        self.parent = int(fields[1])
        self.seconds = sum(map(int, fields[11:15])) / _TICKS
        self.bytes = int(fields[21]) * _PAGE


def _stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return _Stat(pid, file.read())
    except OSError:
        return None


def _own_bytes(stat: _Stat) -> int:
    """Its memory, with its part of what it shares with others."""
    try:
        with open(f"/proc/{stat.pid}/smaps_rollup", "rb") as file:
            # Of one that is just ending there is nothing any more.
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:")), 0)
    except PermissionError:
        return stat.bytes
    except OSError:
        return 0


def _family() -> list[int]:
    """The tap and all that it started, as far as they are there; none where the system does not tell."""
    if not _ON_LINUX:
        return []
    stats = [stat for name in os.listdir("/proc") if name.isdecimal() and (stat := _stat(int(name)))]
    children: dict[int, list[int]] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat.pid)
    family: list[int] = []
    generation = [os.getpid()]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, ())]
        family += generation
    return family


if __name__ == "__main__":
    main()
    # Python would look through all that it holds before it goes.
    os._exit(0)
