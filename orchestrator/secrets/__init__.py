"""Secrets: where they are kept, put in place at the last moment, and kept out of everything that is printed."""

from orchestrator.secrets.redaction import Redaction, names_a_secret
from orchestrator.secrets.references import resolve

__all__ = ["Redaction", "names_a_secret", "resolve"]
