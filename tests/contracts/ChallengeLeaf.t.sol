// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafJudge} from "../../contracts/challenge/LeafJudge.sol";
import {Dispute} from "../../contracts/libraries/Dispute.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {StepOpening} from "../../contracts/types/Evidence.sol";
import {
    FormEvidence,
    PlaceEvidence,
    TwinEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {vm} from "./support/Vm.sol";

contract ChallengeLeafTest is ChallengeScenario {
    LeafJudge private _judge = new LeafJudge();

    // Rule 1: twins.

    function test_two_accounts_of_one_owner_and_sub_account_are_a_fault() public view {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        vm.assertFalse(areTwinsFaulty(d, accounts, 2, 3));
        accounts[3].owner = ALICE;
        vm.assertFalse(areTwinsFaulty(rooted(d, accounts), accounts, 2, 3));
        accounts[3].subaccount = 0;
        vm.assertTrue(areTwinsFaulty(rooted(d, accounts), accounts, 2, 3));
    }

    function test_an_empty_place_is_nobodys_twin() public view {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        vm.assertFalse(areTwinsFaulty(d, accounts, 2, 9));
    }

    function test_RevertWhen_the_two_are_one() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        vm.expectRevert(abi.encodeWithSelector(LeafJudge.SameAccount.selector, 2));
        areTwinsFaulty(d, accounts, 2, 2);
    }

    function test_RevertWhen_the_first_of_two_is_nobody() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        vm.expectRevert(abi.encodeWithSelector(LeafJudge.NoAccount.selector, 9));
        areTwinsFaulty(d, accounts, 9, 2);
    }

    // Rule 2: form.

    function test_the_leaves_of_an_honest_batch_are_canonical() public view {
        (, AccountLeaf[] memory accounts) = ended();
        for (uint256 i = 0; i < accounts.length; ++i) {
            vm.assertFalse(isFormFaulty(abi.encode(accounts[i])));
        }
        vm.assertFalse(isFormFaulty(abi.encode(wide())));
    }

    function test_a_leaf_that_is_no_account_is_a_fault() public view {
        bytes memory leaf = abi.encode(wide());
        vm.assertTrue(isFormFaulty(""));
        vm.assertTrue(isFormFaulty(bytes.concat(leaf, bytes32(0))));
        vm.assertTrue(isFormFaulty(bytes.concat(leaf, bytes1(0))));
        vm.assertTrue(isFormFaulty(new bytes(leaf.length)));
    }

    function test_a_word_out_of_its_range_is_a_fault() public view {
        // 0x20 | owner | subaccount | mode | cash | places of the arrays | 2 assets | 2 positions
        uint256[19] memory tooLarge = [
            0x40,
            1 << 160,
            256,
            3,
            1 << 63,
            0xe0,
            0x140,
            9,
            1 << 64,
            1 << 64,
            33,
            1 << 16,
            1 << 31,
            1 << 63,
            5, // the instrument of the first position again
            0,
            type(uint256).max - (1 << 63),
            0,
            0
        ];
        for (uint256 i = 0; i < 17; ++i) {
            bytes memory leaf = abi.encode(wide());
            uint256 word = tooLarge[i];
            assembly ("memory-safe") {
                mstore(add(leaf, add(0x20, shl(5, i))), word)
            }
            vm.assertTrue(isFormFaulty(leaf));
        }
    }

    function test_positions_out_of_order_are_a_fault() public view {
        AccountLeaf memory leaf = wide();
        (leaf.positions[0], leaf.positions[1]) = (leaf.positions[1], leaf.positions[0]);
        vm.assertTrue(isFormFaulty(abi.encode(leaf)));
    }

    function test_RevertWhen_the_bytes_are_not_a_leaf_of_the_tree() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        FormEvidence memory e;
        e.step = lastOf(d);
        e.account = 2;
        e.leaf = abi.encode(accounts[3]);
        e.proof = AccountTree.proof(AccountTree.hashesOf(accounts), 2);
        vm.expectPartialRevert(LeafJudge.WrongPreimage.selector);
        _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    // Rule 3: place.

    function test_accounts_fill_the_first_places_and_no_others() public view {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        for (uint32 i = 0; i < 6; ++i) {
            vm.assertFalse(isPlaceFaulty(d, accounts, i));
        }
        AccountLeaf[] memory fewer = new AccountLeaf[](3);
        (fewer[0], fewer[1], fewer[2]) = (accounts[0], accounts[1], accounts[2]);
        vm.assertTrue(isPlaceFaulty(rooted(d, fewer), fewer, 3));
        AccountLeaf[] memory more = new AccountLeaf[](5);
        (more[0], more[1], more[2], more[3]) = (accounts[0], accounts[1], accounts[2], accounts[3]);
        more[4] = accounts[3];
        vm.assertTrue(isPlaceFaulty(rooted(d, more), more, 4));
    }

    function test_an_account_with_other_assets_than_the_book_is_a_fault() public view {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        accounts[2].collateralE8 = new uint64[](2);
        vm.assertTrue(isPlaceFaulty(rooted(d, accounts), accounts, 2));
    }

    function test_RevertWhen_the_book_is_not_that_of_the_step() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        d.books[d.count - 1].accounts += 1;
        vm.expectPartialRevert(LeafJudge.WrongPreimage.selector);
        isPlaceFaulty(d, accounts, 2);
    }

    // What does not belong.

    function test_RevertWhen_one_of_two_is_not_in_the_tree_of_the_step() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        TwinEvidence memory e =
            TwinEvidence(lastOf(d), holderIn(accounts, 2), holderIn(accounts, 3));
        (e.other.leaf[0].owner, e.other.leaf[0].subaccount) = (ALICE, 0);
        expectRefused(d, 1, abi.encode(e), Openings.WrongRoot.selector);
        (d, accounts) = ended();
        e = TwinEvidence(lastOf(d), holderIn(accounts, 2), holderIn(accounts, 3));
        (e.one.leaf[0].owner, e.one.leaf[0].subaccount) = (BOB, 1);
        expectRefused(d, 1, abi.encode(e), Openings.WrongRoot.selector);
        (d, accounts) = ended();
        e = TwinEvidence(lastOf(d), holderIn(accounts, 2), holderIn(accounts, 3));
        e.step.step.dataEnd += 1;
        expectRefused(d, 1, abi.encode(e), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_tree_of_the_form_is_of_no_step() public {
        (Draft memory d,) = ended();
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = keccak256("no leaf");
        FormEvidence memory e = FormEvidence(lastOf(d), 0, "no leaf", AccountTree.proof(hashes, 0));
        e.step.step.accountRoot = AccountTree.root(hashes);
        expectRefused(d, 2, abi.encode(e), Trace.WrongStep.selector);
    }

    function test_RevertWhen_place_or_step_is_not_of_the_batch() public {
        (Draft memory d, AccountLeaf[] memory accounts) = ended();
        PlaceEvidence memory e =
            PlaceEvidence(lastOf(d), d.books[d.count - 1], holderIn(accounts, 2));
        e.holder.leaf[0].collateralE8 = new uint64[](2);
        expectRefused(d, 3, abi.encode(e), Openings.WrongRoot.selector);
        e.holder = holderIn(accountsAfter(d, d.count - 1), 2);
        e.step.step.dataEnd += 1;
        expectRefused(d, 3, abi.encode(e), Trace.WrongStep.selector);
    }

    function expectRefused(Draft memory d, uint8 rule, bytes memory body, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        _judge.isFaulty(d.header, abi.encodePacked(rule, body));
    }

    function test_RevertWhen_the_rule_does_not_exist() public {
        Draft memory d = firstBatch();
        vm.expectRevert(abi.encodeWithSelector(Dispute.UnknownRule.selector, 4));
        _judge.isFaulty(d.header, abi.encodePacked(uint8(4), uint256(0x20)));
    }

    function ended() private pure returns (Draft memory d, AccountLeaf[] memory accounts) {
        d = firstBatch();
        accounts = accountsAfter(d, d.count - 1);
    }

    /// @dev The batch with these accounts at its end.
    function rooted(Draft memory d, AccountLeaf[] memory accounts)
        private
        pure
        returns (Draft memory)
    {
        d.steps[d.count - 1].accountRoot = AccountTree.root(AccountTree.hashesOf(accounts));
        seal(d);
        return d;
    }

    function wide() private pure returns (AccountLeaf memory leaf) {
        leaf.owner = ALICE;
        leaf.cashE6 = -5;
        leaf.collateralE8 = new uint64[](2);
        leaf.positions = new Position[](2);
        leaf.positions[0] = Position(5, -1, -7);
        leaf.positions[1] = Position(6, 1, 7);
    }

    function areTwinsFaulty(Draft memory d, AccountLeaf[] memory accounts, uint32 one, uint32 other)
        private
        view
        returns (bool)
    {
        TwinEvidence memory e =
            TwinEvidence(lastOf(d), holderIn(accounts, one), holderIn(accounts, other));
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    /// @dev With the bytes as the only account.
    function isFormFaulty(bytes memory leaf) private view returns (bool) {
        Draft memory d = firstBatch();
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = keccak256(leaf);
        d.steps[4].accountRoot = AccountTree.root(hashes);
        seal(d);
        StepOpening memory step = openingOf(d, 4);
        FormEvidence memory e = FormEvidence(step, 0, leaf, AccountTree.proof(hashes, 0));
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(2), abi.encode(e)));
    }

    function isPlaceFaulty(Draft memory d, AccountLeaf[] memory accounts, uint32 account)
        private
        view
        returns (bool)
    {
        PlaceEvidence memory e =
            PlaceEvidence(lastOf(d), d.books[d.count - 1], holderIn(accounts, account));
        return _judge.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }
}
