"""What a run of pytest does differently while a mutant lives: order, seeds and limits.

Tests that import the mutated module come first, then the quick ones. Properties draw the same
examples every time, and a failure is not made smaller: that it fails is enough. Memory is bounded,
because a mutant may ask for any amount.
"""

import json
import os
import resource
from pathlib import Path

import pytest
from hypothesis import Phase, settings

MEMORY_BYTES = 8 << 30
FIRST = "MUTATION_FIRST"
"""Test files that go first, separated by the path separator of the system."""
DURATIONS = "MUTATION_DURATIONS"
"""A file with the seconds of every test: read if it is there, else written."""

_seconds: dict[str, float] = {}


def pytest_configure() -> None:
    """Bound the memory and load the profile of the properties."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", derandomize=True, database=None, phases=phases)
    settings.load_profile("mutation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the likeliest to notice first, and the quick before the slow."""
    first = set(os.environ.get(FIRST, "").split(os.pathsep))
    place = Path(os.environ[DURATIONS])
    seconds = json.loads(place.read_text()) if place.is_file() else {}
    items.sort(key=lambda i: (i.location[0] not in first, seconds.get(i.nodeid, 0.0)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what a test takes, with its fixtures."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep the durations of the unchanged tree."""
    place = Path(os.environ[DURATIONS])
    if exitstatus == 0 and not place.is_file():
        place.write_text(json.dumps(_seconds))
