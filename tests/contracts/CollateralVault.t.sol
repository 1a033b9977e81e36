// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {INBOX_DEPOSIT, InboxEntry} from "../../contracts/types/Inbox.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-1: books and donations; who may deposit what, and who may release.
contract CollateralVaultTest is VaultRig {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    uint256 private constant CASH_LIMIT = 2 ** 56 - 1;
    uint256 private constant COLLATERAL_LIMIT = 2 ** 40 - 1;

    PlainToken private cash;
    PlainToken private collateral;

    function setUp() public {
        cash = new PlainToken(6);
        collateral = new PlainToken(8);
        deployVault(both(address(cash), address(collateral)));
        cash.mint(ALICE, type(uint128).max);
        collateral.mint(ALICE, type(uint128).max);
        vm.startPrank(ALICE);
        cash.approve(address(vault), type(uint256).max);
        collateral.approve(address(vault), type(uint256).max);
        vm.stopPrank();
    }

    // --- deposits ---

    function test_a_deposit_is_held_booked_and_queued() public {
        InboxEntry memory entry =
            InboxEntry(INBOX_DEPOSIT, 1, uint64(START), BOB, 3, 0, 1_000_000, address(0));
        bytes32 prefix = BatchHash.inboxPrefix(0, keccak256(abi.encode(entry)));
        vm.expectEmit(address(inbox));
        emit IInbox.Enqueued(1, 1, BOB, 3, 0, 1_000_000, address(0), uint64(START), prefix);
        vm.prank(ALICE);
        uint64 index = vault.deposit(0, 1_000_000, BOB, 3);

        vm.assertEq(index, 1);
        vm.assertEq(cash.balanceOf(address(vault)), 1_000_000);
        vm.assertEq(vault.bookedBalance(0), 1_000_000);
        vm.assertEq(vault.depositedTotal(0), 1_000_000);
        vm.assertEq(vault.bookedBalance(1), 0);
        vm.assertTrue(inbox.isEntry(entry));
    }

    function testFuzz_what_is_booked_is_what_arrived(uint56 first, uint40 second) public {
        vm.assume(first > 0 && second > 0);
        vm.startPrank(ALICE);
        vault.deposit(0, first, BOB, 0);
        vault.deposit(1, second, BOB, 0);
        vm.stopPrank();
        vm.assertEq(vault.bookedBalance(0), first);
        vm.assertEq(vault.bookedBalance(1), second);
        vm.assertEq(cash.balanceOf(address(vault)), first);
        vm.assertEq(collateral.balanceOf(address(vault)), second);
    }

    function test_RevertWhen_a_deposit_is_above_what_the_engine_can_represent() public {
        vm.startPrank(ALICE);
        vault.deposit(0, CASH_LIMIT, BOB, 0);
        vault.deposit(1, COLLATERAL_LIMIT, BOB, 0);
        bytes4 refusal = ICollateralVault.AmountAboveLimit.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, CASH_LIMIT + 1, CASH_LIMIT));
        vault.deposit(0, CASH_LIMIT + 1, BOB, 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, COLLATERAL_LIMIT + 1, COLLATERAL_LIMIT));
        vault.deposit(1, COLLATERAL_LIMIT + 1, BOB, 0);
    }

    function test_RevertWhen_a_deposit_is_below_the_minimum() public {
        PlainToken dear = new PlainToken(8);
        vm.prank(GOVERNOR);
        uint8 asset = vault.list(address(dear), 500);
        bytes4 refusal = ICollateralVault.AmountBelowMinimum.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, asset, 499, 500));
        vault.deposit(asset, 499, BOB, 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 0, 1));
        vault.deposit(0, 0, BOB, 0);
        depositFor(asset, BOB, 0, 500);
        vm.assertEq(vault.minDeposit(asset), 500);
    }

    function test_RevertWhen_a_deposit_is_for_nobody_or_for_the_vault() public {
        bytes4 refusal = ICollateralVault.InvalidOwner.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, address(0)));
        vault.deposit(0, 1, address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(vault)));
        vault.deposit(0, 1, address(vault), 0);
    }

    function test_RevertWhen_an_asset_is_unknown() public {
        bytes memory refusal = abi.encodeWithSelector(ICollateralVault.UnknownAsset.selector, 2);
        vm.expectRevert(refusal);
        vault.deposit(2, 1, BOB, 0);
        vm.expectRevert(refusal);
        vault.depositLimit(2);
        vm.expectRevert(refusal);
        vault.minDeposit(2);
        vm.expectRevert(refusal);
        vault.decimalsOf(2);
        vm.assertEq(vault.bookedBalance(2), 0);
    }

    function test_RevertWhen_deposits_are_paused_and_releases_go_on() public {
        vm.prank(ALICE);
        vault.deposit(0, 10, BOB, 0);
        limits.setPaused(true);
        vm.expectRevert(ICollateralVault.DepositsPaused.selector);
        vm.prank(ALICE);
        vault.deposit(0, 10, BOB, 0);
        books.pay(vault, 0, BOB, 10);
        vm.assertEq(cash.balanceOf(BOB), 10);
    }

    function test_RevertWhen_the_venue_is_frozen() public {
        books.freeze();
        vm.expectRevert(IInbox.VenueFrozen.selector);
        vm.prank(ALICE);
        vault.deposit(0, 10, BOB, 0);
        vm.assertEq(cash.balanceOf(address(vault)), 0);
    }

    function test_RevertWhen_the_vault_would_hold_more_than_its_cap() public {
        limits.setDepositCap(100);
        vm.startPrank(ALICE);
        vault.deposit(0, 60, BOB, 0);
        bytes4 refusal = ICollateralVault.DepositCapReached.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 41, 40));
        vault.deposit(0, 41, BOB, 0);
        vault.deposit(0, 40, BOB, 0);
        vm.stopPrank();
        limits.setDepositCap(50);
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 1, 0));
        vm.prank(ALICE);
        vault.deposit(0, 1, BOB, 0);
        // The cap is on what is held, not on what ever came.
        books.pay(vault, 0, BOB, 51);
        vm.prank(ALICE);
        vault.deposit(0, 1, BOB, 0);
    }

    // --- releases ---

    function test_RevertWhen_a_stranger_releases() public {
        vm.prank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        address[3] memory strangers = [address(this), GOVERNOR, address(inbox)];
        for (uint256 i = 0; i < strangers.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(ICollateralVault.NotReleaser.selector, strangers[i])
            );
            vm.prank(strangers[i]);
            vault.release(0, ALICE, 10);
        }
    }

    function test_a_release_pays_and_leaves_the_books() public {
        vm.prank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(0, BOB, 4, 4);
        books.pay(vault, 0, BOB, 4);
        vm.prank(address(exit));
        vault.release(0, BOB, 1);
        vm.assertEq(cash.balanceOf(BOB), 5);
        vm.assertEq(vault.bookedBalance(0), 5);
        vm.assertEq(vault.releasedTotal(0), 5);
        vm.assertEq(vault.depositedTotal(0), 10);
    }

    function test_a_donation_is_not_booked_and_cannot_be_released() public {
        vm.startPrank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        cash.transfer(address(vault), 5);
        vm.stopPrank();
        vm.assertEq(vault.bookedBalance(0), 10);
        bytes4 refusal = ICollateralVault.InsufficientBookedBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 11, 10));
        books.pay(vault, 0, ALICE, 11);
    }

    function test_each_collateral_has_its_own_books() public {
        PlainToken second = new PlainToken(8);
        vm.prank(GOVERNOR);
        vault.list(address(second), 1);
        depositFor(2, BOB, 0, 7);
        vm.assertEq(vault.bookedBalance(1), 0);
        vm.assertEq(vault.bookedBalance(2), 7);
        bytes4 refusal = ICollateralVault.InsufficientBookedBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, 1, 0));
        books.pay(vault, 1, BOB, 1);
        books.pay(vault, 2, BOB, 7);
        vm.assertEq(second.balanceOf(BOB), 7);
    }
}
