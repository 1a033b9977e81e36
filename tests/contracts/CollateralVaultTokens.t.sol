// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {
    FalseToken,
    FeeToken,
    LyingToken,
    NothingToken,
    PlainToken,
    ReentrantToken,
    SilentToken,
    SurchargeToken
} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-2: exact receipts from hostile tokens. C-3: tokens of 6, 8 and 18 decimals. C-7: one lock.
contract CollateralVaultTokensTest is VaultRig {
    address private constant BOB = address(0xb0b);

    function _with(PlainToken token) private {
        deployVault(only(address(token)));
        token.mint(address(this), 100);
        token.approve(address(vault), type(uint256).max);
    }

    function _inexact(uint256 expected, uint256 received) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICollateralVault.InexactTransfer.selector, expected, received);
    }

    // --- tokens that do not do as they say ---

    function test_RevertWhen_a_token_takes_a_fee() public {
        FeeToken token = new FeeToken();
        _with(token);
        vm.expectRevert(_inexact(100, 99));
        vault.deposit(0, 100, BOB, 0);
    }

    function test_RevertWhen_a_token_overcharges_the_vault() public {
        SurchargeToken token = new SurchargeToken();
        _with(token);
        vault.deposit(0, 100, BOB, 0);
        token.setCharging(true);
        vm.expectRevert(_inexact(10, 11));
        books.pay(vault, 0, BOB, 10);
    }

    function test_RevertWhen_a_token_answers_false() public {
        FalseToken token = new FalseToken();
        _with(token);
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token))
        );
        vault.deposit(0, 100, BOB, 0);
    }

    function test_RevertWhen_a_token_lies() public {
        _with(new LyingToken());
        vm.expectRevert(_inexact(100, 0));
        vault.deposit(0, 100, BOB, 0);
    }

    function test_a_token_that_answers_nothing_works() public {
        SilentToken token = new SilentToken();
        deployVault(only(address(token)));
        token.mint(address(this), 100);
        vault.deposit(0, 100, BOB, 0);
        books.pay(vault, 0, BOB, 100);
        vm.assertEq(token.balanceOf(BOB), 100);
    }

    // --- tokens that call back ---

    function _reentrant() private returns (ReentrantToken token) {
        token = new ReentrantToken();
        _with(token);
        // The token itself could pay for the inner deposit, so only the lock stops it.
        token.mint(address(token), 100);
        vm.prank(address(token));
        token.approve(address(vault), 100);
    }

    function _assertLocked(ReentrantToken token) private view {
        vm.assertFalse(token.entered());
        bytes4 refusal = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        vm.assertEq(bytes32(token.failure()), bytes32(refusal));
    }

    function test_a_token_cannot_enter_the_vault_from_inside_a_deposit() public {
        bytes[] memory calls = _entryPoints();
        for (uint256 i = 0; i < calls.length; ++i) {
            ReentrantToken token = _reentrant();
            token.arm(address(vault), calls[i]);
            vault.deposit(0, 10, BOB, 0);
            _assertLocked(token);
            vm.assertEq(inbox.count(), 1);
            vm.assertEq(vault.bookedBalance(0), 10);
        }
    }

    function test_a_token_cannot_enter_the_vault_from_inside_a_release() public {
        bytes[] memory calls = _entryPoints();
        for (uint256 i = 0; i < calls.length; ++i) {
            ReentrantToken token = _reentrant();
            vault.deposit(0, 10, BOB, 0);
            token.arm(address(vault), calls[i]);
            books.pay(vault, 0, BOB, 10);
            _assertLocked(token);
            vm.assertEq(vault.bookedBalance(0), 0);
        }
    }

    /// @dev Whoever reads the books in the middle of a transfer would read wrong ones.
    function _entryPoints() private pure returns (bytes[] memory calls) {
        calls = new bytes[](10);
        calls[0] = abi.encodeCall(ICollateralVault.deposit, (0, 1, BOB, 0));
        calls[1] = abi.encodeCall(ICollateralVault.depositWithPermit, (0, 1, BOB, 0, 0, 0, 0, 0));
        calls[2] = abi.encodeCall(ICollateralVault.release, (0, BOB, 1));
        calls[3] = abi.encodeCall(ICollateralVault.collect, (0, BOB));
        calls[4] = abi.encodeCall(ICollateralVault.list, (BOB, 1));
        calls[5] = abi.encodeCall(ICollateralVault.bookedBalance, (0));
        calls[6] = abi.encodeCall(ICollateralVault.depositedTotal, (0));
        calls[7] = abi.encodeCall(ICollateralVault.releasedTotal, (0));
        calls[8] = abi.encodeCall(ICollateralVault.outflowLeft, (0));
        calls[9] = abi.encodeCall(ICollateralVault.usedCollaterals, (1));
    }

    // --- decimals ---

    function _collateral(uint8 decimals) private returns (PlainToken token) {
        token = new PlainToken(decimals);
        deployVault(both(address(new PlainToken(6)), address(token)));
    }

    function test_a_finer_token_is_counted_in_the_units_of_the_engine() public {
        PlainToken token = _collateral(18);
        depositFor(1, BOB, 0, 15e18);
        vm.assertEq(vault.bookedBalance(1), 15e8);
        books.pay(vault, 1, BOB, 1);
        vm.assertEq(token.balanceOf(BOB), 1e10);
    }

    function test_cash_of_18_decimals_is_counted_in_millionths() public {
        PlainToken token = new PlainToken(18);
        deployVault(only(address(token)));
        depositFor(0, BOB, 0, 3e18);
        vm.assertEq(vault.bookedBalance(0), 3e6);
        books.pay(vault, 0, BOB, 3e6);
        vm.assertEq(token.balanceOf(BOB), 3e18);
    }

    function test_RevertWhen_a_deposit_is_no_whole_number_of_units() public {
        PlainToken token = _collateral(18);
        token.mint(address(this), 1e18);
        token.approve(address(vault), 1e18);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.NotWholeUnits.selector, 1, 1e10 + 1, 1e10)
        );
        vault.deposit(1, 1e10 + 1, BOB, 0);
    }

    function test_a_coarser_token_pays_whole_units_and_keeps_the_rest_unbooked() public {
        PlainToken token = _collateral(6);
        depositFor(1, BOB, 0, 2);
        vm.assertEq(vault.bookedBalance(1), 200);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, BOB, 199, 1);
        books.pay(vault, 1, BOB, 199);
        vm.assertEq(token.balanceOf(BOB), 1);
        vm.assertEq(vault.bookedBalance(1), 1);
        vm.assertEq(token.balanceOf(address(vault)), 1);
    }

    function test_RevertWhen_a_coarser_token_is_beyond_what_can_be_counted() public {
        _collateral(6);
        bytes4 refusal = ICollateralVault.AmountAboveLimit.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, type(uint256).max, 2 ** 40 - 1));
        vault.deposit(1, type(uint256).max, BOB, 0);
    }

    function test_less_than_one_token_unit_moves_nothing() public {
        NothingToken token = new NothingToken();
        deployVault(both(address(new PlainToken(6)), address(token)));
        depositFor(1, BOB, 0, 1);
        books.pay(vault, 1, BOB, 99);
        vm.assertEq(token.balanceOf(BOB), 0);
        vm.assertEq(vault.bookedBalance(1), 1);
    }

    /// @dev C-3: in any parts, what comes out is at most what went in, and at most one token unit a
    /// part less.
    function testFuzz_a_round_trip_never_gains(uint8 decimals, uint16 whole, uint8[4] memory cuts)
        public
    {
        decimals = 6 + decimals % 13;
        PlainToken token = _collateral(decimals);
        uint256 unit = decimals > 8 ? 10 ** (decimals - 8) : 1;
        uint256 amount = (1 + uint256(whole)) * unit;
        depositFor(1, BOB, 0, amount);
        uint256 left = vault.bookedBalance(1);
        for (uint256 i = 0; i < cuts.length; ++i) {
            uint256 part = left * cuts[i] / 255;
            books.pay(vault, 1, BOB, part);
            left -= part;
        }
        books.pay(vault, 1, BOB, left);
        uint256 out = token.balanceOf(BOB);
        vm.assertLe(out, amount);
        vm.assertLe(amount - out, decimals < 8 ? cuts.length + 1 : 0);
        vm.assertEq(vault.bookedBalance(1), 0);
        vm.assertEq(token.balanceOf(address(vault)), amount - out);
    }
}
