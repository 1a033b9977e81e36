// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISequencerRegistry} from "../../contracts/interfaces/ISequencerRegistry.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev T3: two receipts that contradict each other. C-9, C-10: what their signatures cover.
contract SequencerEquivocationTest is SettlementRig {
    uint256 private constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    address private constant FINDER = address(0xf17d);

    ISequencerRegistry.Receipt private one;
    ISequencerRegistry.Receipt private two;

    function setUp() public {
        deployRig();
        one = ISequencerRegistry.Receipt(1, 77, keccak256("one"), 3, keccak256("prefix"));
        two = one;
        two.tip = keccak256("two");
        announce(FINDER);
    }

    function commitmentOf(address finder) private view returns (bytes32) {
        return keccak256(abi.encode(finder, one, two));
    }

    function announce(address finder) private {
        vm.startPrank(finder);
        bytes32 commitment = commitmentOf(finder);
        if (registry.announcedIn(finder, commitment) == 0) {
            registry.announceEquivocation(commitment);
        }
        vm.stopPrank();
        vm.roll(block.number + 1);
    }

    function hashed(ISequencerRegistry.Receipt memory receipt) private pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "Receipt(uint64 epoch,uint64 seq,bytes32 tip,uint64 inboxCursor,bytes32 inboxPrefixHash)"
        );
        return keccak256(
            abi.encode(
                typehash,
                receipt.epoch,
                receipt.seq,
                receipt.tip,
                receipt.inboxCursor,
                receipt.inboxPrefixHash
            )
        );
    }

    function by(uint256 key, ISequencerRegistry.Receipt memory receipt)
        private
        view
        returns (bytes memory)
    {
        return signed(key, address(registry), hashed(receipt));
    }

    function show(bytes memory signatureOfOne, bytes memory signatureOfTwo) private {
        vm.prank(FINDER);
        registry.proveEquivocation(one, signatureOfOne, two, signatureOfTwo);
    }

    function refuse(bytes memory reason) private {
        announce(FINDER);
        (bytes memory a, bytes memory b) = (by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        vm.expectRevert(reason);
        show(a, b);
    }

    function refuseSigner(bytes memory signature) private {
        bytes memory good = by(SEQUENCER_KEY, one);
        vm.expectPartialRevert(ISequencerRegistry.WrongSigner.selector);
        show(good, signature);
        good = by(SEQUENCER_KEY, two);
        vm.expectPartialRevert(ISequencerRegistry.WrongSigner.selector);
        show(signature, good);
    }

    function test_two_log_hashes_of_one_record_cost_stake_and_office() public {
        address sequencer = vm.addr(SEQUENCER_KEY);
        (bytes memory a, bytes memory b) = (by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.Equivocated(1, sequencer, 77, one.tip, two.tip);
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.Slashed(1, sequencer, FINDER, MINIMUM_STAKE / 2, MINIMUM_STAKE / 2);
        show(a, b);
        (address current, uint64 epoch, bool isBonded) = registry.current();
        vm.assertEq(current, address(0));
        vm.assertEq(epoch, 1);
        vm.assertFalse(isBonded);
        vm.assertEq(registry.rewardOf(FINDER), MINIMUM_STAKE / 2);
    }

    /// @dev T7: who copies the receipts on their way did not announce them before.
    function test_who_sees_the_receipts_on_their_way_takes_no_bounty() public {
        (bytes memory a, bytes memory b) = (by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        address thief = address(0xbad);
        bytes32 copied = commitmentOf(FINDER);
        bytes32 own = commitmentOf(thief);
        bytes memory reason = abi.encodeWithSelector(ISequencerRegistry.NotAnnounced.selector, own);
        vm.startPrank(thief);
        registry.announceEquivocation(copied);
        vm.roll(block.number + 1);
        vm.expectRevert(reason);
        registry.proveEquivocation(one, a, two, b);
        registry.announceEquivocation(own);
        vm.expectRevert(reason);
        registry.proveEquivocation(one, a, two, b);
        vm.stopPrank();
        show(a, b);
        vm.assertEq(registry.rewardOf(FINDER), MINIMUM_STAKE / 2);
        vm.assertEq(registry.rewardOf(thief), 0);
    }

    function test_announcing_is_public_and_done_once() public {
        bytes32 commitment = keccak256("later");
        vm.expectEmit(address(registry));
        emit ISequencerRegistry.EquivocationAnnounced(FINDER, commitment);
        vm.startPrank(FINDER);
        registry.announceEquivocation(commitment);
        vm.assertEq(registry.announcedIn(FINDER, commitment), block.number);
        vm.roll(block.number + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISequencerRegistry.AlreadyAnnounced.selector, commitment)
        );
        registry.announceEquivocation(commitment);
        vm.stopPrank();
    }

    function test_a_suspended_sequencer_does_not_buy_itself_back() public {
        show(by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        (address current,, bool isBonded) = registry.current();
        vm.assertEq(current, address(0));
        vm.assertFalse(isBonded);
        vm.prank(GUARDIAN);
        registry.promoteStandby();
        (current,,) = registry.current();
        vm.assertEq(current, vm.addr(STANDBY_KEY));
    }

    /// @dev With nobody in office the empty sequencer is nobody who could promote.
    function test_nobody_acts_for_a_suspended_sequencer() public {
        show(by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        vm.expectRevert(
            abi.encodeWithSelector(
                ISequencerRegistry.NotGuardianOrSequencer.selector, vm.addr(SEQUENCER_KEY)
            )
        );
        vm.prank(vm.addr(SEQUENCER_KEY));
        registry.promoteStandby();
    }

    function test_a_fault_of_an_earlier_epoch_leaves_the_successor_in_office() public {
        vm.prank(GUARDIAN);
        registry.promoteStandby();
        stakeFor(vm.addr(STANDBY_KEY), MINIMUM_STAKE);
        show(by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        (address current, uint64 epoch, bool isBonded) = registry.current();
        vm.assertEq(current, vm.addr(STANDBY_KEY));
        vm.assertEq(epoch, 2);
        vm.assertTrue(isBonded);
    }

    function test_one_fault_is_punished_once() public {
        show(by(SEQUENCER_KEY, one), by(SEQUENCER_KEY, two));
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        refuse(abi.encodeWithSelector(ISequencerRegistry.AlreadyPunished.selector, 1));
    }

    function test_the_same_receipt_twice_is_no_fault() public {
        two.tip = one.tip;
        refuse(abi.encodeWithSelector(ISequencerRegistry.NoEquivocation.selector));
    }

    /// @dev After a reorganisation of the chain the inbox is another, and so are the records.
    function test_receipts_of_different_records_or_inboxes_are_no_fault() public {
        bytes memory reason = abi.encodeWithSelector(ISequencerRegistry.NoEquivocation.selector);
        two.epoch = 2;
        refuse(reason);
        (two.epoch, two.seq) = (1, 78);
        refuse(reason);
        (two.seq, two.inboxCursor) = (77, 4);
        refuse(reason);
        (two.inboxCursor, two.inboxPrefixHash) = (3, keccak256("reorganised"));
        refuse(reason);
    }

    function test_only_the_sequencer_of_the_epoch_signs() public {
        refuseSigner(by(STANDBY_KEY, two));
        refuseSigner("");
        refuseSigner(signed(SEQUENCER_KEY, address(settlement), hashed(two)));
        refuseSigner(by(SEQUENCER_KEY, ISequencerRegistry.Receipt(1, 78, two.tip, 3, 0)));
    }

    function test_an_epoch_that_has_not_begun_has_no_signer() public {
        (one.epoch, two.epoch) = (2, 2);
        announce(FINDER);
        vm.expectRevert(
            abi.encodeWithSelector(ISequencerRegistry.WrongSigner.selector, address(0), address(0))
        );
        show("", "");
    }

    function test_mirrored_and_lengthened_signatures_are_refused() public {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(SEQUENCER_KEY, digestOf(address(registry), hashed(two)));
        refuseSigner(abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), uint8(v ^ 7)));
        refuseSigner(abi.encodePacked(r, s, v, uint8(0)));
        refuseSigner(abi.encodePacked(r, s));
    }

    function test_the_domain_is_the_stated_one() public view {
        bytes32 expected = digestOf(address(registry), 0);
        bytes32 actual =
            keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), bytes32(0)));
        vm.assertEq(actual, expected);
    }
}
