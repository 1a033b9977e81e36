"""The state root moves no value: contracts chain it and open it, and nothing that pays reads it."""

import re
from pathlib import Path

CONTRACTS = Path(__file__).parents[2] / "contracts"
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
NAMED = re.compile(r"[sS]tateRoot")
READERS = {
    "challenge/StepJudge.sol": {
        "require(given == header.stateRoot, WrongStateParts(given, header.stateRoot));",
    },
    "libraries/BatchHash.sol": {
        '"BatchHeader(uint16 schema,uint64 batchNo,bytes32 prevBatchHash,bytes32 prevStateRoot,"',
        '"bytes32 stateRoot,bytes32 checkpointRoot,bytes32 inputLogHash,bytes32 traceRoot,"',
    },
    "settlement/BatchStore.sol": {
        "bytes32 public lastStateRoot;",
        "bytes32 internal _finalStateRoot;",
        "function _drop(uint64 from, bytes32 stateRoot, RevertCause cause) internal virtual {",
        "lastStateRoot = stateRoot;",
    },
    "settlement/Disputes.sol": {
        "_drop(header.batchNo, header.prevStateRoot, RevertCause.ROLLBACK);",
        "_drop(header.batchNo, header.prevStateRoot, RevertCause.UNVERIFIED);",
        "_drop(batchNo, header.prevStateRoot, RevertCause.CHALLENGE);",
    },
    "settlement/Freezing.sol": {
        "if (chain.head > last) _drop(last + 1, _finalStateRoot, RevertCause.FREEZE);",
    },
    "settlement/Settlement.sol": {
        "lastStateRoot = header.stateRoot;",
        "emit BatchCommitted(header.batchNo, batchHash, header.stateRoot, header.daLength);",
        "_finalStateRoot = header.stateRoot;",
        "if (header.prevStateRoot != lastStateRoot) {",
        "revert WrongPreviousState(header.prevStateRoot, lastStateRoot);",
    },
}
"""Every line of code that names it: chaining, the event, and the judge who opens it."""
DECLARATIONS = {"interfaces", "types"}


def test_nothing_but_chaining_and_a_judge_reads_a_state_root() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(CONTRACTS.rglob("*.sol")):
        place = path.relative_to(CONTRACTS)
        if place.parts[0] in DECLARATIONS:
            continue
        code = COMMENT.sub("", path.read_text())
        lines = {line.strip() for line in code.splitlines() if NAMED.search(line)}
        if lines:
            found[place.as_posix()] = lines
    assert found == READERS
