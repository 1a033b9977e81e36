"""The folder of a run: emptied at the start, but only if a run of ours left it."""

import shutil
from pathlib import Path

from offchain.services.errors import OffchainError

MARK = "deployment.json"
"""Written first by every run, so that the next one knows the folder as its own."""


class FolderNotOurs(OffchainError):  # noqa: N818 - a fault is named by what happened
    """A folder holds something that no run of ours left there."""


def fresh(folder: Path) -> Path:
    """Remove what an earlier run left in a folder, and return it empty.

    Raises
    ------
    FolderNotOurs
        It is no folder, or holds something and no deployment record.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderNotOurs(f"{folder} is no folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise FolderNotOurs(f"{folder} is not empty and was not written by an earlier run")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
