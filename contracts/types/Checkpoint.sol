// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What one account is owed at a checkpoint.
/// @param equityE6 Cash and open profit less loss, if positive. [USD e-6]
/// @param owedE6 The same, if negative, before collateral. [USD e-6]
/// @param debtE6 What collateral did not cover of it. [USD e-6]
/// @param collateralE8 By asset from 1, less what covers the debt. [token e-8]
struct ExitLeaf {
    uint32 account;
    address owner;
    uint8 subaccount;
    uint128 equityE6;
    uint128 owedE6;
    uint128 debtE6;
    uint128[] collateralE8;
}

/// @notice Sums over all leaves of a checkpoint, in the units of the leaf.
struct ExitSums {
    uint128 equityE6;
    uint128 owedE6;
    uint128 debtE6;
    uint128[] collateralE8;
}
