"""Who trades in the demo: stated profiles, drawn with a seed.

A profile is a portfolio in proportions; its size is chosen so that it uses a drawn share of initial
margin, as the venue's own what-if call answers it.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from offchain.app.keys import development_key
from offchain.core.units import ONE_E6, ONE_E8
from offchain.services.signing import KeySigner

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
    ),
    Profile(
        "ether put seller", 3, (15_000, 60_000), (0, 0), (0.6, 0.93), (("ETH-7D-{ETH[2]}-P", -100),)
    ),
)
MAKERS = 4
MAKER_USD = 8_000_000


@dataclass(slots=True)
class Trader:
    """One trader: key, money, shape of portfolio; `account` once the venue opened it."""

    name: str
    profile: str
    key: KeySigner
    cash_e6: int
    collateral_e8: int
    used_margin_e6: int
    legs: Legs
    account: int = -1
    nonces: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 62)))

    @property
    def owner(self) -> bytes:
        """The address that owns the account."""
        return self.key.address


def draw_traders(seed: int, opening_e8: int, strikes: Mapping[str, Sequence[int]]) -> list[Trader]:
    """Return every trader of the demo, the same for the same seed.

    `opening_e8` is the price of BTC, in which some bring their money [USD e-8]; `strikes` are the
    listed ones by symbol of the underlying, ascending.
    """
    source = random.Random(seed)  # noqa: S311 - a population, not a secret
    traders = []
    for profile in PROFILES:
        for number in range(1, profile.count + 1):
            name = f"{profile.name} {number}"
            cash = source.randint(*profile.cash_usd) * ONE_E6
            coins = source.randint(*profile.coins_usd) * ONE_E8 * ONE_E8 // opening_e8
            used = round(source.uniform(*profile.used_margin) * ONE_E6)
            key = development_key(name)
            legs = tuple((symbol.format(**strikes), lots) for symbol, lots in profile.legs)
            traders.append(Trader(name, profile.name, key, cash, coins, used, legs))
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
    needed: Callable[[list[tuple[int, int]]], int],
    free_e6: int,
) -> list[tuple[int, int]]:
    """Return (instrument, lots) of a trader's portfolio at the size that its margin allows.

    `needed` answers the initial margin of a portfolio [USD e-6]; margin is positively homogeneous
    up to rounding, so one question is enough.
    """
    unit = [(ids[symbol], lots) for symbol, lots in trader.legs]
    budget = free_e6 * trader.used_margin_e6 // ONE_E6
    scale_e6 = budget * ONE_E6 // max(1, needed(unit))
    return [(i, lots * scale_e6 // ONE_E6) for i, lots in unit]
