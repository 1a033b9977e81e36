// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchStatus, Output, Totals} from "../types/Batch.sol";
import {ExitSums} from "../types/Checkpoint.sol";
import {InboxEntry} from "../types/Inbox.sol";

/// @title ISettlement
/// @notice The chain of batches. Only a finalised batch releases value.
/// @dev INV-3, INV-4, INV-5. Immutable: no owner, no pause, no upgrade. Batches count from 1; the
/// number of a batch that was reverted is used again. An open batch is one that is committed,
/// proven or challenged.
interface ISettlement {
    /// @notice Everything that is fixed at deployment.
    struct Config {
        address vault;
        address inbox;
        address liquidationManager;
        address riskParameters;
        address insuranceFund;
        address proofRouter;
        address registry; // of the sequencer, its epoch and its bond
        address court; // which alone opens, ends and upholds challenges
        uint64 provenWindow; // between commit and finality with a validity proof [s]
        uint64 attestedWindow; // the same with an attestation [s]
        uint64 maxExtension; // by which challenges delay one batch in all [s]
        uint64 verifyWindow; // for liquidations, before anyone may revert the batch [s]
        uint64 maxOpenBatches; // 1 to 64
        uint64 maxSkew; // how far a batch may end ahead of the chain's clock [s]
        uint64 maxLag; // and behind it [s]
        uint64 forcedDeadline; // age of the first inbox entry not consumed, that freezes [s]
        uint64 liveness; // without a final batch, while something waits [s]
        uint64 repairTime; // after an upheld challenge [s]
        bytes32 engineHash; // of the engine that produced the batches
    }

    /// @notice Why batches were dropped.
    enum RevertCause {
        ROLLBACK, // by the sequencer
        UNVERIFIED, // a liquidation was not verified in time
        CHALLENGE, // a fault was shown
        FREEZE
    }

