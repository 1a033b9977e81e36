// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AssetOpening, InstrumentOpening} from "./ContentEvidence.sol";
import {Epoch} from "./Epoch.sol";
import {StepOpening} from "./Evidence.sol";

/// @dev The totals of a batch; nothing else is opened to demand them.
uint8 constant CONTENT_TOTALS = 1;

/// @dev The epoch in force after a record: `abi.encode(StepOpening)` of the record is opened.
uint8 constant CONTENT_EPOCH = 2;

/// @dev A place under the price, risk or charge root of such an epoch: `abi.encode(ColumnOpening)`
/// is opened.
uint8 constant CONTENT_PRICES = 3;
uint8 constant CONTENT_RISKS = 4;
uint8 constant CONTENT_CHARGES = 5;

/// @notice What must be shown of a batch.
/// @param what One of the contents above.
/// @param place Of a column, its leaf under the root; else zero.
/// @param count Of columns under the root; else zero. Places from there on are empty.
/// @param expected The hash that must be opened, or of a column the root above it.
struct ContentPlace {
    uint8 what;
    uint16 place;
    uint16 count;
    bytes32 expected;
}

/// @notice Which column of a batch is demanded.
/// @param record After which `epoch` is in force.
/// @param place Leaf under the root, empty ones of the padding included.
/// @param last The last instrument of the listing: its underlying is the last one too.
/// @param next The asset that follows it in the listing, which shows that it is the last.
struct ColumnOpening {
    StepOpening record;
    Epoch epoch;
    uint16 place;
    InstrumentOpening last;
    AssetOpening next;
}
