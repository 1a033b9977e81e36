"""What can be wrong with what the stress lab is given."""


class StressError(ValueError):
    """The root: the lab cannot run as asked."""


class UnknownNameError(StressError):
    """No event, or no policy, has this name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no {kind} {name!r}; there are {', '.join(known)}")


class StressChoiceError(StressError):
    """Options contradict one another, or a number is out of range."""


class StressDataError(StressError):
    """A data file of an event misses, or does not hold what it should."""
