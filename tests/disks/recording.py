"""What a program did to the files of a folder, operation by operation, in a model of that folder.

A recording is checked against the disk: with all operations done, the folder of the model is the folder that is there.
So a way to write that is not known here, such as through mapped memory, does not go unseen.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.disks.strace import Call, trace

ROOT = 0
"""The number of the folder; everything in it has a number of its own, under whatever names."""


@dataclass(frozen=True, slots=True)
class Node:
    """A folder, a file or a symbolic link, as it was in the beginning; `content` of a link is where it points."""

    mode: int
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Named:
    """Names that changed in one step: (folder, name, the node that it stands for, if any).

    They last once the folder of the last of them is synced."""

    changes: tuple[tuple[int, str, int | None], ...]

    @property
    def node(self) -> int:
        return self.changes[-1][0]


@dataclass(frozen=True, slots=True)
class Written:
    node: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    node: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done to the node by the operations before number `began` is on the disk."""

    node: int
    began: int


@dataclass(frozen=True, slots=True)
class Told:
    """The program said that a commit holds."""

    commit: int


Operation = Named | Written | Resized | Synced | Told


@dataclass
class Folder:
    """A folder with all below it: the nodes by their number, and of each folder the names in it."""

    nodes: dict[int, Node] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> "Folder":
        folder = cls()
        folder._add(root)
        return folder

    def _add(self, path: Path) -> int:
        number, mode = len(self.nodes), path.lstat().st_mode
        self.nodes[number] = Node(mode)
        if stat.S_ISLNK(mode):
            self.nodes[number] = Node(mode, os.fsencode(path.readlink()))
        elif stat.S_ISDIR(mode):
            self.names[number] = {}
            self.names[number] |= {each.name: self._add(each) for each in sorted(path.iterdir())}
        else:
            self.nodes[number] = Node(mode, path.read_bytes())
        return number

    def write(self, root: Path, *, number: int = ROOT) -> None:
        """Makes the folder at `root`, where nothing may be."""
        root.mkdir()
        for name, each in self.names[number].items():
            path, node = root / name, self.nodes[each]
            if stat.S_ISDIR(node.mode):
                self.write(path, number=each)
            elif stat.S_ISLNK(node.mode):
                path.symlink_to(os.fsdecode(node.content))
            else:
                path.write_bytes(node.content)
                path.chmod(stat.S_IMODE(node.mode))
        root.chmod(stat.S_IMODE(self.nodes[number].mode))

    def files(self, number: int = ROOT, path: str = "") -> dict[str, bytes | None]:
        """What is there by its path; None for a folder."""
        found: dict[str, bytes | None] = {path: None}
        for name, each in self.names[number].items():
            inner = f"{path}/{name}"
            found |= self.files(each, inner) if each in self.names else {inner: self.nodes[each].content}
        return found


@dataclass(frozen=True)
class Recording:
    """A folder as it was, and what was done to it. Its nodes are also those that came later."""

    before: Folder
    operations: list[Operation]


def record(program: str, command: Sequence[str], root: Path, told: Path) -> Recording:
    """Runs a command under strace, and gives what it did to `root`.

    The command writes the number of each commit that it told of into the file `told`, which is not in there.
    """
    watch = _Watch(root, told)
    watch.take(trace(program, command, told.with_suffix(".strace")))
    return Recording(watch.before, watch.operations)


@dataclass
class _Open:
    """An open file; `node` is None for what is not in the folder or has no name in it."""

    path: Path
    node: int | None
    appends: bool
    offset: int = 0


