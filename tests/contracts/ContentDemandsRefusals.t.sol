// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {IDemands} from "../../contracts/interfaces/IDemands.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Contents} from "../../contracts/libraries/Contents.sol";
import {Merkle} from "../../contracts/libraries/Merkle.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {ColumnOpening, ContentPlace} from "../../contracts/types/Content.sol";
import {Column} from "../../contracts/types/ContentEvidence.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {StepOpening} from "../../contracts/types/Evidence.sol";
import {ContentDemandRig} from "./support/ContentDemandRig.sol";
import {vm} from "./support/Vm.sol";

contract ContentDemandsRefusalsTest is ContentDemandRig {
    function setUp() public {
        deployContents();
    }

    function demandColumn(BatchHeader memory header, ColumnOpening memory opening) private {
        bytes memory encoded = abi.encode(opening);
        vm.prank(ALICE);
        demands.demandContent(header, PRICES, encoded);
    }

    function test_RevertWhen_there_is_no_such_content() public {
        BatchHeader memory header = opened();
        for (uint8 what = 0; what < 9; ++what) {
            if (what >= TOTALS && what <= CHARGES_OF) continue;
            vm.expectRevert(abi.encodeWithSelector(Contents.UnknownContent.selector, what));
            demands.demandContent(header, what, "");
        }
    }

    function test_RevertWhen_no_epoch_is_in_force_after_the_record() public {
        BatchHeader memory header = opened();
        bytes memory opening = abi.encode(stepOpening(0));
        vm.expectRevert(abi.encodeWithSelector(Contents.NoEpoch.selector, 0));
        demands.demandContent(header, EPOCH, opening);
    }

    function test_RevertWhen_the_record_is_not_one_of_the_batch() public {
        BatchHeader memory header = opened();
        StepOpening memory record = stepOpening(2);
        record.step.epochHash = keccak256("another");
        bytes memory opening = abi.encode(record);
        vm.expectPartialRevert(Trace.WrongStep.selector);
        demands.demandContent(header, EPOCH, opening);
        record = stepOpening(2);
        record.index = 3;
        opening = abi.encode(record);
        vm.expectRevert(abi.encodeWithSelector(Trace.NoSuchStep.selector, 3, 3));
        demands.demandContent(header, EPOCH, opening);
        ColumnOpening memory wanted = columnOpening(0, VALUES);
        wanted.record.index = 1;
        vm.expectPartialRevert(Trace.WrongStep.selector);
        demandColumn(header, wanted);
    }

    function test_RevertWhen_the_epoch_is_not_the_one_in_force_after_the_record() public {
        BatchHeader memory header = opened();
        ColumnOpening memory wanted = columnOpening(0, VALUES);
        bytes32 right = keccak256(abi.encode(wanted.epoch));
        wanted.epoch.priceRoot = keccak256("another");
        bytes32 given = keccak256(abi.encode(wanted.epoch));
        vm.expectRevert(abi.encodeWithSelector(Openings.WrongPreimage.selector, given, right));
        demandColumn(header, wanted);
    }

    /// @dev Nobody could show a column that an honest epoch does not have.
    function test_RevertWhen_instrument_or_asset_are_not_listed() public {
        BatchHeader memory header = opened();
        ColumnOpening memory wanted = columnOpening(0, VALUES);
        wanted.last.listed.id = 5 << 8;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        demandColumn(header, wanted);
        wanted = columnOpening(0, VALUES);
        wanted.next.listed.capE8 = 1;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        demandColumn(header, wanted);
    }

    /// @dev With fewer underlyings the tree would have another depth, at which nobody can answer.
    function test_RevertWhen_the_instrument_is_not_the_last() public {
        BatchHeader memory header = opened();
        ColumnOpening memory wanted = columnOpening(0, VALUES);
        wanted.last = instrument(0);
        vm.expectRevert(abi.encodeWithSelector(Contents.NotLastInstrument.selector, 1, 4));
        demandColumn(header, wanted);
        wanted.last = instrument(2);
        wanted.next = asset(2);
        vm.expectRevert(abi.encodeWithSelector(Contents.NotLastInstrument.selector, 3, 5));
        demandColumn(header, wanted);
    }

    function test_RevertWhen_the_place_lies_beyond_the_tree() public {
        BatchHeader memory header = opened();
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexOutOfRange.selector, 8, 8));
        demandColumn(header, columnOpeningAt(8));
        demandColumn(header, columnOpeningAt(7));
    }

    function test_RevertWhen_the_header_is_not_the_one_that_was_committed() public {
        BatchHeader memory header = opened();
        bytes32 right = hashOf(header);
        header.totalsHash = keccak256("another");
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, hashOf(header), right)
        );
        demandedTotals(ALICE, header);
    }

    function test_RevertWhen_the_window_is_over() public {
        BatchHeader memory header = opened();
        uint256 end = settlement.finalAfter(1);
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WindowOver.selector, end, end));
        demandedTotals(ALICE, header);
    }

    function test_RevertWhen_a_content_is_demanded_twice_at_once() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedTotals(ALICE, header);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandExists.selector, id));
        demandedTotals(BOB, header);
    }

    function test_RevertWhen_nobody_demanded_what_is_shown() public {
        BatchHeader memory header = opened();
        ContentPlace memory place = totalsPlace(header);
        bytes32 id = idOf(header, place);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerWith(id, header, place, abi.encode(totals));
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.settleUnanswered(id, header);
    }

    function test_RevertWhen_another_place_than_the_one_asked_for_is_shown() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedColumn(ALICE, header, 1, VALUES);
        ContentPlace[3] memory others =
            [columnPlace(1, FUNDING), columnPlace(1, VALUES), columnPlace(1, VALUES)];
        others[1].count += 1;
        others[2].what = EPOCH;
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
            answerWith(id, header, others[i], abi.encode(column(1, VALUES)));
        }
        ContentPlace memory place = columnPlace(1, VALUES);
        place.expected = rootAbove(CHARGES);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerWith(id, header, place, abi.encode(column(1, VALUES)));
    }

    function test_RevertWhen_a_content_is_shown_or_settled_under_another_header() public {
        BatchHeader memory header = opened();
        BatchHeader memory other = opened();
        bytes32 id = demandedTotals(ALICE, header);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerWith(id, other, totalsPlace(other), abi.encode(totals));
        vm.warp(block.timestamp + REVEAL + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.settleUnanswered(id, other);
    }

    function test_RevertWhen_the_content_is_not_the_one_committed_to() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedTotals(ALICE, header);
        ContentPlace memory place = totalsPlace(header);
        totals.accounts += 1;
        bytes memory content = abi.encode(totals);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDemands.WrongContent.selector, keccak256(content), place.expected
            )
        );
        answerWith(id, header, place, content);

        id = demandedEpoch(ALICE, header, 1);
        Epoch memory wrong = epoch();
        wrong.number += 1;
        content = abi.encode(wrong);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDemands.WrongContent.selector, keccak256(content), epochPlace().expected
            )
        );
        answerWith(id, header, epochPlace(), content);
    }

    function test_RevertWhen_a_number_of_an_epoch_does_not_fit() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedEpoch(ALICE, header, 1);
        bytes memory content = abi.encode(epoch());
        content[0] = 0x01;
        vm.expectRevert();
        answerWith(id, header, epochPlace(), content);
    }

    function test_RevertWhen_the_path_of_a_column_has_another_length() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedColumn(ALICE, header, 2, CHARGES);
        Column memory right = column(2, CHARGES);
        bytes32[] memory longer = new bytes32[](right.proof.length + 1);
        for (uint256 i = 0; i < right.proof.length; ++i) {
            longer[i] = right.proof[i];
        }
        vm.expectRevert(abi.encodeWithSelector(Contents.ColumnPathLength.selector, 3, 2));
        answerWith(id, header, columnPlace(2, CHARGES), abi.encode(Column(right.packed, longer)));
        vm.expectRevert(abi.encodeWithSelector(Contents.ColumnPathLength.selector, 0, 2));
        answerWith(
            id, header, columnPlace(2, CHARGES), abi.encode(Column(right.packed, new bytes32[](0)))
        );
    }

    function test_RevertWhen_the_answer_comes_too_late() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedTotals(ALICE, header);
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerTooLate.selector, until, until + 1));
        answerWith(id, header, totalsPlace(header), abi.encode(totals));
    }

    function test_RevertWhen_a_content_is_shown_twice() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedTotals(ALICE, header);
        answerWith(id, header, totalsPlace(header), abi.encode(totals));
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        answerWith(id, header, totalsPlace(header), abi.encode(totals));
    }

    function test_RevertWhen_the_batch_of_a_content_is_gone() public {
        BatchHeader memory header = honest();
        header.totalsHash = keccak256("whatever");
        commit(header);
        BatchHeader memory next = opened();
        bytes32 first = demandedTotals(ALICE, header);
        vm.warp(block.timestamp + 1);
        bytes32 id = demandedTotals(BOB, next);
        vm.warp(block.timestamp + REVEAL);
        demands.settleUnanswered(first, header);
        vm.expectRevert(abi.encodeWithSelector(ICourt.BatchGone.selector, 2, hashOf(next)));
        answerWith(id, next, totalsPlace(next), abi.encode(totals));
    }

    function test_RevertWhen_a_content_is_settled_that_can_still_be_shown() public {
        BatchHeader memory header = opened();
        bytes32 id = demandedTotals(ALICE, header);
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerStillOpen.selector, until, until));
        demands.settleUnanswered(id, header);
        assertStatus(1, BatchStatus.CHALLENGED);
    }
}
