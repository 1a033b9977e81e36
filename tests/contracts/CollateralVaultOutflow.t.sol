// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-5: what may leave in a window, whoever signed for it.
contract CollateralVaultOutflowTest is VaultRig {
    address private constant BOB = address(0xb0b);
    address private constant CAROL = address(0xca201);
    uint256 private constant HOUR = 1 hours;

    PlainToken private cash;

    function setUp() public {
        cash = new PlainToken(6);
        deployVault(both(address(cash), address(new PlainToken(8))));
        depositFor(0, BOB, 0, 1000);
        limits.setOutflow(100, 25);
    }

    function refusal(uint256 units, uint256 left, uint256 ends)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            ICollateralVault.OutflowCapReached.selector, 0, units, left, ends
        );
    }

    function test_RevertWhen_more_leaves_than_a_window_allows() public {
        books.pay(vault, 0, BOB, 150);
        vm.warp(START + 10);
        vm.expectRevert(refusal(101, 100, START + HOUR));
        books.pay(vault, 0, BOB, 101);
        books.pay(vault, 0, BOB, 100);
        vm.expectRevert(refusal(1, 0, START + HOUR));
        books.pay(vault, 0, BOB, 1);
        vm.assertEq(cash.balanceOf(BOB), 250);
    }

    function test_the_next_window_counts_anew_from_what_is_held_then() public {
        books.pay(vault, 0, BOB, 250);
        vm.warp(START + HOUR - 1);
        vm.expectRevert(refusal(187, 0, START + HOUR));
        books.pay(vault, 0, BOB, 187);
        vm.warp(START + HOUR);
        (uint256 left, uint256 ends) = vault.outflowLeft(0);
        vm.assertEq(left, 187); // a quarter of 750
        vm.assertEq(ends, START + 2 * HOUR);
        books.pay(vault, 0, BOB, 187);
        (left,) = vault.outflowLeft(0);
        vm.assertEq(left, 0);
    }

    function test_each_asset_has_its_own_window() public {
        depositFor(1, BOB, 0, 1000);
        books.pay(vault, 0, BOB, 250);
        books.pay(vault, 1, BOB, 250);
        (uint256 left,) = vault.outflowLeft(1);
        vm.assertEq(left, 0);
    }

    function test_a_deposit_does_not_widen_an_open_window() public {
        books.pay(vault, 0, BOB, 250);
        depositFor(0, BOB, 0, 100_000);
        vm.expectRevert(refusal(1, 0, START + HOUR));
        books.pay(vault, 0, BOB, 1);
    }

    function test_a_cap_that_falls_binds_at_once() public {
        books.pay(vault, 0, BOB, 150);
        limits.setOutflow(100, 10);
        vm.expectRevert(refusal(1, 0, START + HOUR));
        books.pay(vault, 0, BOB, 1);
    }

    function test_what_no_window_could_pay_goes_out_in_parts() public {
        books.pay(vault, 0, CAROL, 50);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Deferred(0, BOB, 600);
        books.pay(vault, 0, BOB, 800);
        vm.assertEq(cash.balanceOf(BOB), 200);
        vm.assertEq(vault.owedTo(0, BOB), 600);
        vm.assertEq(vault.bookedBalance(0), 750);
        vm.expectRevert(refusal(600, 0, START + HOUR));
        vault.collect(0, BOB);

        uint256 time = START;
        uint256 paid = 200;
        for (uint256 window = 0; window < 6; ++window) {
            time += HOUR;
            vm.warp(time);
            uint256 quarter = vault.bookedBalance(0) / 4;
            uint256 expected = quarter > 100 ? quarter : 100;
            if (expected > 800 - paid) expected = 800 - paid;
            vm.assertEq(vault.collect(0, BOB), expected);
            paid += expected;
            if (paid == 800) break;
        }
        vm.assertEq(cash.balanceOf(BOB), 800);
        vm.assertEq(vault.owedTo(0, BOB), 0);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.NothingOwed.selector, 0, BOB));
        vault.collect(0, BOB);
    }

    function test_a_freeze_lifts_the_cap() public {
        books.pay(vault, 0, CAROL, 50);
        books.pay(vault, 0, BOB, 800);
        books.freeze();
        vm.assertEq(vault.collect(0, BOB), 600);
        books.pay(vault, 0, BOB, 150);
        vm.assertEq(vault.bookedBalance(0), 0);
    }

    function test_exits_and_refunds_do_not_count() public {
        vm.startPrank(address(exit));
        vault.release(0, BOB, 900);
        vm.stopPrank();
        (uint256 left,) = vault.outflowLeft(0);
        vm.assertEq(left, 100);
    }

    /// @dev Only books that no honest batch leaves can owe what is not there.
    function test_RevertWhen_more_is_owed_than_is_booked() public {
        books.pay(vault, 0, BOB, 800);
        vm.prank(address(exit));
        vault.release(0, CAROL, 300);
        vm.warp(START + HOUR);
        bytes4 selector = ICollateralVault.InsufficientBookedBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 550, 450));
        vault.collect(0, BOB);
    }

    /// @dev Whatever is asked for and when, a window never pays more than it may.
    function testFuzz_no_window_pays_more_than_its_cap(uint16[8] memory units, uint16[8] memory gap)
        public
    {
        uint256 time = START;
        uint256 began = 0;
        uint256 held = 1000;
        uint256 spent = 0;
        for (uint256 i = 0; i < units.length; ++i) {
            time += gap[i] % 2000;
            vm.warp(time);
            uint256 before = cash.balanceOf(BOB);
            uint256 booked = vault.bookedBalance(0);
            try books.pay(vault, 0, BOB, 1 + units[i] % 400) {} catch {}
            uint256 paid = cash.balanceOf(BOB) - before;
            if (paid == 0) continue;
            if (time >= began + HOUR) (began, held, spent) = (time, booked, 0);
            spent += paid;
            vm.assertLe(spent, held / 4 > 100 ? held / 4 : 100);
        }
    }
}
