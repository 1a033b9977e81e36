// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ListedInstrument} from "../types/Listing.sol";
import {KIND_CALL, KIND_FUTURE} from "../types/Pricing.sol";
import {ONE_E6} from "../types/Units.sol";
import {Rounding} from "./Rounding.sol";

/// @title Prices
/// @notice What trades cost, what is charged on them, and how far from the mark they may be.
/// @dev Mirrors `offchain.core.margin` and `offchain.core.liquidation`. Prices of an honest log are
/// multiples of the lot divisor; what is not is at fault elsewhere and rounds here.
library Prices {
    int256 private constant ONE = 1e6;

    /// @notice What lots add to the cost of a position. [USD e-6]
    function costOf(int256 lots, uint256 priceE8, uint256 divisor, int256 fundingE6)
        internal
        pure
        returns (int256)
    {
        // Prices are uint64.
        // forge-lint: disable-next-line(unsafe-typecast)
        return lots * (int256(priceE8 / divisor) - fundingE6);
    }

    /// @notice A fee on the notional, rounded up. [USD e-6]
    /// @param lotE6 Price of one lot.
    function feeOf(int256 lots, uint256 lotE6, uint256 rateE6) internal pure returns (uint256) {
        return Rounding.mulDivCeil(Rounding.magnitude(lots) * lotE6, rateE6, ONE_E6);
    }

    /// @notice The worst price at which a liquidation may trade, on the tick. [USD e-8]
    /// @dev A sale rounds down to the tick, a purchase up; never below one tick.
    function limitOf(
        ListedInstrument calldata listed,
        int256 markE8,
        int256 indexE8,
        bool isPurchase
    ) internal pure returns (int256) {
        int256 tickE8 = int256(uint256(listed.instrument.tickE8));
        int256 bandE8 = Rounding.floorDiv(markE8 * int256(uint256(listed.bandMarkE6)), ONE)
            + Rounding.floorDiv(indexE8 * int256(uint256(listed.bandIndexE6)), ONE);
        if (isPurchase) return Rounding.ceilDiv(markE8 + bandE8, tickE8) * tickE8;
        int256 limitE8 = Rounding.floorDiv(markE8 - bandE8, tickE8) * tickE8;
        return limitE8 < tickE8 ? tickE8 : limitE8;
    }

    /// @notice The payoff of one lot at the index price, rounded down to the tick. [USD e-6]
    /// @param listed Not a perpetual.
    function payoffOf(ListedInstrument calldata listed, int256 indexE8)
        internal
        pure
        returns (int256)
    {
        int256 payoffE8 = indexE8;
        if (listed.instrument.kind != KIND_FUTURE) {
            int256 strikeE8 = int256(uint256(listed.instrument.strikeE8));
            payoffE8 = listed.instrument.kind == KIND_CALL ? indexE8 - strikeE8 : strikeE8 - indexE8;
            if (payoffE8 < 0) payoffE8 = 0;
        }
        int256 tickE8 = int256(uint256(listed.instrument.tickE8));
        return payoffE8 / tickE8 * tickE8 / int256(uint256(listed.instrument.lotDivisor));
    }

    /// @notice Whether lots at a cost trade beyond a limit price.
    /// @param priceLotE6 Limit price of one lot, net of funding. [USD e-6]
    function isBeyond(int256 lots, int256 costE6, int256 priceLotE6) internal pure returns (bool) {
        // A purchase pays at most the limit, a sale gets at least the limit: both at once.
        return costE6 > lots * priceLotE6;
    }
}
