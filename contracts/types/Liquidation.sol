// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountLeaf} from "./Account.sol";
import {Epoch} from "./Epoch.sol";

uint8 constant TIER_PARTIAL = 1;
uint8 constant TIER_FULL = 2;

/// @notice What the contracts need of the parameter set; one storage slot.
/// @param mmFactorE6 Portfolio maintenance margin as a share of what may be lost. [1e-6]
/// @param partialTriggerE6 Margin ratio below which a partial liquidation is right. [1e-6]
/// @param fullTriggerE6 Margin ratio below which a full liquidation is right. [1e-6]
/// @param partialCapE6 Largest share of a position that one partial step closes. [1e-6]
/// @param offsetE6 Share of a gain in one underlying that pays for a loss in another. [1e-6]
/// @param breakdownE6 Share of the sum of the worst losses that is required at least. [1e-6]
/// @param keeperFeeE6 Paid for each verified instruction. [USD e-6]
/// @param offsetCapUsd The most that gains pay for. [USD]
struct Terms {
    uint32 mmFactorE6;
    uint32 partialTriggerE6;
    uint32 fullTriggerE6;
    uint32 partialCapE6;
    uint32 offsetE6;
    uint32 breakdownE6;
    uint32 keeperFeeE6;
    uint32 offsetCapUsd;
}

/// @notice One order of a liquidation.
/// @param lots Signed change, against the position. [lots]
/// @param limitPriceE8 Worst price. [USD e-8]
struct Leg {
    uint16 instrument;
    int32 lots;
    uint64 limitPriceE8;
}

/// @notice What the engine did to one account in one step.
/// @param id Sequence number of the command.
/// @param tier 1 partial, 2 full.
/// @param accountRoot Account tree just before the step.
/// @param leafHash Leaf of the account just before the step.
/// @param legs Ascending by instrument.
struct Instruction {
    uint64 id;
    uint32 account;
    uint8 tier;
    bytes32 accountRoot;
    bytes32 leafHash;
    bytes32 epochHash;
    Leg[] legs;
}

/// @notice The columns of one underlying that a witness opens.
/// @param scenario The witness scenario, of the prover's choice; zero unless in portfolio mode.
/// @param values Packed int64: value of one long lot in each slot. [USD e-6]
/// @param losses Packed int32: loss of one long lot in the scenario, in each slot; empty unless in
/// portfolio mode. [USD e-6]
/// @param charges Packed rows of `Charges`, one for each slot. Empty, with an empty proof, when the
/// requirement is enough without them.
struct ColumnOpening {
    uint8 underlying;
    uint8 scenario;
    bytes values;
    bytes losses;
    bytes32[] valueProof;
    bytes32[] lossProof;
    bytes charges;
    bytes32[] chargeProof;
}

/// @notice Everything that connects an instruction to the batch that carries it.
/// @param index Place of the instruction under the batch's `liquidationRoot`.
/// @param epochIndex Place of the epoch under the batch's `epochRoot`.
/// @param leaf The account just before the step.
/// @param columns One opening for each underlying held, ascending by underlying.
/// @param collateral The collateral column; empty when the account holds no collateral.
/// @param curves The tier curves of the parameter set; empty when no charges are opened.
struct LiquidationWitness {
    uint32 index;
    bytes32[] instructionProof;
    Epoch epoch;
    uint32 epochIndex;
    bytes32[] epochProof;
    AccountLeaf leaf;
    bytes32[] accountProof;
    ColumnOpening[] columns;
    bytes collateral;
    bytes32[] collateralProof;
    bytes curves;
}
