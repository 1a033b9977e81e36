"""What can be wrong with a portfolio file; each message begins with the path of the fault."""


class ModelError(ValueError):
    """The root: a portfolio cannot be priced as asked."""


class MarginFileError(ModelError):
    """A portfolio file breaks its schema.

    Attributes
    ----------
    path : str
        Where in the file, as ``positions[3].strike``.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'file'}: {problem}")
        self.path = path


class UnknownModelError(ModelError):
    """No model, or no parameter set, has this name."""


class UnsupportedPortfolioError(MarginFileError):
    """The file is well formed, but this model has no rule for what it holds."""
