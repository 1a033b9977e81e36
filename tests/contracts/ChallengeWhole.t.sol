// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {Owed} from "../../contracts/libraries/Owed.sol";
import {SumWalk} from "../../contracts/libraries/SumWalk.sol";
import {WholeCheckpoint} from "../../contracts/libraries/WholeCheckpoint.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {ExitLeaf} from "../../contracts/types/Checkpoint.sol";
import {AssetOpening, Column} from "../../contracts/types/ContentEvidence.sol";
import {WholeEvidence} from "../../contracts/types/StructureEvidence.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeCheckpoints} from "./support/ChallengeCheckpoints.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Kind 7, rule 6: a checkpoint that nobody can open. The test is the parameters.
contract ChallengeWholeTest is ChallengeCheckpoints {
    TotalsJudge private _judge = new TotalsJudge(address(this));

    function listingRootOf(bytes32) external pure returns (bytes32) {
        return MerkleTree.root(listingLeaves());
    }

    function test_the_checkpoint_of_all_accounts_is_no_fault() public view {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        vm.assertFalse(isFaulty(d, wholeOf(d)));
    }

    function test_another_checkpoint_is_a_fault_though_nobody_can_open_it() public view {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = keccak256("hidden");
        vm.assertTrue(isFaulty(d, wholeOf(d)));
    }

    function test_before_the_first_epoch_cash_alone_counts() public view {
        Draft memory d = firstBatch();
        d.count = REPORT;
        close(d);
        ExitLeaf[] memory leaves = new ExitLeaf[](4);
        leaves[0] = exitLeaf(0, FUND, 0, 0, 0, 0, 0);
        leaves[1] = exitLeaf(1, BACKSTOP, 0, 0, 0, 0, 0);
        leaves[2] = exitLeaf(2, ALICE, 0, 1000e6, 0, 0, 0);
        leaves[3] = exitLeaf(3, BOB, 1, 0, 0, 0, 5e8);
        d.header.checkpointRoot = rootOf(leaves);
        vm.assertFalse(isFaulty(d, wholeOf(d)));
        d.header.checkpointRoot = keccak256("hidden");
        vm.assertTrue(isFaulty(d, wholeOf(d)));
    }

    function test_RevertWhen_an_account_is_left_out() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        WholeEvidence memory e = wholeOf(d);
        AccountLeaf[] memory all = e.accounts;
        e.accounts = new AccountLeaf[](3);
        (e.accounts[0], e.accounts[1], e.accounts[2]) = (all[0], all[1], all[2]);
        vm.expectPartialRevert(WholeCheckpoint.WrongAccounts.selector);
        isFaulty(d, e);
        e.accounts = new AccountLeaf[](0);
        vm.expectPartialRevert(WholeCheckpoint.WrongAccounts.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_there_is_no_account_at_all() public {
        Draft memory d = firstBatch();
        d.accounts[d.count - 1] = abi.encode(new AccountLeaf[](0));
        d.steps[d.count - 1].accountRoot = AccountTree.root(new bytes32[](0));
        seal(d);
        d.header.checkpointRoot = keccak256("hidden");
        WholeEvidence memory e = wholeOf(d);
        vm.expectPartialRevert(WholeCheckpoint.WrongAccounts.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_an_underlying_is_not_opened() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        WholeEvidence memory e = wholeOf(d);
        (e.underlyings, e.values) = (new uint8[](0), new Column[](0));
        vm.expectRevert(abi.encodeWithSelector(WholeCheckpoint.MissingUnderlying.selector, 0));
        isFaulty(d, e);
    }

    function test_RevertWhen_an_asset_is_not_opened() public {
        Draft memory d = firstBatch();
        d.header.checkpointRoot = rootOf(exitLeaves());
        WholeEvidence memory e = wholeOf(d);
        e.assets = new AssetOpening[](0);
        vm.expectRevert(abi.encodeWithSelector(Owed.MissingOpening.selector, 0, 1));
        isFaulty(d, e);
    }

    function test_RevertWhen_positions_have_no_worth_yet() public {
        Draft memory d = firstBatch();
        d.steps[d.count - 1].epochHash = 0;
        seal(d);
        d.header.checkpointRoot = rootOf(exitLeaves());
        WholeEvidence memory e = wholeOf(d);
        vm.expectRevert(Owed.NoValues.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_the_batch_has_no_checkpoint() public {
        Draft memory d = firstBatch();
        vm.expectRevert(SumWalk.NoCheckpoint.selector);
        isFaulty(d, wholeOf(d));
    }

    function wholeOf(Draft memory d) private pure returns (WholeEvidence memory e) {
        e.last = lastOf(d);
        e.accounts = accountsAfter(d, d.count - 1);
        e.epoch = epochOne();
        e.underlyings = new uint8[](1);
        e.values = new Column[](1);
        e.values[0] = valueColumn();
        e.report = report();
        e.assets = new AssetOpening[](1);
        e.assets[0] = AssetOpening(listedAsset(), 2, MerkleTree.proof(listingLeaves(), 2));
    }

    function isFaulty(Draft memory d, WholeEvidence memory e) private view returns (bool) {
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(6), abi.encode(e)));
    }
}