    /// @notice Why the venue froze.
    enum FreezeCause {
        CENSORED, // an inbox entry that no batch consumed is too old
        STALLED, // an open batch does not become final
        UNSERVED, // an inbox entry does not become final
        UNREPAIRED // what a challenge reverted was not made good
    }

    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice No batch could ever be open, or more than the contract keeps.
    error OpenBatchesOutOfRange(uint64 given, uint64 limit);
    /// @notice An honest batch could not become final in time. [s]
    error LivenessTooShort(uint64 liveness, uint256 slowest);
    /// @notice A commit must be a transaction of its own, or its input would not hold the log.
    error NotDirect(address caller);
    /// @notice Nothing moves the chain of batches after a freeze. [s since 1970]
    error VenueFrozen(uint64 since);
    error WrongSchema(uint16 schema);
    error WrongBatchNumber(uint64 given, uint64 expected);
    error WrongPreviousBatch(bytes32 given, bytes32 expected);
    error WrongPreviousState(bytes32 given, bytes32 expected);
    error WrongInboxCursor(uint64 from, uint64 to, uint64 cursor);
    error WrongInboxPrefix(bytes32 given, bytes32 expected);
    /// @notice Neither the current parameter set nor one that is still in its grace.
    error WrongParameters(bytes32 given);
    error WrongEngine(bytes32 given, bytes32 expected);
    error WrongDataKind(uint8 kind);
    error WrongDataLength(uint256 given, uint256 expected);
    error WrongDataHash(bytes32 given, bytes32 expected);
    /// @notice Data as long as this does not fill so many blobs, or more than a batch may have.
    error WrongBlobCount(uint256 given, uint256 expected, uint256 limit);
    /// @notice The batch ends before it starts, or starts before its predecessor ended. [ns]
    error WrongTimes(uint64 start, uint64 end, uint64 previousEnd);
    /// @notice The batch ends too far ahead of the chain's clock. [ns]
    error EndsInFuture(uint64 end, uint256 latest);
    /// @notice The batch ends too far behind the chain's clock. [ns]
    error EndsInPast(uint64 end, uint256 earliest);
    /// @notice The block is not one of the last 256, or another.
    error WrongAnchor(uint64 blockNumber, bytes32 given, bytes32 actual);
    /// @notice A batch has at least one record, and no more than a judge can derive again.
    error StepCountOutOfRange(uint32 given, uint32 limit);
    /// @notice A batch that consumes inbox entries or puts out outputs carries a checkpoint.
    error CheckpointMissing();
    /// @notice A field of a part that does not exist in this schema is not zero.
    error ReservedFieldSet();
    error TooManyOpenBatches(uint64 open, uint64 limit);
    /// @notice The batch is of another epoch than the sequencer's: it was fenced off.
    error WrongEpoch(uint64 given, uint64 expected);
    /// @notice Who has not staked enough commits nothing.
    error BondNotWhole(address sequencer);
    /// @notice The signature is malformed or not the sequencer's.
    error WrongSignature(address recovered, address sequencer);
    /// @notice The header is not the one that was committed under this number.
    error WrongHeader(uint64 batchNo, bytes32 given, bytes32 committed);
    error NotOpen(uint64 batchNo, BatchStatus status);
    error AlreadyProven(uint64 batchNo);
    error NotFinalised(uint64 batchNo, BatchStatus status);
    /// @notice Batches are finalised in order.
    error NotNextToFinalise(uint64 batchNo, uint64 expected);
    /// @notice The challenge window is still open. [s since 1970]
    error WindowOpen(uint256 until, uint256 time);
    /// @notice The challenge window is over. [s since 1970]
    error WindowOver(uint256 until, uint256 time);
    /// @notice The batch, or one after it that would go with it, is being challenged.
    error ChallengeOpen(uint64 batchNo);
    /// @notice No challenge of the batch is open.
    error NotChallenged(uint64 batchNo);
    error UnverifiedLiquidations(uint256 verified, uint32 required);
    /// @notice Keepers still have time to verify. [s since 1970]
    error VerificationOpen(uint256 until, uint256 time);
    /// @notice Every liquidation of the batch was verified.
    error NothingUnverified(uint64 batchNo);
    error WrongTotals(bytes32 given, bytes32 expected);
    /// @notice SOL-1: the book does not hold what came in less what went out. [USD e-6 or 1e-8]
    error NotConserved(uint256 asset, int256 excess);
    /// @notice The totals do not speak of every collateral asset, held, deposited and withdrawn.
    error WrongAssetCount(uint256 held, uint256 deposited, uint256 withdrawn, uint256 listed);
    /// @notice The root of the sum tree and its sums are not those of the header.
    error WrongCheckpoint(bytes32 given, bytes32 expected);
    /// @notice The checkpoint does not speak of the assets of the totals.
    error WrongSumCount(uint256 given, uint256 expected);
    /// @notice Equity less what is owed is not the net cash of the book. [USD e-6]
    error CheckpointNotConserved(int256 excess);
    /// @notice More collateral is owed than the book holds. [1e-8]
    error CheckpointExceedsBook(uint256 asset, uint256 sum, uint256 held);
    error WrongOutput(bytes32 root, bytes32 expected);
    error AlreadyClaimed(uint64 id);
    error NotSequencer(address caller, address sequencer);
    error NotCourt(address caller);
    /// @notice Another entry is the first that waits.
    error EntryNotNext(uint64 index, uint64 expected);
    /// @notice The inbox holds another entry, or none, at this place.
    error UnknownEntry(uint64 index);
    /// @notice There is still time. [s since 1970]
    error NotOverdue(uint256 until, uint256 time);
    /// @notice No batch is open that could be late.
    error NothingOpen();
    /// @notice No challenge was upheld since the chain was last made good.
    error NothingToRepair();

