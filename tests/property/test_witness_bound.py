"""Whatever is opened proves at most what the account requires, and something proves it whole."""

import random
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.core.addons import addons_reference
from offchain.core.cross import cross_risk_reference
from offchain.core.linear_margin import linear_maintenance_reference
from offchain.core.margin import Mode, maintenance_margin
from offchain.core.units import (
    MAX_UNDERLYINGS,
    ONE_E6,
    ROWS,
    SCENARIOS,
    SLOT_BITS,
    SLOTS,
    RatioE6,
)
from offchain.ledger.charge_columns import unpack_charges
from offchain.ledger.columns import unpack_losses
from offchain.ledger.terms import unpack_curves
from tests.support.margins import Answer, Question, World, question, world

SEEDS = st.integers(0, 2**32)


def required(one: Question, of: World) -> int:
    """Return what the rules ask of the account, from every scenario and every charge."""
    book, tiers = of.books[one.book], unpack_curves(of.curves[one.curves])
    lots = [(p.instrument, p.lots) for p in one.leaf.positions]
    rows: list[tuple[int, ...]] = [()] * ROWS
    for u, packed in enumerate(book.charges):
        charges = unpack_charges(packed)
        rows[u * SLOTS : u * SLOTS + len(charges)] = charges
    if one.leaf.mode != Mode.PORTFOLIO:
        return linear_maintenance_reference(lots, rows, [t.linear for t in tiers])
    sums = [[0] * SCENARIOS for _ in range(MAX_UNDERLYINGS)]
    for (instrument, held), s in product(lots, range(SCENARIOS)):
        u, slot = instrument >> SLOT_BITS, instrument % SLOTS
        sums[u][s] += held * unpack_losses(book.losses[u][s])[slot]
    terms = one.terms
    cap_e6 = terms.offset_cap_usd * ONE_E6
    scan = cross_risk_reference(sums, terms.offset_e6, cap_e6, terms.breakdown_e6)[0]
    lines = [(instrument, held, 0, 0) for instrument, held in lots]
    curves = [t.delta for t in tiers], [t.unwind for t in tiers]
    addons = addons_reference(lines, rows, *curves, [0] * MAX_UNDERLYINGS)
    factor = RatioE6(terms.mm_factor_e6)
    return maintenance_margin(scan, addons.maintenance_e6, factor, addons.unwind_e6)


def answerable(rng: random.Random, of: World) -> Question:
    """Return a question that is not refused when everything is opened."""
    while True:
        one = question(rng, of)
        one = replace(one, has_charges=(True,) * len(one.underlyings), curves=1)
        if of.answer(one)[2]:
            return one


def openings(rng: random.Random, one: Question) -> list[Question]:
    """Return every common scenario, some pairs, each with all, some or no charges."""
    count = len(one.underlyings)
    common = [(s,) * count for s in range(SCENARIOS)]
    mixed = [tuple(rng.randrange(SCENARIOS) for _ in range(count)) for _ in range(20)]
    charged = list(product((False, True), repeat=count))
    return [
        replace(one, scenarios=scenarios, has_charges=rng.choice(charged))
        for scenarios in (*common, *mixed)
    ]


@given(SEEDS)
@settings(max_examples=40)
def test_no_opening_proves_more_than_the_account_requires(seed: int) -> None:
    """And none changes the margin balance: nothing that raises it can be left out."""
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    of = world(rng)
    one = answerable(rng, of)
    due, balance = required(one, of), of.answer(one)[0]
    for other in openings(rng, one):
        answer: Answer = of.answer(other)
        assert answer[0] == balance
        assert answer[1] <= due
        assert answer[2] == 1


@given(SEEDS)
@settings(max_examples=15)
def test_some_opening_proves_the_whole(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - reproducible data, not secrets
    of = world(rng)
    one = answerable(rng, of)
    count = len(one.underlyings)
    most = max(
        of.answer(replace(one, scenarios=scenarios))[1]
        for scenarios in product(range(SCENARIOS), repeat=count)
    )
    assert most == required(one, of)
