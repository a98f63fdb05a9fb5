"""What the code of an installed tap asks of its config and reads of it. It is read, and never imported."""

import ast
import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.protocol.settings import Account, Kind, Setting, Source

_CHECKS = ("parse_args", "check_config")
"""Functions of singer-python (and their copies) that are handed the keys that a config must have."""

_REQUIRED = re.compile(r"REQUIRED_\w*(CONFIG|KEYS)")
"""Names of lists that taps hand to them."""

_OF_TEXT = frozenset({"split", "rsplit", "splitlines", "strip", "lower", "upper", "startswith", "endswith", "replace"})
"""Methods that only a text has: whose value is asked for one, has to be one."""

_LIBRARIES = ("singer", "singer_encodings", "tap_kit")
"""Packages that read a tap's config on its behalf."""


def code_of(environment: Path, executable: Path) -> tuple[Path, ...]:
    """The Python files of the package that a program of the environment is started from; none where it is not Python,
    or not a package."""
    for each in distributions(path=[str(folder) for folder in environment.glob("lib/*/site-packages")]):
        for command in each.entry_points.select(group="console_scripts", name=executable.name):
            package = command.module.partition(".")[0]
            for folder in _folders(each):
                if files := _files(folder, package):
                    return files
    return ()


def libraries(environment: Path) -> tuple[Path, ...]:
    """The Python files of what reads a config on behalf of taps."""
    folders = [*environment.glob("lib/*/site-packages")]
    return tuple(file for folder in folders for package in _LIBRARIES for file in _files(folder, package))


def _folders(distribution: Distribution) -> Iterator[Path]:
    """Where its packages may lie: beside its metadata, or in the project that it was installed from as editable."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        project = Path(unquote(urlsplit(str(origin.get("url"))).path))
        yield from (project / "src", project)
    yield Path(str(distribution.locate_file("")))


def _files(folder: Path, package: str) -> tuple[Path, ...]:
    if (module := folder / f"{package}.py").is_file():
        return (module,)
    return tuple(sorted((folder / package).rglob("*.py")))


def account_of_code(files: Iterable[Path]) -> Account | None:
    """What a tap's code tells of its settings; None where there is none."""
    trees = [*_trees(files)]
    if not trees:
        return None
    lists = {name: keys for tree in trees for name, keys in _lists(tree)}
    asked = [keys for tree in trees for keys in _asked(tree, lists) if keys]
    asked = asked or [keys for name, keys in lists.items() if _REQUIRED.match(name) and keys]
    # A tap that knows several ways to log in asks for other keys in each; what it asks for in all is required.
    required = [key for key in asked[0] if all(key in each for each in asked)] if asked else []
    uses = _Uses()
    for tree in trees:
        uses.visit(tree)
    settings = [
        Setting(
            (key,),
            kind=Kind.TEXT if key in uses.texts else Kind.ANY,
            required=key in required,
            default=uses.defaults.get(key),
        )
        for key in dict.fromkeys([*required, *uses.keys])
    ]
    return Account(Source.CODE, tuple(settings), knows_required=bool(asked))


def words_of(files: Iterable[Path]) -> frozenset[str]:
    """Every word of the code by which a key could be read: as a text, an attribute, an argument or a field."""
    words: set[str] = set()
    for tree in _trees(files):
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(word)) | ast.Attribute(attr=word) | ast.arg(arg=word):
                    words.add(word)
                case ast.keyword(arg=str(word)) | ast.AnnAssign(target=ast.Name(id=word)):
                    words.add(word)
    return frozenset(words)


def _trees(files: Iterable[Path]) -> Iterator[ast.Module]:
    for file in files:
        # What our own Python cannot read, such as code for Python 2, tells nothing.
        with contextlib.suppress(SyntaxError, ValueError, OSError):
            yield ast.parse(file.read_bytes())


def _lists(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """The lists of texts that have a name."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (keys := _texts(value)) is not None:
                yield name, keys


def _texts(node: ast.expr) -> list[str] | None:
    with contextlib.suppress(ValueError):
        value = ast.literal_eval(node)
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return [*value]
    return None


def _asked(tree: ast.Module, lists: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """The keys that are handed to a function which checks for them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in _CHECKS:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                keys = lists.get(_last_name(argument) or "", _texts(argument))
                if keys is not None:
                    yield keys


def _last_name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


@dataclass
class _Uses(ast.NodeVisitor):
    """Gathers what is read of a config: its keys, those whose value must be text, and the values in place of none."""

    keys: dict[str, None] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    defaults: dict[str, Any] = field(default_factory=dict)
    _loops: list[set[str]] = field(default_factory=list)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # The config of a loop is one of many, and not that of the tap.
        loops = [each.target for each in ast.walk(node) if isinstance(each, ast.For | ast.comprehension)]
        self._loops.append({name.id for loop in loops for name in ast.walk(loop) if isinstance(name, ast.Name)})
        self.generic_visit(node)
        self._loops.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        match node:
            case ast.Assign(targets=[target], value=ast.Dict(keys=keys, values=values)) if self._is_config(target):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant):
                        self._read(key.value, value)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        match node:
            case ast.Compare(left=ast.Constant(value=key), ops=[ast.In() | ast.NotIn()], comparators=[config]):
                if self._is_config(config):
                    self._read(key)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in _OF_TEXT and (key := self._key(node.value)):
            self.texts.add(key)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load) and (key := self._key(node)):
            self._read(key)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if key := self._key(node):
            self._read(key, *node.args[1:2])
        self.generic_visit(node)

    def _read(self, key: object, default: ast.expr | None = None) -> None:
        if not isinstance(key, str):
            return
        self.keys[key] = None
        with contextlib.suppress(ValueError):
            value = ast.literal_eval(default) if default else None
            if value not in (None, [], {}):
                self.defaults.setdefault(key, value)

    def _key(self, node: ast.expr) -> str | None:
        """The key that `config["key"]` or `config.get("key")` reads."""
        match node:
            case ast.Subscript(value=config, slice=ast.Constant(value=str(key))) if self._is_config(config):
                return key
            case ast.Call(func=ast.Attribute(value=config, attr="get"), args=[ast.Constant(value=str(key)), *_]):
                return key if self._is_config(config) else None
        return None

    def _is_config(self, node: ast.expr) -> bool:
        name = _last_name(node)
        if name is None or not name.lower().endswith("config"):
            return False
        return not (isinstance(node, ast.Name) and any(name in names for names in self._loops))
