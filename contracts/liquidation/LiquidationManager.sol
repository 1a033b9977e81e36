// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {ILiquidationManager} from "../interfaces/ILiquidationManager.sol";
import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IOracleUse} from "../interfaces/IOracleUse.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Charges} from "../libraries/Charges.sol";
import {Collateral} from "../libraries/Collateral.sol";
import {Columns} from "../libraries/Columns.sol";
import {LeafHash} from "../libraries/LeafHash.sol";
import {Legs} from "../libraries/Legs.sol";
import {Margin} from "../libraries/Margin.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {AccountLeaf, MODE_PORTFOLIO} from "../types/Account.sol";
import {BatchHeader, BatchStatus} from "../types/Batch.sol";
import {Epoch} from "../types/Epoch.sol";
import {ColumnOpening, Instruction, LiquidationWitness, Terms} from "../types/Liquidation.sol";
import {Action} from "../types/OracleUse.sol";

/// @title LiquidationManager
/// @dev Internal functions are virtual only for tests that break one on purpose.
contract LiquidationManager is ILiquidationManager {
    /// @dev The first 32 bits of a batch's record count what was verified; flags follow.
    uint256 private constant COUNT_BITS = 32;

    ISettlement public immutable settlement;
    IOracleHub public immutable oracleHub;
    IRiskParameters public immutable riskParameters;
    IInsuranceFund public immutable insuranceFund;

    /// @dev Count and flags of a batch share words, so that most verifications write one word.
    mapping(bytes32 batchHash => mapping(uint256 word => uint256)) private _records;

    constructor(
        ISettlement settlement_,
        IOracleHub oracleHub_,
        IRiskParameters riskParameters_,
        IInsuranceFund insuranceFund_
    ) {
        settlement = settlement_;
        oracleHub = oracleHub_;
        riskParameters = riskParameters_;
        insuranceFund = insuranceFund_;
    }

    /// @inheritdoc ILiquidationManager
    function verify(
        BatchHeader calldata header,
        Instruction calldata instruction,
        LiquidationWitness calldata witness
    ) external returns (int256 marginBalanceE6, uint256 maintenanceE6) {
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        _markVerified(header.batchNo, batchHash, witness.index);
        _checkBatch(header.batchNo, batchHash);
        _checkInstruction(header, instruction, witness);
        _checkEpoch(header, instruction, witness);
        _checkAccount(instruction, witness.leaf, witness.accountProof);
        bool hasCharges = _checkColumns(witness.epoch, witness.columns, witness.leaf.mode);
        _checkCollateral(witness);
        _checkCurves(header.paramsHash, witness.curves, hasCharges);

        Terms memory terms = riskParameters.termsOf(header.paramsHash);
        (marginBalanceE6, maintenanceE6) = _checkMargin(instruction, witness, terms);

        uint64 paidE6 =
            insuranceFund.payKeeper(header.batchNo, batchHash, msg.sender, terms.keeperFeeE6);
        emit LiquidationVerified(
            header.batchNo,
            witness.index,
            instruction.account,
            instruction.tier,
            msg.sender,
            marginBalanceE6,
            maintenanceE6,
            paidE6
        );
    }

    /// @inheritdoc ILiquidationManager
    function verifiedCount(bytes32 batchHash) external view returns (uint32) {
        return uint32(_records[batchHash][0]);
    }

    /// @inheritdoc ILiquidationManager
    function isVerified(bytes32 batchHash, uint32 index) external view returns (bool) {
        (uint256 word, uint256 flag) = _place(index);
        return _records[batchHash][word] & flag != 0;
    }

    /// @dev First, so that a keeper who came second loses little.
    function _markVerified(uint64 batchNo, bytes32 batchHash, uint32 index) private {
        (uint256 word, uint256 flag) = _place(index);
        mapping(uint256 => uint256) storage records = _records[batchHash];
        uint256 flags = records[word];
        require(flags & flag == 0, AlreadyVerified(batchNo, index));
        // The count cannot spill into the flags: an index is marked once, and indices fit 32 bits.
        if (word == 0) {
            records[0] = (flags | flag) + 1;
        } else {
            records[word] = flags | flag;
            records[0] += 1;
        }
    }

    function _checkBatch(uint64 batchNo, bytes32 actual) private view {
        (BatchStatus status, bytes32 expected) = settlement.batchOf(batchNo);
        bool isOpen = status == BatchStatus.COMMITTED || status == BatchStatus.PROVEN
            || status == BatchStatus.CHALLENGED;
        require(isOpen, BatchNotOpen(batchNo, status));
        require(actual == expected, HeaderMismatch(batchNo, expected, actual));
    }

    function _checkInstruction(
        BatchHeader calldata header,
        Instruction calldata instruction,
        LiquidationWitness calldata witness
    ) private pure {
        require(
            witness.index < header.liquidationCount,
            IndexBeyondCount(witness.index, header.liquidationCount)
        );
        bytes32 root = Merkle.listRoot(
            LeafHash.instruction(instruction), witness.index, witness.instructionProof
        );
        require(root == header.liquidationRoot, InstructionNotInBatch(header.liquidationRoot, root));
    }

    function _checkEpoch(
        BatchHeader calldata header,
        Instruction calldata instruction,
        LiquidationWitness calldata witness
    ) internal view virtual {
        bytes32 epochHash = LeafHash.epoch(witness.epoch);
        require(epochHash == instruction.epochHash, EpochMismatch(instruction.epochHash, epochHash));
        bytes32 root = Merkle.listRoot(epochHash, witness.epochIndex, witness.epochProof);
        require(root == header.epochRoot, EpochNotInBatch(header.epochRoot, root));
        _checkReport(witness.epoch.reportHash);
    }

    /// @dev L-5. One call when all is well.
    function _checkReport(bytes32 reportHash) private view {
        IOracleUse use = IOracleUse(address(oracleHub));
        if (use.isUsableReport(reportHash, Action.LIQUIDATE)) return;
        require(oracleHub.acceptedAt(reportHash) != 0, ReportNotAccepted(reportHash));
        revert ReportInGrace(reportHash);
    }

    function _checkAccount(
        Instruction calldata instruction,
        AccountLeaf calldata leaf,
        bytes32[] calldata proof
    ) private pure {
        bytes32 leafHash = LeafHash.account(leaf);
        require(leafHash == instruction.leafHash, LeafMismatch(instruction.leafHash, leafHash));
        bytes32 root = Merkle.accountRoot(leafHash, instruction.account, proof);
        require(
            root == instruction.accountRoot,
            AccountNotInTree(instruction.account, instruction.accountRoot, root)
        );
    }

    /// @dev Tells whether any charges are opened.
    function _checkColumns(Epoch calldata epoch, ColumnOpening[] calldata columns, uint8 mode)
        private
        pure
        returns (bool hasCharges)
    {
        for (uint256 c = 0; c < columns.length; ++c) {
            ColumnOpening calldata column = columns[c];
            uint8 u = column.underlying;
            bytes32 root = Merkle.listRoot(
                Columns.hash(u, Columns.VALUES, column.values),
                Columns.valueIndex(u),
                column.valueProof
            );
            require(root == epoch.priceRoot, ValueColumnNotInEpoch(u, epoch.priceRoot, root));
            if (mode == MODE_PORTFOLIO) _checkLosses(epoch.riskRoot, column);
            else _refuseLosses(column);
            if (Margin.isOpened(column)) {
                hasCharges = true;
                _checkCharges(epoch.chargeRoot, column);
            }
        }
    }

    function _checkLosses(bytes32 riskRoot, ColumnOpening calldata column) private pure {
        uint8 u = column.underlying;
        uint8 s = column.scenario;
        bytes32 root = Merkle.listRoot(
            Columns.hash(u, s, column.losses), Columns.riskIndex(u, s), column.lossProof
        );
        require(root == riskRoot, RiskColumnNotInEpoch(u, s, riskRoot, root));
    }

    /// @dev What would be ignored must not be given: a witness says nothing that nobody checks.
    function _refuseLosses(ColumnOpening calldata column) private pure {
        require(
            column.scenario == 0 && column.losses.length == 0 && column.lossProof.length == 0,
            RiskColumnOpened(column.underlying)
        );
    }

    function _checkCharges(bytes32 chargeRoot, ColumnOpening calldata column) private pure {
        uint8 u = column.underlying;
        bytes32 root = Merkle.listRoot(
            Columns.hash(u, Charges.KIND, column.charges), Charges.index(u), column.chargeProof
        );
        require(root == chargeRoot, ChargeColumnNotInEpoch(u, chargeRoot, root));
    }

    function _checkCollateral(LiquidationWitness calldata witness) private pure {
        if (!Collateral.isHeld(witness.leaf.collateralE8)) {
            require(
                witness.collateral.length == 0 && witness.collateralProof.length == 0,
                CollateralNotHeld()
            );
            return;
        }
        bytes32 root = Merkle.listRoot(
            Columns.hash(Collateral.UNDERLYING, Collateral.KIND, witness.collateral),
            Collateral.INDEX,
            witness.collateralProof
        );
        bytes32 chargeRoot = witness.epoch.chargeRoot;
        require(root == chargeRoot, CollateralColumnNotInEpoch(chargeRoot, root));
    }

    function _checkCurves(bytes32 paramsHash, bytes calldata curves, bool hasCharges) private view {
        if (!hasCharges) {
            require(curves.length == 0, CurvesNotNeeded());
            return;
        }
        bytes32 expected = riskParameters.curvesHashOf(paramsHash);
        bytes32 actual = keccak256(curves);
        require(actual == expected, CurvesMismatch(expected, actual));
    }

    function _checkMargin(
        Instruction calldata instruction,
        LiquidationWitness calldata witness,
        Terms memory terms
    ) internal pure virtual returns (int256 marginBalanceE6, uint256 maintenanceE6) {
        uint32 triggerE6 = Legs.triggerOf(instruction.tier, terms);
        (marginBalanceE6, maintenanceE6) = Margin.ofAccount(
            witness.leaf, witness.columns, witness.collateral, witness.curves, terms
        );
        require(
            Margin.isBelow(marginBalanceE6, maintenanceE6, triggerE6),
            NotLiquidatable(marginBalanceE6, maintenanceE6, triggerE6)
        );
        Legs.check(instruction.tier, instruction.legs, witness.leaf.positions, terms.partialCapE6);
    }

    function _place(uint32 index) private pure returns (uint256 word, uint256 flag) {
        uint256 bit = COUNT_BITS + index;
        return (bit >> 8, 1 << (bit & 0xff));
    }
}
