"""The configuration in a backup: every file below the configuration's own folder that the settings name.

What the settings name elsewhere on the machine is not in it: it is listed, to be kept elsewhere.
"""

import os
from pathlib import Path
from typing import Final

from broker.backups.archive import Archive
from broker.backups.staging import write_whole
from broker.settings import Settings, SettingsFile
from connectors.dry_run import FOLDER as SAMPLES
from policies.strict_yaml import read_yaml

FOLDER: Final = "configuration/"


def configuration_files(config: Path, settings: Settings) -> tuple[dict[str, Path], list[str]]:
    """By the name in a backup, the files below the configuration's folder; and the paths that lie elsewhere."""
    folder = config.resolve().parent
    given, _ = read_yaml(config, SettingsFile)
    named = [config.resolve(), settings.routes, settings.routes.parent / SAMPLES]
    named += [folder / path for path in (given.catalogue, given.rules) if path]
    named += [folder / given.witnesses.policy] if given.witnesses is not None else []
    named += [folder / given.timestamps.roots] if given.timestamps is not None else []
    inside: dict[str, Path] = {}
    elsewhere = []
    for path in (Path(os.path.normpath(one)) for one in named):
        if not path.is_relative_to(folder):
            elsewhere += [str(path)] if path.exists() else []
            continue
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        inside |= {f"{FOLDER}{file.relative_to(folder).as_posix()}": file for file in files if file.is_file()}
    return inside, elsewhere


def put_back(archive: Archive, config: Path) -> list[str]:
    """Write the files that are missing, the configuration itself under the name it is wanted by; their names."""
    missing = {name: content for name, content in _places(archive, config).items() if not content.exists()}
    for name, place in missing.items():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, archive.whole(name))
    return list(missing)


def differing(archive: Archive, config: Path) -> list[str]:
    """The files that are here, and are not those of the backup."""
    places = _places(archive, config)
    return [name for name, place in places.items() if place.exists() and place.read_bytes() != archive.whole(name)]


def _places(archive: Archive, config: Path) -> dict[str, Path]:
    folder = config.resolve().parent
    places = {}
    for member in archive.manifest.members:
        if member.name.startswith(FOLDER):
            path = member.name.removeprefix(FOLDER)
            places[member.name] = config if path == archive.manifest.configuration else folder / path
    return places
