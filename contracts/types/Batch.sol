// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Where the posted data of a batch is: `BatchHeader.daKind`.
uint8 constant DATA_CALLDATA = 0;
uint8 constant DATA_BLOBS = 1;

/// @dev 4,096 field elements, of 31 bytes of data each: the first byte stays zero, so that every
/// element is below the modulus.
uint256 constant BLOB_BYTES = 4096 * 31;

/// @dev `DataJudge` must be able to derive all of it again in one transaction.
uint256 constant MAX_BLOBS = 2;

/// @notice Where a batch is in its life.
/// @dev A batch that was reverted leaves its number to the next one.
enum BatchStatus {
    NONE,
    COMMITTED,
    PROVEN,
    CHALLENGED,
    FINALIZED,
    REVERTED
}

/// @notice All that a batch asserts. What is not under its hash does not exist.
/// @dev Field names and order are those of the EIP-712 type in docs/COMMITMENTS.md.
struct BatchHeader {
    uint16 schema;
    uint64 batchNo; // from 1
    bytes32 prevBatchHash; // zero for batch 1
    bytes32 prevStateRoot; // zero for batch 1
    bytes32 stateRoot;
    bytes32 checkpointRoot; // zero when the batch has none
    bytes32 inputLogHash;
    bytes32 traceRoot;
    uint32 stepCount; // records of the batch
    bytes32 daHash;
    uint32 daLength; // [bytes]
    uint8 daKind; // 0 calldata, 1 blobs
    bytes32 outputRoot;
    bytes32 liquidationRoot;
    uint32 liquidationCount;
    bytes32 adlRoot; // zero in schema 2
    uint64 inboxFrom; // entries inboxFrom + 1 .. inboxTo are consumed
    uint64 inboxTo;
    bytes32 inboxPrefixHash;
    bytes32 epochRoot;
    bytes32 priceRoot;
    bytes32 riskRoot;
    bytes32 paramsHash;
    bytes32 engineHash;
    uint64 l1BlockNumber; // a recent block that holds every entry consumed
    bytes32 l1BlockHash;
    uint64 timeStart; // [ns since 1970]
    uint64 timeEnd; // [ns since 1970]
    bytes32 totalsHash;
    uint64 sequencerEpoch;
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
