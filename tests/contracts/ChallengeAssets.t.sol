// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LeafJudge} from "../../contracts/challenge/LeafJudge.sol";
import {TotalsJudge} from "../../contracts/challenge/TotalsJudge.sol";
import {TransitionJudge} from "../../contracts/challenge/TransitionJudge.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {
    AccountOpening,
    AssetOpening,
    RootEvidence,
    TransitionEvidence
} from "../../contracts/types/ContentEvidence.sol";
import {ListedAsset} from "../../contracts/types/Listing.sol";
import {
    AssetsEvidence,
    BookEvidence,
    PlaceEvidence
} from "../../contracts/types/StructureEvidence.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {AccountTree} from "./support/AccountTree.sol";
import {ChallengeScenario} from "./support/ChallengeScenario.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {TraceWords} from "./support/TraceWords.sol";
import {vm} from "./support/Vm.sol";

/// @dev A set that lists more collateral makes every account and the book longer, by zeros.
contract ChallengeAssetsTest is ChallengeScenario {
    bytes32 private constant MORE = keccak256("a set with more assets");
    bytes32 private constant FULL = keccak256("a set whose listing fills its tree");
    uint256 private constant ADOPTED = 0;
    uint8 private constant NOW = 3;

    TransitionJudge private _transitions = new TransitionJudge();
    LeafJudge private _leaves = new LeafJudge();
    TotalsJudge private _totals = new TotalsJudge(address(this));

    /// @dev Stands for the parameters: one asset at first, three in the later set.
    function listingRootOf(bytes32 paramsHash) external pure returns (bytes32) {
        if (paramsHash == FULL) return MerkleTree.root(listed(2));
        return MerkleTree.root(listed(paramsHash == MORE ? NOW : 1));
    }

    // What is right.

    function test_more_assets_are_convicted_by_nobody() public view {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        for (uint256 i = 0; i < d.count; ++i) {
            vm.assertFalse(isBookFaulty(d, i));
            vm.assertFalse(isCountFaulty(d, i, NOW));
            vm.assertFalse(isRootFaulty(d, i));
            for (uint32 account = 0; account < 6; ++account) {
                vm.assertFalse(isLeafFaulty(d, i, account));
                vm.assertFalse(isPlaceFaulty(d, i, account));
            }
        }
    }

    function test_the_assets_of_the_first_set_are_convicted_by_nobody() public view {
        Draft memory d = firstBatch();
        for (uint256 i = 0; i < d.count; ++i) {
            vm.assertFalse(isCountFaulty(d, i, 1));
        }
    }

    function test_a_listing_that_fills_its_tree_has_its_last_asset_at_the_end() public view {
        // With two assets behind oracle and instrument all four places are taken.
        for (uint16 assets = 2; assets <= NOW; ++assets) {
            Draft memory d = adopting(TraceWords.assets(assets), assets, assets);
            d.header.paramsHash = FULL;
            AssetsEvidence memory e;
            e.step = openingOf(d, ADOPTED);
            e.book = d.books[ADOPTED];
            e.last = AssetOpening(asset(2), 3, MerkleTree.proof(listed(2), 3));
            vm.assertTrue(isFaulty(d, e) == (assets != 2));
        }
    }

    // What is wrong with the word.

    function test_a_missing_word_is_a_fault() public view {
        Draft memory d = adopting("", 1, 1);
        vm.assertFalse(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isCountFaulty(d, ADOPTED, NOW));
        // Whoever extends the book without the word is caught by its words.
        d = adopting("", NOW, NOW);
        vm.assertFalse(isCountFaulty(d, ADOPTED, NOW));
        vm.assertTrue(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isLeafFaulty(d, ADOPTED, 2));
        vm.assertTrue(isRootFaulty(d, ADOPTED));
    }

    function test_another_number_than_the_set_lists_is_a_fault() public view {
        Draft memory d = adopting(TraceWords.assets(2), 2, 2);
        vm.assertFalse(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isCountFaulty(d, ADOPTED, NOW));
        d = adopting(TraceWords.assets(4), 4, 4);
        vm.assertTrue(isCountFaulty(d, ADOPTED, NOW));
        vm.assertTrue(isCountFaulty(d, ADOPTED + 1, NOW));
    }

    function test_a_word_under_a_set_that_lists_no_more_is_a_fault() public view {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        d.header.paramsHash = 0;
        vm.assertTrue(isCountFaulty(d, ADOPTED, 1));
        // Nor does a word of as many as there are, or of fewer, follow.
        d = adopting(TraceWords.assets(1), 1, 1);
        vm.assertTrue(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isLeafFaulty(d, ADOPTED, 2));
        vm.assertTrue(isRootFaulty(d, ADOPTED));
        d = adopting(TraceWords.assets(9), 9, 9);
        vm.assertTrue(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isLeafFaulty(d, ADOPTED, 2));
    }

    // What is wrong with what it does.

    function test_a_book_that_is_not_extended_is_a_fault() public view {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, 1);
        vm.assertTrue(isBookFaulty(d, ADOPTED));
        vm.assertTrue(isCountFaulty(d, ADOPTED, NOW));
        vm.assertTrue(isPlaceFaulty(d, ADOPTED, 2));
    }

    function test_a_book_extended_by_something_is_a_fault() public view {
        for (uint256 a = 2; a <= NOW; ++a) {
            Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
            d.books[ADOPTED].deposited[a] = 1;
            rebook(d, ADOPTED);
            vm.assertTrue(isBookFaulty(d, ADOPTED));
            d = adopting(TraceWords.assets(NOW), NOW, NOW);
            d.books[ADOPTED].withdrawn[a] = 1;
            rebook(d, ADOPTED);
            vm.assertTrue(isBookFaulty(d, ADOPTED));
        }
        Draft memory hidden = adopting(TraceWords.assets(NOW), NOW, NOW);
        hidden.steps[ADOPTED].bookHash = keccak256("hidden");
        seal(hidden);
        vm.assertTrue(isBookFaulty(hidden, ADOPTED));
    }

    function test_a_leaf_that_is_not_extended_is_a_fault() public view {
        for (uint32 account = 0; account < 4; ++account) {
            Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
            AccountLeaf[] memory later = accountsAfter(d, ADOPTED);
            later[account].collateralE8 = accountsBefore(account).collateralE8;
            reaccount(d, later);
            vm.assertTrue(isLeafFaulty(d, ADOPTED, account));
            vm.assertTrue(isRootFaulty(d, ADOPTED));
            vm.assertTrue(isPlaceFaulty(d, ADOPTED, account));
        }
    }

    function test_a_leaf_extended_by_something_is_a_fault() public view {
        for (uint256 a = 0; a < NOW; ++a) {
            Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
            AccountLeaf[] memory later = accountsAfter(d, ADOPTED);
            later[3].collateralE8[a] += 1;
            reaccount(d, later);
            vm.assertTrue(isLeafFaulty(d, ADOPTED, 3));
            vm.assertTrue(isRootFaulty(d, ADOPTED));
        }
    }

    /// @dev An empty place has nothing that could be extended.
    function test_an_account_out_of_nothing_is_a_fault() public view {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        AccountLeaf[] memory later = accountsAfter(d, ADOPTED);
        AccountLeaf[] memory more = new AccountLeaf[](later.length + 1);
        for (uint256 i = 0; i < later.length; ++i) {
            more[i] = later[i];
        }
        more[later.length].collateralE8 = new uint64[](NOW);
        reaccount(d, more);
        vm.assertTrue(isLeafFaulty(d, ADOPTED, uint32(later.length)));
        vm.assertTrue(isRootFaulty(d, ADOPTED));
    }

    // Evidence that says nothing.

    function test_RevertWhen_an_asset_is_not_the_last_one() public {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        AssetsEvidence memory e = countOf(d, ADOPTED, NOW);
        bytes32[] memory leaves = listed(NOW);
        e.last = AssetOpening(asset(2), 3, MerkleTree.proof(leaves, 3));
        e.endProof = MerkleTree.proof(leaves, 4);
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_an_asset_is_not_listed() public {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        AssetsEvidence memory e = countOf(d, ADOPTED, NOW);
        e.last.listed.asset = 2;
        vm.expectPartialRevert(Openings.WrongRoot.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_the_book_of_the_count_is_another() public {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        AssetsEvidence memory e = countOf(d, ADOPTED, NOW);
        e.book = d.beforeBook;
        vm.expectPartialRevert(TotalsJudge.WrongPreimage.selector);
        isFaulty(d, e);
    }

    function test_RevertWhen_not_all_accounts_are_shown() public {
        Draft memory d = adopting(TraceWords.assets(NOW), NOW, NOW);
        RootEvidence memory e = everybody(d, ADOPTED);
        e.accounts = new AccountOpening[](0);
        vm.expectPartialRevert(TransitionJudge.MissingAccounts.selector);
        _transitions.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    // Building.

    /// @dev A batch that adopts a set, whose leaves and book have so many assets, and then ticks.
    function adopting(bytes memory words, uint256 held, uint256 booked)
        private
        pure
        returns (Draft memory d)
    {
        Draft memory first = firstBatch();
        After memory a;
        d = nextDraft(first);
        a.accounts = accountsAfter(first, first.count - 1);
        for (uint256 i = 0; i < a.accounts.length; ++i) {
            uint64[] memory more = new uint64[](held);
            more[0] = a.accounts[i].collateralE8[0];
            a.accounts[i].collateralE8 = more;
        }
        Book memory was = first.books[first.count - 1];
        a.book = abi.decode(abi.encode(was), (Book));
        (a.book.deposited, a.book.withdrawn) =
        (new uint128[](booked + 1), new uint128[](booked + 1));
        for (uint256 k = 0; k < 2; ++k) {
            (a.book.deposited[k], a.book.withdrawn[k]) = (was.deposited[k], was.withdrawn[k]);
        }
        a.epochHash = hashOfEpoch(epochTwo());
        add(d, 13, new bytes(40), words, a);
        add(d, 4, new bytes(93), "", a);
        close(d);
        d.header.paramsHash = MORE;
    }

    function accountsBefore(uint256 account) private pure returns (AccountLeaf memory) {
        Draft memory first = firstBatch();
        return accountsAfter(first, first.count - 1)[account];
    }

    function rebook(Draft memory d, uint256 i) private pure {
        d.steps[i].bookHash = keccak256(abi.encode(d.books[i]));
        seal(d);
    }

    function reaccount(Draft memory d, AccountLeaf[] memory later) private pure {
        d.steps[ADOPTED].accountRoot = AccountTree.root(AccountTree.hashesOf(later));
        d.accounts[ADOPTED] = abi.encode(later);
        seal(d);
    }

    function asset(uint8 number) private pure returns (ListedAsset memory found) {
        found = listedAsset();
        found.asset = number;
    }

    /// @dev An oracle, an instrument, and so many assets.
    function listed(uint256 assets) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](2 + assets);
        (leaves[0], leaves[1]) = (keccak256("oracle"), keccak256("instrument"));
        for (uint8 a = 1; a <= assets; ++a) {
            leaves[1 + a] = keccak256(abi.encode(asset(a)));
        }
    }

    function countOf(Draft memory d, uint256 i, uint8 assets)
        private
        pure
        returns (AssetsEvidence memory e)
    {
        bytes32[] memory leaves = listed(assets);
        e.step = openingOf(d, i);
        e.book = d.books[i];
        e.last = AssetOpening(asset(assets), 1 + assets, MerkleTree.proof(leaves, 1 + assets));
        e.endProof = MerkleTree.proof(leaves, 2 + assets);
    }

    function everybody(Draft memory d, uint256 i) private pure returns (RootEvidence memory e) {
        e.record = recordOf(d, i);
        e.book = d.books[i];
        if (d.effects[i].length == 0) return e;
        Draft memory first = firstBatch();
        AccountLeaf[] memory now_ = accountsAfter(first, first.count - 1);
        AccountLeaf[] memory later = accountsAfter(adopting(d.effects[i], NOW, NOW), ADOPTED);
        e.accounts = new AccountOpening[](now_.length);
        for (uint32 a = 0; a < now_.length; ++a) {
            e.accounts[a] = holderIn(now_, a);
            now_[a] = later[a];
        }
    }

    // Judging.

    function isLeafFaulty(Draft memory d, uint256 i, uint32 account) private view returns (bool) {
        Draft memory first = firstBatch();
        AccountLeaf[] memory before =
            i == ADOPTED ? accountsAfter(first, first.count - 1) : accountsAfter(d, i - 1);
        TransitionEvidence memory e = TransitionEvidence(
            recordOf(d, i), holderIn(before, account), holderAfter(d, i, account)
        );
        return _transitions.isFaulty(d.header, abi.encode(e));
    }

    function isRootFaulty(Draft memory d, uint256 i) private view returns (bool) {
        RootEvidence memory e = everybody(d, i);
        return _transitions.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function isBookFaulty(Draft memory d, uint256 i) private view returns (bool) {
        Book memory before = i == ADOPTED ? d.beforeBook : d.books[i - 1];
        BookEvidence memory e = BookEvidence(pairOf(d, i), d.effects[i], before, d.books[i]);
        return _totals.isFaulty(d.header, abi.encodePacked(uint8(1), abi.encode(e)));
    }

    function isPlaceFaulty(Draft memory d, uint256 i, uint32 account) private view returns (bool) {
        PlaceEvidence memory e =
            PlaceEvidence(openingOf(d, i), d.books[i], holderAfter(d, i, account));
        return _leaves.isFaulty(d.header, abi.encodePacked(uint8(3), abi.encode(e)));
    }

    function isCountFaulty(Draft memory d, uint256 i, uint8 assets) private view returns (bool) {
        return isFaulty(d, countOf(d, i, assets));
    }

    function isFaulty(Draft memory d, AssetsEvidence memory e) private view returns (bool) {
        return _totals.isFaulty(d.header, abi.encodePacked(uint8(7), abi.encode(e)));
    }
}
