"""``plimsoll parameters``: give a node the document of a set that governance will adopt."""

from pathlib import Path

from offchain.adapters.parameter_files import ParameterFiles
from offchain.core.terms import terms
from offchain.ledger.document import parse_document
from offchain.ledger.listing import listing_root
from offchain.ledger.terms import curves_hash, params_hash
from offchain.services.errors import OffchainError

PARAMETERS = "parameters"
"""Folder of a node that holds documents."""


class NodeMissing(OffchainError):  # noqa: N818 - a fault is named by what happened
    """A folder is not that of a node."""


def add_document(node: Path, file: Path) -> dict[str, object]:
    """Store a document in a node's folder; it may be running.

    Returns
    -------
    dict
        What `RiskParameters.adopt` takes for it, and the hash of the set.

    Raises
    ------
    NodeMissing
        No node has ever run in the folder.
    WireError
        The file is not a canonical document.
    OSError
        It cannot be read.
    """
    if not (node / "log").is_dir():
        raise NodeMissing(f"{node} holds no node")
    data = file.read_bytes()
    rules = parse_document(data)
    key = ParameterFiles(node / PARAMETERS).add(data)
    laid = terms(rules)
    return {
        "version": rules.version,
        "terms": {name: getattr(laid, name) for name in type(laid).__slots__},
        "curves_hash": f"0x{curves_hash(rules).hex()}",
        "listing_root": f"0x{listing_root(rules).hex()}",
        "document_hash": f"0x{key.hex()}",
        "params_hash": f"0x{params_hash(rules).hex()}",
    }
