// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, Position} from "../types/Account.sol";
import {ColumnOpening, Terms} from "../types/Liquidation.sol";
import {AMOUNT_PRICE_PER_USD_E6, ONE_E6, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {Columns} from "./Columns.sol";
import {Rounding} from "./Rounding.sol";

/// @title Margin
/// @notice Margin balance and maintenance margin of a portfolio in one witness scenario.
/// @dev Mirrors `offchain.core.margin`. The scan risk of an account is its worst loss over all
/// scenarios, so the loss in any one of them is a lower bound: enough to prove it liquidatable.
/// Lots fit 32 bits, values 64 and positions 16, so no sum of products comes near 256 bits.
library Margin {
    /// @notice Positions must ascend strictly by instrument; this one does not.
    error PositionsOutOfOrder(uint256 instrument);

    /// @notice A position without lots does not exist.
    error PositionEmpty(uint256 instrument);

    /// @notice The columns opened are not those of the next underlying held.
    error UnderlyingNotHeld(uint256 underlying);

    /// @notice The columns of an underlying held were not opened.
    error UnderlyingNotOpened(uint256 underlying);

    /// @notice The terms price one collateral asset besides cash.
    error TooManyAssets(uint256 assets);

    /// @notice Running sums over the positions of one account.
    /// @param lossE6 Of the current underlying in its witness scenario; negative for a gain.
    /// @param scanE6 Losses of the underlyings before it.
    /// @param next The first position that is not yet counted.
    /// @param bound No instrument below this may follow.
    struct Sums {
        int256 equityE6;
        int256 lossE6;
        uint256 scanE6;
        uint256 next;
        uint256 bound;
    }

    /// @notice Margins of an account.
    /// @param columns One opening for each underlying held, ascending; already proven.
    /// @param collateralPriceE8 Index price of asset 1. [USD e-8]
    /// @return marginBalanceE6 Rounded down. [USD e-6]
    /// @return maintenanceE6 Rounded up. [USD e-6]
    function ofPortfolio(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        uint256 collateralPriceE8,
        Terms memory terms
    ) internal pure returns (int256 marginBalanceE6, uint256 maintenanceE6) {
        Sums memory sums = Sums(leaf.cashE6, 0, 0, 0, 0);
        Position[] calldata positions = leaf.positions;
        for (uint256 c = 0; c < columns.length; ++c) {
            addUnderlying(sums, positions, columns[c]);
        }
        if (sums.next < positions.length) {
            revert UnderlyingNotOpened(positions[sums.next].instrument >> SLOT_BITS);
        }
        uint256 creditE6 = collateralValue(leaf.collateralE8, collateralPriceE8, terms.haircutE6);
        // An amount and a price of 64 bits each, so the sign bit is free.
        // forge-lint: disable-next-line(unsafe-typecast)
        marginBalanceE6 = sums.equityE6 + int256(creditE6);
        maintenanceE6 = maintenanceOf(sums.scanE6, terms.mmFactorE6);
    }

    /// @dev Adds the positions in one underlying, and its loss unless that is a gain.
    function addUnderlying(
        Sums memory sums,
        Position[] calldata positions,
        ColumnOpening calldata column
    ) private pure {
        uint256 underlying = column.underlying;
        bytes calldata values = column.values;
        bytes calldata losses = column.losses;
        uint256 p = sums.next;
        sums.lossE6 = 0;
        while (p < positions.length && positions[p].instrument >> SLOT_BITS == underlying) {
            addPosition(sums, positions[p], values, losses);
            ++p;
        }
        require(p > sums.next, UnderlyingNotHeld(underlying));
        // forge-lint: disable-next-line(unsafe-typecast): it is positive.
        if (sums.lossE6 > 0) sums.scanE6 += uint256(sums.lossE6);
        sums.next = p;
    }

    function addPosition(
        Sums memory sums,
        Position calldata position,
        bytes calldata values,
        bytes calldata losses
    ) private pure {
        uint256 instrument = position.instrument;
        if (instrument < sums.bound) revert PositionsOutOfOrder(instrument);
        sums.bound = instrument + 1;
        int256 lots = position.lots;
        if (lots == 0) revert PositionEmpty(instrument);
        uint256 slot = instrument & SLOT_MASK;
        // 2**31 x 2**63 and sums of at most 2**16 of them: far from 2**255.
        unchecked {
            sums.equityE6 += lots * Columns.valueAt(values, slot) - position.costE6;
            sums.lossE6 += lots * Columns.lossAt(losses, slot);
        }
    }

    /// @notice Value of the collateral after the haircut, rounded down twice. [USD e-6]
    function collateralValue(uint64[] calldata collateralE8, uint256 priceE8, uint32 haircutE6)
        internal
        pure
        returns (uint256)
    {
        require(collateralE8.length <= 1, TooManyAssets(collateralE8.length));
        if (collateralE8.length == 0) return 0;
        uint256 haircutPriceE8 = Rounding.mulDivFloor(priceE8, ONE_E6 - haircutE6, ONE_E6);
        return Rounding.mulDivFloor(collateralE8[0], haircutPriceE8, AMOUNT_PRICE_PER_USD_E6);
    }

    /// @notice Maintenance margin for a scan risk, rounded up. [USD e-6]
    function maintenanceOf(uint256 scanE6, uint32 mmFactorE6) internal pure returns (uint256) {
        return Rounding.mulDivCeil(scanE6, mmFactorE6, ONE_E6);
    }

    /// @notice Whether the margin ratio is below a trigger, or the balance below zero.
    /// @dev Cross-multiplied: two rounded ratios are never compared.
    function isBelow(int256 marginBalanceE6, uint256 maintenanceE6, uint32 triggerE6)
        internal
        pure
        returns (bool)
    {
        if (marginBalanceE6 < 0) return true;
        // forge-lint: disable-next-line(unsafe-typecast): it is not negative.
        return uint256(marginBalanceE6) * ONE_E6 < uint256(triggerE6) * maintenanceE6;
    }
}
