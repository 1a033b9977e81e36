// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Who may commit: the sequencer of the epoch, as long as its bond is whole.
contract SettlementSequencerTest is SettlementRig {
    BatchHeader private header;

    function setUp() public {
        deployRig();
        header = nextHeader();
    }

    function send(uint256 key, bytes memory reason) private {
        bytes memory signature = signed(key, address(settlement), hashOf(header));
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(RELAYER, RELAYER);
        settlement.commit(header, signature, LOG);
    }

    function promote() private {
        vm.prank(GUARDIAN);
        registry.promoteStandby();
    }

    function test_a_batch_of_an_epoch_that_is_over_is_fenced_off() public {
        promote();
        stakeFor(vm.addr(STANDBY_KEY), MINIMUM_STAKE);
        send(SEQUENCER_KEY, abi.encodeWithSelector(ISettlement.WrongEpoch.selector, 1, 2));
        header.sequencerEpoch = 2;
        send(
            SEQUENCER_KEY,
            abi.encodeWithSelector(
                ISettlement.WrongSignature.selector, vm.addr(SEQUENCER_KEY), vm.addr(STANDBY_KEY)
            )
        );
        send(STANDBY_KEY, "");
        vm.assertEq(settlement.head(), 1);
    }

    function test_a_batch_of_an_epoch_to_come_is_refused() public {
        header.sequencerEpoch = 2;
        send(SEQUENCER_KEY, abi.encodeWithSelector(ISettlement.WrongEpoch.selector, 2, 1));
    }

    function test_a_sequencer_without_its_whole_bond_commits_nothing() public {
        vm.prank(vm.addr(SEQUENCER_KEY));
        registry.requestUnstake(1);
        send(
            SEQUENCER_KEY,
            abi.encodeWithSelector(ISettlement.BondNotWhole.selector, vm.addr(SEQUENCER_KEY))
        );
        stakeFor(vm.addr(SEQUENCER_KEY), 1);
        send(SEQUENCER_KEY, "");
    }

    function test_the_successor_rolls_the_batches_of_its_predecessor_back() public {
        commit(header);
        promote();
        bytes memory reason = abi.encodeWithSelector(
            ISettlement.NotSequencer.selector, vm.addr(SEQUENCER_KEY), vm.addr(STANDBY_KEY)
        );
        vm.expectRevert(reason);
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(header);
        vm.prank(vm.addr(STANDBY_KEY));
        settlement.rollback(header);
        vm.assertEq(settlement.head(), 0);
    }

    function test_what_was_committed_before_goes_on_without_a_sequencer() public {
        commit(header);
        vm.prank(COURT);
        registry.slash(1, address(0xf00));
        vm.warp(block.timestamp + WINDOW);
        finalise(header);
        vm.assertEq(settlement.finalised(), 1);
    }
}
