"""Write the golden vectors, or check that writing them again would change nothing.

Each `scripts/vectors_*.py` writes its files into tests/vectors. `--check` runs them all, compares
and puts the old files back, so that the tree is never changed by a check.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "vectors"
TIMEOUT_S = 300


def snapshot() -> dict[str, bytes]:
    """Return every vector file by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}


def restore(files: dict[str, bytes]) -> None:
    """Make the folder hold exactly `files`."""
    for name in snapshot().keys() - files.keys():
        (FOLDER / name).unlink()
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)


def write_all() -> None:
    """Run every writer; a writer that fails stops the run."""
    FOLDER.mkdir(exist_ok=True)
    writers = sorted((ROOT / "scripts").glob("vectors_*.py"))
    if not writers:
        sys.exit("vectors: no scripts/vectors_*.py found")
    for writer in writers:
        subprocess.run([sys.executable, writer], cwd=ROOT, check=True, timeout=TIMEOUT_S)  # noqa: S603  our own scripts


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the names that differ, appear or disappear."""
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def main() -> int:
    """Write, or with `--check` compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a file would change")
    check: bool = parser.parse_args().check
    before = snapshot()
    try:
        write_all()
        names = changed(before, snapshot())
    finally:
        if check:
            restore(before)
    for name in names:
        print(f"vectors: {name} {'is not what the reference writes' if check else 'changed'}")
    return 1 if check and names else 0


if __name__ == "__main__":
    sys.exit(main())
