"""The models by name: what each is, where it is published, its parameter sets, how it is run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from offchain.models import derive_parameters as derive
from offchain.models import venue_parameters as venues
from offchain.models.deribit_pm import CHARGES as DERIBIT_CHARGES
from offchain.models.deribit_pm import DeribitParameters, deribit
from offchain.models.derive_auction import AuctionParameters, auction
from offchain.models.derive_pm1 import Pm1Parameters, pm1
from offchain.models.derive_pm2 import Pm2Parameters
from offchain.models.derive_pm2_margin import pm2
from offchain.models.derive_srm import SrmParameters, srm
from offchain.models.errors import MarginFileError, UnknownModelError
from offchain.models.linear_margin import (
    BracketParameters,
    DeribitLinearParameters,
    DydxParameters,
    HyperliquidParameters,
    SquareRootParameters,
    linear_margin,
)
from offchain.models.okx_tiers import CHARGES as OKX_CHARGES
from offchain.models.okx_tiers import OkxParameters, okx
from offchain.models.option_calculator import CalculatorParameters, calculator
from offchain.models.overrides import plain_parameters, with_overrides
from offchain.models.paradex_pm import CHARGES as PARADEX_CHARGES
from offchain.models.paradex_pm import ParadexParameters, paradex
from offchain.models.pm36 import PM36_DEFAULT, Pm36Parameters, pm36
from offchain.models.portfolio import resolve
from offchain.models.results import Result, overflow_refused
from offchain.models.schema import PortfolioFile
from offchain.models.span import SPAN_DEFAULT, SpanParameters, span

ForMarket = Callable[[str], Any]
Run = Callable[[PortfolioFile, Any, ForMarket], Result]


@dataclass(frozen=True, slots=True)
class Model:
    """One margin model.

    Attributes
    ----------
    kind : type
        Its parameter record.
    sets : mapping
        Named values of that record; None where the file must state every field itself.
    default_set : str
        Which of them applies when the file names none.
    run : callable
        From file, parameters and the parameters of a market to the result.
    by_market : mapping
        Overrides of a set for some underlyings; ``*`` is any other.
    takes_market_parameters : bool
        Whether an underlying may override parameters.
    charges : frozenset of str
        Charges that a file may state.
    """

    name: str
    title: str
    source: str
    kind: type[Any]
    sets: Mapping[str, Any]
    default_set: str
    run: Run
    by_market: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    takes_market_parameters: bool = False
    charges: frozenset[str] = frozenset()


def _auction(file: PortfolioFile, p: AuctionParameters, _: ForMarket) -> Result:
    if file.auction is None:
        raise MarginFileError("auction", "is needed by derive-auction")
    return auction(file.auction, p)


def _linear(name: str, title: str, kind: type[Any], sets: Mapping[str, Any]) -> Model:
    return Model(
        name,
        title,
        "margin.md 2.9",
        kind,
        sets,
        next(iter(sets)),
        lambda f, p, m: linear_margin(resolve(f), p, m),
        takes_market_parameters=True,
    )


def _okx_class(p: OkxParameters) -> Mapping[str, Any]:
    return {
        "spot_moves": p.spot_moves,
        "extreme_move": p.extreme_move,
        "annual_move": p.annual_move,
    }


_MIDDLE = ("SOL", "DOGE", "PEPE", "XRP", "BNB", "SHIB", "LTC", "ORDI", "WLD", "BCH", "ADA")
_OKX_MARKETS: Mapping[str, Mapping[str, Any]] = {
    "BTC": {},
    "ETH": {},
    **{name: _okx_class(venues.OKX_MIDDLE) for name in _MIDDLE},
    "*": _okx_class(venues.OKX_OTHERS),
}

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(
            "pm36",
            "PM-36, our own, on the integer engine",
            "docs/UNITS.md; margin.md 5",
            Pm36Parameters,
            {"default": PM36_DEFAULT},
            "default",
            lambda f, p, _: pm36(f, p),
        ),
        Model(
            "derive-pm2",
            "Derive portfolio margin 2 (PMRM_2)",
            "derive.md 7.1 to 7.11; derivexyz/v2-core 7736900d",
            Pm2Parameters,
            {"mainnet": derive.PM2_MAINNET, "tests": derive.PM2_TESTS},
            "mainnet",
            lambda f, p, _: pm2(resolve(f), p),
        ),
        Model(
            "derive-pm1",
            "Derive portfolio margin 1 (PMRM)",
            "derive.md 7.12",
            Pm1Parameters,
            {
                "mainnet": derive.PM1_MAINNET,
                "tests": derive.PM1_TESTS,
                "portfolio-tests": derive.PM1_PORTFOLIO_TESTS,
            },
            "mainnet",
            lambda f, p, _: pm1(resolve(f), p),
        ),
        Model(
            "derive-srm",
            "Derive standard manager, rule based",
            "derive.md 7.13",
            SrmParameters,
            {"mainnet": derive.SRM_MAINNET, "tests": derive.SRM_TESTS},
            "mainnet",
            lambda f, p, m: srm(resolve(f), p, m),
            by_market={"mainnet": derive.SRM_MAINNET_MARKETS},
            takes_market_parameters=True,
        ),
        Model(
            "derive-auction",
            "Derive Dutch auction: discount, largest share, payments",
            "derive.md 7.14",
            AuctionParameters,
            {"mainnet": derive.AUCTION_MAINNET, "tests": derive.AUCTION_TESTS},
            "mainnet",
            _auction,
        ),
        Model(
            "deribit-pm",
            "Deribit portfolio margin (S:PM in coin, X:PM in USD)",
            "margin.md 2.1; Deribit support article 25944756247837",
            DeribitParameters,
            {
                "btc_usd": venues.DERIBIT_BTC_USD,
                "eth_usd": venues.DERIBIT_ETH_USD,
                "usd_pairs": venues.DERIBIT_USD_PAIRS,
            },
            "btc_usd",
            lambda f, p, _: deribit(resolve(f), p, f.charges),
            charges=DERIBIT_CHARGES,
        ),
        Model(
            "span16",
            "SPAN, 16 scenarios, arrays given or computed",
            "margin.md 2.8 and 6",
            SpanParameters,
            {"example": SPAN_DEFAULT},
            "example",
            span,
            takes_market_parameters=True,
        ),
        Model(
            "okx",
            "OKX portfolio margin, tiers and shocks as far as published",
            "margin.md 2.2",
            OkxParameters,
            {
                "by-asset": venues.OKX_MAJORS,
                "majors": venues.OKX_MAJORS,
                "middle": venues.OKX_MIDDLE,
                "others": venues.OKX_OTHERS,
            },
            "by-asset",
            lambda f, p, m: okx(resolve(f), p, m, f.charges),
            by_market={"by-asset": _OKX_MARKETS},
            takes_market_parameters=True,
            charges=OKX_CHARGES,
        ),
        Model(
            "paradex-pm",
            "Paradex portfolio margin",
            "margin.md 2.5",
            ParadexParameters,
            {"published": venues.PARADEX},
            "published",
            lambda f, p, _: paradex(resolve(f), p, f.charges),
            charges=PARADEX_CHARGES,
        ),
        _linear(
            "hyperliquid",
            "Hyperliquid margin tiers",
            HyperliquidParameters,
            {"btc": venues.HYPERLIQUID_BTC},
        ),
        _linear(
            "dydx",
            "dYdX margin fraction scaled by open interest",
            DydxParameters,
            {"example": venues.DYDX_EXAMPLE},
        ),
        _linear(
            "deribit-linear",
            "Deribit linear perpetual, standard margin",
            DeribitLinearParameters,
            {"published": venues.DERIBIT_LINEAR},
        ),
        _linear(
            "backpack",
            "FTX and Backpack: square root of the size",
            SquareRootParameters,
            {"example": venues.BACKPACK_EXAMPLE},
        ),
        _linear(
            "brackets",
            "Notional brackets of the Binance kind; the file states them",
            BracketParameters,
            {"none": None},
        ),
        Model(
            "black76",
            "Option calculator on forwards: prices and Greeks",
            "Black 1976; margin.md 6",
            CalculatorParameters,
            {"default": CalculatorParameters("forward")},
            "default",
            lambda f, p, _: calculator(resolve(f), p),
        ),
        Model(
            "bsm",
            "Option calculator on spot with cost of carry: prices and Greeks",
            "Haug 2007, ch. 1.1.6; margin.md 6",
            CalculatorParameters,
            {"default": CalculatorParameters("spot")},
            "default",
            lambda f, p, _: calculator(resolve(f), p),
        ),
    )
}


def model_named(name: str) -> Model:
    """Return a model; the refusal lists all names."""
    if name not in MODELS:
        raise UnknownModelError(f"model: {name!r} is none of {', '.join(MODELS)}")
    return MODELS[name]


@dataclass(frozen=True, slots=True)
class Priced:
    """A result with the model, the set and the parameters that gave it."""

    model: Model
    parameter_set: str
    parameters: Any
    result: Result

    def plain_parameters(self) -> Any:
        """Return the parameters as JSON values."""
        return plain_parameters(self.model.kind, self.parameters)


def price(file: PortfolioFile, model_name: str, set_name: str | None = None) -> Priced:
    """Return the result of a file under a model.

    Raises
    ------
    ModelError
        An unknown model, set, parameter or charge, or a portfolio that the model cannot price.
    """
    model = model_named(model_name)
    chosen = set_name or file.parameter_set or model.default_set
    if chosen not in model.sets:
        raise UnknownModelError(
            f"parameter_set: {chosen!r} is none of {', '.join(model.sets)} of {model.name}"
        )
    unknown = sorted(set(file.charges) - model.charges)
    if unknown:
        raise MarginFileError(f"charges.{unknown[0]}", f"is no charge of {model.name}")
    parameters = with_overrides(model.kind, model.sets[chosen], file.parameters, "parameters")
    special = model.by_market.get(chosen, {})

    def for_market(name: str) -> Any:
        known = special.get(name, special.get("*", {}))
        return with_overrides(
            model.kind,
            parameters,
            {**known, **file.parameters, **_own(file, name)},
            f"underlyings.{name}.parameters",
        )

    for name in file.underlyings:
        if _own(file, name) and not model.takes_market_parameters:
            raise MarginFileError(
                f"underlyings.{name}.parameters", f"{model.name} has one set for the account"
            )
        for_market(name)
    with overflow_refused():
        return Priced(model, chosen, parameters, model.run(file, parameters, for_market))


def _own(file: PortfolioFile, name: str) -> Mapping[str, Any]:
    of = file.underlyings.get(name)
    return of.parameters if of is not None else {}
