"""Compiled modules are shared by the environments of a workspace, like the modules themselves: as hard links.

uv links the files of a package into each environment, and Python would compile them anew in each. What was compiled
once is kept in envs/.bytecode, under what identifies the linked source, and linked wherever that source is.
"""

import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator import durable
from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.variables import inherited

_OLDEST = (3, 8)
"""The first Python whose code objects can be given another file name."""

_WITHOUT_PLACE = """
import marshal, sys

def placed(code, name):
    inside = [placed(each, name) if hasattr(each, "co_code") else each for each in code.co_consts]
    return code.replace(co_filename=name, co_consts=tuple(inside))

for line in sys.stdin:
    compiled, kept = line.rstrip("\\n").split("\\t")
    with open(compiled, "rb") as file:
        head, code = file.read(16), marshal.loads(file.read())
    with open(kept, "wb") as file:
        file.write(head + marshal.dumps(placed(code, "shared")))
"""
"""Takes the path of its source out of a compiled module; Python fills it in when it imports one."""


@dataclass(frozen=True, slots=True)
class Bytecode:
    """The modules that one Python compiled, kept in `store`."""

    store: Path
    python: Interpreter

    def lend(self, environment: Path) -> None:
        """Links into an environment what was compiled of its modules before."""
        kept = set(os.listdir(self.store)) if self.store.is_dir() else set()
        for source in _sources(environment) if kept else ():
            name = _identity(source)
            if name in kept:
                compiled = self._compiled(source)
                compiled.parent.mkdir(exist_ok=True)
                # Whoever sweeps the store may have been there first.
                with contextlib.suppress(FileNotFoundError, FileExistsError):
                    os.link(self.store / name, compiled)

    def gather(self, environment: Path) -> None:
        """Keeps what Python compiled of the modules of an environment meanwhile, and links it back."""
        fresh = [*self._fresh(environment)]
        if not fresh or self.python.age < _OLDEST:
            return
        durable.make_folder(self.store)
        aside = {compiled: self.store / f".{os.getpid()}-{name}" for name, compiled in fresh}
        rewriting = subprocess.run(
            [self.python.path, "-I", "-c", _WITHOUT_PLACE],
            input="".join(f"{compiled}\t{kept}\n" for compiled, kept in aside.items()),
            text=True,
            capture_output=True,
            env=inherited(),
        )
        for name, compiled in fresh:
            with contextlib.suppress(FileNotFoundError):
                if rewriting.returncode:
                    # It only saves room: an environment that compiles for itself is as good.
                    aside[compiled].unlink()
                else:
                    os.replace(aside[compiled], self.store / name)
                    os.link(self.store / name, aside[compiled])
                    os.replace(aside[compiled], compiled)

    def _fresh(self, environment: Path) -> Iterator[tuple[str, Path]]:
        """The modules that Python compiled, under the names that they get in the store."""
        for source in _sources(environment):
            compiled = self._compiled(source)
            with contextlib.suppress(FileNotFoundError):
                if compiled.stat().st_nlink == 1 and (name := _identity(source)):
                    yield name, compiled

    def _compiled(self, source: Path) -> Path:
        tag = f"cpython-{self.python.minor.replace('.', '')}"
        return source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


def nobodys(stores: Path, going: Iterable[Path] = ()) -> list[Path]:
    """What was compiled of modules that no environment has any more, once those environments are gone."""
    links = Counter(file.stat().st_ino for folder in going for file in folder.rglob("*.pyc"))
    kept = [(path, path.stat()) for path in sorted(stores.glob("*/*"))]
    return [path for path, found in kept if found.st_nlink - links[found.st_ino] == 1]


def _sources(environment: Path) -> Iterator[Path]:
    return environment.glob("lib/*/site-packages/**/*.py")


def _identity(source: Path) -> str | None:
    """What tells a linked file from every other; None for one that no other environment has."""
    found = source.stat()
    return f"{found.st_dev:x}-{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}" if found.st_nlink > 1 else None
