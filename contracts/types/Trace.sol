// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What follows from one record of a batch, so that it can be disputed alone.
/// @param frameHash keccak256 of the record's frame.
/// @param effectsHash keccak256 of its effect words.
/// @param tip Chain hash of the input log after it.
/// @param accountRoot Account tree after it.
/// @param epochHash Price epoch in force after it; zero before the first.
/// @param bookHash Hash of the `Book` after it.
/// @param inboxCursor Entries consumed since genesis.
/// @param outputs Outputs put out since genesis.
/// @param liquidations Instructions of this batch so far.
/// @param dataEnd Bytes of the batch's frames so far.
struct Step {
    bytes32 frameHash;
    bytes32 effectsHash;
    bytes32 tip;
    bytes32 accountRoot;
    bytes32 epochHash;
    bytes32 bookHash;
    uint64 inboxCursor;
    uint64 outputs;
    uint32 liquidations;
    uint32 dataEnd;
}

/// @notice Running sums of the venue since genesis.
/// @param deposited By asset, cash first. [engine units]
/// @param withdrawn By asset, cash first. [engine units]
struct Book {
    uint128[] deposited;
    uint128[] withdrawn;
    uint128 contributedE6; // into the insurance fund [USD e-6]
    uint128 drawnE6; // out of it [USD e-6]
    uint128 shortfallE6; // what it could not pay [USD e-6]
    uint32 accounts;
    uint32 liquidations;
}

/// @dev Records of one batch: `DataJudge` derives them all from the posted data in one transaction.
uint32 constant MAX_STEPS = 2048;

uint8 constant EFFECT_OPEN = 1;
uint8 constant EFFECT_CASH = 2;
uint8 constant EFFECT_COLLATERAL = 3;
uint8 constant EFFECT_TRADE = 4;
uint8 constant EFFECT_MODE = 5;
uint8 constant EFFECT_OUTPUT = 6;
uint8 constant EFFECT_NOOP = 7;
uint8 constant EFFECT_LIQUIDATION = 8;
uint8 constant EFFECT_SETTLE = 9;
uint8 constant EFFECT_SHORTFALL = 10;
uint8 constant EFFECT_ASSETS = 11;

// Why cash moved: the place of a CASH effect.
uint16 constant CASH_DEPOSIT = 1;
uint16 constant CASH_TRADING_FEE = 2;
uint16 constant CASH_PENALTY = 3;
uint16 constant CASH_DEFICIT = 4;
uint16 constant CASH_SALE = 5;
