// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {BatchHeader, BatchStatus} from "../types/Batch.sol";

/// @title BatchStore
/// @notice What is kept of every batch, and how a number moves between the stages of its life.
/// @dev Internal functions are virtual only for tests that break one on purpose.
abstract contract BatchStore is ISettlement {
    /// @dev What was shown of a batch.
    enum ProofClass {
        NONE,
        ATTESTED,
        VALIDITY
    }

    /// @dev One slot: what a commit compares with and moves forward. 40 bits count a batch each
    /// second for 34,000 years.
    struct Chain {
        uint40 head;
        uint40 finalised;
        uint64 inboxCursor;
        uint64 lastTimeEnd; // [ns since 1970]
        uint40 frozenAt; // [s since 1970]
    }

    /// @dev One slot for each open batch and for the last that is final.
    struct Open {
        uint40 committedAt; // [s since 1970]
        uint64 timeEnd; // [ns since 1970]
        uint64 inboxTo;
        uint40 extension; // by challenges [s]
        uint16 challenges; // open ones
        ProofClass proof;
    }

    /// @dev One slot: what freezing and exits look at.
    struct Finality {
        uint64 cursor; // inbox entries of final batches
        uint40 since; // when the last batch became final [s since 1970]
        uint40 checkpointNo;
        uint40 repairNo; // the batch that a challenge reverted
        uint40 repairSince; // zero when there is nothing to repair [s since 1970]
    }

    /// @dev Bounds every loop over open batches.
    uint64 internal constant MOST_OPEN = 64;

    // What they are is said in ISettlement.Config.
    /// @inheritdoc ISettlement
    uint64 public immutable provenWindow; // [s]
    /// @inheritdoc ISettlement
    uint64 public immutable attestedWindow; // [s]
    /// @inheritdoc ISettlement
    uint64 public immutable maxExtension; // [s]
    uint64 public immutable maxOpenBatches;

    /// @inheritdoc ISettlement
    bytes32 public lastStateRoot;
    bytes32 internal _finalStateRoot;
    bytes32 internal _checkpointRoot;
    Chain internal _chain;
    Finality internal _finality;

    /// @dev The hash that was committed last under a number, also of a batch that was reverted.
    mapping(uint64 batchNo => bytes32) internal _hashes;

    /// @dev A ring with room for one more than may be open, because the batch before the oldest
    /// open one says where the chain returns to. Used again, a slot costs a commit 17,100 gas less.
    mapping(uint256 place => Open) internal _open;

    constructor(Config memory config) {
        if (config.maxOpenBatches == 0 || config.maxOpenBatches > MOST_OPEN) {
            revert OpenBatchesOutOfRange(config.maxOpenBatches, MOST_OPEN);
        }
        provenWindow = config.provenWindow;
        attestedWindow = config.attestedWindow;
        maxExtension = config.maxExtension;
        maxOpenBatches = config.maxOpenBatches;
    }

    /// @inheritdoc ISettlement
    function batchHashOf(uint64 batchNo) external view returns (bytes32) {
        return batchNo > _chain.head ? bytes32(0) : _hashes[batchNo];
    }

    /// @inheritdoc ISettlement
    function batchOf(uint64 batchNo) external view returns (BatchStatus, bytes32) {
        return (statusOf(batchNo), _hashes[batchNo]);
    }

    /// @inheritdoc ISettlement
    function committedAt(uint64 batchNo) external view returns (uint64) {
        return _isOpen(batchNo) ? _openOf(batchNo).committedAt : 0;
    }

    /// @inheritdoc ISettlement
    function finalAfter(uint64 batchNo) external view returns (uint64) {
        if (!_isOpen(batchNo)) return 0;
        Open storage open = _openOf(batchNo);
        return _windowEnd(open, open.proof);
    }

    /// @inheritdoc ISettlement
    function head() external view returns (uint64) {
        return _chain.head;
    }

    /// @inheritdoc ISettlement
    function finalised() external view returns (uint64) {
        return _chain.finalised;
    }

    /// @inheritdoc ISettlement
    function inboxCursor() external view returns (uint64) {
        return _chain.inboxCursor;
    }

    /// @inheritdoc ISettlement
    function finalCursor() external view returns (uint64) {
        return _finality.cursor;
    }

    /// @inheritdoc ISettlement
    function lastTimeEnd() external view returns (uint64) {
        return _chain.lastTimeEnd;
    }

    /// @inheritdoc ISettlement
    function checkpoint() external view returns (uint64, bytes32) {
        return (_finality.checkpointNo, _checkpointRoot);
    }

    /// @inheritdoc ISettlement
    function isFrozen() external view returns (bool) {
        return _chain.frozenAt != 0;
    }

    /// @inheritdoc ISettlement
    function frozenAt() external view returns (uint64) {
        return _chain.frozenAt;
    }

    /// @inheritdoc ISettlement
    function statusOf(uint64 batchNo) public view returns (BatchStatus) {
        if (batchNo > _chain.head) {
            return _hashes[batchNo] == 0 ? BatchStatus.NONE : BatchStatus.REVERTED;
        }
        if (batchNo == 0) return BatchStatus.NONE;
        if (batchNo <= _chain.finalised) return BatchStatus.FINALIZED;
        Open storage open = _openOf(batchNo);
        if (open.challenges != 0) return BatchStatus.CHALLENGED;
        return open.proof == ProofClass.NONE ? BatchStatus.COMMITTED : BatchStatus.PROVEN;
    }

    /// @dev Drops the batches from this number on. The batch before it is open or the last that is
    /// final; before batch 1 its slot is empty, as the chain was then.
    function _drop(uint64 from, bytes32 stateRoot, RevertCause cause) internal virtual {
        Chain storage chain = _chain;
        Open storage last = _openOf(from - 1);
        emit BatchReverted(from, _hashes[from], chain.head, cause);
        // An open batch has a number of 40 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        chain.head = uint40(from - 1);
        chain.inboxCursor = last.inboxTo;
        chain.lastTimeEnd = last.timeEnd;
        lastStateRoot = stateRoot;
    }

    function _isOpen(uint64 batchNo) internal view returns (bool) {
        return batchNo > _chain.finalised && batchNo <= _chain.head;
    }

    /// @dev The header is that of an open batch; returns its hash.
    function _requireOpen(BatchHeader calldata header) internal view returns (bytes32) {
        uint64 batchNo = header.batchNo;
        if (!_isOpen(batchNo)) revert NotOpen(batchNo, statusOf(batchNo));
        return _requireCommitted(header);
    }

    function _requireCommitted(BatchHeader calldata header)
        internal
        view
        virtual
        returns (bytes32 given)
    {
        given = BatchHash.givenHeaderHash(header);
        bytes32 committed = _hashes[header.batchNo];
        if (given != committed) revert WrongHeader(header.batchNo, given, committed);
    }

    /// @dev Of this batch and of all that would be dropped with it.
    function _requireUnchallenged(uint64 from) internal view virtual {
        uint64 last = _chain.head;
        for (uint64 batchNo = from; batchNo <= last; ++batchNo) {
            if (_openOf(batchNo).challenges != 0) revert ChallengeOpen(batchNo);
        }
    }

    /// @param proof What is shown of the batch, if that is more than is stored.
    function _windowEnd(Open storage open, ProofClass proof)
        internal
        view
        virtual
        returns (uint64)
    {
        uint64 window = proof == ProofClass.VALIDITY ? provenWindow : attestedWindow;
        return open.committedAt + window + open.extension;
    }

    function _openOf(uint64 batchNo) internal view returns (Open storage) {
        return _open[batchNo % (maxOpenBatches + 1)];
    }

    /// @dev The clock fits for 34,000 years.
    function _now() internal view returns (uint40) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(block.timestamp);
    }
}
