"""orchestrator.toml, read once into frozen values; after that nobody asks the file or the environment.

    values.py      what the file says, as frozen values
    shape.py       what may stand in the file, and every way a document departs from it
    reading.py     file -> values, or one error that names every problem
    names.py       which settings hold secrets
    addresses.py   which addresses of messages do
    measures.py    sizes and durations
    statements.py  which lines of the file hold which setting
    written.py     where the file says what a tap is told
    splicing.py    changes one setting and leaves the rest of the text alone
    editing.py     the changes that verbs make, written only if they still read well

Whoever edits imports `orchestrator.config.editing`; it is not imported here, because reading has to start fast.
"""

from orchestrator.config.reading import read_config
from orchestrator.config.values import (
    COMMIT_ROWS,
    COMMIT_SECONDS,
    USUAL_LIMITS,
    USUAL_SCRUTINY,
    WHOLE,
    CatchUp,
    Config,
    Destination,
    Flow,
    Hub,
    Limits,
    Mode,
    Nested,
    Nesting,
    Notify,
    Occasion,
    OnBadLine,
    Reference,
    Retention,
    Retries,
    Sandbox,
    Schedule,
    Scrutiny,
    StreamSettings,
    Tap,
    Validate,
    closest,
)

__all__ = [
    "COMMIT_ROWS",
    "COMMIT_SECONDS",
    "USUAL_LIMITS",
    "USUAL_SCRUTINY",
    "WHOLE",
    "CatchUp",
    "Config",
    "Destination",
    "Flow",
    "Hub",
    "Limits",
    "Mode",
    "Nested",
    "Nesting",
    "Notify",
    "Occasion",
    "OnBadLine",
    "Reference",
    "Retention",
    "Retries",
    "Sandbox",
    "Schedule",
    "Scrutiny",
    "StreamSettings",
    "Tap",
    "Validate",
    "closest",
    "read_config",
]
