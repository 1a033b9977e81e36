// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf, Position} from "../types/Account.sol";
import {ExitLeaf} from "../types/Checkpoint.sol";
import {AssetOpening, Column} from "../types/ContentEvidence.sol";
import {Epoch, Report} from "../types/Epoch.sol";
import {AMOUNT_PRICE_PER_USD_E6, SLOT_BITS, SLOT_MASK} from "../types/Units.sol";
import {Columns} from "./Columns.sol";
import {Openings} from "./Openings.sol";
import {Rounding} from "./Rounding.sol";

/// @title Owed
/// @notice What an account is owed at a checkpoint; docs/COMMITMENTS.md, "Checkpoint".
library Owed {
    /// @notice Fewer columns or assets are opened than are needed.
    error MissingOpening(uint256 given, uint256 needed);

    /// @notice The asset opened is not the one whose price is needed.
    error WrongAsset(uint8 given, uint256 expected);

    /// @notice The report has no price of the asset.
    error NoPrice(uint256 asset);

    /// @notice Positions have no worth before the first epoch.
    error NoValues();

    /// @notice Cash and what the positions are worth more than they cost, at the values of an
    /// epoch. [USD e-6]
    /// @param values For each underlying held, ascending, its value column.
    function worthOf(AccountLeaf calldata leaf, Epoch calldata epoch, Column[] calldata values)
        internal
        pure
        returns (int256 worthE6)
    {
        worthE6 = leaf.cashE6;
        uint256 opened = 0;
        uint256 current = 0;
        for (uint256 p = 0; p < leaf.positions.length; ++p) {
            Position calldata position = leaf.positions[p];
            // An instrument has 16 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint8 underlying = uint8(position.instrument >> SLOT_BITS);
            if (opened == 0 || underlying != current) {
                require(opened < values.length, MissingOpening(values.length, opened + 1));
                Openings.requireValues(epoch, underlying, values[opened]);
                current = underlying;
                ++opened;
            }
            bytes calldata column = values[opened - 1].packed;
            int256 lotValueE6 = Columns.valueAt(column, position.instrument & SLOT_MASK);
            worthE6 += int256(position.lots) * lotValueE6 - position.costE6;
        }
    }

    /// @notice The leaf that an account of this worth has.
    /// @dev Equity and what is owed stay far below 128 bits: at most 2**16 positions of lots and
    /// values of 31 and 63 bits.
    function leafOf(uint32 account, AccountLeaf calldata leaf, int256 worthE6)
        internal
        pure
        returns (ExitLeaf memory exit)
    {
        exit.account = account;
        exit.owner = leaf.owner;
        exit.subaccount = leaf.subaccount;
        // forge-lint: disable-next-line(unsafe-typecast): see above.
        uint128 size = uint128(Rounding.magnitude(worthE6));
        if (worthE6 >= 0) exit.equityE6 = size;
        else (exit.owedE6, exit.debtE6) = (size, size);
        exit.collateralE8 = new uint128[](leaf.collateralE8.length);
        for (uint256 a = 0; a < leaf.collateralE8.length; ++a) {
            exit.collateralE8[a] = leaf.collateralE8[a];
        }
    }

    /// @notice Lets collateral cover the debt, asset by asset at the index price.
    /// @dev What is taken rounds up, what it pays rounds down.
    /// @param assets For each asset that is held while a debt is left, ascending.
    function cover(
        ExitLeaf memory exit,
        bytes32 listingRoot,
        Report calldata report,
        AssetOpening[] calldata assets
    ) internal pure {
        uint256 opened = 0;
        for (uint256 a = 0; a < exit.collateralE8.length && exit.debtE6 != 0; ++a) {
            uint256 held = exit.collateralE8[a];
            if (held == 0) continue;
            require(opened < assets.length, MissingOpening(assets.length, opened + 1));
            coverWith(exit, a, priceOf(listingRoot, report, assets[opened++], a + 1));
        }
    }

    /// @notice Lets one asset cover the debt.
    /// @param a Place of the asset, from 0.
    /// @param price Of it. [USD e-8]
    function coverWith(ExitLeaf memory exit, uint256 a, uint256 price) internal pure {
        uint256 held = exit.collateralE8[a];
        uint256 debt = exit.debtE6;
        uint256 taken = Rounding.mulDivCeil(debt, AMOUNT_PRICE_PER_USD_E6, price);
        if (taken > held) taken = held;
        uint256 paid = Rounding.mulDivFloor(taken, price, AMOUNT_PRICE_PER_USD_E6);
        // Neither is more than it was before.
        // forge-lint: disable-next-line(unsafe-typecast)
        exit.debtE6 = uint128(paid < debt ? debt - paid : 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        exit.collateralE8[a] = uint128(held - taken);
    }

    /// @notice Index price of an asset. [USD e-8]
    function priceOf(
        bytes32 listingRoot,
        Report calldata report,
        AssetOpening calldata opening,
        uint256 asset
    ) internal pure returns (uint256) {
        Openings.requireAsset(listingRoot, opening);
        require(opening.listed.asset == asset, WrongAsset(opening.listed.asset, asset));
        // Medians are packed like values.
        int64 price = Columns.valueAt(report.medians, opening.listed.indexFeed);
        require(price > 0, NoPrice(asset));
        // forge-lint: disable-next-line(unsafe-typecast): just compared.
        return uint64(price);
    }
}
