// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    FeedPlaces,
    Instrument,
    KIND_CALL,
    KIND_PERPETUAL,
    KIND_PUT,
    Quote,
    Shape
} from "../types/Pricing.sol";
import {PRICE_BITS} from "../types/Units.sol";
import {Columns} from "./Columns.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Surface} from "./Surface.sol";

/// @title Quotes
/// @notice What an instrument is priced from, out of the medians of one report; mirrors `quote` of
/// `offchain.pricing.marks`.
library Quotes {
    int256 private constant PRICE_LIMIT = int256(1) << PRICE_BITS;

    /// @notice There is no such kind of instrument.
    error UnknownKind(uint8 kind);

    /// @notice Options have a strike below the price limit, and nothing else has one. [USD e-8]
    error StrikeOutOfRange(uint64 strikeE8);

    /// @notice Perpetuals, and only they, have no expiry. [ns since 1970]
    error ExpiryOutOfRange(uint64 expiryNs);

    /// @notice The tick is a positive multiple of the lot divisor.
    error LotOutOfRange(uint64 lotDivisor, uint64 tickE8);

    /// @notice Every number of a report is in [1, 2**46). [1e-8]
    error MedianOutOfRange(uint16 feed, int64 median);

    /// @notice Reverts unless the instrument can be priced.
    function check(Instrument calldata instrument) internal pure {
        (uint64 strikeE8, uint64 divisor) = (instrument.strikeE8, instrument.lotDivisor);
        (uint8 kind, uint64 expiryNs) = (instrument.kind, instrument.expiryNs);
        require(kind <= KIND_PUT, UnknownKind(kind));
        require((kind == KIND_PERPETUAL) == (expiryNs == 0), ExpiryOutOfRange(expiryNs));
        require(
            strikeE8 < 1 << PRICE_BITS && (strikeE8 != 0) == isOption(instrument),
            StrikeOutOfRange(strikeE8)
        );
        uint64 tickE8 = instrument.tickE8;
        require(
            divisor != 0 && tickE8 != 0 && tickE8 % divisor == 0, LotOutOfRange(divisor, tickE8)
        );
    }

    /// @notice Whether the instrument is a European option.
    function isOption(Instrument calldata instrument) internal pure returns (bool) {
        return instrument.kind >= KIND_CALL;
    }

    /// @notice The quote of an instrument at a time.
    /// @param medians Packed int64, as in a report.
    /// @param nowNs Time of the observation. [ns since 1970]
    function quoteOf(
        bytes calldata medians,
        FeedPlaces calldata places,
        Instrument calldata instrument,
        uint64 nowNs
    ) internal pure returns (Quote memory quote) {
        if (nowNs >= instrument.expiryNs) {
            quote.priceE8 = int256(medianAt(medians, places.index));
            return quote;
        }
        quote.priceE8 = int256(medianAt(medians, places.forward));
        quote.remainingNs = instrument.expiryNs - nowNs;
        if (!isOption(instrument)) return quote;
        // forge-lint: disable-next-line(unsafe-typecast): it is positive.
        quote.logMoneyness =
            FixedPoint.ln(uint256(quote.priceE8)) - FixedPoint.ln(instrument.strikeE8);
        quote.volatilityE8 = Surface.volatility(
            medianAt(medians, places.volatility),
            shapeAt(medians, places),
            quote.logMoneyness,
            quote.remainingNs
        );
    }

    /// @dev The smile of the expiry; without feeds of its own it has no slope.
    function shapeAt(bytes calldata medians, FeedPlaces calldata places)
        private
        pure
        returns (Shape memory shape)
    {
        if (!places.isShaped) return shape;
        return Surface.decode(
            int256(medianAt(medians, places.slope)),
            int256(medianAt(medians, places.tilt)),
            int256(medianAt(medians, places.centre)),
            int256(medianAt(medians, places.width))
        );
    }

    /// @dev A number of the report. [1e-8]
    function medianAt(bytes calldata medians, uint16 feed) private pure returns (uint256) {
        int64 median = Columns.valueAt(medians, feed);
        require(median > 0 && median < PRICE_LIMIT, MedianOutOfRange(feed, median));
        // forge-lint: disable-next-line(unsafe-typecast): it is positive.
        return uint64(median);
    }
}
