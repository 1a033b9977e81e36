// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ILiquidationManager} from "../interfaces/ILiquidationManager.sol";
import {ISequencerRegistry} from "../interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHeader} from "../types/Batch.sol";
import {BatchStore} from "./BatchStore.sol";

/// @title Disputes
/// @notice How open batches are held up and dropped.
abstract contract Disputes is BatchStore {
    // What they are is said in ISettlement.Config.
    address public immutable liquidationManager;
    address public immutable registry;
    address public immutable court;
    uint64 public immutable verifyWindow; // [s]

    constructor(Config memory config) {
        if (
            config.liquidationManager == address(0) || config.registry == address(0)
                || config.court == address(0)
        ) revert ZeroAddress();
        liquidationManager = config.liquidationManager;
        registry = config.registry;
        court = config.court;
        verifyWindow = config.verifyWindow;
    }

    /// @inheritdoc ISettlement
    function rollback(BatchHeader calldata header) external {
        (address sequencer,,) = ISequencerRegistry(registry).current();
        if (msg.sender != sequencer) revert NotSequencer(msg.sender, sequencer);
        _requireOpen(header);
        _requireUnchallenged(header.batchNo);
        _drop(header.batchNo, header.prevStateRoot, RevertCause.ROLLBACK);
    }

    /// @inheritdoc ISettlement
    function revertUnverified(BatchHeader calldata header) external {
        bytes32 batchHash = _requireOpen(header);
        _requireUnchallenged(header.batchNo);
        uint256 until = uint256(_openOf(header.batchNo).committedAt) + verifyWindow;
        // The few seconds that a validator may shift matter little to this window.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < until) revert VerificationOpen(until, block.timestamp);
        if (_verified(batchHash) >= header.liquidationCount) {
            revert NothingUnverified(header.batchNo);
        }
        _drop(header.batchNo, header.prevStateRoot, RevertCause.UNVERIFIED);
    }

    /// @inheritdoc ISettlement
    function beginChallenge(uint64 batchNo, bytes32 batchHash) external {
        _requireCourt();
        if (!_isOpen(batchNo)) revert NotOpen(batchNo, statusOf(batchNo));
        bytes32 committed = _hashes[batchNo];
        if (batchHash != committed) revert WrongHeader(batchNo, batchHash, committed);
        Open storage open = _openOf(batchNo);
        uint256 until = _windowEnd(open, open.proof);
        // As for the window itself.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp >= until) revert WindowOver(until, block.timestamp);
        open.challenges += 1;
        emit BatchChallenged(batchNo, batchHash, open.challenges);
    }

    /// @inheritdoc ISettlement
    function endChallenge(uint64 batchNo, bytes32 batchHash, uint64 spent) external returns (bool) {
        _requireCourt();
        Open storage open = _openOf(batchNo);
        if (!_isOpen(batchNo) || _hashes[batchNo] != batchHash || open.challenges == 0) {
            return false;
        }
        open.challenges -= 1;
        uint256 extended = uint256(open.extension) + spent;
        open.extension = SafeCast.toUint40(extended < maxExtension ? extended : maxExtension);
        emit ChallengeEnded(batchNo, batchHash, open.challenges, open.extension);
        return true;
    }

    /// @inheritdoc ISettlement
    function revertChallenged(BatchHeader calldata header) external {
        _requireCourt();
        uint64 batchNo = header.batchNo;
        _requireOpen(header);
        if (_openOf(batchNo).challenges == 0) revert NotChallenged(batchNo);
        // A second fault, shown before the first is made good, does not give more time.
        if (_finality.repairSince == 0) {
            // An open batch has a number of 40 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            (_finality.repairNo, _finality.repairSince) = (uint40(batchNo), _now());
        }
        _drop(batchNo, header.prevStateRoot, RevertCause.CHALLENGE);
    }

    function _verified(bytes32 batchHash) internal view returns (uint256) {
        return ILiquidationManager(liquidationManager).verifiedCount(batchHash);
    }

    function _requireCourt() private view {
        if (msg.sender != court) revert NotCourt(msg.sender);
    }
}
