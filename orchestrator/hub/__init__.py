"""The public index of taps: which there are, in which variants, how each is installed and what it understands.

    entries.py   what the index says, as values
    asking.py    asks it over HTTP, and remembers the answers
    kept.py      envs/<id>.hub.json: what it said of a tap that was added

It is the API of Meltano Hub (https://hub.meltano.com). It is asked by `add-tap --from-hub` and `taps search`, by
`upgrade` of a tap that was added from there, and by nothing else.
"""

from orchestrator.hub.entries import Entry, Listed
from orchestrator.hub.kept import forget_entry, keep_entry, kept_entry

__all__ = ["Entry", "Listed", "forget_entry", "keep_entry", "kept_entry"]
