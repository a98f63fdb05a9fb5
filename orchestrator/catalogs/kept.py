"""catalogs/<tap>.json: what the tap printed last, byte for byte. It is committed to git, so anyone may read it."""

from orchestrator import durable
from orchestrator.catalogs.reading import Catalog, NotACatalog, read_catalog
from orchestrator.errors import DamagedFile
from orchestrator.paths import Paths

READABLE_BY_ALL = 0o644


def keep(paths: Paths, tap: str, catalog: Catalog) -> None:
    """Puts the catalog in the place of the one before."""
    durable.write(paths.catalog(tap), catalog.content, mode=READABLE_BY_ALL)


def kept_catalog(paths: Paths, tap: str) -> Catalog | None:
    """The catalog of the last discovery, or None when there was none. Raises DamagedFile."""
    path = paths.catalog(tap)
    try:
        return read_catalog(path.read_bytes())
    except FileNotFoundError:
        return None
    except NotACatalog as error:
        raise DamagedFile(
            f"{path.relative_to(paths.root)} is not a catalog",
            cause=str(error),
            data="nothing is lost: the tap can tell it again",
            hint=f"orchestrator discover {tap}",
        ) from error
