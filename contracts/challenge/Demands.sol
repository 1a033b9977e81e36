// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDemands} from "../interfaces/IDemands.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Contents} from "../libraries/Contents.sol";
import {SumTree} from "../libraries/SumTree.sol";
import {BatchHeader} from "../types/Batch.sol";
import {ExitLeaf} from "../types/Checkpoint.sol";
import {CONTENT_PRICES, ContentPlace} from "../types/Content.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";
import {CourtStore} from "./CourtStore.sol";

/// @title Demands
/// @notice Has shown what a batch commits to and does not post, or the batch reverted.
abstract contract Demands is CourtStore, IDemands {
    mapping(bytes32 id => Demand) private _demands;

    /// @inheritdoc IDemands
    function demand(BatchHeader calldata header, uint32 account) external returns (bytes32 id) {
        uint64 batchNo = header.batchNo;
        require(header.checkpointRoot != 0, NoCheckpoint(batchNo));
        uint256 places = 1 << ACCOUNT_TREE_DEPTH;
        require(account < places, SumTree.AccountOutOfRange(account, places));
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        id = _demandIdOf(batchHash, account);
        uint256 until = _record(id, batchNo, batchHash);
        emit Demanded(id, batchNo, msg.sender, batchHash, account, until);
        _begin(batchNo, batchHash);
    }

    /// @inheritdoc IDemands
    function demandContent(BatchHeader calldata header, uint8 what, bytes calldata opening)
        external
        returns (bytes32 id)
    {
        uint64 batchNo = header.batchNo;
        bytes32 listingRoot =
            what >= CONTENT_PRICES ? _listingRootOf(header.paramsHash) : bytes32(0);
        ContentPlace memory place = Contents.placeOf(header, listingRoot, what, opening);
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        id = _contentIdOf(batchHash, place);
        uint256 until = _record(id, batchNo, batchHash);
        emit ContentDemanded(id, batchNo, msg.sender, batchHash, place, until);
        _begin(batchNo, batchHash);
    }

    /// @inheritdoc IDemands
    function answer(
        bytes32 id,
        BatchHeader calldata header,
        ExitLeaf calldata leaf,
        bool isEmpty,
        bytes calldata path
    ) external {
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        require(id == _demandIdOf(batchHash, leaf.account), NoSuchDemand(id));
        uint64 openedAt = _requireInTime(id, header.batchNo, batchHash);
        bytes32 root = isEmpty
            ? SumTree.rootWithout(leaf.account, leaf.collateralE8.length, path)
            : SumTree.rootOf(leaf, path);
        require(root == header.checkpointRoot, WrongPath(root, header.checkpointRoot));

        emit Answered(id, header.batchNo, msg.sender, batchHash, leaf, isEmpty, path);
        _reward(id, header.batchNo, batchHash, openedAt);
    }

    /// @inheritdoc IDemands
    function answerContent(
        bytes32 id,
        BatchHeader calldata header,
        ContentPlace calldata place,
        bytes calldata content
    ) external {
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        require(id == _contentIdOf(batchHash, place), NoSuchDemand(id));
        uint64 openedAt = _requireInTime(id, header.batchNo, batchHash);
        (bytes32 root, bytes memory shown) = Contents.rootOf(place, content);
        require(root == place.expected, WrongContent(root, place.expected));

        emit ContentAnswered(id, header.batchNo, msg.sender, batchHash, place, shown);
        _reward(id, header.batchNo, batchHash, openedAt);
    }

    /// @inheritdoc IDemands
    function settleUnanswered(bytes32 id, BatchHeader calldata header) external {
        bytes32 batchHash = BatchHash.givenHeaderHash(header);
        Demand memory open = _demands[id];
        require(open.batchHash == batchHash, NoSuchDemand(id));
        uint64 batchNo = header.batchNo;
        delete _demands[id];
        if (!_isLive(batchNo, batchHash, open.committedAt)) {
            bondOf[open.challenger] += bondE6;
            emit DemandClosed(id, batchNo);
            return;
        }
        uint256 until = open.openedAt + revealWindow;
        // As above.
        // forge-lint: disable-next-line(block-timestamp)
        require(block.timestamp > until, AnswerStillOpen(until, block.timestamp));
        uint256 bountyE6 = _uphold(header, open.challenger);
        emit Unanswered(id, batchNo, open.challenger, bountyE6);
    }

    /// @inheritdoc IDemands
    function demandOf(bytes32 id) external view returns (Demand memory) {
        return _demands[id];
    }

    /// @dev Keeps the demand of the caller; returns the last second to answer. [s since 1970]
    function _record(bytes32 id, uint64 batchNo, bytes32 batchHash)
        private
        returns (uint256 until)
    {
        require(_demands[id].openedAt == 0, DemandExists(id));
        uint64 committedAt = ISettlement(settlement).committedAt(batchNo);
        // 40 bits count seconds for 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint40 opened, uint40 committed) = (uint40(block.timestamp), uint40(committedAt));
        _demands[id] = Demand(msg.sender, opened, committed, batchHash);
        return block.timestamp + revealWindow;
    }

    /// @dev The demand is open, and can still be answered; returns when it was made.
    function _requireInTime(bytes32 id, uint64 batchNo, bytes32 batchHash)
        private
        view
        returns (uint64 openedAt)
    {
        Demand memory open = _demands[id];
        openedAt = open.openedAt;
        require(openedAt != 0, NoSuchDemand(id));
        require(_isLive(batchNo, batchHash, open.committedAt), BatchGone(batchNo, batchHash));
        uint256 until = openedAt + revealWindow;
        // The few seconds that a validator may shift matter little to this window.
        // forge-lint: disable-next-line(block-timestamp)
        require(block.timestamp <= until, AnswerTooLate(until, block.timestamp));
    }

    /// @dev Who answers has the bond, and the batch goes on.
    function _reward(bytes32 id, uint64 batchNo, bytes32 batchHash, uint64 openedAt) private {
        delete _demands[id];
        bondOf[msg.sender] += bondE6;
        _release(batchNo, batchHash, openedAt);
    }

    function _listingRootOf(bytes32 paramsHash) private view returns (bytes32) {
        address parameters = ISettlement(settlement).riskParameters();
        return IRiskParameters(parameters).listingRootOf(paramsHash);
    }

    function _demandIdOf(bytes32 batchHash, uint256 account) private pure returns (bytes32) {
        return keccak256(abi.encode(batchHash, account));
    }

    /// @dev Three words more than the id of a path, so that none is both.
    function _contentIdOf(bytes32 batchHash, ContentPlace memory place)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(batchHash, place));
    }
}
