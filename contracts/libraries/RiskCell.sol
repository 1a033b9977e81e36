// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instrument, KIND_CALL, Quote, Scan, Scenario} from "../types/Pricing.sol";
import {Black76} from "./Black76.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Normal} from "./Normal.sol";
import {Quotes} from "./Quotes.sol";
import {Rounding} from "./Rounding.sol";
import {Scenarios} from "./Scenarios.sol";
import {Volatility} from "./Volatility.sol";

/// @title RiskCell
/// @notice One number of the risk arrays computed alone, equal on every bit to
/// `offchain.pricing.risk_array`.
/// @dev The instrument has passed `Quotes.check` and the quote comes from `Quotes.quoteOf`: prices
/// and strikes are below 2**46, volatilities at most 10 and times below 2**64. Moves are at most 9,
/// so shocked prices are below 2**50. The largest products are of a price and a probability, below
/// 2**113, and of a shocked volatility and a root of time, below 2**192.
library RiskCell {
    int256 private constant ONE = 1e6;

    /// @dev ln 1e6. [2**-56]
    int256 private constant LN_ONE_E6 = 995_512_451_212_496_930;

    /// @dev One point of volatility. [1e-8]
    uint256 private constant POINT_E8 = 1e6;

    /// @notice What all values of an option in one report share.
    /// @param root sqrt(T). [2**-58]
    struct Option {
        int256 strikeE8;
        bool isCall;
        uint256 root;
        address table;
    }

    /// @notice Loss of one long lot in a scenario, rounded up. [USD e-6]
    /// @dev ceil(weight x (value now - value in the scenario) / (1e6 x lot divisor)), both values
    /// before rounding to the tick. [USD e-8]
    function loss(
        Scan calldata scan,
        Instrument calldata instrument,
        Quote memory quote,
        uint8 scenario,
        address table
    ) internal view returns (int256 lossE6) {
        Scenario memory stress = Scenarios.scenarioOf(scan, scenario);
        int256 movedE8 = Rounding.floorDiv(quote.priceE8 * (ONE + stress.moveE6), ONE);
        int256 fallE8 = quote.priceE8 - movedE8;
        if (Quotes.isOption(instrument)) {
            Option memory option = optionOf(instrument, quote, table);
            fallE8 = valueNow(option, quote);
            uint256 volatilityE8 = Volatility.shocked(scan, stress.shock, quote);
            int256 logMoneyness = quote.logMoneyness + logOfMove(stress.moveE6);
            fallE8 -= valueAt(option, movedE8, logMoneyness, volatilityE8);
        }
        int256 divisor = ONE * int256(uint256(instrument.lotDivisor));
        return Rounding.ceilDiv(stress.weightE6 * fallE8, divisor);
    }

    /// @notice Value of one unit before any rounding to the tick. [USD e-8]
    function fairValue(Instrument calldata instrument, Quote memory quote, address table)
        internal
        view
        returns (int256 valueE8)
    {
        if (!Quotes.isOption(instrument)) return quote.priceE8;
        return valueNow(optionOf(instrument, quote, table), quote);
    }

    /// @notice Mark, on the tick, and the value of one long lot at it, exactly.
    function lotValue(Instrument calldata instrument, Quote memory quote, address table)
        internal
        view
        returns (int256 markE8, int256 valueE6)
    {
        int256 tickE8 = int256(uint256(instrument.tickE8));
        markE8 = Rounding.floorDiv(fairValue(instrument, quote, table), tickE8) * tickE8;
        valueE6 = markE8 / int256(uint256(instrument.lotDivisor));
    }

    /// @notice Cash delta of one long lot, rounded down; zero once an option expired. [USD e-6]
    /// @dev A future that has expired follows the index until it is settled.
    function delta(Instrument calldata instrument, Quote memory quote, address table)
        internal
        view
        returns (int256 deltaE6)
    {
        int256 divisor = int256(uint256(instrument.lotDivisor));
        if (!Quotes.isOption(instrument)) return Rounding.floorDiv(quote.priceE8, divisor);
        if (quote.remainingNs == 0) return 0;
        Option memory option = optionOf(instrument, quote, table);
        uint256 totalVol = Black76.totalVolatilityFrom(quote.volatilityE8, option.root);
        int256 deltaQ62 = Black76.delta(
            quote.priceE8, option.strikeE8, quote.logMoneyness, totalVol, option.isCall, table
        );
        return Rounding.floorDiv(deltaQ62 * quote.priceE8, divisor << Normal.PROBABILITY_BITS);
    }

    /// @notice Gain of one long lot when volatility rises by a point, rounded down. [USD e-6]
    /// @dev Zero for linear instruments and for what has expired.
    function vega(Instrument calldata instrument, Quote memory quote, address table)
        internal
        view
        returns (int256 vegaE6)
    {
        if (!Quotes.isOption(instrument) || quote.remainingNs == 0) return 0;
        Option memory option = optionOf(instrument, quote, table);
        int256 riseE8 =
            valueAt(option, quote.priceE8, quote.logMoneyness, quote.volatilityE8 + POINT_E8);
        riseE8 -= valueNow(option, quote);
        return Rounding.floorDiv(riseE8, int256(uint256(instrument.lotDivisor)));
    }

    /// @notice ln(1e6 + move) - ln(1e6), each rounded down. [2**-56]
    /// @param moveE6 Above -1. [1e-6]
    function logOfMove(int256 moveE6) internal pure returns (int256) {
        if (moveE6 == 0) return 0;
        // forge-lint: disable-next-line(unsafe-typecast): it is positive.
        return FixedPoint.ln(uint256(ONE + moveE6)) - LN_ONE_E6;
    }

    /// @dev Everything about an option that no scenario changes.
    function optionOf(Instrument calldata instrument, Quote memory quote, address table)
        private
        pure
        returns (Option memory)
    {
        return Option(
            int256(uint256(instrument.strikeE8)),
            instrument.kind == KIND_CALL,
            Black76.rootOfTime(quote.remainingNs),
            table
        );
    }

    /// @dev Value of an option before anything moves. [USD e-8]
    function valueNow(Option memory option, Quote memory quote) private view returns (int256) {
        return valueAt(option, quote.priceE8, quote.logMoneyness, quote.volatilityE8);
    }

    /// @dev Value of an option on a forward. [USD e-8]
    function valueAt(
        Option memory option,
        int256 forwardE8,
        int256 logMoneyness,
        uint256 volatilityE8
    ) private view returns (int256) {
        return Black76.price(
            forwardE8,
            option.strikeE8,
            logMoneyness,
            Black76.totalVolatilityFrom(volatilityE8, option.root),
            option.isCall,
            option.table
        );
    }
}
