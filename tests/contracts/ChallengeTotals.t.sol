// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {Totals} from "../../contracts/types/Batch.sol";
import {
    BookEvidence,
    FundEvidence,
    TotalsEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeTotalsTest is ChallengeScenario {
    TotalsJudge private _judge = new TotalsJudge(address(this));

    // Rule 1: book.

    function test_the_books_of_an_honest_batch_follow_from_its_effects() public view {
        Draft memory first = firstBatch();
        for (uint256 i = 0; i < first.count; ++i) {
            vm.assertFalse(isBookFaulty(first, i));
        }
        Draft memory second = secondBatch(first);
        for (uint256 i = 0; i < second.count; ++i) {
            vm.assertFalse(isBookFaulty(second, i));
        }
    }

    function test_any_other_number_in_a_book_is_a_fault() public view {
        for (uint256 field = 0; field < 9; ++field) {
            Draft memory d = firstBatch();
            Book memory book = d.books[LIQUIDATION];
            if (field == 0) book.deposited[0] += 1;
            if (field == 1) book.deposited[1] -= 1;
            if (field == 2) book.withdrawn[0] += 1;
            if (field == 3) book.withdrawn[1] += 1;
            if (field == 4) book.contributedE6 += 1;
            if (field == 5) book.drawnE6 += 1;
            if (field == 6) book.shortfallE6 -= 1;
            if (field == 7) book.accounts += 1;
            if (field == 8) book.liquidations += 1;
            rebook(d, LIQUIDATION);
            vm.assertTrue(isBookFaulty(d, LIQUIDATION));
        }
    }

    function test_a_book_that_loses_or_gains_an_asset_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.books[CANCEL_ALL].deposited = new uint128[](3);
        d.books[CANCEL_ALL].withdrawn = new uint128[](3);
        rebook(d, CANCEL_ALL);
        vm.assertTrue(isBookFaulty(d, CANCEL_ALL));
    }

    function test_a_book_behind_one_of_two_minds_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.books[FILL].withdrawn = new uint128[](3);
        rebook(d, FILL);
        vm.assertTrue(isBookFaulty(d, FILL + 1));
    }

    function test_a_first_book_without_assets_or_of_two_minds_is_a_fault() public view {
        Draft memory d = firstBatch();
        d.books[GENESIS].withdrawn = new uint128[](3);
        rebook(d, GENESIS);
        vm.assertTrue(isBookFaulty(d, GENESIS));
        d.books[GENESIS] = emptyBook(0);
        d.books[GENESIS].accounts = 2;
        rebook(d, GENESIS);
        vm.assertTrue(isBookFaulty(d, GENESIS));
    }

    function test_effects_in_an_asset_that_does_not_exist_are_a_fault() public view {
        vm.assertTrue(isWordFaulty(TraceWords.output(2, 2, 0, 3)));
        vm.assertTrue(isWordFaulty(TraceWords.collateral(2, 0, 0, true)));
        vm.assertTrue(isWordFaulty(TraceWords.collateral(2, 2, 0, true)));
        vm.assertFalse(isWordFaulty(TraceWords.collateral(2, 1, 0, true)));
    }

    function test_what_does_not_come_from_the_inbox_is_no_deposit() public view {
        vm.assertFalse(isWordFaulty(TraceWords.collateral(2, 1, 5, false)));
        vm.assertFalse(isWordFaulty(TraceWords.cash(2, 5, 7)));
        vm.assertFalse(isWordFaulty(TraceWords.cash(2, 2, 7)));
        vm.assertTrue(isWordFaulty(TraceWords.cash(2, 1, 7)));
    }

    function test_a_hidden_book_is_a_fault_where_another_follows() public {
        Draft memory d = firstBatch();
        d.steps[FILL].bookHash = keccak256("hidden");
        seal(d);
        vm.assertTrue(isBookFaulty(d, FILL));
        // Before the first record nothing says how many assets there are.
        d = firstBatch();
        d.steps[GENESIS].bookHash = keccak256("hidden");
        seal(d);
        vm.expectPartialRevert(TotalsJudge.WrongPreimage.selector);
        isBookFaulty(d, GENESIS);
    }

    function test_RevertWhen_a_book_is_not_that_of_its_step() public {
        Draft memory d = firstBatch();
        d.books[FILL].accounts += 1;
        vm.expectPartialRevert(TotalsJudge.WrongPreimage.selector);
        isBookFaulty(d, FILL);
    }

    // Rule 2: totals.

    function test_totals_other_than_the_last_book_are_a_fault() public view {
        Draft memory d = firstBatch();
        vm.assertFalse(areTotalsFaulty(d, totalsAfter(d)));
        for (uint256 field = 0; field < 12; ++field) {
            Totals memory totals = totalsAfter(d);
            if (field == 0) totals.depositedCash += 1;
            if (field == 1) totals.depositedCollateral[0] += 1;
            if (field == 2) totals.withdrawnCash += 1;
            if (field == 3) totals.withdrawnCollateral[0] += 1;
            if (field == 4) totals.contributedE6 += 1;
            if (field == 5) totals.drawnE6 += 1;
            if (field == 6) totals.shortfallE6 += 1;
            if (field == 7) totals.accounts += 1;
            if (field == 8) totals.liquidations += 1;
            if (field == 9) totals.collateralE8 = new uint128[](2);
            if (field == 10) totals.depositedCollateral = new uint128[](0);
            if (field == 11) totals.withdrawnCollateral = new uint128[](2);
            vm.assertTrue(areTotalsFaulty(d, totals));
        }
    }

    function test_RevertWhen_the_totals_are_not_those_of_the_header() public {
        Draft memory d = firstBatch();
        TotalsEvidence memory e = TotalsEvidence(lastOf(d), d.books[d.count - 1], totalsAfter(d));
        d.header.totalsHash = 0;
        vm.expectPartialRevert(TotalsJudge.WrongPreimage.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    // Rule 3: fund.

    function test_a_balance_of_the_fund_other_than_its_cash_is_a_fault() public view {
        Draft memory d = firstBatch();
        Totals memory totals = totalsAfter(d);
        vm.assertFalse(isFundFaulty(d, totals, 0));
        totals.insuranceE6 -= 1;
        vm.assertTrue(isFundFaulty(d, totals, 0));
    }

    function test_a_fund_without_an_account_has_nothing() public view {
        Draft memory d = firstBatch();
        Totals memory totals = totalsAfter(d);
        d.accounts[d.count - 1] = abi.encode(new AccountLeaf[](0));
        d.steps[d.count - 1].accountRoot = AccountTree.root(new bytes32[](0));
        seal(d);
        vm.assertTrue(isFundFaulty(d, totals, 0));
        totals.insuranceE6 = 0;
        vm.assertFalse(isFundFaulty(d, totals, 0));
    }

    function test_RevertWhen_the_account_is_not_that_of_the_fund() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(TotalsJudge.WrongAccount.selector, 1, 0));
        isFundFaulty(d, totalsAfter(d), 1);
    }

    // Refusals.

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 8));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(8), uint256(0x20)));
    }

    function test_RevertWhen_the_parameters_are_nowhere() public {
        vm.expectRevert(TotalsJudge.ZeroAddress.selector);
        new TotalsJudge(address(0));
    }

    function isBookFaulty(Draft memory d, uint256 i) private view returns (bool) {
        Book memory before = i == 0 ? d.beforeBook : d.books[i - 1];
        BookEvidence memory e = BookEvidence(pairOf(d, i), d.effects[i], before, d.books[i]);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function rebook(Draft memory d, uint256 i) private pure {
        d.steps[i].bookHash = keccak256(abi.encode(d.books[i]));
        seal(d);
    }

    /// @dev The word in place of the NOOP of a record, whose book stays as it was.
    function isWordFaulty(bytes memory word) private view returns (bool) {
        Draft memory d = firstBatch();
        d.effects[UNKNOWN] = word;
        d.steps[UNKNOWN].effectsHash = keccak256(word);
        seal(d);
        return isBookFaulty(d, UNKNOWN);
    }

    function areTotalsFaulty(Draft memory d, Totals memory totals) private view returns (bool) {
        d.header.totalsHash = keccak256(abi.encode(totals));
        TotalsEvidence memory e = TotalsEvidence(lastOf(d), d.books[d.count - 1], totals);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function isFundFaulty(Draft memory d, Totals memory totals, uint32 account)
        private
        view
        returns (bool)
    {
        d.header.totalsHash = keccak256(abi.encode(totals));
        FundEvidence memory e =
            FundEvidence(lastOf(d), holderAfter(d, d.count - 1, account), totals);
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }
}
