"""The constants of docs/PROTOCOL.md, section 8: what a deployment fixes for its whole life."""

from dataclasses import dataclass

from offchain.core.units import ONE_E6

DAY_S = 86_400
HOUR_S = 3_600
MINUTE_S = 60
DOLLAR_E6 = ONE_E6
TOKEN_E8 = 10**8


@dataclass(frozen=True, slots=True)
class ProtocolTerms:
    """Windows, deadlines, bonds and caps. Names in `_s` are seconds, in `_e6` USD e-6 or ratios.

    Attributes
    ----------
    attested_window_s, proven_window_s : int
        Between commit and finality, by the kind of the proof.
    reveal_window_s, max_extension_s, verify_window_s : int
        Of a challenge; by which challenges may delay a batch; for verifying its liquidations.
    forced_deadline_s, liveness_s, repair_s : int
        After which anyone may freeze: an entry not consumed, no final batch, nothing made good.
    exit_slack_s : int
        Part of the timelock's delay, which is the sum of what a forced exit may take.
    minimum_deposit : tuple of int
        Of cash and of every collateral asset. [USD e-6, token e-8]
    cash_cap_e6, token_cap_e8, cap_ramp_s : int
        Deposit caps at the start, and how long they take to get there.
    outflow_cash_e6, outflow_token_e8, outflow_share_e6, outflow_window_s : int
        What may leave in a window: the larger of a floor and a share of what was held.
    """

    attested_window_s: int
    proven_window_s: int
    reveal_window_s: int
    max_extension_s: int
    verify_window_s: int
    forced_deadline_s: int
    liveness_s: int
    repair_s: int
    exit_slack_s: int
    max_skew_s: int
    max_lag_s: int
    max_open_batches: int
    approval_life_s: int
    parameter_grace_s: int
    step_period_s: int
    max_step_e6: int
    bond_e6: int
    minimum_stake_e6: int
    minimum_deposit: tuple[int, int]
    cash_cap_e6: int
    token_cap_e8: int
    cap_ramp_s: int
    outflow_cash_e6: int
    outflow_token_e8: int
    outflow_share_e6: int
    outflow_window_s: int

    @property
    def delay_s(self) -> int:
        """Delay of the timelock: whoever dislikes a proposal is gone before it acts."""
        return (
            self.forced_deadline_s
            + self.attested_window_s
            + self.max_extension_s
            + self.exit_slack_s
        )

    @property
    def unstake_delay_s(self) -> int:
        """How long a stake stays after its owner asked for it.

        No batch that it answers for may be open or disputed for longer; one more `revealWindow` is
        for a decision that is slow to be included. The court's constructor checks it.
        """
        longest = max(self.attested_window_s, self.proven_window_s)
        return longest + self.max_extension_s + 2 * self.reveal_window_s


DEVELOPMENT = ProtocolTerms(
    attested_window_s=900,
    proven_window_s=900,
    reveal_window_s=MINUTE_S,
    max_extension_s=10 * MINUTE_S,
    verify_window_s=10 * MINUTE_S,
    forced_deadline_s=10 * MINUTE_S,
    liveness_s=HOUR_S,
    repair_s=HOUR_S,
    exit_slack_s=MINUTE_S,
    max_skew_s=MINUTE_S,
    max_lag_s=30 * DAY_S,
    max_open_batches=32,
    approval_life_s=7 * DAY_S,
    parameter_grace_s=HOUR_S,
    step_period_s=DAY_S,
    max_step_e6=100_000,
    bond_e6=100 * DOLLAR_E6,
    minimum_stake_e6=10_000 * DOLLAR_E6,
    minimum_deposit=(DOLLAR_E6 // 100, 100),
    cash_cap_e6=10**12 * DOLLAR_E6 // 1_000,
    token_cap_e8=10**7 * TOKEN_E8,
    cap_ramp_s=0,
    outflow_cash_e6=10**6 * DOLLAR_E6,
    outflow_token_e8=10**3 * TOKEN_E8,
    outflow_share_e6=250_000,
    outflow_window_s=HOUR_S,
)
PRODUCTION = ProtocolTerms(
    attested_window_s=DAY_S,
    proven_window_s=2 * HOUR_S,
    reveal_window_s=HOUR_S,
    max_extension_s=DAY_S,
    verify_window_s=DAY_S,
    forced_deadline_s=7 * DAY_S,
    liveness_s=3 * DAY_S,
    repair_s=3 * DAY_S,
    exit_slack_s=3 * DAY_S,
    max_skew_s=MINUTE_S,
    max_lag_s=DAY_S,
    max_open_batches=32,
    approval_life_s=7 * DAY_S,
    parameter_grace_s=HOUR_S,
    step_period_s=7 * DAY_S,
    max_step_e6=100_000,
    bond_e6=1_000 * DOLLAR_E6,
    minimum_stake_e6=250_000 * DOLLAR_E6,
    minimum_deposit=(10 * DOLLAR_E6, TOKEN_E8 // 10_000),
    cash_cap_e6=10**7 * DOLLAR_E6,
    token_cap_e8=10**3 * TOKEN_E8,
    cap_ramp_s=7 * DAY_S,
    outflow_cash_e6=10**6 * DOLLAR_E6,
    outflow_token_e8=10**3 * TOKEN_E8,
    outflow_share_e6=250_000,
    outflow_window_s=DAY_S,
)
