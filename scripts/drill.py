"""The drill: an operator is killed, the venue freezes, and everybody leaves by chain data alone.

Each round has a chain, a deployment and a random population of its own. Payouts must be the same in
every order of the exits, those of a solvent book worth all that was owed, those of an insolvent one
the same part for all. Writes build/drill/results.json; exits with 1 on any deviation.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.support.doomed import DEATHS, IN_CRASH, Doom
from tests.support.evacuation import Outcome, evacuate

RESULTS = Path(__file__).parents[1] / "build" / "drill" / "results.json"
LONG, SHORT = 100, 5
"""Orders of the exits in the first solvent and the first insolvent round, and in the others."""
SOLVENT_FALL_E6, INSOLVENT_FALL_E6 = (70_000, 110_000), (300_000, 450_000)
FEW, NOT_LATE = (3, 6), (0, 2)
DELAYS = {"appending": (5, 40), "liquidating": (0, 2), "verifying": (0, 1)}
"""How often the deadly method works before it kills, by the death; else few times."""
HEAD = (
    f"{'killed while':<14}{'seed':>5}{'frozen as':>11}{'batch':>6}{'accounts':>9}{'claims':>7}"
    f"{'refunds':>8}{'orders':>7}{'debt USD':>10}{'paid':>10}  verdict"
)


def dooms(seed: int) -> list[Doom]:
    """Return one life for each death, every other one insolvent where that is possible.

    Two of four post their batches in blobs.
    """
    source = random.Random(f"drill {seed}")  # noqa: S311 - a drill
    found, is_solvent = [], True
    for place, death in enumerate(DEATHS):
        is_solvent = not is_solvent or death in IN_CRASH
        least, most = SOLVENT_FALL_E6 if is_solvent else INSOLVENT_FALL_E6
        delay = source.randint(*DELAYS.get(death, FEW if is_solvent else NOT_LATE))
        fund_usd = 200_000 if is_solvent else 1_000
        crash_e6 = source.randint(least, most)
        in_blobs = place % 4 > 1
        found.append(Doom("", "", "", seed + place, death, delay, crash_e6, fund_usd, in_blobs))
    return found


def row(outcome: Outcome) -> str:
    """Return one line of the table."""
    verdict = "; ".join(outcome.deviations) or "ok"
    return (
        f"{outcome.death:<14}{outcome.seed:>5}{outcome.cause:>11}{outcome.checkpoint:>6}"
        f"{outcome.accounts:>9}{outcome.claims:>7}{outcome.refunds:>8}{outcome.orders:>7}"
        f"{outcome.debt_e6 // 10**6:>10}{outcome.ratio_e6 / 10**4:>9.4f}%  {verdict}"
    )


def drill(rounds: Sequence[Doom], orders: Sequence[int]) -> list[Outcome]:
    """Run some rounds, each with its number of orders, and print the table as it grows."""
    print(HEAD, flush=True)
    outcomes = []
    for doom, count in zip(rounds, orders, strict=True):
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            outcomes.append(evacuate(Path(folder), doom, count))
        print(row(outcomes[-1]), flush=True)
    return outcomes


def orders_of(rounds: Sequence[Doom], long: int) -> list[int]:
    """Return how many orders each round tries: many for the first of either kind."""
    kinds = [doom.is_solvent for doom in rounds]
    firsts = {kinds.index(kind) for kind in set(kinds)}
    return [long if place in firsts else min(long, SHORT) for place in range(len(rounds))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=LONG)
    parser.add_argument("--only", choices=tuple(DEATHS), help="one round alone")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    rounds = [doom for doom in dooms(chosen.seed) if chosen.only in {None, doom.death}]
    begun = time.monotonic()
    outcomes = drill(rounds, orders_of(rounds, chosen.orders))
    good = not any(outcome.deviations for outcome in outcomes)
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    result = {"ok": good, "rounds": [asdict(outcome) for outcome in outcomes]}
    chosen.results.write_text(json.dumps(result, indent=1) + "\n")
    seconds = time.monotonic() - begun
    print(f"{'everybody left' if good else 'DEVIATIONS'} in {seconds:.0f} s: {chosen.results}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
