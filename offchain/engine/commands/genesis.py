"""Genesis: adopt the parameter set and open the reserved accounts."""

from offchain.engine.accounts import BACKSTOP, INSURANCE
from offchain.engine.events import AccountOpened, Event, ParametersAdopted
from offchain.engine.messages import Genesis
from offchain.engine.reasons import Reason, Rejected
from offchain.engine.state import State


def decide(
    state: State, command: Genesis, _seq: int, _time_ns: int
) -> tuple[Event, ...] | Rejected:
    """Accept one genesis, as the first record."""
    if state.parameters is not None:
        return Rejected(Reason.ALREADY_CONFIGURED)
    rules = command.parameters
    return (
        ParametersAdopted(rules),
        AccountOpened(INSURANCE, bytes.fromhex(rules.insurance_owner[2:]), 0),
        AccountOpened(BACKSTOP, bytes.fromhex(rules.backstop_owner[2:]), 0),
    )
