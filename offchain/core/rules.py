"""How a rule of a parameter set is stated: in words, and whether it holds."""


class ParameterError(ValueError):
    """A parameter set breaks a rule; the message names the rule."""


def require(rule: str, *, holds: bool) -> None:
    """Raise ParameterError with the rule unless it holds."""
    if not holds:
        raise ParameterError(rule)
