// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchStatus} from "../types/Batch.sol";
import {Instruction, LiquidationWitness} from "../types/Liquidation.sol";

/// @title ILiquidationManager
/// @notice Recomputes the margin of a liquidated account from what a witness opens.
/// @dev A batch cannot be finalised before each of its liquidations was verified here. Anyone may
/// verify, and is paid for it. Errors of `Merkle`, `Columns`, `Charges`, `Collateral`, `Curves`,
/// `Margin` and `Legs` come through.
interface ILiquidationManager {
    /// @notice The instruction was verified before.
    error AlreadyVerified(uint64 batchNo, uint32 index);

    /// @notice Only a batch that is committed, proven or challenged is verified.
    error BatchNotOpen(uint64 batchNo, BatchStatus status);

    /// @notice The header is not the one that was committed.
    error HeaderMismatch(uint64 batchNo, bytes32 expected, bytes32 actual);

    /// @notice The batch has fewer instructions.
    error IndexBeyondCount(uint32 index, uint32 count);

    /// @notice The instruction is not in the batch at this place.
    error InstructionNotInBatch(bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The epoch is not the one that the instruction names.
    error EpochMismatch(bytes32 expected, bytes32 actual);

    /// @notice The epoch is not in the batch at this place.
    error EpochNotInBatch(bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The oracle hub never accepted the report of the epoch.
    error ReportNotAccepted(bytes32 reportHash);

    /// @notice The hub accepted the report of the epoch, but so soon after an outage that nobody may be
    /// liquidated by it, as far as the hub was shown: an earlier report, late, may show more.
    error ReportInGrace(bytes32 reportHash);

    /// @notice The leaf is not the one that the instruction names.
    error LeafMismatch(bytes32 expected, bytes32 actual);

    /// @notice The leaf is not in the account tree at the account's place.
    error AccountNotInTree(uint32 account, bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The value column is not under the epoch's price root.
    error ValueColumnNotInEpoch(uint8 underlying, bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The risk column is not under the epoch's risk root.
    error RiskColumnNotInEpoch(
        uint8 underlying, uint8 scenario, bytes32 expectedRoot, bytes32 actualRoot
    );

    /// @notice An isolated or cross account has no witness scenario.
    error RiskColumnOpened(uint8 underlying);

    /// @notice The charge column is not under the epoch's charge root.
    error ChargeColumnNotInEpoch(uint8 underlying, bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The collateral column is missing, or not under the epoch's charge root.
    error CollateralColumnNotInEpoch(bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice The account holds no collateral, so that no column prices it.
    error CollateralNotHeld();

    /// @notice The tier curves are not those of the batch's parameter set.
    error CurvesMismatch(bytes32 expected, bytes32 actual);

    /// @notice Without charges there is nothing for curves to charge.
    error CurvesNotNeeded();

    /// @notice The margin ratio is not below the trigger of the tier. [USD e-6]
    error NotLiquidatable(int256 marginBalanceE6, uint256 maintenanceE6, uint32 triggerE6);

    /// @param marginBalanceE6 Recomputed, after haircuts. [USD e-6]
    /// @param maintenanceE6 Recomputed from what was opened. [USD e-6]
    /// @param paidE6 Credited to the keeper. [USD e-6]
    event LiquidationVerified(
        uint64 indexed batchNo,
        uint32 indexed index,
        uint32 indexed account,
        uint8 tier,
        address keeper,
        int256 marginBalanceE6,
        uint256 maintenanceE6,
        uint64 paidE6
    );

    /// @notice Verifies one instruction of an open batch and pays the caller.
    /// @return marginBalanceE6 Recomputed, after haircuts. [USD e-6]
    /// @return maintenanceE6 Recomputed from what was opened. [USD e-6]
    function verify(
        BatchHeader calldata header,
        Instruction calldata instruction,
        LiquidationWitness calldata witness
    ) external returns (int256 marginBalanceE6, uint256 maintenanceE6);

    /// @notice How many instructions of a batch were verified.
    /// @dev By hash: what was verified of a reverted batch does not count for its replacement.
    function verifiedCount(bytes32 batchHash) external view returns (uint32);

    /// @notice Whether one instruction of a batch was verified.
    function isVerified(bytes32 batchHash, uint32 index) external view returns (bool);
}
