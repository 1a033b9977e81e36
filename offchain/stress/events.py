"""The crashes that are replayed: where their prices are, and their shape where there are none.

A shape is a handful of turning points from published lows and closes (Binance spot), joined by a
seeded random walk that hits every one of them. It is a model, and every report says so.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from offchain.core.units import ONE_E8, SECOND_NS
from offchain.stress.errors import UnknownNameError
from offchain.stress.replay import Path

MINUTE_NS = 60 * SECOND_NS
NOISE = 0.0008
"""Standard deviation of the modelled return of a minute around its shape."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turning point: minutes from the start, BTC and ETH. [USD]"""

    minute: int
    bitcoin: float
    ether: float


@dataclass(frozen=True, slots=True)
class Event:
    """A crash.

    Attributes
    ----------
    what : str
        What happened, in a sentence with its source.
    start, hours : str and int
        The window that is replayed, in UTC.
    files : two sequences of str
        Candles of BTC, then of ETH, below the data folder; a file that ends within the window is
        continued by the next one.
    cash_file : str
        Where prices are wanted in a cash asset that moved: minutes of its price in dollars.
    shape : sequence of Turn
        For where there is no data.
    """

    name: str
    title: str
    what: str
    start: str
    hours: int
    files: tuple[tuple[str, ...], tuple[str, ...]]
    shape: tuple[Turn, ...]
    cash_file: str = ""

    @property
    def start_ns(self) -> int:
        """The start as a timestamp."""
        moment = datetime.fromisoformat(self.start).replace(tzinfo=UTC)
        return int(moment.timestamp()) * SECOND_NS

    @property
    def end_ns(self) -> int:
        """The first moment after the window."""
        return self.start_ns + self.hours * 60 * MINUTE_NS


