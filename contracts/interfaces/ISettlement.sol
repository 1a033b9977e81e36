// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchStatus, Output, Totals} from "../types/Batch.sol";

/// @title ISettlement
/// @notice The chain of batches. Only a finalised batch releases value.
/// @dev INV-3, INV-5. Immutable: no owner, no pause, no upgrade. Batches count from 1.
interface ISettlement {
    /// @notice Everything that is fixed at deployment.
    struct Config {
        address vault;
        address inbox;
        address liquidationManager;
        address riskParameters;
        address insuranceFund;
        address proofRouter;
        address sequencer; // whose signature a commit needs
        uint64 challengeWindow; // between commit and finality [s]
        uint64 maxOpenBatches; // committed, not finalised
        uint64 maxSkew; // how far a batch may end ahead of the chain [s]
        bytes32 engineHash; // of the engine that produced the batches
    }

    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice No batch could ever be open.
    error ZeroOpenBatches();
    /// @notice A commit must be a transaction of its own, or its input would not hold the log.
    error NotDirect(address caller);
    error WrongSchema(uint16 schema);
    error WrongBatchNumber(uint64 given, uint64 expected);
    error WrongPreviousBatch(bytes32 given, bytes32 expected);
    error WrongPreviousState(bytes32 given, bytes32 expected);
    error WrongInboxCursor(uint64 from, uint64 to, uint64 cursor);
    error WrongInboxPrefix(bytes32 given, bytes32 expected);
    error WrongParameters(bytes32 given, bytes32 expected);
    error WrongEngine(bytes32 given, bytes32 expected);
    error WrongDataKind(uint8 kind);
    error WrongDataLength(uint256 given, uint256 expected);
    error WrongDataHash(bytes32 given, bytes32 expected);
    /// @notice The batch ends before it starts, or starts before its predecessor ended. [ns]
    error WrongTimes(uint64 start, uint64 end, uint64 previousEnd);
    /// @notice The batch ends too far ahead of the chain's clock. [ns]
    error EndsInFuture(uint64 end, uint256 latest);
    /// @notice A field of a part that does not exist in this schema is not zero.
    error ReservedFieldSet();
    error TooManyOpenBatches(uint64 open, uint64 limit);
    /// @notice The signature is malformed or not the sequencer's.
    error WrongSignature(address recovered, address sequencer);
    /// @notice The header is not the one that was committed under this number.
    error WrongHeader(uint64 batchNo, bytes32 given, bytes32 committed);
    error NotCommitted(uint64 batchNo, BatchStatus status);
    error NotFinalised(uint64 batchNo, BatchStatus status);
    /// @notice Batches are finalised in order.
    error NotNextToFinalise(uint64 batchNo, uint64 expected);
    /// @notice The challenge window is still open. [s since 1970]
    error WindowOpen(uint256 until, uint256 time);
    error UnverifiedLiquidations(uint256 verified, uint32 required);
    error WrongTotals(bytes32 given, bytes32 expected);
    /// @notice SOL-1: the book does not hold what came in less what went out. [USD e-6 or 1e-8]
    error NotConserved(uint256 asset, int256 excess);
    /// @notice The totals do not speak of every collateral asset, held, deposited and withdrawn.
    error WrongAssetCount(uint256 held, uint256 deposited, uint256 withdrawn, uint256 listed);
    error WrongOutput(bytes32 root, bytes32 expected);
    error AlreadyClaimed(uint64 id);

    /// @notice The header and the posted log are in the input of this transaction.
    /// @param daLength Length of the posted log. [bytes]
    event BatchCommitted(
        uint64 indexed batchNo, bytes32 indexed batchHash, bytes32 stateRoot, uint32 daLength
    );
    event BatchFinalized(uint64 indexed batchNo, bytes32 indexed batchHash, Totals totals);
    /// @param amount Paid to the owner. [token units]
    event OutputClaimed(
        uint64 indexed id, address indexed owner, uint32 account, uint8 asset, uint128 amount
    );

    /// @notice Appends a batch that the sequencer signed; anyone may relay it.
    /// @dev Only as a transaction to this contract, from an account without code: whoever relays
    /// cannot hide the log inside another call, where only a tracing node would find it.
    /// @param signature The sequencer's EIP-712 signature of the header: 65 bytes, low s.
    /// @param logData The frames of the batch, which `daHash` and `daLength` describe.
    function commit(BatchHeader calldata header, bytes calldata signature, bytes calldata logData)
        external;

    /// @notice Makes the oldest open batch final; anyone may call.
    /// @dev Checks SOL-1, the proof, and that every liquidation of the batch was verified.
    function finalise(BatchHeader calldata header, Totals calldata totals, bytes calldata proof)
        external;

    /// @notice Pays one output of a finalised batch to its owner, once; anyone may call.
    /// @param index Position of the output in the batch, from 0.
    /// @param proof Siblings in the output tree, leaf level first.
    function claim(
        BatchHeader calldata header,
        Output calldata output,
        uint256 index,
        bytes32[] calldata proof
    ) external;

    /// @notice The hash committed under a number; zero if none.
    function batchHashOf(uint64 batchNo) external view returns (bytes32);

    /// @notice Where a batch is in its life, and the hash committed under its number.
    function batchOf(uint64 batchNo) external view returns (BatchStatus status, bytes32 batchHash);

    /// @notice Where a batch is in its life.
    function statusOf(uint64 batchNo) external view returns (BatchStatus);

    /// @notice When a batch was committed; zero if it was not. [s since 1970]
    function committedAt(uint64 batchNo) external view returns (uint64);

    /// @notice The number of the last committed batch; zero if none.
    function head() external view returns (uint64);

    /// @notice The number of the last finalised batch; zero if none.
    function finalised() external view returns (uint64);

    /// @notice How many inbox entries the committed batches have consumed.
    function inboxCursor() external view returns (uint64);

    /// @notice When the last committed batch ended. [ns since 1970]
    function lastTimeEnd() external view returns (uint64);

    /// @notice The state root of the last committed batch; zero before the first.
    function lastStateRoot() external view returns (bytes32);

    /// @notice Whether the output with this id was paid.
    function isClaimed(uint64 id) external view returns (bool);

    /// @notice The EIP-712 domain of headers and of the traders' intents.
    function domainSeparator() external view returns (bytes32);
}
