// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IFreezable} from "../interfaces/IFreezable.sol";
import {IVaultLimits} from "../interfaces/IVaultLimits.sol";

/// @title OutflowWindow
/// @notice Bounds what may leave the vault in one window of time, whoever signed for it: C-5.
/// @dev A window begins with the first release after the end of the one before, so any stretch of
/// its length meets two windows at most.
abstract contract OutflowWindow is ICollateralVault {
    /// @dev One slot. 2**40 of the largest deposits fit 96 bits.
    struct Window {
        uint64 startedAt; // [s since 1970]
        uint96 held; // when it began [engine units]
        uint96 spent; // [engine units]
    }

    /// @inheritdoc ICollateralVault
    address public immutable settlement;
    /// @inheritdoc ICollateralVault
    address public immutable limits;

    mapping(uint8 asset => Window) private _windows;

    constructor(address settlement_, address limits_) {
        if (settlement_ == address(0) || limits_ == address(0)) revert ZeroAddress();
        settlement = settlement_;
        limits = limits_;
    }

    /// @dev C-5. Counts against the window what may leave now and returns it: the whole, or, of
    /// more than a whole window lets pass, what is left.
    function _spend(uint8 asset, uint256 units, uint256 booked)
        internal
        virtual
        returns (uint256 now_)
    {
        (Window memory window, uint256 cap, uint256 left, uint256 ends) = _window(asset, booked);
        now_ = units;
        if (units > left) {
            if (IFreezable(settlement).isFrozen()) return units;
            if (units <= cap || left == 0) revert OutflowCapReached(asset, units, left, ends);
            now_ = left;
        }
        // At most what is booked.
        // forge-lint: disable-next-line(unsafe-typecast)
        window.spent += uint96(now_);
        _windows[asset] = window;
    }

    /// @dev The window that is open now, or would be if something were released.
    function _window(uint8 asset, uint256 booked)
        internal
        view
        returns (Window memory window, uint256 cap, uint256 left, uint256 ends)
    {
        uint256 length = IVaultLimits(limits).outflowWindow();
        window = _windows[asset];
        // The few seconds that a validator may shift matter little to a window of hours.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp >= window.startedAt + length) {
            // forge-lint: disable-next-line(unsafe-typecast): see Window.
            window = Window(uint64(block.timestamp), uint96(booked), 0);
        }
        ends = window.startedAt + length;
        cap = IVaultLimits(limits).outflowCap(asset, window.held);
        left = Math.saturatingSub(cap, window.spent);
    }
}
