// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ICourt} from "../interfaces/ICourt.sol";
import {IProofRouter} from "../interfaces/IProofRouter.sol";
import {ISequencerRegistry} from "../interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus} from "../types/Batch.sol";

/// @title CourtStore
/// @notice Bonds, and what follows from a challenge or a demand that stands.
abstract contract CourtStore is ICourt {
    using SafeERC20 for IERC20;

    // What they are is said in ICourt.Config.
    address public immutable cash;
    address public immutable settlement;
    address public immutable registry;
    uint256 public immutable bondE6;
    uint64 public immutable revealWindow;

    /// @inheritdoc ICourt
    mapping(address account => uint256) public bondOf;

    constructor(Config memory config) {
        if (
            config.cash == address(0) || config.settlement == address(0)
                || config.registry == address(0)
        ) revert ZeroAddress();
        if (config.bondE6 == 0 || config.revealWindow == 0) {
            revert ZeroBondOrWindow(config.bondE6, config.revealWindow);
        }
        _requireTimes(config);
        cash = config.cash;
        settlement = config.settlement;
        registry = config.registry;
        bondE6 = config.bondE6;
        revealWindow = config.revealWindow;
    }

    /// @dev A challenge is opened before the longest window ends, and decided within `revealWindow`.
    /// Until then no stake may leave and no verifier retire; and what is honest must be final in
    /// time although strangers delay it.
    function _requireTimes(Config memory config) private view {
        ISettlement chain = ISettlement(config.settlement);
        (uint256 window, uint256 proven) = (chain.attestedWindow(), chain.provenWindow());
        if (proven > window) window = proven;
        uint256 slowest = window + chain.maxExtension() + config.revealWindow;
        (uint256 liveness, uint256 repairTime) = (chain.liveness(), chain.repairTime());
        require(
            liveness > slowest && repairTime > slowest,
            FreezesTooSoon(liveness, repairTime, slowest)
        );
        uint256 unstakeDelay = ISequencerRegistry(config.registry).unstakeDelay();
        require(unstakeDelay > slowest, StakeLeavesTooSoon(unstakeDelay, slowest));
        uint256 retireDelay = IProofRouter(chain.proofRouter()).retireDelay();
        require(retireDelay > slowest, VerifierRetiresTooSoon(retireDelay, slowest));
    }

    /// @dev Makes an open batch challenged, for a bond of the caller.
    function _begin(uint64 batchNo, bytes32 batchHash) internal {
        ISettlement(settlement).beginChallenge(batchNo, batchHash);
        IERC20(cash).safeTransferFrom(msg.sender, address(this), bondE6);
    }

    /// @dev Reverts the batch; bond and bounty are the challenger's.
    function _uphold(BatchHeader calldata header, address challenger)
        internal
        returns (uint256 bountyE6)
    {
        bondOf[challenger] += bondE6;
        ISettlement(settlement).revertChallenged(header);
        return ISequencerRegistry(registry).slash(header.sequencerEpoch, challenger);
    }

    /// @dev Lets the batch go on; its window is longer by the time spent.
    function _release(uint64 batchNo, bytes32 batchHash, uint64 openedAt) internal {
        uint64 spent = uint64(block.timestamp) - openedAt;
        ISettlement(settlement).endChallenge(batchNo, batchHash, spent);
    }

    /// @dev Whether the batch is still the one that was challenged, and counts this challenge.
    function _isLive(uint64 batchNo, bytes32 batchHash, uint64 committedAt)
        internal
        view
        returns (bool)
    {
        (BatchStatus status, bytes32 current) = ISettlement(settlement).batchOf(batchNo);
        return status == BatchStatus.CHALLENGED && current == batchHash
            && ISettlement(settlement).committedAt(batchNo) == committedAt;
    }
}
