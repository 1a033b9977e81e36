"""What the numbers of a run say, in sentences that follow from them and from nothing else."""

from collections.abc import Callable, Iterator, Sequence

from offchain.core.units import ONE_E6
from offchain.stress.clusters import Comparison
from offchain.stress.replay import Outcome
from offchain.stress.results import Run

OURS = "plimsoll"


def findings(run: Run) -> list[str]:
    """Return the findings of a run: what this waterfall did, better or worse than the others."""
    own = next((o for o in run.outcomes if o.name == OURS), None)
    others = [o for o in run.outcomes if o.name != OURS]
    found = list(_wronged(run.outcomes))
    if own is not None:
        found += _own(own)
        if others:
            found += _ranked(own, others)
    if run.comparison is not None:
        found += _clusters(run.comparison)
    return found


def _wronged(outcomes: Sequence[Outcome]) -> Iterator[str]:
    wronged = [f"{o.name} {o.tally.wrongful:,}" for o in outcomes if o.tally.wrongful]
    steps = sum(o.tally.steps for o in outcomes)
    if wronged:
        yield (
            f"Of {steps:,} liquidations a second computation finds wrongful: {', '.join(wronged)}."
        )
    else:
        yield f"A second computation finds none of {steps:,} liquidations wrongful."


def _own(of: Outcome) -> Iterator[str]:
    t = of.tally
    yield (
        f"Under {of.name} {len(t.touched):,} accounts were acted on and "
        f"{len(t.closed_whole):,} closed; deficits of {usd(t.deficit_e6)} were borne by the fund "
        f"({usd(t.insured_e6)}), by deleveraged winners ({usd(t.deleveraged_e6)}) and by nobody in "
        f"particular ({usd(t.socialised_e6)})."
    )
    if t.refused:
        yield f"The breaker refused {t.refused:,} traders who wanted to add risk on the way down."


def _ranked(own: Outcome, others: Sequence[Outcome]) -> Iterator[str]:
    asked: tuple[tuple[str, Callable[[Outcome], float], Callable[[float], str]], ...] = (
        ("socialised loss", lambda o: o.tally.socialised_e6, usd),
        ("whole deficit", lambda o: o.tally.deficit_e6, usd),
        ("notional deleveraged", lambda o: o.tally.deleveraged_notional_e6, usd),
        ("accounts closed whole", lambda o: len(o.tally.closed_whole), _count),
        ("largest move of a mark away from its index", _most_moved, percent),
    )
    for words, of, shown in asked:
        mine = of(own)
        least, most = min(map(of, others)), max(map(of, others))
        if mine < least:
            place = "less than under any other policy"
        elif mine > most:
            place = "more than under any other policy"
        else:
            place = "within the range of the others"
        yield (
            f"{words[0].upper()}{words[1:]}: {shown(mine)}, {place} "
            f"({shown(least)} to {shown(most)})."
        )


def _clusters(of: Comparison) -> Iterator[str]:
    reference = of.reported_usd or of.whole_positions_usd
    words = (
        "was reported for the production queue" if of.reported_usd else "a modelled queue closes"
    )
    yield (
        f"Of {of.clusters:,} deleveraging clusters {of.clusters - of.without_deficit:,} had a "
        f"deficit. Closing it pro rata, to the lot, overshoots by {of.overshoot_usd:,.0f} USD in "
        f"all; {reference:,.0f} USD beyond the deficits {words}."
    )


def _most_moved(of: Outcome) -> float:
    return max(-of.lowest_premium, of.highest_premium)


def usd(amount_e6: float) -> str:
    """Return an amount of USD e-6 in words."""
    amount = amount_e6 / ONE_E6
    if abs(amount) >= 1_000_000:
        return f"{amount / 1_000_000:,.2f} M USD"
    return f"{amount:,.0f} USD"


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{share * 100:.2f} %"


def _count(number: float) -> str:
    return f"{number:,.0f}"
