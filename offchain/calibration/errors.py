"""Faults of a calibration: bad history, too little of it, settings that contradict themselves."""


class CalibrationError(Exception):
    """The root of every fault of a calibration."""


class HistoryError(CalibrationError):
    """A history file breaks its format.

    Attributes
    ----------
    file : str
        Name of the file.
    row : int
        Line in the file, from 1 (the header); 0 when the fault is that of the whole file.
    """

    def __init__(self, file: str, row: int, problem: str) -> None:
        super().__init__(f"{file}: row {row}: {problem}")
        self.file, self.row, self.problem = file, row, problem


class HistoryTooShortError(HistoryError):
    """A file has fewer usable rows than the window that is asked of it."""


class HistoryMissingError(CalibrationError):
    """A folder holds no history that could be calibrated on."""


class SettingsError(CalibrationError):
    """A setting lies outside its range; the message names the rule."""


class ProposalRefusedError(CalibrationError):
    """The proposed set breaks a rule of parameter sets; the message names it."""