EVENTS = (
    Event(
        "2020-03",
        "Black Thursday",
        "BTC fell from 7,935 to 3,782 USDT and ETH from 195 to 86 within 26 hours (Binance spot); "
        "BitMEX was down for part of it.",
        "2020-03-12T00:00",
        36,
        (
            (
                "candles/2020-03_binance_spot_BTCUSDT_5m_until_0312T2110.csv.gz",
                "candles/2020-03_binance_spot_BTCUSDT_1h.csv.gz",
            ),
            ("candles/2020-03_binance_spot_ETHUSDT_5m.csv.gz",),
        ),
        (
            Turn(0, 7_935, 194.6),
            Turn(630, 7_250, 170.0),
            Turn(660, 5_800, 130.0),
            Turn(1_380, 5_000, 110.0),
            Turn(1_560, 3_782, 86.0),
            Turn(1_700, 5_500, 125.0),
            Turn(2_160, 5_404, 127.6),
        ),
    ),
    Event(
        "2021-05",
        "19 May 2021",
        "BTC fell from 42,850 to 30,000 USDT and ETH from 3,375 to 1,888 in 13 hours, most of it "
        "in one (Binance spot).",
        "2021-05-19T00:00",
        24,
        (
            ("candles/2021-05-19_binance_spot_BTCUSDT_1m.csv.gz",),
            ("candles/2021-05-19_binance_spot_ETHUSDT_1m.csv.gz",),
        ),
        (
            Turn(0, 42_850, 3_375),
            Turn(720, 37_000, 2_700),
            Turn(790, 30_000, 1_888),
            Turn(850, 36_500, 2_500),
            Turn(1_440, 36_690, 2_439),
        ),
    ),
    Event(
        "2021-12",
        "4 December 2021",
        "BTC fell from 54,980 to 42,000 USDT in the early hours of a Saturday, ETH to 3,504 "
        "(Binance spot): the last fifth of it within half an hour.",
        "2021-12-03T18:00",
        24,
        (
            ("candles/2021-12-04_binance_spot_BTCUSDT_1m.csv.gz",),
            ("candles/2021-12-04_binance_spot_ETHUSDT_1m.csv.gz",),
        ),
        (
            Turn(0, 54_982, 4_353),
            Turn(600, 53_000, 4_150),
            Turn(660, 47_500, 3_850),
            Turn(687, 42_000, 3_504),
            Turn(720, 46_500, 3_800),
            Turn(1_440, 48_241, 4_016),
        ),
    ),
    Event(
        "2022-05",
        "Terra and LUNA",
        "BTC fell from 31,017 to 26,700 USDT and ETH from 2,342 to 1,800 while UST lost its peg "
        "(Binance spot).",
        "2022-05-11T00:00",
        48,
        (
            ("candles/2022-05_binance_spot_BTCUSDT_5m.csv.gz",),
            ("candles/2022-05_binance_spot_ETHUSDT_5m.csv.gz",),
        ),
        (
            Turn(0, 31_017, 2_342),
            Turn(780, 32_100, 2_440),
            Turn(900, 29_000, 2_150),
            Turn(1_755, 26_700, 1_800),
            Turn(2_100, 28_500, 1_950),
            Turn(2_880, 29_030, 1_960),
        ),
    ),
    Event(
        "2022-06",
        "Celsius and Three Arrows",
        "BTC fell from 27,457 to 20,846 USDT and ETH from 1,469 to 1,076 in 38 hours as Celsius "
        "stopped withdrawals (Binance spot).",
        "2022-06-12T12:00",
        48,
        (
            ("candles/2022-06_binance_spot_BTCUSDT_5m.csv.gz",),
            ("candles/2022-06_binance_spot_ETHUSDT_5m.csv.gz",),
        ),
        (
            Turn(0, 27_457, 1_469),
            Turn(720, 26_600, 1_350),
            Turn(960, 24_000, 1_230),
            Turn(2_280, 20_846, 1_076),
            Turn(2_880, 21_995, 1_175),
        ),
    ),
    Event(
        "2023-03",
        "USDC loses its peg",
        "USDC, the cash of the venue, fell to 0.8748 USD on 11 March 2023 (BTCUSD over BTCUSDC at "
        "Binance.US), so prices in USDC jumped up and shorts were squeezed.",
        "2023-03-10T12:00",
        48,
        (
            ("candles/2023-03_binance_spot_BTCUSDT_3m.csv.gz",),
            ("candles/2023-03_binance_spot_ETHUSDT_3m.csv.gz",),
        ),
        (
            Turn(0, 19_760, 1_385),
            Turn(840, 20_300, 1_440),
            Turn(1_190, 23_400, 1_640),
            Turn(1_500, 21_900, 1_550),
            Turn(2_880, 21_000, 1_505),
        ),
        "collateral/usdc_depeg_2023-03_binanceUS_BTC_1m.csv.gz",
    ),
    Event(
        "2025-10",
        "10 October 2025",
        "BTC fell from 121,555 to 102,000 USDT, ETH from 4,343 to 3,435 (Binance spot); "
        "Hyperliquid deleveraged 2.1 billion USD in 34,983 fills within twelve minutes "
        "(arXiv 2602.15182).",
        "2025-10-10T12:00",
        24,
        (
            ("candles/2025-10_binance_spot_BTCUSDT_5m.csv.gz",),
            ("candles/2025-10_binance_spot_ETHUSDT_5m.csv.gz",),
        ),
        (
            Turn(0, 121_555, 4_343),
            Turn(530, 116_500, 4_000),
            Turn(563, 102_000, 3_435),
            Turn(600, 112_500, 3_800),
            Turn(1_440, 112_280, 3_840),
        ),
    ),
)


def event_named(name: str) -> Event:
    """Return an event; UnknownNameError for a name that is none."""
    for event in EVENTS:
        if event.name == name:
            return event
    raise UnknownNameError("event", name, tuple(event.name for event in EVENTS))


def modelled_path(event: Event, seed: int) -> Path:
    """Return a path of minutes through the turning points: log-linear, with bridges of noise."""
    source = random.Random(f"path/{event.name}/{seed}")  # noqa: S311 - a model, not a secret
    series = [
        _bridged([(t.minute, price) for t, price in _prices(event, place)], source)
        for place in range(2)
    ]
    return [
        (event.start_ns + minute * MINUTE_NS, (round(b * ONE_E8), round(e * ONE_E8)))
        for minute, (b, e) in enumerate(zip(*series, strict=True))
    ]


def _prices(event: Event, place: int) -> list[tuple[Turn, float]]:
    return [(turn, turn.ether if place else turn.bitcoin) for turn in event.shape]


def _bridged(turns: list[tuple[int, float]], source: random.Random) -> list[float]:
    """Return a price for every minute, the turning points themselves unchanged."""
    prices = [turns[0][1]]
    for (first, start), (last, end) in pairwise(turns):
        length, walk = last - first, [0.0]
        for _ in range(length):
            walk.append(walk[-1] + source.gauss(0, NOISE))
        for k in range(1, length):
            bridge = walk[k] - walk[length] * k / length
            prices.append(start * math.exp(math.log(end / start) * k / length + bridge))
        prices.append(end)
    return prices
