"""What a policy did, counted the same way for every policy."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What a policy did. Amounts in USD e-6, notionals at the mark of the moment.

    Attributes
    ----------
    wrongful : int
        Actions on accounts that a second, slow computation finds above the policy's own trigger.
    waited_ns : int
        The longest time from the first moment below the trigger to an action, or between actions.
    deficit_e6 : int
        What accounts owed when everything they had was closed, and the worth of what deleveraging
        at better prices than the mark spared them.
    insured_e6, deleveraged_e6, socialised_e6 : int
        Who bore it: the fund, the winners who were deleveraged, nobody in particular.
    overshoot_lots, overshoot_lots_max, overshoot_e6 : int
        Closed of winners beyond what a bankrupt account had to close; the most at once; notional.
    weakened : int
        Winners whom deleveraging put below their own maintenance.
    added_e6, refused : int
        Risk that buyers of the dip added; how many of them a breaker refused.
    """

    liquidated_e6: int = 0
    touched: set[int] = field(default_factory=set)
    closed_whole: set[int] = field(default_factory=set)
    steps: int = 0
    wrongful: int = 0
    waited_ns: int = 0
    fees_e6: int = 0
    deficit_e6: int = 0
    insured_e6: int = 0
    deleveraged_e6: int = 0
    socialised_e6: int = 0
    deleveraged_notional_e6: int = 0
    deleveraged_fills: int = 0
    deleveraged_accounts: set[int] = field(default_factory=set)
    overshoot_lots: int = 0
    overshoot_lots_max: int = 0
    overshoot_e6: int = 0
    weakened: int = 0
    backstop_e6: int = 0
    auctioned_e6: int = 0
    calls: int = 0
    added_e6: int = 0
    refused: int = 0
