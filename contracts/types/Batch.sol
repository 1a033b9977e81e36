// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a batch is in its life.
enum BatchStatus {
    NONE,
    COMMITTED,
    FINALIZED
}

/// @notice All that a batch asserts. What is not under its hash does not exist.
/// @dev Field names and order are those of the EIP-712 type in docs/COMMITMENTS.md.
struct BatchHeader {
    uint16 schema;
    uint64 batchNo; // from 1
    bytes32 prevBatchHash; // zero for batch 1
    bytes32 prevStateRoot; // zero for batch 1
    bytes32 stateRoot;
    bytes32 checkpointRoot; // zero in schema 1
    bytes32 inputLogHash;
    bytes32 daHash;
    uint32 daLength; // [bytes]
    uint8 daKind; // 0 calldata
    bytes32 outputRoot;
    bytes32 liquidationRoot;
    uint32 liquidationCount;
    bytes32 adlRoot; // zero in schema 1
    uint64 inboxFrom; // entries inboxFrom + 1 .. inboxTo are consumed
    uint64 inboxTo;
    bytes32 inboxPrefixHash;
    bytes32 epochRoot;
    bytes32 priceRoot;
    bytes32 riskRoot;
    bytes32 paramsHash;
    bytes32 engineHash;
    uint64 l1BlockNumber; // zero in schema 1
    bytes32 l1BlockHash; // zero in schema 1
    uint64 timeStart; // [ns since 1970]
    uint64 timeEnd; // [ns since 1970]
    bytes32 totalsHash;
    uint8 proofKind; // 0 attested
}

/// @notice Sums over the whole book at the end of a batch.
struct Totals {
    int128 netCashE6; // sum over accounts of cash - cost [USD e-6]
    uint128[] collateralE8; // sum over accounts of asset 1, 2, .. [1e-8]
    uint128 depositedCash; // since genesis [token units]
    uint128[] depositedCollateral; // of asset 1, 2, .. since genesis [token units]
    uint128 withdrawnCash; // since genesis [token units]
    uint128[] withdrawnCollateral; // of asset 1, 2, .. since genesis [token units]
    int128 insuranceE6; // cash of account 0 [USD e-6]
    uint128 contributedE6; // into the fund since genesis [USD e-6]
    uint128 drawnE6; // out of the fund since genesis [USD e-6]
    uint128 shortfallE6; // what the fund could not pay, since genesis [USD e-6]
    uint32 accounts;
    uint32 belowMaintenance;
    uint32 liquidations; // since genesis
}

/// @notice One payment that a finalised batch releases from the vault.
struct Output {
    uint64 id; // from 1, unique for ever
    uint32 account;
    address owner;
    uint8 asset;
    uint128 amount; // [token units]
}
