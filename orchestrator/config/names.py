"""Which settings hold secrets, as far as their names tell."""

import re

_SURE = (
    "token|secret|password|passwd|pwd|passphrase|pat"
    "|(api|app|access|account|auth|client|encryption|private|secret|shared|signing)_?key"
)
# Of these some are the path of a file, or say how somebody is let in.
_LIKELY = "credential|cookie|authorization"
SURE_NAME = re.compile(rf"(^|_)({_SURE})s?$")
LIKELY_NAME = re.compile(rf"(^|_)({_SURE}|{_LIKELY})s?$")


def names_a_secret(name: str) -> bool:
    """Whether a setting of this name is likely to hold a secret: `private_token`, `apiKey`, `client-secret`."""
    return LIKELY_NAME.search(_in_words(name)) is not None


def surely_names_a_secret(name: str) -> bool:
    """Whether a setting of this name holds nothing else."""
    return SURE_NAME.search(_in_words(name)) is not None


def _in_words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
