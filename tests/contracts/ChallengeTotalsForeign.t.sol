// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {
    AssetsEvidence,
    BookEvidence,
    FundEvidence,
    OwedEvidence,
    TotalsEvidence,
    WholeEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {ChallengeCheckpoints} from "./support/ChallengeCheckpoints.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Kind 7: what is not of the batch says nothing about it. The test is the parameters.
contract ChallengeTotalsForeignTest is ChallengeCheckpoints {
    TotalsJudge private _judge = new TotalsJudge(address(this));

    function listingRootOf(bytes32) external pure returns (bytes32) {
        return MerkleTree.root(listingLeaves());
    }

    function test_RevertWhen_book_words_or_step_are_others() public {
        Draft memory d = firstBatch();
        BookEvidence memory e =
            BookEvidence(pairOf(d, FILL), d.effects[FILL], d.books[GENESIS], d.books[FILL]);
        expectRefused(d, 1, abi.encode(e), TotalsJudge.WrongPreimage.selector);
        (e.before, e.effects) = (d.books[FILL - 1], d.effects[FIRST_DEPOSIT]);
        expectRefused(d, 1, abi.encode(e), Effects.WrongEffects.selector);
        e.effects = d.effects[FILL];
        e.pair.step.dataEnd += 1;
        expectRefused(d, 1, abi.encode(e), Trace.WrongStep.selector);
    }

    function test_RevertWhen_totals_are_compared_with_another_book() public {
        Draft memory d = firstBatch();
        d.header.totalsHash = keccak256(abi.encode(totalsAfter(d)));
        TotalsEvidence memory e = TotalsEvidence(lastOf(d), d.books[GENESIS], totalsAfter(d));
        expectRefused(d, 2, abi.encode(e), TotalsJudge.WrongPreimage.selector);
        e.last = openingOf(d, GENESIS);
        expectRefused(d, 2, abi.encode(e), Trace.NotLastStep.selector);
    }

    function test_RevertWhen_the_fund_is_shown_as_it_is_not() public {
        Draft memory d = firstBatch();
        d.header.totalsHash = keccak256(abi.encode(totalsAfter(d)));
        FundEvidence memory e =
            FundEvidence(lastOf(d), holderAfter(d, d.count - 1, 0), totalsAfter(d));
        e.fund.leaf[0].cashE6 += 1;
        expectRefused(d, 3, abi.encode(e), Openings.WrongRoot.selector);
        e.fund.leaf[0].cashE6 -= 1;
        e.totals.insuranceE6 += 1;
        expectRefused(d, 3, abi.encode(e), TotalsJudge.WrongPreimage.selector);
        e.totals.insuranceE6 -= 1;
        (e.last, e.fund) = (openingOf(d, GENESIS), holderAfter(d, GENESIS, 0));
        expectRefused(d, 3, abi.encode(e), Trace.NotLastStep.selector);
    }

    function test_RevertWhen_what_is_owed_follows_from_another_state() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        OwedEvidence memory e = owedTo(d, exitLeaves(), 3);
        e.holder.leaf[0].cashE6 += 1;
        expectRefused(d, 5, abi.encode(e), Openings.WrongRoot.selector);
        e = owedTo(d, exitLeaves(), 3);
        e.report.round += 1;
        expectRefused(d, 5, abi.encode(e), Openings.WrongPreimage.selector);
        (e.last, e.holder) = (openingOf(d, RETURNED), holderAfter(d, RETURNED, 3));
        expectRefused(d, 5, abi.encode(e), Trace.NotLastStep.selector);
    }

    function test_RevertWhen_the_whole_checkpoint_is_of_an_earlier_step() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        WholeEvidence memory e;
        (e.last, e.accounts) = (openingOf(d, RETURNED), accountsAfter(d, RETURNED));
        expectRefused(d, 6, abi.encode(e), Trace.NotLastStep.selector);
    }

    function test_RevertWhen_assets_are_counted_in_no_step_of_the_trace() public {
        Draft memory d = firstBatch();
        AssetsEvidence memory e;
        (e.step, e.book) = (openingOf(d, FILL), emptyBook(3));
        e.step.step.bookHash = keccak256(abi.encode(e.book));
        expectRefused(d, 7, abi.encode(e), Trace.WrongStep.selector);
    }

    function expectRefused(Draft memory d, uint8 rule, bytes memory body, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        _judge.isFaulty(d.header, abi.encodePacked(rule, body));
    }
}
