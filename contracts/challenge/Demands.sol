// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDemands} from "../interfaces/IDemands.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {SumTree} from "../libraries/SumTree.sol";
import {BatchHeader} from "../types/Batch.sol";
import {ExitLeaf} from "../types/Checkpoint.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";
import {CourtStore} from "./CourtStore.sol";

/// @title Demands
/// @notice Has the paths of a checkpoint shown, or the batch reverted.
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
        require(_demands[id].openedAt == 0, DemandExists(id));
        uint64 committedAt = ISettlement(settlement).committedAt(batchNo);
        // 40 bits count seconds for 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint40 opened, uint40 committed) = (uint40(block.timestamp), uint40(committedAt));
        _demands[id] = Demand(msg.sender, opened, committed, batchHash);
        uint256 until = block.timestamp + revealWindow;
        emit Demanded(id, batchNo, msg.sender, batchHash, account, until);
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
        Demand memory open = _demands[id];
        require(open.openedAt != 0 && id == _demandIdOf(batchHash, leaf.account), NoSuchDemand(id));
        uint64 batchNo = header.batchNo;
        require(_isLive(batchNo, batchHash, open.committedAt), BatchGone(batchNo, batchHash));
        uint256 until = open.openedAt + revealWindow;
        // The few seconds that a validator may shift matter little to this window.
        // forge-lint: disable-next-line(block-timestamp)
        require(block.timestamp <= until, AnswerTooLate(until, block.timestamp));
        bytes32 root = isEmpty
            ? SumTree.rootWithout(leaf.account, leaf.collateralE8.length, path)
            : SumTree.rootOf(leaf, path);
        require(root == header.checkpointRoot, WrongPath(root, header.checkpointRoot));

        delete _demands[id];
        bondOf[msg.sender] += bondE6;
        emit Answered(id, batchNo, msg.sender, batchHash, leaf, isEmpty, path);
        _release(batchNo, batchHash, open.openedAt);
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

    function _demandIdOf(bytes32 batchHash, uint256 account) private pure returns (bytes32) {
        return keccak256(abi.encode(batchHash, account));
    }
}
