"""Who trades in the demo: stated profiles, drawn with a seed.

A profile is a portfolio in proportions; its size is chosen so that it uses a drawn share of initial
margin, as the venue's own what-if call answers it.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from offchain.app.keys import development_key
from offchain.core.margin import Mode
from offchain.core.units import ONE_E6, ONE_E8
from offchain.services.signing import KeySigner

BITCOIN_ASSET, ETHER_ASSET = 1, 2
"""Collateral, by its place in the parameter set."""
Legs = tuple[tuple[str, int], ...]
"""(symbol, proportion): the shape of a portfolio, in lots. ``{BTC[2]}`` is the third BTC strike."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of trader: how many there are, what they hold and how far they lever."""

    name: str
    count: int
    cash_usd: tuple[int, int]
    coins_usd: tuple[int, int]
    used_margin: tuple[float, float]
    legs: Legs
    coin_asset: int = BITCOIN_ASSET
    mode: Mode = Mode.PORTFOLIO
    later: Mode | None = None  # a mode that they ask for in the middle of the run


PROFILES = (
    Profile("perp long", 14, (15_000, 120_000), (0, 0), (0.15, 0.985), (("BTC-PERP", 100),)),
    Profile("ether long", 6, (15_000, 80_000), (0, 0), (0.2, 0.96), (("ETH-PERP", 100),)),
    Profile("perp short", 5, (20_000, 90_000), (0, 0), (0.4, 0.8), (("BTC-PERP", -100),)),
    Profile("coin-margined long", 6, (0, 0), (36_000, 180_000), (0.15, 0.95), (("BTC-PERP", 100),)),
    Profile(
        "naked put seller", 7, (20_000, 90_000), (0, 0), (0.5, 0.97), (("BTC-7D-{BTC[2]}-P", -100),)
    ),
    Profile(
        "strangle seller",
        4,
        (20_000, 90_000),
        (0, 0),
        (0.6, 0.96),
        (("BTC-7D-{BTC[2]}-P", -100), ("BTC-7D-{BTC[5]}-C", -100)),
    ),
    Profile(
        "covered call",
        5,
        (20_000, 90_000),
        (0, 0),
        (0.4, 0.8),
        (("BTC-PERP", 100), ("BTC-21D-{BTC[4]}-C", -100)),
    ),
    Profile(
        "protected long",
        6,
        (20_000, 90_000),
        (0, 0),
        (0.4, 0.8),
        (("BTC-PERP", 100), ("BTC-21D-{BTC[3]}-P", 100)),
    ),
    Profile(
        "put spread",
        3,
        (15_000, 60_000),
        (0, 0),
        (0.3, 0.8),
        (("BTC-7D-{BTC[3]}-P", 100), ("BTC-7D-{BTC[1]}-P", -100)),
    ),
    Profile(
        "basis trade",
        3,
        (30_000, 90_000),
        (0, 0),
        (0.2, 0.5),
        (("BTC-PERP", 100), ("BTC-21D", -100)),
        later=Mode.CROSS,
    ),
    Profile(
        "ether put seller", 3, (15_000, 60_000), (0, 0), (0.6, 0.93), (("ETH-7D-{ETH[2]}-P", -100),)
    ),
    Profile(
        "ether-margined long",
        3,
        (0, 0),
        (20_000, 60_000),
        (0.3, 0.7),
        (("ETH-PERP", 100),),
        coin_asset=ETHER_ASSET,
    ),
    Profile(
        "isolated long",
        3,
        (3_000, 8_000),
        (0, 0),
        (0.12, 0.17),
        (("BTC-PERP", 100),),
        mode=Mode.ISOLATED,
        later=Mode.PORTFOLIO,
    ),
    Profile(
        "cross trader",
        3,
        (10_000, 30_000),
        (0, 0),
        (0.06, 0.12),
        (("BTC-PERP", 100), ("ETH-PERP", -1_000)),
        mode=Mode.CROSS,
        later=Mode.PORTFOLIO,
    ),
)
MAKERS = 4
MAKER_USD = 8_000_000


@dataclass(slots=True)
class Trader:
    """One trader: key, money, shape of portfolio; `account` once the venue opened it.

    `mode` is the one that the account has, `wants` the one for the start.
    """

    name: str
    profile: str
    key: KeySigner
    cash_e6: int
    coins_e8: int
    used_margin_e6: int
    legs: Legs
    coin_asset: int = BITCOIN_ASSET
    mode: Mode = Mode.PORTFOLIO
    wants: Mode = Mode.PORTFOLIO
    later: Mode | None = None
    account: int = -1
    nonces: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 62)))

    @property
    def owner(self) -> bytes:
        """The address that owns the account."""
        return self.key.address


def draw_traders(
    seed: int, opening_e8: Sequence[int], strikes: Mapping[str, Sequence[int]]
) -> list[Trader]:
    """Return every trader of the demo, the same for the same seed.

    `opening_e8` are the prices of BTC and ETH, in which some bring their money [USD e-8]; `strikes`
    are the listed ones by symbol of the underlying, ascending.
    """
    source = random.Random(seed)  # noqa: S311 - a population, not a secret
    traders = []
    for profile in PROFILES:
        for number in range(1, profile.count + 1):
            name = f"{profile.name} {number}"
            cash = source.randint(*profile.cash_usd) * ONE_E6
            price = opening_e8[profile.coin_asset - 1]
            coins = source.randint(*profile.coins_usd) * ONE_E8 * ONE_E8 // price
            used = round(source.uniform(*profile.used_margin) * ONE_E6)
            key = development_key(name)
            legs = tuple((symbol.format(**strikes), lots) for symbol, lots in profile.legs)
            traders.append(
                Trader(
                    name,
                    profile.name,
                    key,
                    cash,
                    coins,
                    used,
                    legs,
                    profile.coin_asset,
                    later=profile.later,
                    wants=profile.mode,
                )
            )
    return traders


def draw_makers() -> list[Trader]:
    """Return the market makers."""
    return [
        Trader(
            f"maker {n}", "market maker", development_key("maker", n), MAKER_USD * ONE_E6, 0, 0, ()
        )
        for n in range(1, MAKERS + 1)
    ]


def sized(
    trader: Trader,
    ids: dict[str, int],
    needed: Callable[[list[tuple[int, int]], Mode], int],
    free_e6: int,
) -> list[tuple[int, int]]:
    """Return (instrument, lots) of a trader's portfolio at the size that its margin allows.

    `needed` answers the initial margin of a portfolio in a mode [USD e-6]; below the second tier of
    any curve margin is positively homogeneous up to rounding, so one question is enough.
    """
    unit = [(ids[symbol], lots) for symbol, lots in trader.legs]
    budget = free_e6 * trader.used_margin_e6 // ONE_E6
    scale_e6 = budget * ONE_E6 // max(1, needed(unit, trader.mode))
    return [(i, lots * scale_e6 // ONE_E6) for i, lots in unit]
