// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FeedPlaces, Instrument, Observation, Scan} from "../types/Pricing.sol";

/// @title IRiskCells
/// @notice Recomputes any one number of the price and risk columns from an oracle report, bit for
/// bit as the engine computed it, so that a wrong one can be refuted.
/// @dev Nothing here says that report, parameters and instrument are those of an epoch: whoever
/// asks proves that. Numbers are returned wide; a column holds them in 32 or 64 bits.
interface IRiskCells {
    /// @notice Contract whose code is the table of the normal distribution function.
    function normalTable() external view returns (address);

    /// @notice Loss of one long lot in a scenario, rounded up. [USD e-6]
    /// @param observation Prices, and the time at which they were observed.
    /// @param places Where the numbers of the instrument's expiry stand in the observation.
    /// @param scan Grid of the underlying.
    /// @param scenario Below 36, in the order of the risk columns.
    function loss(
        Observation calldata observation,
        FeedPlaces calldata places,
        Scan calldata scan,
        Instrument calldata instrument,
        uint8 scenario
    ) external view returns (int256 lossE6);

    /// @notice Mark price, on the tick, and the value of one long lot at it.
    /// @return markE8 Rounded down. [USD e-8]
    /// @return valueE6 Exact. [USD e-6]
    function lotValue(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 markE8, int256 valueE6);

    /// @notice Cash delta of one long lot, rounded down; zero once an option expired. [USD e-6]
    function delta(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 deltaE6);

    /// @notice Gain of one long lot when volatility rises by one point, rounded down. [USD e-6]
    function vega(
        Observation calldata observation,
        FeedPlaces calldata places,
        Instrument calldata instrument
    ) external view returns (int256 vegaE6);
}
