// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IExit} from "../../contracts/interfaces/IExit.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {ExitRig} from "./support/ExitRig.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {vm} from "./support/Vm.sol";

interface Snapshots {
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}

/// @dev INV-11, L-2, L-3: what everybody is paid from a frozen venue.
contract ExitTest is ExitRig {
    function setUp() public {
        deployExit();
    }

    function _frozen() private {
        finalise();
        books.freeze();
        startExits();
    }

    function test_a_healthy_venue_pays_everything_in_full() public {
        addLeaf(1200, 0, 0, 30);
        addLeaf(300, 0, 0, 0);
        addLeaf(0, 0, 0, 11);
        addLeaf(0, 0, 0, 0);
        fundLeaves(0, 0, 0);
        _frozen();
        for (uint256 i = 0; i < 4; ++i) {
            exitFor(i, BOTH);
        }
        assertPaid(0, 1200, 30);
        assertPaid(1, 300, 0);
        assertPaid(2, 0, 11);
        assertPaid(3, 0, 0);
        vm.assertEq(vault.bookedBalance(0) + vault.bookedBalance(1), 0);
    }

    /// @dev Account 1 lost 400, and 40 of its collateral cover that.
    function test_collateral_that_covered_a_loss_pays_those_who_won() public {
        addLeaf(1050, 0, 0, 5);
        addLeaf(0, 400, 0, 10);
        addLeaf(350, 0, 0, 0);
        fundLeaves(0, 0, 40);
        _frozen();
        (uint128 available, uint128 claims) = exit.termsOf(0);
        vm.assertEq(available, 1000);
        vm.assertEq(claims, 1400);
        (available, claims) = exit.termsOf(1);
        vm.assertEq(available, 55);
        vm.assertEq(claims, 15);
        for (uint256 i = 0; i < 3; ++i) {
            exitFor(i, BOTH);
        }
        assertPaid(0, 750, 5 + 30); // 1050 x 1000 / 1400, and 1050 x 40 / 1400
        assertPaid(1, 0, 10);
        assertPaid(2, 250, 10);
    }

    function test_what_nothing_covers_is_shared_by_all_winners() public {
        addLeaf(600, 0, 0, 0);
        addLeaf(300, 0, 0, 0);
        addLeaf(0, 600, 600, 0);
        fundLeaves(0, 0, 0);
        _frozen();
        for (uint256 i = 0; i < 3; ++i) {
            exitFor(i, BOTH);
        }
        assertPaid(0, 200, 0);
        assertPaid(1, 100, 0);
        assertPaid(2, 0, 0);
    }

    function test_nobody_with_equity_leaves_nothing_to_divide() public {
        addLeaf(0, 0, 0, 9);
        fundLeaves(0, 0, 3);
        _frozen();
        exitFor(0, BOTH);
        assertPaid(0, 0, 9);
        vm.assertEq(vault.bookedBalance(1), 3);
    }

    /// @dev Outputs that are not claimed yet and deposits that no final batch consumed come first.
    function test_outputs_and_late_deposits_are_paid_in_full() public {
        addLeaf(900, 0, 0, 20);
        addLeaf(0, 300, 300, 0);
        fundLeaves(70, 8, 0);
        finalise();
        books.pay(vault, 0, OUTPUT_OWNER, 30);
        InboxEntry memory first = depositLate(0, 500);
        InboxEntry memory second = depositLate(1, 50);
        books.freeze();
        exit.refund(first);
        startExits();
        exitFor(0, BOTH);
        assertPaid(0, 600, 20);
        exit.refund(second);
        books.pay(vault, 0, OUTPUT_OWNER, 40);
        books.pay(vault, 1, OUTPUT_OWNER, 8);
        vm.assertEq(cash.balanceOf(LATE), 500);
        vm.assertEq(collateral.balanceOf(LATE), 50);
        vm.assertEq(cash.balanceOf(OUTPUT_OWNER), 70);
        vm.assertEq(vault.bookedBalance(0) + vault.bookedBalance(1), 0);
    }

    /// @dev The same outputs, claimed and refunded before or after the start: the same terms.
    function testFuzz_the_terms_do_not_depend_on_what_was_paid_before(uint8 order) public {
        addLeaf(900, 0, 0, 20);
        fundLeaves(70, 8, 0);
        finalise();
        InboxEntry memory late = depositLate(0, 500);
        if (order & 1 != 0) books.pay(vault, 0, OUTPUT_OWNER, 70);
        if (order & 2 != 0) books.pay(vault, 1, OUTPUT_OWNER, 3);
        books.freeze();
        if (order & 4 != 0) exit.refund(late);
        if (order & 8 != 0) books.pay(vault, 1, OUTPUT_OWNER, 5);
        startExits();
        (uint128 available,) = exit.termsOf(0);
        vm.assertEq(available, 900);
        (available,) = exit.termsOf(1);
        vm.assertEq(available, 20);
    }

    /// @dev Random books, in two random orders: each account gets the same in both, what was
    /// foretold, and never more than there is.
    function testFuzz_any_order_pays_the_same(uint32[6] memory equity, uint256 seed) public {
        uint256 total = 0;
        for (uint256 i = 0; i < 6; ++i) {
            addLeaf(equity[i], 0, 0, uint24(seed >> 24 * i));
            total += equity[i];
        }
        addLeaf(0, uint128(seed % (total + 1)), 0, 0);
        fundLeaves(0, 0, uint128(seed % 1000));
        _frozen();
        uint256 start = Snapshots(address(vm)).snapshotState();
        uint256[14] memory first = _leaveInOrder(seed);
        Snapshots(address(vm)).revertToState(start);
        uint256[14] memory second = _leaveInOrder(uint256(keccak256(abi.encode(seed))));
        for (uint256 i = 0; i < 14; ++i) {
            vm.assertEq(first[i], second[i]);
        }
    }

    function _leaveInOrder(uint256 seed) private returns (uint256[14] memory paid) {
        uint256[7] memory order = [uint256(0), 1, 2, 3, 4, 5, 6];
        for (uint256 i = 6; i > 0; --i) {
            uint256 j = uint256(keccak256(abi.encode(seed, i))) % (i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        for (uint256 i = 0; i < 7; ++i) {
            uint256 account = order[i];
            paid[2 * account] = exit.payoutOf(leaves[account], 0);
            paid[2 * account + 1] = exit.payoutOf(leaves[account], 1);
            exitFor(account, BOTH);
            assertPaid(account, paid[2 * account], paid[2 * account + 1]);
        }
    }

    function test_assets_may_be_taken_one_by_one() public {
        addLeaf(100, 0, 0, 9);
        fundLeaves(0, 0, 0);
        _frozen();
        exitFor(0, 2);
        assertPaid(0, 0, 9);
        vm.assertEq(exit.exitedAssets(0), 2);
        vm.expectEmit(address(exit));
        emit IExit.Exited(0, ownerAt(0), 0, 100);
        exitFor(0, 1);
        assertPaid(0, 100, 9);
        vm.assertEq(exit.exitedAssets(0), 3);
    }

    function test_a_leaf_is_owed_nothing_of_assets_that_it_lacks() public {
        addLeaf(100, 0, 0, 9);
        fundLeaves(0, 0, 0);
        _frozen();
        vm.assertEq(exit.payoutOf(leaves[0], 2), 0);
        vm.assertEq(exit.payoutOf(leaves[0], 255), 0);
    }

    /// @dev Books that only a batch leaves that should never have become final: the way out stays
    /// open for what is there.
    function test_books_that_cannot_be_leave_less_and_never_lock() public {
        addLeaf(900, 0, 0, 20);
        fundLeaves(70, 0, 0);
        books.pay(vault, 0, OUTPUT_OWNER, 570); // 500 more than the totals say
        totals.depositedCollateral = [5000];
        totals.withdrawnCollateral = [4990];
        _frozen();
        (uint128 available,) = exit.termsOf(0);
        vm.assertEq(available, 400);
        (available,) = exit.termsOf(1);
        vm.assertEq(available, 0);
        exitFor(0, BOTH);
        assertPaid(0, 400, 0);
    }

    function test_nothing_but_the_chain_of_batches_is_needed() public {
        addLeaf(100, 0, 0, 9);
        fundLeaves(0, 0, 0);
        finalise();
        InboxEntry memory late = depositLate(0, 500);
        limits.setOutflow(0, 0);
        limits.setPaused(true);
        books.freeze();
        exit.refund(late);
        startExits();
        vm.prank(address(0xca11e2));
        exitFor(0, BOTH);
        assertPaid(0, 100, 9);
    }

    // --- tokens that are not what the books say ---

    /// @dev By the books alone account 0 would get all and account 1 nothing.
    function test_a_token_that_took_some_away_leaves_the_same_share_to_all() public {
        addLeaf(600, 0, 0, 30);
        addLeaf(400, 0, 0, 10);
        fundLeaves(0, 0, 0);
        vm.prank(address(vault));
        cash.transfer(address(0xdead), 500);
        _frozen();
        exitFor(0, BOTH);
        exitFor(1, BOTH);
        assertPaid(0, 300, 30);
        assertPaid(1, 200, 10);
    }

    function test_what_a_token_took_away_is_first_missing_after_outputs_and_deposits() public {
        addLeaf(600, 0, 0, 0);
        fundLeaves(100, 0, 0);
        finalise();
        InboxEntry memory late = depositLate(0, 50);
        vm.prank(address(vault));
        cash.transfer(address(0xdead), 500);
        books.freeze();
        startExits();
        exitFor(0, 1);
        exit.refund(late);
        books.pay(vault, 0, OUTPUT_OWNER, 100);
        assertPaid(0, 100, 0);
        vm.assertEq(cash.balanceOf(LATE), 50);
        vm.assertEq(cash.balanceOf(OUTPUT_OWNER), 100);
    }

    function test_a_gift_to_the_vault_changes_no_share() public {
        addLeaf(600, 0, 0, 30);
        fundLeaves(0, 0, 0);
        cash.mint(address(vault), 1e18);
        collateral.mint(address(vault), 1e18);
        _frozen();
        (uint128 available,) = exit.termsOf(0);
        vm.assertEq(available, 600);
        (available,) = exit.termsOf(1);
        vm.assertEq(available, 30);
    }

    function test_a_token_that_does_not_answer_stops_only_itself() public {
        addLeaf(600, 0, 0, 30);
        fundLeaves(0, 0, 0);
        vm.etch(address(collateral), hex"fe");
        _frozen();
        (uint128 available,) = exit.termsOf(1);
        vm.assertEq(available, 30);
        exitFor(0, 1);
        vm.assertEq(cash.balanceOf(ownerAt(0)), 600);
    }

    function test_tokens_are_counted_in_the_units_of_the_books() public {
        (cash, collateral) = (new PlainToken(18), new PlainToken(6));
        deployVault(both(address(cash), address(collateral)));
        addLeaf(5, 0, 0, 300);
        depositFor(0, ownerAt(0), 0, 5e12);
        depositFor(1, ownerAt(0), 0, 3);
        totals.depositedCash = 5;
        totals.depositedCollateral = [300];
        vm.startPrank(address(vault));
        cash.transfer(address(0xdead), 2.5e12);
        collateral.transfer(address(0xdead), 1);
        vm.stopPrank();
        _frozen();
        (uint128 available,) = exit.termsOf(0);
        vm.assertEq(available, 2);
        (available,) = exit.termsOf(1);
        vm.assertEq(available, 200);
    }
}
