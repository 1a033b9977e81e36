// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {Answers, SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-5: the chain of batches. C-9 and C-10: what a signature covers.
contract SettlementCommitTest is SettlementRig {
    uint256 private constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    BatchHeader private header;

    function setUp() public {
        deployRig();
        depositFor(cash, 0, address(0xa11ce), 5);
        commit(nextHeader());
        depositFor(cash, 0, address(0xa11ce), 7);
        vm.warp(block.timestamp + 10);
        header = nextHeader();
    }

    function refuse(bytes memory reason) private {
        bytes memory signature = signatureOf(header);
        vm.expectRevert(reason);
        vm.prank(RELAYER, RELAYER);
        settlement.commit(header, signature, LOG);
    }

    function test_a_commit_moves_the_chain() public {
        bytes32 batchHash = hashOf(header);
        bytes memory signature = signatureOf(header);
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchCommitted(2, batchHash, header.stateRoot, uint32(LOG.length));
        vm.prank(address(0xf00), address(0xf00)); // anyone may relay
        settlement.commit(header, signature, LOG);

        vm.assertEq(settlement.head(), 2);
        vm.assertEq(settlement.finalised(), 0);
        vm.assertEq(settlement.inboxCursor(), 2);
        vm.assertEq(settlement.lastTimeEnd(), header.timeEnd);
        vm.assertEq(settlement.lastStateRoot(), header.stateRoot);
        vm.assertEq(settlement.batchHashOf(2), batchHash);
        vm.assertEq(settlement.committedAt(2), block.timestamp);
        vm.assertTrue(settlement.statusOf(2) == BatchStatus.COMMITTED);
        vm.assertTrue(settlement.statusOf(3) == BatchStatus.NONE);
        vm.assertTrue(settlement.statusOf(0) == BatchStatus.NONE);
    }

    function test_the_domain_is_the_stated_one() public view {
        bytes32 expected = digestOf(address(settlement), 0);
        bytes32 actual =
            keccak256(abi.encodePacked(hex"1901", settlement.domainSeparator(), bytes32(0)));
        vm.assertEq(actual, expected);
    }

    function test_the_same_batch_twice_is_refused() public {
        commit(header);
        refuse(abi.encodeWithSelector(ISettlement.WrongBatchNumber.selector, 2, 3));
    }

    function test_a_wrong_schema_is_refused() public {
        header.schema = 1;
        refuse(abi.encodeWithSelector(ISettlement.WrongSchema.selector, 1));
    }

    function test_a_gap_in_the_numbers_is_refused() public {
        header.batchNo = 3;
        refuse(abi.encodeWithSelector(ISettlement.WrongBatchNumber.selector, 3, 2));
    }

    function test_another_predecessor_is_refused() public {
        bytes32 expected = header.prevBatchHash;
        header.prevBatchHash = bytes32(uint256(1));
        refuse(
            abi.encodeWithSelector(
                ISettlement.WrongPreviousBatch.selector, bytes32(uint256(1)), expected
            )
        );
    }

    function test_another_previous_state_is_refused() public {
        bytes32 expected = header.prevStateRoot;
        header.prevStateRoot = bytes32(uint256(1));
        refuse(
            abi.encodeWithSelector(
                ISettlement.WrongPreviousState.selector, bytes32(uint256(1)), expected
            )
        );
    }

    function test_the_first_batch_has_no_past() public {
        deployRig();
        header = nextHeader();
        header.prevBatchHash = bytes32(uint256(1));
        refuse(abi.encodeWithSelector(ISettlement.WrongPreviousBatch.selector, 1, 0));
        header.prevBatchHash = 0;
        header.prevStateRoot = bytes32(uint256(1));
        refuse(abi.encodeWithSelector(ISettlement.WrongPreviousState.selector, 1, 0));
        header.prevStateRoot = 0;
        commit(header);
    }

    function test_more_open_batches_than_the_limit_are_refused() public {
        commit(header);
        commit(nextHeader());
        header = nextHeader();
        refuse(abi.encodeWithSelector(ISettlement.TooManyOpenBatches.selector, 3, MAX_OPEN));
    }

    function test_other_parameters_are_refused() public {
        header.paramsHash = 0;
        refuse(abi.encodeWithSelector(ISettlement.WrongParameters.selector, 0));
    }

    function test_another_engine_is_refused() public {
        header.engineHash = 0;
        refuse(abi.encodeWithSelector(ISettlement.WrongEngine.selector, 0, ENGINE));
    }

    function test_fields_of_parts_that_do_not_exist_must_be_zero() public {
        header.adlRoot = bytes32(uint256(1));
        refuse(abi.encodeWithSelector(ISettlement.ReservedFieldSet.selector));
    }

    function test_a_batch_has_a_record_and_no_more_than_a_judge_can_derive() public {
        bytes4 reason = ISettlement.StepCountOutOfRange.selector;
        header.stepCount = 0;
        refuse(abi.encodeWithSelector(reason, 0, 2048));
        header.stepCount = 2049;
        refuse(abi.encodeWithSelector(reason, 2049, 2048));
        header.stepCount = 2048;
        commit(header);
    }

    function test_a_batch_that_consumes_or_puts_out_carries_a_checkpoint() public {
        bytes memory reason = abi.encodeWithSelector(ISettlement.CheckpointMissing.selector);
        header.checkpointRoot = 0;
        refuse(reason); // it consumes an entry
        header.inboxTo = header.inboxFrom;
        header.inboxPrefixHash = inbox.prefixAt(header.inboxFrom);
        header.outputRoot = keccak256("outputs");
        refuse(reason);
        header.outputRoot = 0;
        commit(header); // neither, so that it needs none
    }

    function test_a_batch_names_a_block_of_this_chain() public {
        bytes4 refusal = ISettlement.WrongAnchor.selector;
        bytes32 actual = header.l1BlockHash;
        header.l1BlockHash = keccak256("orphan");
        refuse(abi.encodeWithSelector(refusal, 999, keccak256("orphan"), actual));
        header.l1BlockNumber = 1000; // this very block has no hash yet
        header.l1BlockHash = 0;
        refuse(abi.encodeWithSelector(refusal, 1000, bytes32(0), bytes32(0)));
    }

    function test_a_block_is_named_within_256() public {
        header.l1BlockNumber = 743;
        header.l1BlockHash = blockhash(744);
        refuse(
            abi.encodeWithSelector(
                ISettlement.WrongAnchor.selector, 743, header.l1BlockHash, bytes32(0)
            )
        );
        header.l1BlockNumber = 744;
        commit(header);
    }

    function test_another_data_kind_is_refused() public {
        header.daKind = 2;
        refuse(abi.encodeWithSelector(ISettlement.WrongDataKind.selector, 2));
    }

    function test_another_data_length_is_refused() public {
        header.daLength = 6;
        refuse(abi.encodeWithSelector(ISettlement.WrongDataLength.selector, 6, 5));
    }

    function test_other_data_is_refused() public {
        header.daHash = 0;
        refuse(abi.encodeWithSelector(ISettlement.WrongDataHash.selector, 0, keccak256(LOG)));
    }

    function test_a_batch_that_starts_before_its_predecessor_ended_is_refused() public {
        uint64 last = settlement.lastTimeEnd();
        header.timeStart = last - 1;
        refuse(
            abi.encodeWithSelector(ISettlement.WrongTimes.selector, last - 1, header.timeEnd, last)
        );
        header.timeStart = last; // the very moment is allowed
        commit(header);
    }

    function test_a_batch_that_ends_before_it_starts_is_refused() public {
        header.timeEnd = header.timeStart - 1;
        refuse(
            abi.encodeWithSelector(
                ISettlement.WrongTimes.selector,
                header.timeStart,
                header.timeEnd,
                settlement.lastTimeEnd()
            )
        );
    }

    function test_a_batch_may_end_within_the_skew_and_no_later() public {
        uint64 latest = uint64((block.timestamp + MAX_SKEW) * 1e9);
        header.timeEnd = latest + 1;
        refuse(abi.encodeWithSelector(ISettlement.EndsInFuture.selector, latest + 1, latest));
        header.timeEnd = latest;
        commit(header);
    }

    function test_a_batch_may_end_within_the_lag_and_no_earlier() public {
        vm.warp(block.timestamp + MAX_LAG);
        uint64 earliest = uint64((block.timestamp - MAX_LAG) * 1e9);
        (header.timeStart, header.timeEnd) = (earliest - 1, earliest - 1);
        refuse(abi.encodeWithSelector(ISettlement.EndsInPast.selector, earliest - 1, earliest));
        header.timeEnd = earliest;
        commit(header);
    }

    function test_the_inbox_is_consumed_without_gap_or_repetition() public {
        bytes4 refusal = ISettlement.WrongInboxCursor.selector;
        header.inboxFrom = 0;
        refuse(abi.encodeWithSelector(refusal, 0, 2, 1));
        header.inboxFrom = 2;
        refuse(abi.encodeWithSelector(refusal, 2, 2, 1));
        header.inboxFrom = 1;
        header.inboxTo = 0;
        refuse(abi.encodeWithSelector(refusal, 1, 0, 1));
    }

    function test_deposits_that_did_not_happen_are_refused() public {
        header.inboxTo = 3;
        refuse(abi.encodeWithSelector(IInbox.NoSuchEntry.selector, 3, 2));
    }

    function test_an_altered_deposit_is_refused() public {
        header.inboxPrefixHash = 0;
        refuse(abi.encodeWithSelector(ISettlement.WrongInboxPrefix.selector, 0, inbox.prefixAt(2)));
    }

    function test_a_batch_need_not_consume_every_deposit() public {
        header.inboxTo = 1;
        header.inboxPrefixHash = inbox.prefixAt(1);
        commit(header);
        vm.assertEq(settlement.inboxCursor(), 1);
    }

    // --- signatures ---

    function refuseSignature(bytes memory signature) private {
        // The address it recovers to differs from case to case; the kind of refusal does not.
        vm.prank(RELAYER, RELAYER);
        (bool done, bytes memory answer) =
            address(settlement).call(abi.encodeCall(settlement.commit, (header, signature, LOG)));
        vm.assertFalse(done);
        vm.assertEq(bytes32(bytes4(answer)), bytes32(ISettlement.WrongSignature.selector));
    }

    function test_only_the_sequencer_signs() public {
        refuseSignature(signed(ATTESTOR_KEY, address(settlement), hashOf(header)));
    }

    function test_a_signature_for_another_contract_or_chain_is_refused() public {
        refuseSignature(signed(SEQUENCER_KEY, address(vault), hashOf(header)));
        vm.chainId(1);
        bytes memory elsewhere = signatureOf(header);
        vm.chainId(31_337);
        refuseSignature(elsewhere);
    }

    function test_malformed_and_mirrored_signatures_are_refused() public {
        bytes memory good = signatureOf(header);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(SEQUENCER_KEY, digestOf(address(settlement), hashOf(header)));
        refuseSignature("");
        refuseSignature(abi.encodePacked(r, s));
        refuseSignature(abi.encodePacked(good, uint8(0)));
        refuseSignature(abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), uint8(v ^ 7)));
        refuseSignature(abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
        commit(header);
    }

    function testFuzz_a_signature_covers_every_field(uint8 field, uint256 flip) public {
        // Only fields that no other check looks at: the signature alone protects them.
        bytes memory good = signatureOf(header);
        bytes32 noise = bytes32(flip | 1);
        field %= 9;
        if (field == 0) header.stateRoot ^= noise;
        if (field == 1) header.inputLogHash ^= noise;
        if (field == 2) header.outputRoot ^= noise;
        if (field == 3) header.liquidationRoot ^= noise;
        if (field == 4) header.epochRoot ^= noise;
        if (field == 5) header.priceRoot ^= noise;
        if (field == 6) header.riskRoot ^= noise;
        if (field == 7) header.totalsHash ^= noise;
        if (field == 8) header.traceRoot ^= noise;
        refuseSignature(good);
    }

    // --- the log stays readable ---

    /// @dev Whoever sees a signed batch in the pool could else commit it from inside a contract:
    /// the batch would stand, and its log be in no transaction's input.
    function test_a_commit_through_a_contract_is_refused() public {
        bytes memory signature = signatureOf(header);
        address caller = address(new Answers());
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotDirect.selector, caller));
        vm.prank(caller, RELAYER);
        settlement.commit(header, signature, LOG);
        commit(header);
    }

    /// @dev A relayer may spell the padding as he likes; readers of the log must not mind.
    function test_padding_of_the_log_may_be_dirty_or_missing() public {
        bytes memory input = abi.encodeCall(settlement.commit, (header, signatureOf(header), LOG));
        for (uint256 i = input.length - 27; i < input.length; ++i) {
            input[i] = 0xff;
        }
        vm.prank(RELAYER, RELAYER);
        (bool done,) = address(settlement).call(input);
        vm.assertTrue(done);
        header = nextHeader();
        input = abi.encodeCall(settlement.commit, (header, signatureOf(header), LOG));
        assembly ("memory-safe") {
            mstore(input, sub(mload(input), 27)) // LOG has five bytes
        }
        vm.prank(RELAYER, RELAYER);
        (done,) = address(settlement).call(input);
        vm.assertTrue(done);
    }

    /// @dev A contract has no code while it is made: it is told from an account by the origin.
    function test_a_commit_while_a_contract_is_made_is_refused() public {
        bytes memory signature = signatureOf(header);
        address made = address(0xc0de);
        vm.assertEq(made.code.length, 0);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotDirect.selector, made));
        vm.prank(made, RELAYER);
        settlement.commit(header, signature, LOG);
    }

    /// @dev EIP-7702: an account that has code may call itself, and from there the settlement.
    function test_a_commit_by_an_account_with_code_is_refused() public {
        bytes memory signature = signatureOf(header);
        address delegated = address(new Answers());
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotDirect.selector, delegated));
        vm.prank(delegated, delegated);
        settlement.commit(header, signature, LOG);
    }
}
