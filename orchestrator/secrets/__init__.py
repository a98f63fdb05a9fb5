"""Secrets: where they are kept, put in place at the last moment, and kept out of everything that is printed.

references.py   what orchestrator.toml holds instead of them
keeping.py      secrets/<tap>/: those that a person typed in
rewritten.py    secrets/<tap>.json: what a tap wrote into its config itself
redaction.py    takes them out of what is printed or logged
"""

from orchestrator.secrets.redaction import Redaction, holds_a_password, names_a_secret
from orchestrator.secrets.references import Missing, credentials_error, look_up, resolve
from orchestrator.secrets.rewritten import OwnConfig, forget_own_config

__all__ = [
    "Missing",
    "OwnConfig",
    "Redaction",
    "credentials_error",
    "forget_own_config",
    "holds_a_password",
    "look_up",
    "names_a_secret",
    "resolve",
]
