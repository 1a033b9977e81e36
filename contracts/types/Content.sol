// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InstrumentOpening} from "./ContentEvidence.sol";
import {Epoch} from "./Epoch.sol";
import {StepOpening} from "./Evidence.sol";

/// @dev The totals of a batch; nothing else is opened to demand them.
uint8 constant CONTENT_TOTALS = 1;

/// @dev The epoch in force after a record: `abi.encode(StepOpening)` of the record is opened.
uint8 constant CONTENT_EPOCH = 2;

/// @dev A column of such an epoch: `abi.encode(ColumnOpening)` is opened.
uint8 constant CONTENT_COLUMN = 3;

/// @notice What must be shown of a batch.
/// @param what One of the contents above.
/// @param place Zero, or of a column `underlying << 8 | kind`, kinds as in its hash.
/// @param expected The hash that must be opened, or of a column the root above it.
struct ContentPlace {
    uint8 what;
    uint16 place;
    bytes32 expected;
}

/// @notice Which column of a batch is demanded.
/// @param record After which `epoch` is in force.
/// @param kind The scenario, 255 values, 254 charges, 253 collateral, 252 funding.
/// @param instrument Any listed one of the underlying; else anything for the collateral.
struct ColumnOpening {
    StepOpening record;
    Epoch epoch;
    uint8 kind;
    InstrumentOpening instrument;
}
