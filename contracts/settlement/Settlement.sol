// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {ICollateralVault} from "../interfaces/ICollateralVault.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IInsuranceFund} from "../interfaces/IInsuranceFund.sol";
import {ILiquidationManager} from "../interfaces/ILiquidationManager.sol";
import {IProofRouter} from "../interfaces/IProofRouter.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {BatchHeader, BatchStatus, Output, Totals} from "../types/Batch.sol";
import {SECOND_NS} from "../types/Units.sol";

/// @title Settlement
contract Settlement is ISettlement, EIP712 {
    using BitMaps for BitMaps.BitMap;

    /// @dev One slot: what a commit compares with and moves forward.
    struct Chain {
        uint64 head;
        uint64 finalised;
        uint64 inboxCursor;
        uint64 lastTimeEnd; // [ns since 1970]
    }

    struct Batch {
        bytes32 hash;
        uint64 committedAt; // [s since 1970]
    }

    uint16 private constant SCHEMA = 1;
    uint8 private constant CALLDATA = 0;

    // What they are is said in ISettlement.Config.
    address public immutable vault;
    address public immutable inbox;
    address public immutable liquidationManager;
    address public immutable riskParameters;
    address public immutable insuranceFund;
    address public immutable proofRouter;
    address public immutable sequencer;
    uint64 public immutable challengeWindow; // [s]
    uint64 public immutable maxOpenBatches;
    uint64 public immutable maxSkew; // [s]
    bytes32 public immutable engineHash;

    /// @inheritdoc ISettlement
    bytes32 public lastStateRoot;
    Chain private _chain;
    mapping(uint64 batchNo => Batch) private _batches;
    BitMaps.BitMap private _claimed;

    constructor(Config memory config) EIP712("Plimsoll", "1") {
        if (
            config.vault == address(0) || config.inbox == address(0)
                || config.liquidationManager == address(0) || config.riskParameters == address(0)
                || config.insuranceFund == address(0) || config.proofRouter == address(0)
                || config.sequencer == address(0)
        ) revert ZeroAddress();
        if (config.maxOpenBatches == 0) revert ZeroOpenBatches();
        vault = config.vault;
        inbox = config.inbox;
        liquidationManager = config.liquidationManager;
        riskParameters = config.riskParameters;
        insuranceFund = config.insuranceFund;
        proofRouter = config.proofRouter;
        sequencer = config.sequencer;
        challengeWindow = config.challengeWindow;
        maxOpenBatches = config.maxOpenBatches;
        maxSkew = config.maxSkew;
        engineHash = config.engineHash;
    }

    /// @inheritdoc ISettlement
    function commit(BatchHeader calldata header, bytes calldata signature, bytes calldata logData)
        external
    {
        // The only use of `tx.origin`: it grants nothing, it keeps the log readable.
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotDirect(msg.sender);
        Chain memory chain = _chain;
        _requireNext(header, chain);
        _requireRules(header);
        _requireData(header, logData);
        _requireTimes(header, chain);
        _requireInbox(header, chain);
        bytes32 batchHash = BatchHash.headerHash(header);
        _requireSigned(batchHash, signature);

        chain.head = header.batchNo;
        chain.inboxCursor = header.inboxTo;
        chain.lastTimeEnd = header.timeEnd;
        _chain = chain;
        lastStateRoot = header.stateRoot;
        _batches[header.batchNo] = Batch(batchHash, uint64(block.timestamp));

        emit BatchCommitted(header.batchNo, batchHash, header.stateRoot, header.daLength);
    }

    /// @inheritdoc ISettlement
    function finalise(BatchHeader calldata header, Totals calldata totals, bytes calldata proof)
        external
    {
        uint64 batchNo = header.batchNo;
        BatchStatus status = statusOf(batchNo);
        if (status != BatchStatus.COMMITTED) revert NotCommitted(batchNo, status);
        uint64 expected = _chain.finalised + 1;
        if (batchNo != expected) revert NotNextToFinalise(batchNo, expected);
        bytes32 batchHash = _requireCommitted(header);
        uint256 until = uint256(_batches[batchNo].committedAt) + challengeWindow;
        // The few seconds that a validator may shift matter little to a challenge window.
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp);
        _requireLiquidations(header);
        _requireTotals(header, totals);
        IProofRouter(proofRouter).requireValid(header.proofKind, batchHash, proof);

        _chain.finalised = batchNo;
        emit BatchFinalized(batchNo, batchHash, totals);

        IInsuranceFund(insuranceFund).record(batchNo, totals);
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
    function batchHashOf(uint64 batchNo) external view returns (bytes32) {
        return _batches[batchNo].hash;
    }

    /// @inheritdoc ISettlement
    function batchOf(uint64 batchNo) external view returns (BatchStatus, bytes32) {
        return (statusOf(batchNo), _batches[batchNo].hash);
    }

    /// @inheritdoc ISettlement
    function committedAt(uint64 batchNo) external view returns (uint64) {
        return _batches[batchNo].committedAt;
    }

    /// @inheritdoc ISettlement
    function head() external view returns (uint64) {
        return _chain.head;
    }

    /// @inheritdoc ISettlement
    function finalised() external view returns (uint64) {
        return _chain.finalised;
    }

    /// @inheritdoc ISettlement
    function inboxCursor() external view returns (uint64) {
        return _chain.inboxCursor;
    }

    /// @inheritdoc ISettlement
    function lastTimeEnd() external view returns (uint64) {
        return _chain.lastTimeEnd;
    }

    /// @inheritdoc ISettlement
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc ISettlement
    function statusOf(uint64 batchNo) public view returns (BatchStatus) {
        (uint64 last, uint64 final_) = (_chain.head, _chain.finalised);
        if (batchNo == 0 || batchNo > last) return BatchStatus.NONE;
        return batchNo > final_ ? BatchStatus.COMMITTED : BatchStatus.FINALIZED;
    }

    /// @inheritdoc ISettlement
    function isClaimed(uint64 id) public view returns (bool) {
        return _claimed.get(id);
    }

    function _requireNext(BatchHeader calldata header, Chain memory chain) private view {
        if (header.schema != SCHEMA) revert WrongSchema(header.schema);
        if (header.batchNo != chain.head + 1) {
            revert WrongBatchNumber(header.batchNo, chain.head + 1);
        }
        uint64 open = chain.head - chain.finalised;
        if (open >= maxOpenBatches) revert TooManyOpenBatches(open, maxOpenBatches);
        bytes32 previous = _batches[chain.head].hash;
        if (header.prevBatchHash != previous) {
            revert WrongPreviousBatch(header.prevBatchHash, previous);
        }
        if (header.prevStateRoot != lastStateRoot) {
            revert WrongPreviousState(header.prevStateRoot, lastStateRoot);
        }
    }

    function _requireRules(BatchHeader calldata header) private view {
        bytes32 parameters = IRiskParameters(riskParameters).paramsHash();
        if (header.paramsHash != parameters) {
            revert WrongParameters(header.paramsHash, parameters);
        }
        if (header.engineHash != engineHash) revert WrongEngine(header.engineHash, engineHash);
        bytes32 reserved = header.checkpointRoot | header.adlRoot | header.l1BlockHash
            | bytes32(uint256(header.l1BlockNumber));
        if (reserved != 0) revert ReservedFieldSet();
    }

    function _requireData(BatchHeader calldata header, bytes calldata logData) private pure {
        if (header.daKind != CALLDATA) revert WrongDataKind(header.daKind);
        if (header.daLength != logData.length) {
            revert WrongDataLength(header.daLength, logData.length);
        }
        bytes32 dataHash = keccak256(logData);
        if (header.daHash != dataHash) revert WrongDataHash(header.daHash, dataHash);
    }

    function _requireTimes(BatchHeader calldata header, Chain memory chain) private view {
        if (header.timeStart < chain.lastTimeEnd || header.timeEnd < header.timeStart) {
            revert WrongTimes(header.timeStart, header.timeEnd, chain.lastTimeEnd);
        }
        uint256 latest = (block.timestamp + maxSkew) * SECOND_NS;
        if (header.timeEnd > latest) revert EndsInFuture(header.timeEnd, latest);
    }

    /// @dev The inbox itself refuses a cursor beyond its end.
    function _requireInbox(BatchHeader calldata header, Chain memory chain) private view {
        if (header.inboxFrom != chain.inboxCursor || header.inboxTo < header.inboxFrom) {
            revert WrongInboxCursor(header.inboxFrom, header.inboxTo, chain.inboxCursor);
        }
        bytes32 prefix = IInbox(inbox).prefixAt(header.inboxTo);
        if (header.inboxPrefixHash != prefix) {
            revert WrongInboxPrefix(header.inboxPrefixHash, prefix);
        }
    }

    function _requireSigned(bytes32 batchHash, bytes calldata signature) private view {
        (address signer,,) = ECDSA.tryRecoverCalldata(_hashTypedDataV4(batchHash), signature);
        if (signer != sequencer) revert WrongSignature(signer, sequencer);
    }

    function _requireCommitted(BatchHeader calldata header) private view returns (bytes32 given) {
        given = BatchHash.givenHeaderHash(header);
        bytes32 committed = _batches[header.batchNo].hash;
        if (given != committed) revert WrongHeader(header.batchNo, given, committed);
    }

    function _requireLiquidations(BatchHeader calldata header) private view {
        uint256 verified = ILiquidationManager(liquidationManager).verifiedCount(header.batchNo);
        if (verified != header.liquidationCount) {
            revert UnverifiedLiquidations(verified, header.liquidationCount);
        }
    }

    /// @dev SOL-1: no value appears or vanishes between the vault and the book.
    function _requireTotals(BatchHeader calldata header, Totals calldata totals) private view {
        bytes32 given = BatchHash.totalsHash(totals);
        if (given != header.totalsHash) revert WrongTotals(given, header.totalsHash);
        _requireConserved(0, totals.netCashE6, totals.depositedCash, totals.withdrawnCash);
        uint256 assets = totals.collateralE8.length;
        uint256 listed = ICollateralVault(vault).collateralCount();
        if (
            assets < listed || totals.depositedCollateral.length != assets
                || totals.withdrawnCollateral.length != assets
        ) {
            revert WrongAssetCount(
                assets, totals.depositedCollateral.length, totals.withdrawnCollateral.length, listed
            );
        }
        for (uint256 a = 0; a < assets; ++a) {
            _requireConserved(
                a + 1,
                _signed(totals.collateralE8[a]),
                totals.depositedCollateral[a],
                totals.withdrawnCollateral[a]
            );
        }
    }

    function _requireConserved(uint256 asset, int256 held, uint128 deposited, uint128 withdrawn)
        private
        pure
    {
        int256 excess = held - (_signed(deposited) - _signed(withdrawn));
        if (excess != 0) revert NotConserved(asset, excess);
    }

    function _signed(uint128 value) private pure returns (int256) {
        return int256(uint256(value));
    }
}
