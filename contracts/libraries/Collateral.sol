// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AMOUNT_PRICE_PER_USD_E6} from "../types/Units.sol";

/// @title Collateral
/// @notice The packed collateral column: what a unit of each asset counts for, in brackets.
/// @dev Mirrors `offchain.core.collateral`. Each asset has four brackets of an upper amount uint64
/// [token e-8] and the credit of a unit below it uint64 [USD e-8], ascending; what is unused is
/// zero. Haircut and concentration are in the credit.
library Collateral {
    /// @dev Kind of the collateral column, and the underlying that it stands at, as a column.
    uint8 internal constant KIND = 253;
    uint8 internal constant UNDERLYING = 255;

    /// @dev Place of the collateral column under the charge root.
    uint256 internal constant INDEX = 0;

    uint256 private constant BRACKETS = 4;
    uint256 private constant BRACKET_BYTES = 16;
    uint256 internal constant ASSET_BYTES = BRACKETS * BRACKET_BYTES;

    /// @notice The account holds an asset that the column does not price; counted from 1.
    error AssetNotListed(uint256 asset);

    /// @notice Whether there is anything to credit.
    function isHeld(uint64[] calldata amountsE8) internal pure returns (bool) {
        for (uint256 a = 0; a < amountsE8.length; ++a) {
            if (amountsE8[a] != 0) return true;
        }
        return false;
    }

    /// @notice What all assets add to the margin balance, each rounded down. [USD e-6]
    function creditOf(uint64[] calldata amountsE8, bytes calldata column)
        internal
        pure
        returns (uint256 creditE6)
    {
        for (uint256 a = 0; a < amountsE8.length; ++a) {
            uint256 amountE8 = amountsE8[a];
            if (amountE8 == 0) continue;
            require((a + 1) * ASSET_BYTES <= column.length, AssetNotListed(a + 1));
            creditE6 += assetCredit(amountE8, column, a * ASSET_BYTES);
        }
    }

    /// @notice What a unit of an asset counts for in its first bracket: the price at which the
    /// backstop buys it. [USD e-8]
    /// @param asset From 1.
    function firstPrice(bytes calldata column, uint256 asset) internal pure returns (uint256) {
        require(asset != 0 && asset * ASSET_BYTES <= column.length, AssetNotListed(asset));
        uint256 start = (asset - 1) * ASSET_BYTES;
        return uint64(bytes8(column[start + 8:start + 16]));
    }

    /// @notice One bracket of an asset: its upper amount [token e-8] and the credit of a unit below
    /// it [USD e-8].
    /// @param asset From 1.
    /// @param bracket From 0 to 3.
    function bracketAt(bytes calldata column, uint256 asset, uint256 bracket)
        internal
        pure
        returns (uint64 uptoE8, uint64 priceE8)
    {
        require(asset != 0 && asset * ASSET_BYTES <= column.length, AssetNotListed(asset));
        uint256 start = (asset - 1) * ASSET_BYTES + bracket * BRACKET_BYTES;
        uptoE8 = uint64(bytes8(column[start:start + 8]));
        priceE8 = uint64(bytes8(column[start + 8:start + 16]));
    }

    /// @dev Credit of one holding; what lies above the last bracket counts nothing.
    function assetCredit(uint256 amountE8, bytes calldata column, uint256 start)
        private
        pure
        returns (uint256)
    {
        uint256 total = 0;
        uint256 below = 0;
        // 4 x 2**64 x 2**64 is far from 2**256.
        unchecked {
            for (uint256 b = 0; b < BRACKETS; ++b) {
                uint256 upto;
                uint256 price;
                // upto = uint64(bytes8(column[start:start + 8]));
                // price = uint64(bytes8(column[start + 8:start + 16]));
                assembly ("memory-safe") {
                    let bracket := calldataload(add(column.offset, start))
                    upto := shr(192, bracket)
                    price := shr(192, shl(64, bracket))
                }
                if (amountE8 < upto) upto = amountE8;
                if (upto > below) total += (upto - below) * price;
                below = upto;
                start += BRACKET_BYTES;
            }
            return total / AMOUNT_PRICE_PER_USD_E6;
        }
    }
}
