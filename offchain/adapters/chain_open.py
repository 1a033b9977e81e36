"""What stands open at the court: made known by an event, and gone when it is decided."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from offchain.adapters.chain import Chain
from offchain.adapters.chain_court import COURT
from offchain.adapters.chain_history import ChainEvent
from offchain.services.ports import Signer

REREAD_BLOCKS = 64
"""The chain may have taken back so many blocks since they were read."""


class Opened(Protocol):
    """Whatever the court knows by a number."""

    @property
    def id(self) -> bytes:
        """The number."""
        ...


Found = TypeVar("Found", bound=Opened)


class OpenAtCourt(Generic[Found]):
    """Reads what one event opened; it remembers how far it has read. One thread.

    Parameters
    ----------
    event : str
        Its name; `read` makes of it what was opened.
    is_open : callable
        Asks the court whether it still is.
    """

    def __init__(
        self,
        chain: Chain,
        event: str,
        read: Callable[[ChainEvent], Found],
        is_open: Callable[[bytes], bool],
    ) -> None:
        self._chain, self._event, self._read, self._is_open = chain, event, read, is_open
        self._read_to = chain.deployment.block_number - 1
        self._known: dict[bytes, Found] = {}

    def all(self) -> list[Found]:
        """Return what is open, of any batch, in the order in which it was opened."""
        last = self._chain.block_number()
        first = min(self._read_to, last) - REREAD_BLOCKS + 1
        for event in self._chain.history.events((COURT,), first, last):
            if event.name == self._event:
                found = self._read(event)
                self._known.pop(found.id, None)  # one that is opened again comes last
                self._known[found.id] = found
        self._read_to = last
        self._known = {n: found for n, found in self._known.items() if self._is_open(n)}
        return list(self._known.values())


class DemandsAtCourt:
    """What demands of every kind have in common."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def block_time(self) -> int:
        """Return the time of the newest block. [s since 1970]"""
        return self._chain.block_time()

    def claim_bonds(self, signer: Signer) -> int:
        """Pay the signer the bonds that wait for it, and return them. [USD e-6]"""
        bond_e6 = int(self._chain.call(COURT, "bondOf", signer.address))
        if bond_e6:
            self._chain.send(signer, COURT, "claimBond")
        return bond_e6

    def _is_demanded(self, number: bytes) -> bool:
        _, opened_at, _, _ = self._chain.call(COURT, "demandOf", number)
        return bool(opened_at)
