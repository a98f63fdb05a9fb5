"""What uv, and what it builds, inherit of our environment variables: what they need, and nothing that bends them."""

import os
from collections.abc import Mapping

from orchestrator.config.names import names_a_secret

_NEEDED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR"),
        *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("NETRC", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"),
        *("CC", "CXX", "CPP", "LD", "AR", "AS", "NM", "RANLIB", "STRIP", "FC", "MAKE", "CPATH", "MAX_JOBS"),
        *("SDKROOT", "DEVELOPER_DIR", "MACOSX_DEPLOYMENT_TARGET", "SOURCE_DATE_EPOCH", "PG_CONFIG"),
    }
)
"""Where programs, home, proxies and certificates are, who lets git in, and how is compiled."""
_BEGINNINGS = ("LC_", "XDG_", "GIT_", "CARGO_", "RUST", "CMAKE_", "NIX_", "SETUPTOOLS_", "PYENV_", "HOMEBREW_")
_ENDS = ("FLAGS", "_CONFIG", "_LIB", "_LIBS", "_PATH", "_DIR", "_DIRS", "_HOME", "_ROOT", "_PREFIX", "_NO_EXTENSIONS")
"""What packages that are compiled ask for, each by a name of its own: MYSQLCLIENT_LDFLAGS, LIBRARY_PATH, JAVA_HOME."""

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
    """The variables for uv, and for what we ask Pythons ourselves."""
    kept = {name: value for name, value in environ.items() if _is_inherited(name)}
    # Nothing is fetched but what was asked for, and that was a tap.
    return {"UV_PYTHON_DOWNLOADS": "never"} | kept


def _is_inherited(name: str) -> bool:
    if name.startswith(_WHERE_PACKAGES_COME_FROM):
        return True
    is_needed = name in _NEEDED or name.startswith(_BEGINNINGS) or name.endswith(_ENDS)
    return is_needed and not name.startswith(_BENDING + _OURS) and not names_a_secret(name)