class _Watch:
    """A folder that changes call by call."""

    def __init__(self, root: Path, told: Path) -> None:
        self.before = Folder.read(root)
        self.operations: list[Operation] = []
        self._root = root
        self._told = told
        self._names = {number: dict(names) for number, names in self.before.names.items()}
        self._sizes = {number: len(node.content) for number, node in self.before.nodes.items()}
        self._open: dict[int, _Open] = {}

    def take(self, calls: Sequence[Call]) -> None:
        operations_after = [0]
        for call in calls:
            self._call(call, began=operations_after[call.began])
            operations_after.append(len(self.operations))

    def _call(self, call: Call, began: int) -> None:
        match call.name:
            case "open" | "openat" | "creat":
                self._opened(call)
            case "dup" | "dup2" | "dup3" | "fcntl":
                if call.descriptor in self._open and (call.name != "fcntl" or "F_DUPFD" in call.arguments):
                    self._open[call.returned] = self._open[call.descriptor]
            case "close":
                self._open.pop(call.descriptor, None)
            case "fsync" | "fdatasync":
                opened = self._open.get(call.descriptor)
                if opened is not None and opened.node is not None:
                    self.operations.append(Synced(opened.node, began))
            case "lseek" | "write" | "writev" | "pwrite64" | "pwritev" | "ftruncate" | "fallocate":
                opened = self._open.get(call.descriptor)
                if opened is not None:
                    self._filled(call, opened)
            case "mkdir" | "mkdirat":
                self._made(call.paths[0], Node(stat.S_IFDIR | 0o700))
            case "symlink" | "symlinkat":
                self._made(call.paths[-1], Node(stat.S_IFLNK, call.texts[0]))
            case "unlink" | "unlinkat" | "rmdir":
                self._name((call.paths[0], None))
            case "link" | "linkat":
                self._name((call.paths[1], self._find(call.paths[0])))
            case "rename" | "renameat" | "renameat2":
                source, target = call.paths
                self._name((source, None), (target, self._find(source)))

    def _opened(self, call: Call) -> None:
        path = call.paths[0]
        node = self._find(path)
        if node is None and "O_CREAT" in call.arguments:
            node = self._made(path, Node(stat.S_IFREG | 0o600))
        elif node is not None and "O_TRUNC" in call.arguments:
            self._resize(node, 0)
        self._open[call.returned] = _Open(path, node, "O_APPEND" in call.arguments)

    def _filled(self, call: Call, opened: _Open) -> None:
        if call.name == "lseek":
            opened.offset = call.returned
        elif opened.path == self._told:
            self.operations.append(Told(int(call.texts[0])))
        elif opened.node is None:
            return
        elif call.name == "ftruncate":
            self._resize(opened.node, call.last_number)
        elif call.name == "fallocate":
            offset, size = (int(word) for word in call.arguments.split(", ")[-2:])
            self._resize(opened.node, max(self._sizes[opened.node], offset + size))
        else:
            moves = call.name in ("write", "writev")
            end = self._sizes[opened.node]
            offset = (end if opened.appends else opened.offset) if moves else call.last_number
            data = b"".join(call.texts)[: call.returned]
            self.operations.append(Written(opened.node, offset, data))
            self._sizes[opened.node] = max(end, offset + len(data))
            if moves:
                opened.offset = offset + len(data)

    def _resize(self, node: int, size: int) -> None:
        if size != self._sizes[node]:
            self.operations.append(Resized(node, size))
            self._sizes[node] = size

    def _made(self, path: Path, node: Node) -> int | None:
        number = len(self.before.nodes)
        if not self._name((path, number)):
            return None
        self.before.nodes[number] = node
        self._sizes[number] = 0
        if stat.S_ISDIR(node.mode):
            self.before.names[number] = {}
            self._names[number] = {}
        return number

    def _name(self, *changes: tuple[Path, int | None]) -> bool:
        """Whether they are names in the folder."""
        named = []
        for path, node in changes:
            folder = self._find(path.parent)
            if folder is None:
                return False
            named.append((folder, path.name, node))
        for folder, name, node in named:
            self._names[folder].pop(name, None)
            if node is not None:
                self._names[folder][name] = node
        self.operations.append(Named(tuple(named)))
        return True

    def _find(self, path: Path) -> int | None:
        if not path.is_relative_to(self._root):
            return None
        number: int | None = ROOT
        for name in path.relative_to(self._root).parts:
            number = self._names.get(number, {}).get(name) if number is not None else None
        return number
