"""Where messages go: which addresses may stand in orchestrator.toml as they are, because they hold no secret.

An address is one of apprise: https://github.com/caronc/apprise/wiki. Most of its services have a token in the path.
"""

from urllib.parse import parse_qsl, urlsplit

from orchestrator.config.names import names_a_secret

WITHOUT_TOKENS = (
    "apprise", "apprises", "dbus", "form", "forms", "gnome", "json", "jsons", "macosx", "mailto", "mailtos", "syslog",
    "xml", "xmls",
)  # fmt: skip
"""Schemes that let in with a user and a password, or not at all."""


def is_address(text: str) -> bool:
    """Whether a text looks like one."""
    scheme, separator, rest = text.partition("://")
    return bool(separator and scheme.replace("+", "").isalnum() and rest.strip())


def holds_a_secret(address: str) -> bool:
    """Whether an address is, or may be, worth stealing."""
    try:
        parts = urlsplit(address)
        password = parts.password
    except ValueError:
        return True
    said = (name.lstrip(" -:") for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return parts.scheme not in WITHOUT_TOKENS or password is not None or any(map(_lets_in, said))


def _lets_in(name: str) -> bool:
    return name == "pass" or names_a_secret(name)
