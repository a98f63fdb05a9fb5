"""Settings of a tap -> rows and members of a document, in which no secret is shown."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.actions.configure import SettingTold
from orchestrator.cli.tables import Column
from orchestrator.config import Reference
from orchestrator.secrets import Redaction, names_a_secret

MASK = "***"


def members(each: SettingTold) -> dict[str, Any]:
    setting = each.setting
    return {
        "name": each.name,
        "value": masked(each.value, hide=each.secret),
        "origin": each.origin,
        "required": setting.required,
        "secret": each.secret,
        "kind": setting.kind.value,
        "choices": setting.choices,
        "default": setting.default,
        "description": setting.description,
        "variable": each.variable,
    }


def masked(value: Any, *, hide: bool = False) -> Any:
    """What a tap is told, with references in the place of secrets, and a mask where a secret stands itself."""
    match value:
        case None:
            return None
        case Reference():
            return {value.kind: value.name}
        case Mapping():
            return {key: masked(below, hide=hide or names_a_secret(key)) for key, below in value.items()}
        case list():
            return [masked(item, hide=hide) for item in value]
        case str() if not hide:
            return Redaction.of({}, {"value": value}).redact(value)
    return MASK if hide else value


def _as_typed(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


SAID: list[Column[SettingTold]] = [
    Column("setting", lambda each: each.name),
    Column("value", lambda each: _as_typed(masked(each.value, hide=each.secret))),
]
ORIGIN: Column[SettingTold] = Column("origin", lambda each: each.origin)
UNDERSTOOD: list[Column[SettingTold]] = [
    Column("kind", lambda each: each.setting.kind.value),
    Column("needed", lambda each: each.setting.required),
    Column("secret", lambda each: each.secret),
]
