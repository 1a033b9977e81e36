// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDemands} from "../../contracts/interfaces/IDemands.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {ContentPlace} from "../../contracts/types/Content.sol";
import {Column} from "../../contracts/types/ContentEvidence.sol";
import {ContentDemandRig} from "./support/ContentDemandRig.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

contract ContentDemandsTest is ContentDemandRig {
    function setUp() public {
        deployContents();
    }

    function test_a_demand_for_totals_takes_the_bond_and_makes_the_batch_challenged() public {
        BatchHeader memory header = opened();
        ContentPlace memory place = totalsPlace(header);
        bytes32 id = idOf(header, place);
        vm.expectEmit(COURT);
        emit IDemands.ContentDemanded(id, 1, ALICE, hashOf(header), place, block.timestamp + REVEAL);
        vm.assertEq(demandedTotals(ALICE, header), id);
        vm.assertEq(cash.balanceOf(COURT), BOND);
        assertStatus(1, BatchStatus.CHALLENGED);
        IDemands.Demand memory open = demands.demandOf(id);
        vm.assertEq(open.challenger, ALICE);
        vm.assertEq(open.batchHash, hashOf(header));
        vm.assertEq(open.openedAt, block.timestamp);
        vm.assertEq(open.committedAt, settlement.committedAt(1));
    }

    function test_totals_are_shown_by_a_stranger_for_the_bond_and_the_batch_becomes_final() public {
        BatchHeader memory header = opened();
        uint64 end = settlement.finalAfter(1);
        bytes32 id = demandedTotals(ALICE, header);
        vm.warp(block.timestamp + 7);
        bytes memory content = abi.encode(totals);
        vm.expectEmit(COURT);
        emit IDemands.ContentAnswered(id, 1, OPERATOR, hashOf(header), totalsPlace(header), content);
        answerWith(id, header, totalsPlace(header), content);

        assertStatus(1, BatchStatus.COMMITTED);
        vm.assertEq(settlement.finalAfter(1), end + 7);
        vm.assertEq(demands.bondOf(OPERATOR), BOND);
        vm.assertEq(demands.bondOf(ALICE), 0);
        vm.assertEq(demands.demandOf(id).openedAt, 0);
        vm.warp(end + 7);
        finalise(header);
        assertStatus(1, BatchStatus.FINALIZED);
    }

    function test_the_epoch_after_any_record_is_one_and_the_same_demand() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedEpoch(ALICE, header, 1);
        vm.assertEq(id, idOf(header, epochPlace()));
        bytes memory opening = abi.encode(stepOpening(2));
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandExists.selector, id));
        vm.prank(BOB);
        demands.demandContent(header, EPOCH, opening);
        bytes memory content = abi.encode(epoch());
        vm.expectEmit(COURT);
        emit IDemands.ContentAnswered(id, 1, OPERATOR, hashOf(header), epochPlace(), content);
        answerWith(id, header, epochPlace(), content);
        assertStatus(1, BatchStatus.COMMITTED);
    }

    /// @dev Every column of the three trees, the first and the last place of each among them.
    function test_every_column_of_an_epoch_can_be_demanded_and_shown() public {
        BatchHeader memory header = opened();
        uint8[5] memory kinds = [uint8(0), 35, VALUES, FUNDING, CHARGES];
        for (uint256 k = 0; k < kinds.length; ++k) {
            for (uint8 u = 0; u < UNDERLYINGS; ++u) {
                showColumn(header, u, kinds[k]);
            }
        }
        showColumn(header, 255, COLLATERAL);
        vm.assertEq(demands.bondOf(OPERATOR), 16 * BOND);
    }

    function showColumn(BatchHeader memory header, uint8 underlying, uint8 kind) private {
        bytes32 id = demandedColumn(ALICE, header, underlying, kind);
        ContentPlace memory place = columnPlace(underlying, kind);
        vm.assertEq(id, idOf(header, place));
        bytes memory content = abi.encode(column(underlying, kind));
        vm.expectEmit(COURT);
        emit IDemands.ContentAnswered(id, 1, OPERATOR, hashOf(header), place, content);
        answerWith(id, header, place, content);
        assertStatus(1, BatchStatus.COMMITTED);
    }

    /// @dev So that nothing hides in the padding, where a shorter path would find it.
    function test_an_empty_place_can_be_demanded_and_shown_to_be_empty() public {
        BatchHeader memory header = opened();
        bytes32[] memory leaves_ = leavesUnder(0);
        bytes32[] memory whole = new bytes32[](128);
        for (uint256 i = 0; i < leaves_.length; ++i) {
            whole[i] = leaves_[i];
        }
        uint16[3] memory places = [uint16(108), 111, 127];
        for (uint256 i = 0; i < places.length; ++i) {
            bytes memory opening = abi.encode(columnOpeningAt(places[i]));
            vm.prank(ALICE);
            bytes32 id = demands.demandContent(header, RISKS, opening);
            ContentPlace memory place = ContentPlace(RISKS, places[i], 108, rootAbove(0));
            vm.assertEq(id, idOf(header, place));
            answerWith(
                id, header, place, abi.encode(Column("", MerkleTree.proof(whole, places[i])))
            );
        }
        assertStatus(1, BatchStatus.COMMITTED);
    }

    function test_what_is_shown_stands_in_the_event_wherever_the_caller_had_it() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedColumn(ALICE, header, 1, VALUES);
        Column memory shown = column(1, VALUES);
        // The same column with its two arrays the other way round, and words that nobody reads.
        bytes memory proof = abi.encodePacked(shown.proof.length, shown.proof);
        bytes memory content = abi.encodePacked(
            uint256(32), 96 + proof.length, uint256(96), keccak256("unread"), proof
        );
        content = abi.encodePacked(content, shown.packed.length, shown.packed, new bytes(8));
        vm.expectEmit(COURT);
        emit IDemands.ContentAnswered(
            id, 1, OPERATOR, hashOf(header), columnPlace(1, VALUES), abi.encode(shown)
        );
        answerWith(id, header, columnPlace(1, VALUES), content);
    }

    function test_totals_that_nobody_knows_revert_the_batch() public {
        BatchHeader memory header = honest();
        header.totalsHash = keccak256("whatever");
        commit(header);
        unanswered(header, demandedTotals(ALICE, header));
    }

    /// @dev What no judge could read is no answer, though its hash is right.
    function test_a_hash_of_something_else_than_totals_cannot_be_answered() public {
        BatchHeader memory header = honest();
        bytes memory other = bytes.concat(abi.encode(totals), bytes32(0));
        header.totalsHash = keccak256(other);
        commit(header);
        bytes32 id = demandedTotals(ALICE, header);
        ContentPlace memory place = totalsPlace(header);
        bytes32 given = keccak256(abi.encode(totals));
        vm.expectRevert(
            abi.encodeWithSelector(IDemands.WrongContent.selector, given, header.totalsHash)
        );
        answerWith(id, header, place, other);
        unanswered(header, id);
    }

    function test_an_epoch_that_nobody_knows_reverts_the_batch() public {
        BatchHeader memory header = opened();
        unanswered(header, demandedEpoch(ALICE, header, 2));
    }

    function test_a_column_that_nobody_knows_reverts_the_batch_though_its_epoch_was_shown() public {
        BatchHeader memory header = opened();
        bytes32 first = demandedEpoch(BOB, header, 2);
        bytes32 second = demandedColumn(ALICE, header, 0, 17);
        answerWith(first, header, epochPlace(), abi.encode(epoch()));
        assertStatus(1, BatchStatus.CHALLENGED);
        unanswered(header, second);
    }

    function unanswered(BatchHeader memory header, bytes32 id) private {
        vm.warp(block.timestamp + REVEAL + 1);
        vm.expectEmit(COURT);
        emit IDemands.Unanswered(id, 1, ALICE, MINIMUM_STAKE / 2);
        vm.prank(BOB);
        demands.settleUnanswered(id, header);
        assertStatus(1, BatchStatus.REVERTED);
        vm.assertEq(demands.bondOf(ALICE), BOND);
        vm.assertEq(registry.rewardOf(ALICE), MINIMUM_STAKE / 2);
    }

    function test_each_content_and_each_path_is_answered_by_itself() public {
        BatchHeader memory header = opened();
        bytes32 one = demandedTotals(ALICE, header);
        bytes32 other = demandedEpoch(ALICE, header, 1);
        demanded(BOB, header, 0);
        answerWith(one, header, totalsPlace(header), abi.encode(totals));
        answerWith(other, header, epochPlace(), abi.encode(epoch()));
        assertStatus(1, BatchStatus.CHALLENGED);
        vm.assertEq(demands.bondOf(OPERATOR), 2 * BOND);
    }

    function test_who_demanded_of_a_batch_that_fell_with_another_gets_the_bond_back() public {
        BatchHeader memory header = honest();
        header.totalsHash = keccak256("whatever");
        commit(header);
        BatchHeader memory next = opened();
        bytes32 first = demandedTotals(ALICE, header);
        bytes32 id = demandedTotals(BOB, next);
        vm.warp(block.timestamp + REVEAL + 1);
        demands.settleUnanswered(first, header);
        vm.expectEmit(COURT);
        emit IDemands.DemandClosed(id, 2);
        demands.settleUnanswered(id, next);
        vm.assertEq(demands.bondOf(BOB), BOND);
    }

    function testFuzz_nothing_else_is_an_answer(uint256 seed) public {
        BatchHeader memory header = opened();
        (uint8 u, uint8 kind) = (uint8(seed % UNDERLYINGS), uint8((seed >> 8) % SCENARIO_KINDS));
        bytes32 id = demandedColumn(ALICE, header, u, kind);
        Column memory wrong = column(u, kind);
        wrong.packed[(seed >> 16) % wrong.packed.length] ^= bytes1(uint8(1 << ((seed >> 32) % 8)));
        vm.expectRevert();
        answerWith(id, header, columnPlace(u, kind), abi.encode(wrong));
        wrong = column(u, kind);
        uint256 level = (seed >> 40) % wrong.proof.length;
        wrong.proof[level] = bytes32(uint256(wrong.proof[level]) ^ (1 << (seed >> 248)));
        vm.expectRevert();
        answerWith(id, header, columnPlace(u, kind), abi.encode(wrong));
        assertStatus(1, BatchStatus.CHALLENGED);
    }

    uint256 private constant SCENARIO_KINDS = 36;

    function test_contents_stay_below_their_ceilings() public {
        BatchHeader memory header = opened();
        bytes memory opening = abi.encode(columnOpening(2, CHARGES));
        bytes memory content = abi.encode(column(2, CHARGES));
        ContentPlace memory place = columnPlace(2, CHARGES);
        demanded(BOB, header, 1);
        vm.startPrank(ALICE);
        uint256 start = gasleft();
        bytes32 id = demands.demandContent(header, CHARGES_OF, opening);
        uint256 opening_ = start - gasleft();
        start = gasleft();
        demands.answerContent(id, header, place, content);
        uint256 answering = start - gasleft();
        vm.stopPrank();
        vm.snapshotValue("challenge", "demand.content", opening_);
        vm.snapshotValue("challenge", "demand.content_answer", answering);
        vm.assertLe(opening_, 130_000);
        vm.assertLe(answering, 110_000);
    }
}