    /// @notice The header and the posted log are in the input or the blobs of this transaction.
    /// @param daLength Length of the posted log. [bytes]
    event BatchCommitted(
        uint64 indexed batchNo, bytes32 indexed batchHash, bytes32 stateRoot, uint32 daLength
    );
    event BatchProven(uint64 indexed batchNo, bytes32 indexed batchHash, bool isValidity);
    event BatchChallenged(uint64 indexed batchNo, bytes32 indexed batchHash, uint256 open);
    /// @param extension By which challenges have delayed the batch so far. [s]
    event ChallengeEnded(
        uint64 indexed batchNo, bytes32 indexed batchHash, uint256 open, uint64 extension
    );
    /// @notice The batches `from` to `last` were dropped.
    /// @param batchHash Of the first of them.
    event BatchReverted(
        uint64 indexed from, bytes32 indexed batchHash, uint64 last, RevertCause cause
    );
    event BatchFinalized(uint64 indexed batchNo, bytes32 indexed batchHash, Totals totals);
    /// @param amount Paid to the owner. [engine units]
    event OutputClaimed(
        uint64 indexed id, address indexed owner, uint32 account, uint8 asset, uint128 amount
    );
    /// @notice The venue ended; exits may begin.
    event Frozen(FreezeCause cause, uint64 finalised);

    /// @notice Appends a batch to the chain; anyone may relay what the sequencer signed.
    /// @dev Only as a transaction to this contract, from an account without code: whoever relays
    /// cannot hide the log inside another call, where only a tracing node would find it. With
    /// `daKind` 1 the log is in the blobs of the transaction, and `logData` is empty.
    /// @param signature The sequencer's EIP-712 signature of the header: 65 bytes, low s.
    /// @param logData The frames of the batch, which `daHash` and `daLength` describe.
    function commit(BatchHeader calldata header, bytes calldata signature, bytes calldata logData)
        external;

    /// @notice Proves an open batch by the verifier of its kind; anyone may call.
    /// @dev With a validity proof the batch waits `provenWindow` in all, else `attestedWindow`.
    function prove(BatchHeader calldata header, bytes calldata proof) external;

    /// @notice Makes the oldest open batch final; anyone may call.
    /// @dev Checks the window, SOL-1, the checkpoint, and that every liquidation was verified.
    /// @param sums Of the root of the checkpoint; unused when the header has none.
    /// @param exitRootHash Of the root of the checkpoint; unused when the header has none.
    /// @param proof May be empty when the batch is proven already.
    function finalise(
        BatchHeader calldata header,
        Totals calldata totals,
        ExitSums calldata sums,
        bytes32 exitRootHash,
        bytes calldata proof
    ) external;

    /// @notice Pays one output of a finalised batch to its owner, once; anyone may call, also
    /// after a freeze.
    /// @param index Position of the output in the batch, from 0.
    /// @param proof Siblings in the output tree, leaf level first.
    function claim(
        BatchHeader calldata header,
        Output calldata output,
        uint256 index,
        bytes32[] calldata proof
    ) external;

    /// @notice Drops an open batch and all after it; only for the sequencer.
    /// @dev Not while one of them is challenged: whoever is accused does not take the case away.
    function rollback(BatchHeader calldata header) external;

    /// @notice Drops an open batch and all after it when a liquidation of it was not verified
    /// within `verifyWindow`; anyone may call. Not while one of them is challenged.
    function revertUnverified(BatchHeader calldata header) external;

    /// @notice Makes an open batch CHALLENGED until the challenge ends; only for the court.
    /// @dev Refused when the window of the batch is over.
    function beginChallenge(uint64 batchNo, bytes32 batchHash) external;

    /// @notice Ends one challenge of a batch, without a fault; only for the court.
    /// @dev Does nothing when the batch is not open any more: then it was dropped with another.
    /// @param spent For how long the challenge was open; the window grows by it. [s]
    /// @return wasOpen Whether the batch is still there.
    function endChallenge(uint64 batchNo, bytes32 batchHash, uint64 spent)
        external
        returns (bool wasOpen);

