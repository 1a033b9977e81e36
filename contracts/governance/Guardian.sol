// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernedLimits} from "../interfaces/IGovernedLimits.sol";
import {IGuardian} from "../interfaces/IGuardian.sol";
import {IPlimsollTimelock} from "../interfaces/IPlimsollTimelock.sol";
import {IStandby} from "../interfaces/IStandby.sol";

/// @title Guardian
/// @dev How far and how long is for the contracts it calls to bound, which do not trust it.
contract Guardian is IGuardian {
    /// @notice Cancels through this, and obeys it.
    IPlimsollTimelock public immutable timelock;

    /// @notice Restricts through this.
    IGovernedLimits public immutable limits;

    /// @notice Replaces the sequencer through this.
    IStandby public immutable registry;

    /// @inheritdoc IGuardian
    address public holder;

    /// @dev Nothing that the brake does goes unseen.
    modifier onlyHolder() {
        _checkHolder();
        emit Acted(msg.sender, msg.sig, msg.data);
        _;
    }

    constructor(address holder_, address timelock_, address limits_, address registry_) {
        require(
            timelock_ != address(0) && limits_ != address(0) && registry_ != address(0),
            ZeroAddress()
        );
        timelock = IPlimsollTimelock(timelock_);
        limits = IGovernedLimits(limits_);
        registry = IStandby(registry_);
        _nameHolder(holder_);
    }

    /// @inheritdoc IGuardian
    function pauseDeposits(uint64 until) external onlyHolder {
        limits.pauseDeposits(until);
    }

    /// @inheritdoc IGuardian
    function lowerDepositCap(uint8 asset, uint128 cap, uint64 until) external onlyHolder {
        limits.lowerDepositCap(asset, cap, until);
    }

    /// @inheritdoc IGuardian
    function lowerOutflowCap(uint8 asset, uint32 shareE6, uint64 until) external onlyHolder {
        limits.lowerOutflowCap(asset, shareE6, until);
    }

    /// @inheritdoc IGuardian
    function promoteStandby() external onlyHolder {
        registry.promoteStandby();
    }

    /// @inheritdoc IGuardian
    function cancel(bytes32 proposal) external onlyHolder {
        timelock.cancel(proposal);
    }

    /// @inheritdoc IGuardian
    function setHolder(address holder_) external {
        require(msg.sender == address(timelock), NotGovernor(msg.sender));
        _nameHolder(holder_);
    }

    function _nameHolder(address holder_) private {
        require(holder_ != address(0), ZeroAddress());
        holder = holder_;
        emit HolderNamed(holder_);
    }

    function _checkHolder() private view {
        require(msg.sender == holder, NotHolder(msg.sender));
    }
}
