// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TransitionJudge} from "../../contracts/challenge/TransitionJudge.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {AccountOpening, RootEvidence} from "../../contracts/types/ContentEvidence.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev INV-4 for a root behind which nobody knows the leaves.
contract TransitionRootTest is ChallengeScenario {
    uint8 private constant RULE_ROOT = 1;
    uint256 private constant LAST_OF_FEW = 3;

    TransitionJudge private _judge = new TransitionJudge();

    function test_the_root_after_every_record_follows_from_the_leaves_before_it() public view {
        Draft memory d = firstBatch();
        for (uint256 i = 0; i < d.count; ++i) {
            vm.assertFalse(isFaulty(d, shown(d, i)));
        }
    }

    function test_a_root_that_nobody_can_open_is_a_fault() public view {
        Draft memory d = firstBatch();
        uint256[4] memory places = [GENESIS, FIRST_DEPOSIT, FILL, LIQUIDATION];
        for (uint256 p = 0; p < places.length; ++p) {
            d = firstBatch();
            d.steps[places[p]].accountRoot = keccak256("hidden");
            seal(d);
            vm.assertTrue(isFaulty(d, shown(d, places[p])));
        }
    }

    function test_words_that_cannot_be_applied_are_a_fault() public view {
        vm.assertTrue(isFaulty(TraceWords.collateral(2, 1, -1, false)));
        vm.assertTrue(isFaulty(TraceWords.open(2, ALICE, 0)));
    }

    function test_words_about_an_account_beyond_the_tree_are_a_fault() public view {
        vm.assertTrue(isFaulty(TraceWords.cash(1 << 20, 1, 1)));
        vm.assertTrue(isFaulty(TraceWords.output(1 << 20, 0, 1, 3)));
        vm.assertTrue(isFaulty(TraceWords.cash(TraceWords.NOBODY, 1, 1)));
        vm.assertFalse(isFaulty(TraceWords.output(TraceWords.NOBODY, 0, 1, 3)));
    }

    /// @dev Numbers that no leaf can hold.
    function test_words_that_overflow_a_leaf_are_a_fault() public view {
        int64 most = type(int64).max;
        vm.assertTrue(isFaulty(TraceWords.cash(2, 5, most)));
        vm.assertTrue(isFaulty(TraceWords.trade(2, INSTRUMENT, 1, most, 0)));
        bytes memory three = TraceWords.collateral(2, 1, most, false);
        vm.assertTrue(isFaulty(bytes.concat(three, three, three)));
    }

    function test_a_settlement_is_shown_with_all_accounts() public view {
        Draft memory d = settled();
        vm.assertFalse(isFaulty(d, everybody(d)));
        d.steps[UNKNOWN].accountRoot = d.steps[WITHDRAWAL].accountRoot;
        seal(d);
        vm.assertTrue(isFaulty(d, everybody(d)));
    }

    function test_RevertWhen_an_account_that_changes_is_not_opened() public {
        Draft memory d = firstBatch();
        RootEvidence memory e = shown(d, FILL);
        e.accounts = new AccountOpening[](0);
        vm.expectRevert(abi.encodeWithSelector(TransitionJudge.MissingAccount.selector, 2));
        isFaulty(d, e);
    }

    function test_RevertWhen_a_settlement_is_not_shown_with_all_accounts() public {
        Draft memory d = settled();
        RootEvidence memory e = everybody(d);
        AccountOpening[] memory all = e.accounts;
        e.accounts = new AccountOpening[](LAST_OF_FEW);
        for (uint256 i = 0; i < LAST_OF_FEW; ++i) {
            e.accounts[i] = all[i];
        }
        vm.expectRevert(abi.encodeWithSelector(TransitionJudge.MissingAccounts.selector, 3, 4));
        isFaulty(d, e);
    }

    function test_RevertWhen_accounts_do_not_ascend() public {
        Draft memory d = firstBatch();
        RootEvidence memory e = shown(d, FILL);
        e.accounts[1] = e.accounts[0];
        vm.expectRevert(abi.encodeWithSelector(TransitionJudge.AccountsOutOfOrder.selector, 1));
        isFaulty(d, e);
    }

    function test_RevertWhen_an_account_is_not_as_it_was() public {
        Draft memory d = firstBatch();
        RootEvidence memory e = shown(d, FILL);
        e.accounts[1].leaf[0].cashE6 += 1;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_the_book_is_not_that_of_the_step() public {
        Draft memory d = firstBatch();
        RootEvidence memory e = shown(d, FILL);
        e.book.accounts += 1;
        vm.expectPartialRevert(Openings.WrongPreimage.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_the_record_is_not_that_of_the_batch() public {
        Draft memory d = firstBatch();
        RootEvidence memory e = shown(d, FILL);
        e.record.effects = d.effects[LIQUIDATION];
        vm.expectPartialRevert(Effects.WrongEffects.selector);
        isFaulty(d, e);
        e.record.effects = d.effects[FILL];
        e.record.pair.step.accountRoot = keccak256("another root");
        vm.expectPartialRevert(Trace.WrongStep.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_an_account_before_has_too_many_positions() public {
        Draft memory d = firstBatch();
        AccountLeaf[] memory all = accountsAfter(d, WITHDRAWAL);
        all[2].positions = new Position[](33);
        d.accounts[WITHDRAWAL] = abi.encode(all);
        d.steps[WITHDRAWAL].accountRoot = AccountTree.root(AccountTree.hashesOf(all));
        vm.expectPartialRevert(TransitionJudge.TooManyPositions.selector);
        isFaulty(d, TraceWords.cash(2, 5, 1));
    }

    /// @dev The accounts that the words of an honest record name, from the words themselves.
    function shown(Draft memory d, uint256 i) private pure returns (RootEvidence memory e) {
        e.record = recordOf(d, i);
        e.book = d.books[i];
        AccountLeaf[] memory later = accountsAfter(d, i);
        AccountLeaf[] memory now_ = i == 0 ? new AccountLeaf[](0) : accountsAfter(d, i - 1);
        AccountOpening[] memory found = new AccountOpening[](later.length);
        uint256 count = 0;
        for (uint32 a = 0; a < later.length; ++a) {
            if (!isNamed(d.effects[i], a)) continue;
            found[count++] = holderIn(now_, a);
            now_ = changed(now_, a, later[a]);
        }
        e.accounts = new AccountOpening[](count);
        for (uint256 k = 0; k < count; ++k) {
            e.accounts[k] = found[k];
        }
    }

    /// @dev The NOOP of a record becomes the settlement of what Alice and Bob hold.
    function settled() private pure returns (Draft memory d) {
        d = firstBatch();
        bytes memory words =
            abi.encodePacked(uint8(9), uint32(0), INSTRUMENT, int64(6e6), bytes17(0));
        AccountLeaf[] memory later = accountsAfter(d, UNKNOWN);
        later[2].cashE6 += 10 * 6e6 - 50e6;
        later[3].cashE6 -= 10 * 6e6 - 50e6;
        delete later[2].positions;
        delete later[3].positions;
        d.effects[UNKNOWN] = words;
        d.steps[UNKNOWN].effectsHash = keccak256(words);
        d.steps[UNKNOWN].accountRoot = AccountTree.root(AccountTree.hashesOf(later));
        d.accounts[UNKNOWN] = abi.encode(later);
        seal(d);
    }

    function everybody(Draft memory d) private pure returns (RootEvidence memory e) {
        e.record = recordOf(d, UNKNOWN);
        e.book = d.books[UNKNOWN];
        AccountLeaf[] memory now_ = accountsAfter(d, WITHDRAWAL);
        AccountLeaf[] memory later = accountsAfter(d, UNKNOWN);
        e.accounts = new AccountOpening[](now_.length);
        for (uint32 a = 0; a < later.length; ++a) {
            e.accounts[a] = holderIn(now_, a);
            now_ = changed(now_, a, later[a]);
        }
    }

    function changed(AccountLeaf[] memory all, uint256 account, AccountLeaf memory leaf)
        private
        pure
        returns (AccountLeaf[] memory more)
    {
        more = new AccountLeaf[](account < all.length ? all.length : account + 1);
        for (uint256 i = 0; i < all.length; ++i) {
            more[i] = all[i];
        }
        more[account] = leaf;
    }

    function isNamed(bytes memory words, uint32 account) private pure returns (bool) {
        for (uint256 i = 0; i < words.length; i += 32) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(words, 0x20), i))
            }
            uint8 kind = uint8(word >> 248);
            if (uint32(word >> 216) == account && kind < 7) return true;
        }
        return false;
    }

    /// @dev These words stand in place of the NOOP of a record, and concern account 2.
    function isFaulty(bytes memory words) private view returns (bool) {
        return isFaulty(firstBatch(), words);
    }

    function isFaulty(Draft memory d, bytes memory words) private view returns (bool) {
        d.effects[UNKNOWN] = words;
        d.steps[UNKNOWN].effectsHash = keccak256(words);
        seal(d);
        return isFaulty(d, shown(d, UNKNOWN));
    }

    function isFaulty(Draft memory d, RootEvidence memory e) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(RULE_ROOT, abi.encode(e)));
    }
}
