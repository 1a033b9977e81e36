// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "./Batch.sol";
import {Step} from "./Trace.sol";

// What a challenger shows. The evidence of a judge with several rules is the number of the rule in
// one byte, then `abi.encode` of the struct that the rule names. Nothing here is believed before it
// is hashed against the header.

/// @notice One step of a batch.
/// @param index Place under `header.traceRoot`, from 0.
/// @param proof Siblings in the list tree, leaf level first.
struct StepOpening {
    Step step;
    uint32 index;
    bytes32[] proof;
}

/// @notice One step of a batch and the one before it.
/// @param index Place of `step` under `header.traceRoot`, from 0.
/// @param previousProof Siblings of `previous`: in the same tree, or, when `index` is 0, at the last
/// place of the batch before; empty before batch 1.
/// @param previousHeader The header of the batch before when `index` is 0 and there is such a
/// batch, else empty.
struct StepPair {
    Step previous;
    Step step;
    uint32 index;
    bytes32[] previousProof;
    bytes32[] proof;
    BatchHeader[] previousHeader;
}

/// @notice The step before a batch and the last one of it.
/// @param beforeProof Of `before`, as in `StepPair` when `index` is 0.
/// @param lastProof Siblings of `last`, at place `stepCount - 1`.
struct TraceBounds {
    Step before;
    bytes32[] beforeProof;
    BatchHeader[] previousHeader;
    Step last;
    bytes32[] lastProof;
}
