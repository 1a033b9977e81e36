// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../types/Batch.sol";
import {ExitLeaf} from "../types/Checkpoint.sol";
import {ContentPlace} from "../types/Content.sol";

/// @title IDemands
/// @notice The sum tree of a checkpoint is not posted, nor are totals, epochs and columns. Whoever
/// doubts that anybody knows them demands, with the court's bond, that one path or one content be
/// shown; a batch of which nobody shows it in time is reverted like one of which a fault was shown.
/// @dev INV-14. A path that is shown climbs to the root with sums that add up, and then the judge of
/// kind 7 decides the rest: the leaf at its end, and every node beside it. A content that is shown
/// has the hash that was opened, and then the judges of kinds 1, 2, 7 and 11 decide what it says.
interface IDemands {
    /// @notice A demand that is open.
    /// @param openedAt Zero when there is no such demand. [s since 1970]
    /// @param committedAt Of the batch, as in `ICourt.Challenge`. [s since 1970]
    struct Demand {
        address challenger;
        uint40 openedAt;
        uint40 committedAt;
        bytes32 batchHash;
    }

    /// @notice The batch commits to no checkpoint.
    error NoCheckpoint(uint64 batchNo);
    /// @notice This path or content is demanded already.
    error DemandExists(bytes32 id);
    /// @notice Nobody demands this path or content under this header, or it was shown.
    error NoSuchDemand(bytes32 id);
    /// @notice The path leads to another root than the batch commits to.
    error WrongPath(bytes32 given, bytes32 expected);
    /// @notice What is shown has another hash than the batch commits to.
    error WrongContent(bytes32 given, bytes32 expected);
    /// @notice The time to answer is over. [s since 1970]
    error AnswerTooLate(uint256 until, uint256 time);
    /// @notice There is still time to answer. [s since 1970]
    error AnswerStillOpen(uint256 until, uint256 time);

    /// @param until Last second to answer. [s since 1970]
    event Demanded(
        bytes32 indexed id,
        uint64 indexed batchNo,
        address indexed challenger,
        bytes32 batchHash,
        uint32 account,
        uint256 until
    );
    /// @notice A path was shown; who showed it has the bond, which pays for the gas.
    /// @param isEmpty The place is empty: of the leaf, the account and the number of assets count.
    /// @param path As for `IDemands.answer`.
    event Answered(
        bytes32 indexed id,
        uint64 indexed batchNo,
        address indexed by,
        bytes32 batchHash,
        ExitLeaf leaf,
        bool isEmpty,
        bytes path
    );
    /// @param until Last second to answer. [s since 1970]
    event ContentDemanded(
        bytes32 indexed id,
        uint64 indexed batchNo,
        address indexed challenger,
        bytes32 batchHash,
        ContentPlace place,
        uint256 until
    );
    /// @notice A content was shown; who showed it has the bond, which pays for the gas.
    /// @param shown `abi.encode` of the `Totals`, the `Epoch` or the `Column`.
    event ContentAnswered(
        bytes32 indexed id,
        uint64 indexed batchNo,
        address indexed by,
        bytes32 batchHash,
        ContentPlace place,
        bytes shown
    );
    /// @notice Nobody showed what was demanded; the batch and all after it are reverted.
    /// @param bountyE6 Owed to the challenger by the registry, besides the bond. [USD e-6]
    event Unanswered(
        bytes32 indexed id, uint64 indexed batchNo, address indexed challenger, uint256 bountyE6
    );
    /// @notice The batch fell with another; the bond goes back.
    event DemandClosed(bytes32 indexed id, uint64 indexed batchNo);

    /// @notice Pays the bond and demands the path of an account, or of an empty place, under the
    /// checkpoint of an open batch before its window ends.
    /// @param account Place in the tree, below 2**20.
    /// @return id keccak256(abi.encode(header hash, account)).
    function demand(BatchHeader calldata header, uint32 account) external returns (bytes32 id);

    /// @notice Shows a path within `revealWindow`; anyone may. The bond goes to the caller, and the
    /// window of the batch is extended by the time spent.
    /// @param leaf Of the account that was asked for.
    /// @param isEmpty The place is empty; then the other fields of the leaf mean nothing, except
    /// that it has as many assets as the tree.
    /// @param path Its 20 siblings, leaf level first, each `hash 32 | sums`; an empty one is zeros.
    function answer(
        bytes32 id,
        BatchHeader calldata header,
        ExitLeaf calldata leaf,
        bool isEmpty,
        bytes calldata path
    ) external;

    /// @notice Pays the bond and demands a content of an open batch before its window ends.
    /// @param what One of types/Content.sol; only what an honest batch has can be demanded.
    /// @param opening What leads to it, as said there.
    /// @return id keccak256(abi.encode(header hash, place)), of the `ContentPlace` in the event.
    function demandContent(BatchHeader calldata header, uint8 what, bytes calldata opening)
        external
        returns (bytes32 id);

    /// @notice Shows a content within `revealWindow`; anyone may, as with a path.
    /// @param place As demanded.
    /// @param content `abi.encode` of the `Totals`, the `Epoch`, or the `Column` with its proof, as
    /// long as the tree is deep; of an empty place only the proof counts.
    function answerContent(
        bytes32 id,
        BatchHeader calldata header,
        ContentPlace calldata place,
        bytes calldata content
    ) external;

    /// @notice Reverts a batch of which this was not shown in time, slashes the sequencer of its epoch
    /// and gives the bond back; anyone may call. Of a batch that is not open any more, it only gives
    /// the bond back, at any time.
    function settleUnanswered(bytes32 id, BatchHeader calldata header) external;

    /// @notice An open demand; all zero when there is none of this id.
    function demandOf(bytes32 id) external view returns (Demand memory);
}