    /// @notice Drops a challenged batch and all after it; only for the court.
    function revertChallenged(BatchHeader calldata header) external;

    /// @notice Freezes for ever when the first entry that no batch consumed is older than
    /// `forcedDeadline`; anyone may call.
    function freezeCensored(InboxEntry calldata head_) external;

    /// @notice Freezes for ever when neither the oldest open batch nor any other became final for
    /// `liveness`; anyone may call.
    function freezeStalled() external;

    /// @notice Freezes for ever when the first entry that no final batch consumed is older than
    /// `liveness` and no batch became final for as long; anyone may call.
    /// @dev Committing and rolling back in turn does not keep an entry waiting for ever.
    function freezeUnserved(InboxEntry calldata waiting) external;

    /// @notice Freezes for ever when a batch that a challenge reverted was not made good by a
    /// final one of its number within `repairTime`; anyone may call.
    function freezeUnrepaired() external;

    /// @notice The hash of the batch that has this number; zero if none, or if it was reverted.
    function batchHashOf(uint64 batchNo) external view returns (bytes32);

    /// @notice Where the batch of this number is in its life, and the hash that was committed last
    /// under it.
    /// @dev `REVERTED` until another batch takes the number.
    function batchOf(uint64 batchNo) external view returns (BatchStatus status, bytes32 batchHash);

    /// @notice Where a batch is in its life.
    function statusOf(uint64 batchNo) external view returns (BatchStatus);

    /// @notice When an open batch was committed; zero if it is not open. [s since 1970]
    /// @dev A second later than the batch of this number that was dropped while it was challenged,
    /// also when both were committed in one second: number and time name one commitment.
    function committedAt(uint64 batchNo) external view returns (uint64);

    /// @notice When the window of an open batch ends, as things are; zero if it is not open.
    /// [s since 1970]
    /// @dev An open challenge delays it further.
    function finalAfter(uint64 batchNo) external view returns (uint64);

    /// @notice The number of the last committed batch; zero if none.
    function head() external view returns (uint64);

    /// @notice The number of the last finalised batch; zero if none.
    function finalised() external view returns (uint64);

    /// @notice How many inbox entries the committed batches have consumed.
    function inboxCursor() external view returns (uint64);

    /// @notice How many inbox entries the final batches have consumed.
    /// @dev Also the cursor of the last final checkpoint: whoever moves it carries one.
    function finalCursor() external view returns (uint64);

    /// @notice When the last committed batch ended. [ns since 1970]
    function lastTimeEnd() external view returns (uint64);

    /// @notice The state root of the last committed batch; zero before the first.
    function lastStateRoot() external view returns (bytes32);

    /// @notice The last final batch that has a checkpoint, and its root; zero if none.
    function checkpoint() external view returns (uint64 batchNo, bytes32 root);

    /// @notice Whether the output with this id was paid.
    function isClaimed(uint64 id) external view returns (bool);

    /// @notice Whether the venue ended.
    function isFrozen() external view returns (bool);

    /// @notice When the venue ended; zero if it did not. [s since 1970]
    function frozenAt() external view returns (uint64);

    /// @notice Between commit and finality of an attested batch, without challenges. [s]
    function attestedWindow() external view returns (uint64);

    /// @notice The same with a validity proof. [s]
    function provenWindow() external view returns (uint64);

    /// @notice By which challenges delay one batch in all. [s]
    function maxExtension() external view returns (uint64);

    /// @notice How long nothing may become final while something waits. [s]
    function liveness() external view returns (uint64);

    /// @notice In which what an upheld challenge reverted must be made good. [s]
    function repairTime() external view returns (uint64);

    /// @notice Who sends a proof to the verifier of its kind.
    function proofRouter() external view returns (address);

    /// @notice Where the listing of a parameter set is found.
    function riskParameters() external view returns (address);

    /// @notice The EIP-712 domain of headers and of the traders' intents.
    function domainSeparator() external view returns (bytes32);
}
