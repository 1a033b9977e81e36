"""What traders do beside the venue's own door: a trading key for a machine, and a way out by force.

All of it goes through the inbox on chain, which the sequencer cannot pass by.
"""

from dataclasses import replace

from offchain.app.demo.population import Trader
from offchain.app.demo.record import usd
from offchain.app.demo.venue import DemoVenue
from offchain.app.keys import development_key
from offchain.core.units import SECOND_NS
from offchain.services.ports import TransactionReceipt

ALL = 2**128 - 1
WHOLE_POSITION = 0
KEY_LIVES_NS = 6 * 3_600 * SECOND_NS
MACHINE_LOTS = 10


class Forcing:
    """A trader who trusts nobody: its machine may only trade, and in the end it leaves by force."""

    def __init__(self, venue: DemoVenue, trader: Trader) -> None:
        self.venue, self.trader = venue, trader

    @property
    def machine(self) -> Trader:
        """The trader as its machine acts for it: with a key of its own."""
        return replace(self.trader, key=development_key("trading machine"))

    def grant_key(self) -> bool:
        """Grant a trading key, trade with it, and tell whether that was possible."""
        expires_s = (self.venue.clock.now_ns() + KEY_LIVES_NS) // SECOND_NS
        self._send("grantKey", self.machine.key.address, expires_s)
        venue = self.venue
        venue.make_markets(with_options=False)
        traded = self._trade_by_machine()
        venue.screen.say(f"{self.trader.name} granted a trading key, and traded {traded} lots")
        return traded > 0

    def revoke_key(self) -> bool:
        """Revoke the key, and tell whether the machine is refused from then on."""
        self._send("revokeKey", self.machine.key.address)
        self.venue.make_markets(with_options=False)
        is_refused = self.venue.take(self.machine, self._instrument(), MACHINE_LOTS) is None
        self.venue.screen.say(f"{self.trader.name} revoked its trading key")
        return is_refused

    def leave(self) -> None:
        """Cancel, close and withdraw everything through the inbox."""
        state = self.venue.node.sequencer.state
        with self.venue.node.sequencer.lock:
            held = [instrument for instrument, *_ in state.accounts.positions(self.trader.account)]
            assets = range(len(state.rules.collateral) + 1)
        self._send("forceCancelAll", 0)
        for instrument in held:
            self._send("forceClose", 0, instrument, WHOLE_POSITION)
        for asset in assets:
            self._send("forceWithdraw", 0, asset, ALL)
        said = f"{self.trader.name} leaves by force: {len(held)} positions, then all the money"
        self.venue.screen.say(said, is_key=True)

    def claim(self) -> int:
        """Claim what came out, when it is final; return the cash. [USD e-6]"""
        chain, batcher = self.venue.node.chain, self.venue.node.batcher
        before = chain.token_balance(0, self.trader.owner)
        for output in self.venue.book.forced_outputs:
            claim = batcher.claim(output)
            assert claim is not None
            chain.claim(self.trader.key, claim.header, claim.output, claim.index, claim.proof)
        received = chain.token_balance(0, self.trader.owner) - before
        said = f"{self.trader.name} received {usd(received)} without asking the venue"
        self.venue.screen.say(said, is_key=True)
        return received

    def _trade_by_machine(self) -> int:
        """Buy and sell a little, so that the trader's position is what it was."""
        instrument, venue = self._instrument(), self.venue
        bought = venue.take(self.machine, instrument, MACHINE_LOTS) or 0
        sold = venue.take(self.machine, instrument, -bought) if bought else 0
        return bought - (sold or 0)

    def _instrument(self) -> int:
        ids = {i.symbol: int(i.id) for i in self.venue.node.devnet.parameters.listing.instruments}
        return ids[self.trader.legs[0][0]]

    def _send(self, function: str, *arguments: object) -> TransactionReceipt:
        """Put an operation into the inbox, and let the venue take it from there."""
        receipt = self.venue.node.chain.send(self.trader.key, "Inbox", function, *arguments)
        self.venue.node.take_entries()
        return receipt
