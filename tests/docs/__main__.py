"""`python -m tests.docs README.md …` runs the commands of documents and writes down what they print now."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import steps, steps_before, with_outputs
from tests.docs.shell import Shell


def outputs(text: str, home: Path) -> Iterator[str]:
    with Shell(home) as shell:
        for step in steps_before(text):
            shell.run(step.command)
        for step in steps(text):
            printed, code = shell.run(step.command)
            assert "internal error" not in printed, printed
            print(f"{code:3} $ {step.command}", file=sys.stderr)
            yield printed


for name in sys.argv[1:]:
    document = Path(name)
    with tempfile.TemporaryDirectory() as home:
        document.write_text(with_outputs(document.read_text(), outputs(document.read_text(), Path(home).resolve())))
