"""The command line: words in, words out. Every verb is a method of the API; what is here reads and renders.

program.py     the table of commands, found when they are called; the way in and out
command.py     what every command understands
failures.py    an error -> what a person reads, and the exit code
terminal.py    the two streams, and whether a person sits there
words.py       numbers, times, sizes -> words
tables.py      rows -> a table, JSON or CSV
commands/      one command or group of commands per file
"""

from orchestrator.cli.program import main

__all__ = ["main"]
