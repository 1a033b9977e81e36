"""The parameter watch: when governance puts another set in force, the engine adopts it.

The contract knows hashes and terms, the engine needs the document. A tightening keeps the document,
so its terms are enough; of another set somebody has to give the node the document, which is held to
the hash. The set replaced stays acceptable on chain for a grace only, so what is missing is said.
"""

from typing import Protocol

from offchain.core.parameters import ParameterError, RiskParameters
from offchain.core.terms import Terms, with_terms
from offchain.engine.messages import Adopt
from offchain.engine.reasons import Rejected
from offchain.ledger.document import document, parse_document
from offchain.ledger.errors import LedgerError
from offchain.ledger.terms import params_hash
from offchain.services.batcher import Batcher
from offchain.services.sequencer import Sequencer


class ParameterChain(Protocol):
    """What the contract says of parameter sets."""

    def active_params_hash(self) -> bytes:
        """Return the hash of the set in force."""
        ...

    def terms_of(self, params_hash: bytes) -> Terms:
        """Return the terms of a set that was adopted."""
        ...

    def document_hash_of(self, params_hash: bytes) -> bytes:
        """Return the hash of the document of a set that was adopted."""
        ...


class DocumentStore(Protocol):
    """Documents of parameter sets by their hash."""

    def add(self, data: bytes) -> bytes:
        """Store a document durably and return its hash; known ones are no fault."""
        ...

    def find(self, document_hash: bytes) -> bytes | None:
        """Return the document with this hash, or None."""
        ...


class ParameterWatch:
    """Has the engine adopt what governance adopted. One thread.

    Parameters
    ----------
    documents : DocumentStore
        Where documents are looked up. Those that the engine has had are added, so that the set
        before can be adopted again after a reorganisation.

    Attributes
    ----------
    problem : str or None
        Why the last look did not end with the set of the chain.
    """

    def __init__(
        self,
        chain: ParameterChain,
        sequencer: Sequencer,
        batcher: Batcher,
        documents: DocumentStore,
    ) -> None:
        self.problem: str | None = None
        self._chain, self._sequencer, self._batcher = chain, sequencer, batcher
        self._documents = documents

    def poll(self) -> bytes | None:
        """Adopt the set that is in force on chain, unless it is; return its hash if so.

        Raises
        ------
        ChainError
            The chain did not answer.
        """
        journal = self._sequencer.journal
        active = self._chain.active_params_hash()
        if journal.state.parameters is None or active == journal.params_hash:
            self.problem = None
            return None
        found = self._command(active)
        self.problem = found if isinstance(found, str) else self._adopt(found)
        return None if self.problem else active

    def _command(self, active: bytes) -> Adopt | str:
        """Return the command that adopts a set, or what is missing."""
        laid, wanted = self._chain.terms_of(active), self._chain.document_hash_of(active)
        documented = self._documented(wanted)
        if isinstance(documented, str):
            return f"the set 0x{active.hex()} is in force on chain: {documented}"
        try:
            found = params_hash(with_terms(documented, laid), documented)
        except ParameterError as fault:
            return f"the set 0x{active.hex()} is in force on chain, and breaks a rule: {fault}"
        if found != active:
            return f"terms and document give the set 0x{found.hex()}, in force is 0x{active.hex()}"
        return Adopt(laid, documented)

    def _documented(self, wanted: bytes) -> RiskParameters | str:
        """Return the set of a document, the engine's own first, or what is missing."""
        with self._sequencer.lock:
            known = self._sequencer.state.documented
        if known is not None and self._documents.add(document(known)) == wanted:
            return known
        data = self._documents.find(wanted)
        if data is None:
            return f"its document 0x{wanted.hex()} was not given to this node"
        try:
            return parse_document(data)
        except LedgerError as fault:
            return f"its document is none: {fault}"

    def _adopt(self, command: Adopt) -> str | None:
        """Cut, so that the set begins a batch, and order it; return why that was not possible."""
        with self._sequencer.lock:
            self._batcher.cut(force=True)
            if self._sequencer.journal.open_records:
                return "too many batches wait for the chain: the open one cannot be cut yet"
            answer = self._sequencer.submit(command)
        return f"the engine refuses the set: {answer}" if isinstance(answer, Rejected) else None
