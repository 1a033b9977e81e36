// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, MODE_PORTFOLIO, Position} from "../types/Account.sol";
import {ColumnOpening, Terms} from "../types/Liquidation.sol";
import {ONE_E6, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {Charges} from "./Charges.sol";
import {Collateral} from "./Collateral.sol";
import {Columns} from "./Columns.sol";
import {Curves} from "./Curves.sol";
import {Rounding} from "./Rounding.sol";

/// @title Margin
/// @notice Margin balance and maintenance margin of an account, from the columns that are opened.
/// @dev Mirrors `offchain.ledger.liquidation`. A portfolio requires its worst loss over all
/// scenarios and its add-ons, so its loss in any scenarios, with the charges opened or not, is a
/// lower bound: enough to prove it liquidatable. An isolated or cross account requires a curve of
/// each notional, which charges open. Lots and charges fit 32 bits, values 64, positions 16 and
/// curves 90, so no sum of products comes near 256 bits.
library Margin {
    /// @notice There is no such way to margin an account.
    error UnknownMode(uint8 mode);

    /// @notice Positions must ascend strictly by instrument; this one does not.
    error PositionsOutOfOrder(uint256 instrument);

    /// @notice A position without lots does not exist.
    error PositionEmpty(uint256 instrument);

    /// @notice The columns opened are not those of the next underlying held.
    error UnderlyingNotHeld(uint256 underlying);

    /// @notice The columns of an underlying held were not opened.
    error UnderlyingNotOpened(uint256 underlying);

    /// @notice Running sums over the positions of one account. [USD e-6]
    /// @param lossesE6 Of the underlyings that lose in their witness scenarios.
    /// @param gainsE6 Of the underlyings that gain in theirs.
    /// @param addonsE6 What is required beyond the loss, as far as charges are opened.
    /// @param floorE6 What unwinding costs, which is required at least.
    /// @param linearE6 What each instrument requires for itself; isolated and cross accounts.
    /// @param next The first position that is not yet counted.
    /// @param bound No instrument below this may follow.
    struct Sums {
        int256 equityE6;
        uint256 lossesE6;
        uint256 gainsE6;
        uint256 addonsE6;
        uint256 floorE6;
        uint256 linearE6;
        uint256 next;
        uint256 bound;
    }

    /// @notice What nets within one underlying. [USD e-6]
    /// @param rollsE6 For each expiry, what its positions may lose against other expiries.
    struct Net {
        int256 deltaE6;
        uint256 unwindE6;
        int256[32] rollsE6; // GROUPS, which Slither cannot read here
    }

    /// @notice Margins of an account.
    /// @param columns One opening for each underlying held, ascending; already proven.
    /// @param collateral The collateral column, already proven; empty when none is held.
    /// @param curves The tier curves of the set, already proven; empty when no charges are opened.
    /// @return marginBalanceE6 Rounded down. [USD e-6]
    /// @return maintenanceE6 Rounded up. [USD e-6]
    function ofAccount(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        bytes calldata collateral,
        bytes calldata curves,
        Terms memory terms
    ) internal pure returns (int256 marginBalanceE6, uint256 maintenanceE6) {
        require(leaf.mode <= MODE_PORTFOLIO, UnknownMode(leaf.mode));
        Sums memory sums;
        sums.equityE6 = leaf.cashE6;
        for (uint256 c = 0; c < columns.length; ++c) {
            addColumns(sums, leaf, columns[c], curves);
        }
        if (sums.next < leaf.positions.length) {
            revert UnderlyingNotOpened(leaf.positions[sums.next].instrument >> SLOT_BITS);
        }
        // Amounts and prices of 64 bits each, so the sign bit is free.
        // forge-lint: disable-next-line(unsafe-typecast)
        marginBalanceE6 = sums.equityE6 + int256(Collateral.creditOf(leaf.collateralE8, collateral));
        maintenanceE6 = leaf.mode == MODE_PORTFOLIO
            ? portfolioOf(sums, isOneScenario(columns), terms)
            : sums.linearE6;
    }

    /// @notice Whether the charges of an underlying are opened.
    function isOpened(ColumnOpening calldata column) internal pure returns (bool) {
        return column.charges.length != 0 || column.chargeProof.length != 0;
    }

    /// @notice Maintenance margin of a portfolio, rounded up. [USD e-6]
    /// @param isCommon Whether all witness scenarios are one, in which gains pay for losses.
    function portfolioOf(Sums memory sums, bool isCommon, Terms memory terms)
        internal
        pure
        returns (uint256)
    {
        uint256 scanE6 = Rounding.mulDivCeil(sums.lossesE6, terms.breakdownE6, ONE_E6);
        if (isCommon) {
            uint256 offsetE6 = Rounding.mulDivFloor(sums.gainsE6, terms.offsetE6, ONE_E6);
            uint256 capE6 = uint256(terms.offsetCapUsd) * ONE_E6;
            if (offsetE6 > capE6) offsetE6 = capE6;
            uint256 correlatedE6 = sums.lossesE6 > offsetE6 ? sums.lossesE6 - offsetE6 : 0;
            if (correlatedE6 > scanE6) scanE6 = correlatedE6;
        }
        uint256 requiredE6 = scanE6 + sums.addonsE6;
        if (requiredE6 < sums.floorE6) requiredE6 = sums.floorE6;
        return Rounding.mulDivCeil(requiredE6, terms.mmFactorE6, ONE_E6);
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

    function isOneScenario(ColumnOpening[] calldata columns) private pure returns (bool) {
        for (uint256 c = 1; c < columns.length; ++c) {
            if (columns[c].scenario != columns[0].scenario) return false;
        }
        return true;
    }

    /// @dev Adds everything that the opened columns of one underlying say.
    function addColumns(
        Sums memory sums,
        AccountLeaf calldata leaf,
        ColumnOpening calldata column,
        bytes calldata curves
    ) private pure {
        bool isPortfolio = leaf.mode == MODE_PORTFOLIO;
        Position[] calldata positions = leaf.positions;
        uint256 from = sums.next;
        addUnderlying(sums, positions, column, isPortfolio);
        if (!isOpened(column)) return;
        positions = positions[from:sums.next];
        if (isPortfolio) addCharges(sums, positions, column, curves);
        else addLinear(sums, positions, column, curves);
    }

    /// @dev Adds the value of the positions in one underlying and, of a portfolio, their loss.
    function addUnderlying(
        Sums memory sums,
        Position[] calldata positions,
        ColumnOpening calldata column,
        bool isPortfolio
    ) private pure {
        uint256 underlying = column.underlying;
        bytes calldata values = column.values;
        bytes calldata losses = column.losses;
        uint256 p = sums.next;
        int256 lossE6 = 0;
        while (p < positions.length) {
            Position calldata position = positions[p];
            uint256 instrument = position.instrument;
            if (instrument >> SLOT_BITS != underlying) break;
            int256 lots = addValue(sums, position, instrument, values);
            // 2**31 x 2**31 and at most 2**16 of them: far from 2**255.
            unchecked {
                if (isPortfolio) lossE6 += lots * Columns.lossAt(losses, instrument & SLOT_MASK);
                ++p;
            }
        }
        require(p > sums.next, UnderlyingNotHeld(underlying));
        sums.next = p;
        if (lossE6 > 0) sums.lossesE6 += Rounding.magnitude(lossE6);
        else sums.gainsE6 += Rounding.magnitude(lossE6);
    }

    function addValue(
        Sums memory sums,
        Position calldata position,
        uint256 instrument,
        bytes calldata values
    ) private pure returns (int256 lots) {
        if (instrument < sums.bound) revert PositionsOutOfOrder(instrument);
        lots = position.lots;
        if (lots == 0) revert PositionEmpty(instrument);
        // 2**31 x 2**63 and at most 2**16 of them: far from 2**255.
        unchecked {
            sums.bound = instrument + 1;
            int256 valueE6 = Columns.valueAt(values, instrument & SLOT_MASK);
            sums.equityE6 += lots * valueE6 - position.costE6;
        }
    }

    /// @dev Adds what a portfolio owes for one underlying beyond its loss.
    /// @param held The positions in the underlying.
    function addCharges(
        Sums memory sums,
        Position[] calldata held,
        ColumnOpening calldata column,
        bytes calldata curves
    ) private pure {
        bytes calldata charges = column.charges;
        uint256 first = uint256(column.underlying) * Curves.PER_UNDERLYING;
        Charges.Row memory row;
        Net memory net;
        for (uint256 p = 0; p < held.length; ++p) {
            Position calldata position = held[p];
            Charges.read(row, charges, position.instrument & SLOT_MASK);
            addRow(sums, net, row, position.lots);
        }
        sums.addonsE6 += Curves.charge(
            Rounding.magnitude(net.deltaE6), Curves.linesAt(curves, first + Curves.DELTA)
        );
        sums.floorE6 += Curves.charge(net.unwindE6, Curves.linesAt(curves, first + Curves.UNWIND));
    }

    /// @dev What an expiry owes changes with each of its positions: the sum over expiries follows.
    function addRow(Sums memory sums, Net memory net, Charges.Row memory row, int256 lots)
        private
        pure
    {
        // 2**31 x 2**32 and at most 2**16 of them: far from 2**255.
        unchecked {
            uint256 amount = Rounding.magnitude(lots);
            int256 before = net.rollsE6[row.group];
            int256 later = before + lots * row.roll;
            net.rollsE6[row.group] = later;
            net.deltaE6 += lots * row.delta;
            net.unwindE6 += amount * row.unwind;
            sums.addonsE6 = sums.addonsE6 + Rounding.magnitude(later) - Rounding.magnitude(before)
                + amount * (lots > 0 ? row.long : row.short);
        }
    }

    /// @dev Adds what each position in one underlying of a linear account requires for itself.
    function addLinear(
        Sums memory sums,
        Position[] calldata held,
        ColumnOpening calldata column,
        bytes calldata curves
    ) private pure {
        bytes calldata lines = Curves.linesAt(
            curves, uint256(column.underlying) * Curves.PER_UNDERLYING + Curves.LINEAR
        );
        for (uint256 p = 0; p < held.length; ++p) {
            Position calldata position = held[p];
            int256 deltaE6 = Charges.deltaAt(column.charges, position.instrument & SLOT_MASK);
            sums.linearE6 += Curves.charge(Rounding.magnitude(position.lots * deltaE6), lines);
        }
    }
}
