"""Run every `scripts/bench_*.py` and write build/bench/results.json.

A bench module has ``measure() -> dict[str, dict]``: key to entry. An entry states ``value`` and
``unit``, and where there is one the ``reference`` that was measured in the same run and the
``ratio`` to it: ratios travel between machines, absolute figures do not.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "build" / "bench" / "results.json"
FIELDS = ("value", "unit", "reference", "ratio", "cpu_s", "wall_s")
PACKAGES = ("numpy", "numba", "llvmlite", "safe-pysha3", "coincurve", "web3", "sqlalchemy")

Entry = dict[str, Any]


def load(path: Path) -> ModuleType:
    """Import a bench module from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def run(path: Path) -> dict[str, Entry]:
    """Measure one module; each entry gets the time that the whole module took if it states none."""
    wall, cpu = time.perf_counter(), time.process_time()
    entries: dict[str, Entry] = load(path).measure()
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    return {key: complete(key, entry, spent) for key, entry in entries.items()}


def complete(key: str, entry: Entry, spent: dict[str, float]) -> Entry:
    """Return the entry with every field present; an entry without value or unit is an error."""
    missing = {"value", "unit"} - entry.keys()
    if missing:
        raise ValueError(f"bench entry {key} has no {', '.join(sorted(missing))}")
    unknown = entry.keys() - set(FIELDS)
    if unknown:
        raise ValueError(f"bench entry {key} has unknown fields {', '.join(sorted(unknown))}")
    return {field: entry.get(field, spent.get(field)) for field in FIELDS}


def merge(results: dict[str, Entry], more: dict[str, Entry]) -> None:
    """Add entries; a key that is measured twice is an error."""
    twice = results.keys() & more.keys()
    if twice:
        raise ValueError(f"measured twice: {', '.join(sorted(twice))}")
    results.update(more)


def processor() -> str:
    """Return the model of the processor, or what the platform module knows."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit that is measured, with `+` when the tree differs from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    described = subprocess.run(  # noqa: S603  fixed arguments, found on PATH
        [git, "describe", "--always", "--abbrev=40", "--dirty=+"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def machine() -> dict[str, Any]:
    """Return what a reader must know to compare the figures."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": commit(),
    }


def main() -> int:
    """Measure everything, print a table, write the file; of some modules only the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="modules, as bench_gas; all of them by default")
    chosen = parser.parse_args().only
    results: dict[str, Entry] = {}
    known = {path.stem: path for path in sorted((ROOT / "scripts").glob("bench_*.py"))}
    if not set(chosen) <= set(known):
        parser.error(f"there are {', '.join(known)}")
    modules = [path for stem, path in known.items() if not chosen or stem in chosen]
    for path in modules:
        print(f"bench: {path.stem}", flush=True)
        merge(results, run(path))
    width = max((len(key) for key in results), default=0)
    for key, entry in sorted(results.items()):
        ratio = "" if entry["ratio"] is None else f"  {entry['ratio']:.2f}x of the reference"
        value = entry["value"]
        digits = 0 if abs(value) >= 100 else 3
        print(f"  {key:<{width}}  {value:>14,.{digits}f} {entry['unit']}{ratio}")
    if chosen:
        return 0 if results else 1
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "results": dict(sorted(results.items()))}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")
    print(f"bench: wrote {RESULTS.relative_to(ROOT)}")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
