"""What the programs we start inherit of our environment variables: what they need, and nothing that bends them."""

import os
from collections.abc import Mapping

_BENDING = ("PYTHON", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA_", "PIPENV_", "POETRY_", "__PYVENV_LAUNCHER__")
"""Beginnings of names that lead a Python or an installer to other packages, folders or options than we say."""

_OURS = ("ORCHESTRATOR_", "TAP_")
"""Beginnings of names that are for us. What is built runs code of its own, which has no business with our secrets."""

_WHERE_PACKAGES_COME_FROM = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_KEYRING_PROVIDER",
    "UV_CONFIG_FILE",
    "UV_OFFLINE",
    "UV_CACHE_DIR",
    "UV_NO_CACHE",
    "UV_LINK_MODE",
    "UV_SYSTEM_CERTS",
    "UV_NATIVE_TLS",
    "UV_INSECURE_HOST",
    "UV_HTTP_",
    "UV_REQUEST_TIMEOUT",
    "UV_CONCURRENT_",
    "UV_PYTHON_DOWNLOADS",
    "UV_PYTHON_INSTALL_",
)
"""Beginnings of names by which a person tells uv about mirrors, caches and the network."""


def inherited(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for uv and for a tap that is being tried out."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_BENDING + _OURS) or name.startswith(_WHERE_PACKAGES_COME_FROM)
    }
    # Nothing is fetched but what was asked for, and that was a tap.
    return {"UV_PYTHON_DOWNLOADS": "never"} | kept
