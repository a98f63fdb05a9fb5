"""What a person types comes to one thing to install, or to an error that says what can be typed."""

from pathlib import Path

import pytest

from orchestrator.envs.package import Kind, Package, default_id
from orchestrator.errors import UsageError

ROOT = Path("/somewhere")


@pytest.mark.parametrize(
    ("typed", "id"),
    [
        ("tap-gitlab", "gitlab"),
        ("tap-gitlab==0.5.1", "gitlab"),
        ("Tap_GitLab[s3]>=1,<2", "gitlab"),
        ("pipelinewise-tap-postgres", "postgres"),
        ("tap-adwords-tap-x", "adwords-tap-x"),
        ("mytap", "mytap"),
        ("tap-x @ git+https://github.com/somebody/other", "x"),
        ("git+https://github.com/MeltanoLabs/tap-github.git@v1.2", "github"),
        ("git+ssh://git@github.com/somebody/tap-x@a/branch", "x"),
        ("git+https://github.com/somebody/many#subdirectory=taps/tap-y", "y"),
        ("https://example.com/tap-z.git", "z"),
        ("./taps/tap-mine", "tap-mine"),
        ("wheels/tap_mine-1.2.3-py3-none-any.whl", "mine"),
        ("tap_mine-1.2.3.tar.gz", "mine"),
    ],
)
def test_the_id_is_the_name_without_tap(typed, id, tmp_path):
    (tmp_path / "taps" / "tap-mine").mkdir(parents=True)
    expected = "mine" if id == "tap-mine" else id

    assert default_id(Package.parse(typed), tmp_path) == expected


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("tap-x", Kind.REQUIREMENT),
        ("tap-x @ https://example.com/tap_x-1-py3-none-any.whl", Kind.REQUIREMENT),
        ("git+https://github.com/somebody/tap-x", Kind.URL),
        ("git+file:///somewhere/tap-x", Kind.URL),
        ("https://example.com/tap_x-1-py3-none-any.whl", Kind.URL),
        (".", Kind.PATH),
        ("./tap-x", Kind.PATH),
        ("../tap-x", Kind.PATH),
        ("~/tap-x", Kind.PATH),
        ("/somewhere/tap-x", Kind.PATH),
        ("taps/tap-x", Kind.PATH),
        ("-e ./tap-x", Kind.PATH),
        ("./tap-x[s3]", Kind.PATH),
        ("tap_x-1-py3-none-any.whl", Kind.PATH),
    ],
)
def test_requirements_urls_and_paths_are_told_apart(typed, kind):
    assert Package.parse(typed).kind is kind


@pytest.mark.parametrize(
    "typed", ["tap gitlab", "", "--index-url=https://example.com", "-r other.txt", "tap-x==", "a\nb"]
)
def test_what_is_none_of_them_is_refused(typed):
    with pytest.raises(UsageError, match="is not something to install"):
        Package.parse(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "git+https://somebody:secret@github.com/somebody/tap-x",
        "git+https://secret@github.com/somebody/tap-x",
        "tap-x @ git+https://secret@github.com/somebody/tap-x",
        "git+ssh://git:secret@github.com/somebody/tap-x",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(typed):
    with pytest.raises(UsageError, match="password") as raised:
        Package.parse(typed)

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("typed", "pinned"), [("tap-x==1", True), ("tap-x==1.*", False), ("tap-x>=1", False)])
def test_only_a_whole_version_pins(typed, pinned):
    assert Package.parse(typed).pinned is pinned


def test_a_path_is_written_down_from_the_workspace(tmp_path):
    root, elsewhere = tmp_path / "shop", tmp_path / "elsewhere"
    for folder in (root / "taps" / "tap-x", elsewhere / "tap-y"):
        folder.mkdir(parents=True)

    def written(typed: str, folder: Path) -> str:
        return Package.parse(typed).typed_in(folder, root).text

    assert written("./tap-x[s3]", root / "taps") == "./taps/tap-x[s3]"
    assert written(f"{root}/taps/tap-x", elsewhere) == "./taps/tap-x"
    assert written("./tap-y", elsewhere) == "../elsewhere/tap-y"
    assert written(f"{elsewhere}/tap-y", root) == f"{elsewhere}/tap-y"


def test_a_path_to_nothing_is_refused_and_may_have_been_meant_for_github(tmp_path):
    with pytest.raises(UsageError, match="there is no somebody/tap-x here") as raised:
        Package.parse("somebody/tap-x").typed_in(tmp_path, tmp_path)

    assert raised.value.hint == "git+https://github.com/somebody/tap-x"


def test_a_path_from_here_to_nothing_was_not_meant_for_github(tmp_path):
    with pytest.raises(UsageError, match=r"there is no \./tap-x here") as raised:
        Package.parse("./tap-x").typed_in(tmp_path, tmp_path)

    assert raised.value.hint is None
