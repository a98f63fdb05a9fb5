"""The servers of the examples: a machine that cannot have them says why. That they serve, tests/index shows."""

import pytest

from examples.databases import NotProvided, PostgreSQL


def test_where_there_are_no_packages_of_debian_it_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(NotProvided, match="here is no apt-get, apt-cache, dpkg-deb, setpriv"):
        PostgreSQL().__enter__()
