"""``plimsoll calibrate``: from price history to the next parameter set, with its report."""

import json
from dataclasses import dataclass
from pathlib import Path

from offchain.app.keys import QUORUM, DevnetKeys, development_key, hex_address
from offchain.calibration.adoption import Adoption, adopt
from offchain.calibration.errors import ProposalRefusedError, SettingsError
from offchain.calibration.history import History, read_history
from offchain.calibration.plots import plots
from offchain.calibration.proposal import Proposal, propose
from offchain.calibration.report import Origin, report, scenario_document
from offchain.calibration.report_page import page
from offchain.calibration.settings import Settings
from offchain.core.parameters import ParameterError, RiskParameters
from offchain.core.presets import BITCOIN, ETHER, RECOMMENDED, Roles, Series, pm36
from offchain.core.units import ONE_E8, SECOND_NS
from offchain.ledger.document import document, parse_document
from offchain.ledger.terms import params_hash

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "synthetic"
"""The generated history that comes with the product."""
SHARED = ROOT.parent / "shared" / "data"
"""Market data beside the project, used when it is there; it is not ours to ship."""
PARAMETERS, REPORT, PAGE, SCENARIOS = (
    "parameters.json",
    "report.json",
    "report.html",
    "scenarios.json",
)


@dataclass(frozen=True, slots=True)
class CalibrateChoices:
    """What the command line asked for; None takes the default."""

    folder: Path
    data: Path | None = None
    previous: Path | None = None
    lookback_days: int | None = None
    confidence: float | None = None
    shortfall: bool = False


def run_calibrate(choices: CalibrateChoices) -> dict[str, object]:
    """Calibrate, write four files into the folder, and return a summary.

    Raises
    ------
    CalibrationError
        Bad history or settings.
    WireError
        The previous set is not a canonical document.
    OSError
        A file cannot be read or written.
    """
    settings = settings_of(choices)
    if choices.folder.exists() and not choices.folder.is_dir():
        raise NotADirectoryError(f"{choices.folder} is not a folder")
    source, words = find_history(choices.data)
    base = parse_document(choices.previous.read_bytes()) if choices.previous else None
    symbols = (
        tuple(u.symbol for u in base.listing.underlyings)
        if base
        else (BITCOIN.symbol, ETHER.symbol)
    )
    history = read_history(source, symbols)
    base_words = f"version {base.version}, as given" if base else "PM-36 on the demo's listing"
    proposal = propose(history, settings)
    try:
        base = base or demo_base(history)
        adoption = adopt(base, proposal, shortfall=choices.shortfall)
    except ParameterError as broken:
        raise ProposalRefusedError(str(broken)) from broken
    origin = Origin(
        words,
        base_words,
        f"0x{params_hash(base).hex()}",
        f"0x{params_hash(adoption.parameters).hex()}",
    )
    return _write(choices.folder, proposal, adoption, origin)


def settings_of(choices: CalibrateChoices) -> Settings:
    """Return the settings of some choices; SettingsError names the rule that one breaks."""
    defaults = Settings()
    confidence_e6 = defaults.confidence_e6
    if choices.confidence is not None:
        if not 0.9 <= choices.confidence < 1.0:  # false for NaN too
            raise SettingsError("90 % <= confidence < 100 %")
        confidence_e6 = round(choices.confidence * 1_000_000)
    days = choices.lookback_days
    return Settings(
        lookback_days=defaults.lookback_days if days is None else days,
        confidence_e6=confidence_e6,
    )


def find_history(data: Path | None) -> tuple[Path, str]:
    """Return the folder of the history and a sentence that says which it is."""
    if data is not None:
        if not data.is_dir():
            raise NotADirectoryError(f"{data} is not a folder")
        return data, f"folder {data.name}"
    if any(SHARED.glob("calibration/*")):
        return SHARED, "the market data beside the project"
    return SHIPPED, "the shipped, generated series"


def demo_base(history: History) -> RiskParameters:
    """Return PM-36 with the recommended figures on the demo's listing, around the last prices.

    The roles are development keys: give a previous set for a venue of your own.
    """
    from offchain.app import devnet  # noqa: PLC0415 - slow, and only the demo's listing needs it

    opening = {s: round(float(last.values[-1]) * ONE_E8) for s, last in history.prices.items()}
    dates = devnet.expiries(int(history.prices[BITCOIN.symbol].times[-1]) * SECOND_NS)
    bitcoin = devnet.strikes(opening[BITCOIN.symbol], devnet.BTC_LADDER, devnet.BTC_STEP_E6)
    ether = devnet.strikes(opening[ETHER.symbol], devnet.ETH_LADDER, devnet.ETH_STEP_E6)
    keys = DevnetKeys.make()
    roles = Roles(
        tuple(hex_address(key) for key in keys.oracles),
        insurance_owner=hex_address(development_key("insurance")),
        backstop_owner=hex_address(keys.backstop),
    )
    series = (Series(BITCOIN, dates, bitcoin), Series(ETHER, dates, ether))
    return pm36(series, roles, quorum=QUORUM, grids=RECOMMENDED)


def _write(
    folder: Path, proposal: Proposal, adoption: Adoption, origin: Origin
) -> dict[str, object]:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots(proposal)
    tables = report(proposal, adoption, origin)
    (folder / PARAMETERS).write_bytes(document(adoption.parameters))
    _write_json(folder / REPORT, tables)
    _write_json(folder / SCENARIOS, scenario_document(proposal))
    (folder / PAGE).write_text(page(proposal, adoption, origin, drawn), encoding="utf-8")
    ranges = {
        u.symbol: scan.price_range_e6
        for u, scan in zip(
            adoption.parameters.listing.underlyings, adoption.parameters.scan, strict=True
        )
    }
    return {
        "history": origin.history,
        "synthetic": proposal.is_synthetic,
        "version": adoption.parameters.version,
        "params_hash": origin.params_hash,
        "price_ranges_e6": ranges,
        "targets_e6": {u.symbol: u.range.range_e6 for u in proposal.underlyings},
        "held": [c.field for c in adoption.changes if c.held != "none"],
        "plots": drawn is not None,
        "written": [str(folder / name) for name in (PARAMETERS, REPORT, PAGE, SCENARIOS)],
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="ascii")
