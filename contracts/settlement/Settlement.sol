// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {IProofRouter} from "../interfaces/IProofRouter.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISequencerRegistry} from "../interfaces/ISequencerRegistry.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {BatchHeader, BatchStatus, Output, Totals} from "../types/Batch.sol";
import {ExitSums} from "../types/Checkpoint.sol";
import {MAX_STEPS} from "../types/Trace.sol";
import {SECOND_NS} from "../types/Units.sol";
import {BatchData} from "./BatchData.sol";
import {BatchStore} from "./BatchStore.sol";
import {Conservation} from "./Conservation.sol";
import {Disputes} from "./Disputes.sol";
import {Freezing} from "./Freezing.sol";

/// @title Settlement
contract Settlement is BatchStore, Disputes, Freezing, EIP712 {
    using BitMaps for BitMaps.BitMap;

    uint16 private constant SCHEMA = 2;

    // What they are is said in ISettlement.Config.
    address public immutable vault;
    address public immutable riskParameters;
    address public immutable insuranceFund;
    /// @inheritdoc ISettlement
    address public immutable proofRouter;
    uint64 public immutable maxSkew; // [s]
    uint64 public immutable maxLag; // [s]
    bytes32 public immutable engineHash;

    BitMaps.BitMap private _claimed;

    constructor(Config memory config)
        BatchStore(config)
        Disputes(config)
        Freezing(config)
        EIP712("Plimsoll", "1")
    {
        if (
            config.vault == address(0) || config.riskParameters == address(0)
                || config.insuranceFund == address(0) || config.proofRouter == address(0)
        ) revert ZeroAddress();
        vault = config.vault;
        riskParameters = config.riskParameters;
        insuranceFund = config.insuranceFund;
        proofRouter = config.proofRouter;
        maxSkew = config.maxSkew;
        maxLag = config.maxLag;
        engineHash = config.engineHash;
    }

    /// @inheritdoc ISettlement
    function commit(BatchHeader calldata header, bytes calldata signature, bytes calldata logData)
        external
    {
        // The only use of `tx.origin`: it grants nothing, it keeps the log readable.
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotDirect(msg.sender);
        Chain memory chain = _chain;
        _requireUnfrozen(chain.frozenAt);
        _requireNext(header, chain);
        _requireRules(header);
        BatchData.requirePosted(header, logData);
        _requireTimes(header, chain);
        _requireInbox(header, chain);
        bytes32 batchHash = BatchHash.headerHash(header);
        _requireSequencer(header.sequencerEpoch, batchHash, signature);

        // It is one more than a number of 40 bits, of which there are enough.
        // forge-lint: disable-next-line(unsafe-typecast)
        chain.head = uint40(header.batchNo);
        chain.inboxCursor = header.inboxTo;
        chain.lastTimeEnd = header.timeEnd;
        _chain = chain;
        lastStateRoot = header.stateRoot;
        _hashes[header.batchNo] = batchHash;
        Open storage open = _openOf(header.batchNo);
        uint40 time = _now();
        // What was dropped while challenged is told apart from its successor by this time.
        if (open.challenges != 0 && open.committedAt >= time) time = open.committedAt + 1;
        _open[header.batchNo % (maxOpenBatches + 1)] =
            Open(time, header.timeEnd, header.inboxTo, 0, 0, ProofClass.NONE);

        emit BatchCommitted(header.batchNo, batchHash, header.stateRoot, header.daLength);
    }

    /// @inheritdoc ISettlement
    function prove(BatchHeader calldata header, bytes calldata proof) external {
        bytes32 batchHash = _requireOpen(header);
        Open storage open = _openOf(header.batchNo);
        if (open.proof != ProofClass.NONE) revert AlreadyProven(header.batchNo);
        open.proof = _proven(header, batchHash, proof);
    }

    /// @inheritdoc ISettlement
    function finalise(
        BatchHeader calldata header,
        Totals calldata totals,
        ExitSums calldata sums,
        bytes32 exitRootHash,
        bytes calldata proof
    ) external {
        bytes32 batchHash = _requireOpen(header);
        _requireFinal(header, batchHash, proof);
        uint256 verified = _verified(batchHash);
        if (verified != header.liquidationCount) {
            revert UnverifiedLiquidations(verified, header.liquidationCount);
        }
        uint256 used = ICollateralVault(vault).usedCollaterals(header.inboxTo);
        Conservation.requireTotals(header, totals, used);
        Conservation.requireCheckpoint(header, totals, sums, exitRootHash);

        _makeFinal(header);
        emit BatchFinalized(header.batchNo, batchHash, totals);

        IInsuranceFund(insuranceFund).record(header.batchNo, totals);
    }

    /// @inheritdoc ISettlement
    function claim(
        BatchHeader calldata header,
        Output calldata output,
        uint256 index,
        bytes32[] calldata proof
    ) external {
        BatchStatus status = statusOf(header.batchNo);
        if (status != BatchStatus.FINALIZED) revert NotFinalised(header.batchNo, status);
        _requireCommitted(header);
        bytes32 root = Merkle.listRoot(BatchHash.outputHash(output), index, proof);
        if (root != header.outputRoot) revert WrongOutput(root, header.outputRoot);
        if (isClaimed(output.id)) revert AlreadyClaimed(output.id);

        _claimed.set(output.id);
        emit OutputClaimed(output.id, output.owner, output.account, output.asset, output.amount);

        ICollateralVault(vault).release(output.asset, output.owner, output.amount);
    }

    /// @inheritdoc ISettlement
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc ISettlement
    function isClaimed(uint64 id) public view returns (bool) {
        return _claimed.get(id);
    }

    function _makeFinal(BatchHeader calldata header) private {
        Finality memory finality = _finality;
        finality.cursor = header.inboxTo;
        finality.since = _now();
        // An open batch has a number of 40 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 batchNo = uint40(header.batchNo);
        if (header.checkpointRoot != 0) {
            finality.checkpointNo = batchNo;
            _checkpointRoot = header.checkpointRoot;
        }
        if (batchNo >= finality.repairNo) finality.repairSince = 0;
        _finality = finality;
        _finalStateRoot = header.stateRoot;
        _chain.finalised = batchNo;
    }

    function _proven(BatchHeader calldata header, bytes32 batchHash, bytes calldata proof)
        internal
        virtual
        returns (ProofClass)
    {
        IProofRouter router = IProofRouter(proofRouter);
        router.requireValid(header.proofKind, batchHash, proof);
        bool isValidity = router.isValidity(header.proofKind);
        emit BatchProven(header.batchNo, batchHash, isValidity);
        return isValidity ? ProofClass.VALIDITY : ProofClass.ATTESTED;
    }

    /// @dev The oldest open batch, unchallenged, proven now or before, and its window over.
    function _requireFinal(BatchHeader calldata header, bytes32 batchHash, bytes calldata proof)
        private
    {
        uint64 batchNo = header.batchNo;
        uint64 expected = uint64(_chain.finalised) + 1;
        if (batchNo != expected) revert NotNextToFinalise(batchNo, expected);
        Open storage open = _openOf(batchNo);
        if (open.challenges != 0) revert ChallengeOpen(batchNo);
        ProofClass shown = open.proof;
        if (shown == ProofClass.NONE) shown = _proven(header, batchHash, proof);
        uint256 until = _windowEnd(open, shown);
        // The few seconds that a validator may shift matter little to a challenge window.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp);
    }

    function _requireNext(BatchHeader calldata header, Chain memory chain) internal view virtual {
        if (header.schema != SCHEMA) revert WrongSchema(header.schema);
        uint64 last = chain.head;
        if (header.batchNo != last + 1) revert WrongBatchNumber(header.batchNo, last + 1);
        uint64 open = last - chain.finalised;
        if (open >= maxOpenBatches) revert TooManyOpenBatches(open, maxOpenBatches);
        bytes32 previous = _hashes[last];
        if (header.prevBatchHash != previous) {
            revert WrongPreviousBatch(header.prevBatchHash, previous);
        }
        if (header.prevStateRoot != lastStateRoot) {
            revert WrongPreviousState(header.prevStateRoot, lastStateRoot);
        }
    }

    function _requireRules(BatchHeader calldata header) private view {
        if (!IRiskParameters(riskParameters).isAcceptable(header.paramsHash)) {
            revert WrongParameters(header.paramsHash);
        }
        if (header.engineHash != engineHash) revert WrongEngine(header.engineHash, engineHash);
        if (header.adlRoot != 0) revert ReservedFieldSet();
        if (header.stepCount == 0 || header.stepCount > MAX_STEPS) {
            revert StepCountOutOfRange(header.stepCount, MAX_STEPS);
        }
        bool isOwed = header.inboxTo != header.inboxFrom || header.outputRoot != 0;
        if (isOwed && header.checkpointRoot == 0) revert CheckpointMissing();
    }

    function _requireTimes(BatchHeader calldata header, Chain memory chain) private view {
        if (header.timeStart < chain.lastTimeEnd || header.timeEnd < header.timeStart) {
            revert WrongTimes(header.timeStart, header.timeEnd, chain.lastTimeEnd);
        }
        uint256 latest = (block.timestamp + maxSkew) * SECOND_NS;
        if (header.timeEnd > latest) revert EndsInFuture(header.timeEnd, latest);
        // The few seconds that a validator may shift matter little to this lag.
        // forge-lint: disable-next-line(block-timestamp)
        if (header.timeEnd + maxLag * SECOND_NS < block.timestamp * SECOND_NS) {
            revert EndsInPast(header.timeEnd, (block.timestamp - maxLag) * SECOND_NS);
        }
        bytes32 anchor = blockhash(header.l1BlockNumber);
        if (anchor == 0 || header.l1BlockHash != anchor) {
            revert WrongAnchor(header.l1BlockNumber, header.l1BlockHash, anchor);
        }
    }

    /// @dev The inbox itself refuses a cursor beyond its end.
    function _requireInbox(BatchHeader calldata header, Chain memory chain) internal view virtual {
        if (header.inboxFrom != chain.inboxCursor || header.inboxTo < header.inboxFrom) {
            revert WrongInboxCursor(header.inboxFrom, header.inboxTo, chain.inboxCursor);
        }
        bytes32 prefix = IInbox(inbox).prefixAt(header.inboxTo);
        if (header.inboxPrefixHash != prefix) {
            revert WrongInboxPrefix(header.inboxPrefixHash, prefix);
        }
    }

    /// @dev A sequencer that was replaced has another epoch: whatever it signs is fenced off.
    function _requireSequencer(uint64 givenEpoch, bytes32 batchHash, bytes calldata signature)
        private
        view
    {
        (address sequencer, uint64 epoch, bool isBonded) = ISequencerRegistry(registry).current();
        if (givenEpoch != epoch) revert WrongEpoch(givenEpoch, epoch);
        if (!isBonded) revert BondNotWhole(sequencer);
        (address signer,,) = ECDSA.tryRecoverCalldata(_hashTypedDataV4(batchHash), signature);
        if (signer != sequencer) revert WrongSignature(signer, sequencer);
    }
}
