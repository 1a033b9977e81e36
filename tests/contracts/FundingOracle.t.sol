// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFundingOracle} from "../../contracts/interfaces/IFundingOracle.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {Columns} from "../../contracts/libraries/Columns.sol";
import {FundingOracle} from "../../contracts/oracle/FundingOracle.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a settlement says of one batch, set by the test.
contract SetBatches {
    BatchStatus private _status;
    bytes32 private _hash;

    function set(BatchStatus status, BatchHeader calldata header) external {
        (_status, _hash) = (status, BatchHash.headerHash(header));
    }

    function batchOf(uint64) external view returns (BatchStatus, bytes32) {
        return (_status, _hash);
    }
}

/// @dev Funding is told from final batches alone.
contract FundingOracleTest {
    uint8 private constant UNDERLYING = 1;
    uint16 private constant FIRST = 256;

    SetBatches private _batches;
    FundingOracle private _oracle;

    function setUp() public {
        _batches = new SetBatches();
        _oracle = new FundingOracle(ISettlement(address(_batches)));
    }

    function test_the_funding_of_a_final_batch_is_told_slot_by_slot() public {
        (BatchHeader memory header, IFundingOracle.Opening memory opening) = settled(1, 100, -7, 9);
        (int64 cumulative, uint64 time) = _oracle.fundingIn(header, opening, 0);
        vm.assertEq(cumulative, -7);
        vm.assertEq(time, 100);
        (cumulative,) = _oracle.fundingIn(header, opening, 1);
        vm.assertEq(cumulative, 9);
        vm.expectRevert(abi.encodeWithSelector(Columns.SlotNotListed.selector, 2, 2));
        _oracle.fundingIn(header, opening, 2);
    }

    function test_two_recordings_say_what_was_paid_between_them() public {
        recorded(1, 100, -7);
        recorded(2, 250, 13);
        IFundingOracle.Funding memory funding = _oracle.fundingOf(FIRST);
        vm.assertEq(funding.cumulativeE6, 13);
        vm.assertEq(funding.time, 250);
        vm.assertEq(funding.earlierE6, -7);
        vm.assertEq(funding.earlierTime, 100);
        vm.assertEq(_oracle.fundingOf(FIRST + 1).time, 0);
    }

    function test_RevertWhen_the_recording_is_not_new() public {
        recorded(1, 100, -7);
        (BatchHeader memory header, IFundingOracle.Opening memory opening) = settled(1, 100, 8, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IFundingOracle.FundingNotNew.selector, FIRST, 100, 100)
        );
        _oracle.record(header, opening, 0);
    }

    function test_RevertWhen_the_batch_is_not_final_or_another() public {
        (BatchHeader memory header, IFundingOracle.Opening memory opening) = settled(3, 100, 1, 2);
        for (uint256 i = 0; i < 6; ++i) {
            BatchStatus status = BatchStatus(i);
            if (status == BatchStatus.FINALIZED) continue;
            _batches.set(status, header);
            vm.expectRevert(
                abi.encodeWithSelector(IFundingOracle.BatchNotFinal.selector, 3, status)
            );
            _oracle.fundingIn(header, opening, 0);
        }
        _batches.set(BatchStatus.FINALIZED, header);
        _oracle.fundingIn(header, opening, 0);
        header.timeEnd += 1;
        vm.expectPartialRevert(IFundingOracle.FinalHeaderMismatch.selector);
        _oracle.fundingIn(header, opening, 0);
    }

    function test_RevertWhen_the_epoch_is_not_in_the_batch() public {
        (BatchHeader memory header, IFundingOracle.Opening memory opening) = settled(1, 100, 1, 2);
        opening.epoch.time += 1;
        vm.expectPartialRevert(IFundingOracle.FundingEpochNotInBatch.selector);
        _oracle.fundingIn(header, opening, 0);
        opening.epoch.time -= 1;
        opening.epochIndex = 0;
        vm.expectPartialRevert(IFundingOracle.FundingEpochNotInBatch.selector);
        _oracle.fundingIn(header, opening, 0);
    }

    function test_RevertWhen_the_column_is_not_the_funding_of_the_underlying() public {
        (BatchHeader memory header, IFundingOracle.Opening memory opening) = settled(1, 100, 1, 2);
        opening.column = abi.encodePacked(int64(1), int64(3));
        vm.expectPartialRevert(IFundingOracle.FundingColumnNotInEpoch.selector);
        _oracle.fundingIn(header, opening, 0);
        opening.column = abi.encodePacked(int64(1), int64(2));
        opening.underlying = 0;
        vm.expectPartialRevert(IFundingOracle.FundingColumnNotInEpoch.selector);
        _oracle.fundingIn(header, opening, 0);
    }

    function recorded(uint64 batchNo, uint64 time, int64 first) private {
        (BatchHeader memory header, IFundingOracle.Opening memory opening) =
            settled(batchNo, time, first, 0);
        _oracle.record(header, opening, 0);
    }

    /// @dev A final batch with two epochs of two underlyings; the second of each is opened.
    function settled(uint64 batchNo, uint64 time, int64 first, int64 second)
        private
        returns (BatchHeader memory header, IFundingOracle.Opening memory opening)
    {
        opening.underlying = UNDERLYING;
        opening.column = abi.encodePacked(first, second);
        bytes32[] memory columns = new bytes32[](4);
        for (uint8 i = 0; i < 4; ++i) {
            columns[i] =
                keccak256(abi.encode(i / 2, i % 2 == 0 ? 255 : 252, keccak256(opening.column)));
        }
        opening.columnProof = MerkleTree.proof(columns, 3);
        opening.epoch = Epoch(2, time, bytes32(0), MerkleTree.root(columns), 0, 0);
        bytes32[] memory epochs = new bytes32[](2);
        (epochs[0], epochs[1]) = (keccak256("earlier"), keccak256(abi.encode(opening.epoch)));
        opening.epochIndex = 1;
        opening.epochProof = MerkleTree.proof(epochs, 1);
        (header.batchNo, header.epochRoot) = (batchNo, MerkleTree.root(epochs));
        _batches.set(BatchStatus.FINALIZED, header);
    }
}
