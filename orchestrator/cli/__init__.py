"""The command line: words in, words out.

    program.py     the table of commands, found when they are called; the way in and out
    commands/      one command, or group of commands, per file
    agreement.py   whether what was found to work is taken
    command.py     what commands share: options, questions, the format of rows
    names.py       taps, flows, streams: how a shell completes them
    terminal.py    the two streams, and whether a person sits there
    words.py       numbers, times, sizes -> words; values -> one JSON document
    tables.py      rows -> a table or CSV
    settings.py    what a tap is told -> rows, without secrets
    progress.py    what a verb says while it works
    watching.py    a run while it lasts
    summary.py     what is said at the end of a run
    failures.py    an error -> what a person reads, and the exit code

Every verb is a method of `orchestrator.Workspace`; what is here reads what was typed and renders what came back.
"""

from orchestrator.cli.program import main

__all__ = ["main"]
