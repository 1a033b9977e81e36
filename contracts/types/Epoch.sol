// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An oracle report: the medians of what a quorum of signers observed.
/// @param round Strictly increasing.
/// @param observedAt Time of the observation. [ns since 1970]
/// @param medians Packed int64, one for each feed in listing order, all positive.
struct Report {
    uint64 round;
    uint64 observedAt;
    bytes medians;
}

/// @notice A span in which no value changes.
/// @param number Counts from 1.
/// @param time Begin of the epoch. [ns since 1970]
/// @param priceRoot List tree over the value columns.
/// @param riskRoot List tree over the risk columns.
/// @param chargeRoot List tree over the collateral column and the charge columns.
struct Epoch {
    uint64 number;
    uint64 time;
    bytes32 reportHash;
    bytes32 priceRoot;
    bytes32 riskRoot;
    bytes32 chargeRoot;
}
