"""What the machine takes for granted of a record: who signed it, and that the inbox has it."""

from collections.abc import Callable
from dataclasses import dataclass

from offchain.engine.messages import (
    CancelOrder,
    Command,
    Convert,
    Deposit,
    Forced,
    PlaceOrder,
    PriceReport,
    SetMode,
    Withdraw,
)
from offchain.engine.state import State
from offchain.ledger.errors import LedgerError
from offchain.ledger.inbox import InboxEntry, entry_of
from offchain.ledger.signatures import recover
from offchain.ledger.typed_data import Domain
from offchain.services.gateway import authorised, check_report, intent_digest

Entries = Callable[[int], InboxEntry | None]
"""Entry `n` of the inbox on chain, None when there is none."""


@dataclass(frozen=True, slots=True)
class Authenticity:
    """Checks against the chain what no replay can see.

    Attributes
    ----------
    settlement, hub : Domain
        In which intents and observations are signed.
    entries : callable
        The inbox as it is on chain.
    """

    settlement: Domain
    hub: Domain
    entries: Entries

    def problem(self, command: Command, state: State, time_ns: int) -> str:
        """Return what is wrong with a record before it is applied, empty when nothing is."""
        if isinstance(command, Deposit | Forced):
            return self._entry_problem(entry_of(command), state)
        if isinstance(command, PriceReport):
            if state.parameters is None:
                return "a report before genesis"
            refused = check_report(self.hub, state.rules.oracle.signers, command)
            return f"the report: {refused.reason.name}" if refused else ""
        if isinstance(command, PlaceOrder | CancelOrder | Withdraw | SetMode | Convert):
            try:
                signer = recover(intent_digest(self.settlement, command), command.signature)
            except LedgerError as fault:
                return f"the signature: {fault}"
            is_right = authorised(state, command, signer, time_ns)
            return "" if is_right else f"0x{signer.hex()} does not sign for {command.account}"
        return ""

    def _entry_problem(self, entry: InboxEntry, state: State) -> str:
        if entry.index != state.inbox_cursor + 1:
            return f"entry {entry.index} does not follow entry {state.inbox_cursor}"
        return "" if self.entries(entry.index) == entry else f"entry {entry.index} is another one"
