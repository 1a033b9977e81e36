"""The command line as a user meets it: exit code, standard output and standard error."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from offchain.app.cli import main

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from offchain.app.cli import main; main()")
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


def plimsoll(*arguments: str | Path) -> Ran:
    """Run a command in this process, through the entry point that the script calls."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    words = ["plimsoll", *map(str, arguments)]
    with patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Ran(code, out.getvalue(), err.getvalue())


def started(*arguments: str | Path) -> Ran:
    """Run a command in a process of its own."""
    done = subprocess.run(  # noqa: S603  our own entry point
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=ROOT,
        env=environment(),
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """Return the environment in which the tree under test is the one that is imported."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb"}
