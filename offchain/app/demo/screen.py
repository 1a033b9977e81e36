"""What a person sees of the run: a bar, and one line for each event worth reading."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

MAX_LINES = 120
"""Lines printed above the bar; more are counted and summed up."""


class Screen:
    """A progress bar on standard error with lines above it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=36),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task("", total=1)
        self._lines = 0
        self.dropped = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self.dropped:
            self._console.print(f"  .. and {self.dropped} more lines of the same kinds")

    def stage(self, name: str, total: int = 1) -> None:
        """Begin a stage of so many steps."""
        self._bar.reset(self._task, description=name, total=total, completed=0)
        self._console.print(f"[bold]{name}[/bold]")

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        self._bar.advance(self._task, steps)

    def say(self, line: str, *, is_key: bool = False) -> None:
        """Print a line; beyond the limit only key ones are."""
        if is_key or self._lines < MAX_LINES:
            self._console.print(f"  {line}")
            self._lines += not is_key
        else:
            self.dropped += 1
