"""Secrets: where they are kept, put in place at the last moment, and kept out of everything that is printed.

references.py   what orchestrator.toml holds instead of them, and where that leads
vault.py        secrets.age: all that is kept here, encrypted for who may read it
identity.py     who is one of those
keeping.py      what was typed for the setting of a tap
rewritten.py    secrets/<tap>.age: what a tap wrote into its config itself
spelling.py     the ways in which a secret may stand in a text
redaction.py    takes them out of what is printed or logged
"""

from orchestrator.config.names import names_a_secret, surely_names_a_secret
from orchestrator.secrets.redaction import Redaction, holds_a_password
from orchestrator.secrets.references import Missing, Sources, credentials_error, look_up, resolve
from orchestrator.secrets.rewritten import OwnConfig, forget_own_config

__all__ = [
    "Missing",
    "OwnConfig",
    "Redaction",
    "Sources",
    "credentials_error",
    "forget_own_config",
    "holds_a_password",
    "look_up",
    "names_a_secret",
    "resolve",
    "surely_names_a_secret",
]
