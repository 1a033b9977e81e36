// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {SettlementHandler} from "./support/SettlementHandler.sol";
import {vm} from "./support/Vm.sol";
import {Bug} from "./support/planted/PlantedSettlement.sol";

/// @dev The chain of batches under random calls: INV-3, INV-4, INV-5, L-1.
abstract contract SettlementInvariants {
    SettlementHandler internal handler;

    function checkNothingGoesThroughThatMustNot() internal view {
        vm.assertEq(handler.wrongs(), 0);
    }

    function checkNothingIsRefusedThatIsDue() internal view {
        vm.assertEq(handler.stuck(), 0);
    }

    function checkTheChainIsWhatWasCommitted() internal view {
        Settlement settlement = handler.target();
        uint256 length = handler.length();
        vm.assertEq(settlement.head(), length);
        vm.assertEq(settlement.finalised(), handler.finalised());
        vm.assertEq(settlement.inboxCursor(), handler.cursorOf(length));
        vm.assertEq(settlement.finalCursor(), handler.cursorOf(handler.finalised()));
        for (uint256 i = 0; i < length; ++i) {
            BatchHeader memory header = handler.headerAt(i);
            vm.assertEq(settlement.batchHashOf(header.batchNo), handler.hashAt(i));
            vm.assertTrue(settlement.statusOf(header.batchNo) == handler.statusAt(i));
            vm.assertEq(header.prevBatchHash, i == 0 ? bytes32(0) : handler.hashAt(i - 1));
        }
        if (length == 0) return;
        BatchHeader memory last = handler.headerAt(length - 1);
        vm.assertEq(settlement.lastStateRoot(), last.stateRoot);
        vm.assertEq(settlement.lastTimeEnd(), last.timeEnd);
    }

    function checkWhatIsFinalStays() internal view {
        for (uint256 i = 0; i < handler.finalised(); ++i) {
            vm.assertEq(handler.target().batchHashOf(uint64(i + 1)), handler.finals(i));
        }
    }

    function checkAFrozenVenueHasNoOpenBatch() internal view {
        vm.assertEq(handler.target().frozenAt(), handler.frozenAt());
        if (handler.frozenAt() != 0) {
            vm.assertEq(handler.target().head(), handler.target().finalised());
        }
    }

    function checkAll() public view {
        checkNothingGoesThroughThatMustNot();
        checkNothingIsRefusedThatIsDue();
        checkTheChainIsWhatWasCommitted();
        checkWhatIsFinalStays();
        checkAFrozenVenueHasNoOpenBatch();
    }
}

contract SettlementInvariantTest is SettlementInvariants {
    function invariant_nothing_goes_through_that_must_not() external view {
        checkNothingGoesThroughThatMustNot();
    }

    function invariant_nothing_is_refused_that_is_due() external view {
        checkNothingIsRefusedThatIsDue();
    }

    function invariant_the_chain_is_what_was_committed() external view {
        checkTheChainIsWhatWasCommitted();
    }

    function invariant_what_is_final_stays() external view {
        checkWhatIsFinalStays();
    }

    function invariant_a_frozen_venue_has_no_open_batch() external view {
        checkAFrozenVenueHasNoOpenBatch();
    }

    function setUp() public {
        handler = new SettlementHandler(Bug.NONE);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }
}

/// @dev The invariants bite: the same walk is quiet with the real contract, and with each bug ends
/// in a failure.
contract SettlementPlantedTest is SettlementInvariants {
    uint256 private constant STEPS = 300;
    uint256 private constant WALKS = 10;

    function test_the_real_contract_passes_every_walk() public {
        for (uint256 seed = 0; seed < WALKS; ++seed) {
            vm.assertFalse(isCaught(Bug.NONE, seed));
        }
    }

    function test_an_inbox_cursor_that_is_not_rewound_is_noticed() public {
        requireCaught(Bug.KEEPS_CURSOR);
    }

    function test_a_batch_on_another_chain_is_noticed() public {
        requireCaught(Bug.FORGETS_LINKS);
    }

    function test_an_inbox_entry_that_is_left_out_is_noticed() public {
        requireCaught(Bug.LOSES_ENTRIES);
    }

    function test_finality_before_the_window_ends_is_noticed() public {
        requireCaught(Bug.NO_WINDOW);
    }

    function test_finality_without_a_proof_is_noticed() public {
        requireCaught(Bug.NO_PROOF);
    }

    function test_a_rollback_of_what_is_challenged_is_noticed() public {
        requireCaught(Bug.ACCUSED_ESCAPES);
    }

    function test_a_freeze_without_a_cause_is_noticed() public {
        requireCaught(Bug.FREEZES_AT_WILL);
    }

    function test_a_freeze_that_is_refused_is_noticed() public {
        requireCaught(Bug.NEVER_FREEZES);
    }

    function test_a_freeze_that_drops_nothing_is_noticed() public {
        requireCaught(Bug.FROZEN_BUT_OPEN);
    }

    function requireCaught(Bug bug) private {
        bool caught = false;
        for (uint256 seed = 0; seed < WALKS && !caught; ++seed) {
            caught = isCaught(bug, seed);
        }
        vm.assertTrue(caught);
    }

    function isCaught(Bug bug, uint256 seed) private returns (bool) {
        handler = new SettlementHandler(bug);
        for (uint256 i = 0; i < STEPS; ++i) {
            step(uint256(keccak256(abi.encode(seed, i))));
            if (i % 5 != 4) continue;
            try this.checkAll() {}
            catch {
                return true;
            }
        }
        return false;
    }

    function step(uint256 noise) private {
        (uint256 which, uint256 rest) = (noise % 16, noise >> 8);
        if (which < 3) handler.commitNext(rest);
        else if (which == 3) handler.commitWrong(rest);
        else if (which == 4) handler.prove(rest);
        else if (which < 8) handler.finalise((rest >> 4) % 2, (rest >> 5) % 2 == 0);
        else if (which == 8) handler.rollback(rest);
        else if (which == 9) handler.begin(rest);
        else if (which == 10) handler.end(rest, uint64(rest));
        else if (which == 11) handler.uphold(rest);
        else if (which == 12) handler.deposit();
        else if (which == 13) freeze();
        else handler.wait(rest % 8 == 0 ? 299 : rest % 100);
    }

    function freeze() private {
        handler.freezeForBatch();
        handler.freezeForFault();
        handler.freezeForEntry(true);
        handler.freezeForEntry(false);
    }
}
