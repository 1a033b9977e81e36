// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {
    FalseToken,
    FeeToken,
    LyingToken,
    PlainToken,
    ReentrantToken,
    SilentToken,
    SurchargeToken
} from "./support/HostileTokens.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-1: books and donations. C-2: exact receipts and hostile tokens.
contract CollateralVaultTest {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    address private constant SETTLEMENT = address(0x5e771e);
    uint256 private constant CASH_LIMIT = 2 ** 56 - 1;
    uint256 private constant COLLATERAL_LIMIT = 2 ** 40 - 1;

    PlainToken private cash;
    PlainToken private collateral;
    CollateralVault private vault;
    Inbox private inbox;

    function setUp() public {
        cash = new PlainToken(6);
        collateral = new PlainToken(8);
        (vault, inbox) = _vaultFor(address(cash));
        cash.mint(ALICE, type(uint128).max);
        collateral.mint(ALICE, type(uint128).max);
        vm.startPrank(ALICE);
        cash.approve(address(vault), type(uint256).max);
        collateral.approve(address(vault), type(uint256).max);
        vm.stopPrank();
    }

    function _vaultFor(address token) private returns (CollateralVault made, Inbox queue) {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        made = new CollateralVault(predicted, SETTLEMENT, token, only(address(collateral)));
        queue = new Inbox(address(made));
        vm.assertEq(address(queue), predicted);
    }

    // --- deposits ---

    function test_a_deposit_is_held_booked_and_queued() public {
        bytes32 entry = BatchHash.inboxEntryHash(1, 1, BOB, 3, 0, 1_000_000);
        bytes32 prefix = BatchHash.inboxPrefix(0, entry);
        vm.expectEmit(address(inbox));
        emit IInbox.Deposited(1, BOB, 3, 0, 1_000_000, prefix);
        vm.prank(ALICE);
        uint64 index = vault.deposit(0, 1_000_000, BOB, 3);

        vm.assertEq(index, 1);
        vm.assertEq(cash.balanceOf(address(vault)), 1_000_000);
        vm.assertEq(vault.bookedBalance(0), 1_000_000);
        vm.assertEq(vault.bookedBalance(1), 0);
        vm.assertEq(inbox.count(), 1);
        vm.assertEq(inbox.prefixAt(1), prefix);
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

    function test_deposits_at_the_limits_pass_and_beyond_are_refused() public {
        vm.startPrank(ALICE);
        vault.deposit(0, CASH_LIMIT, BOB, 0);
        vault.deposit(1, COLLATERAL_LIMIT, BOB, 0);
        bytes4 refusal = ICollateralVault.AmountAboveLimit.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, CASH_LIMIT + 1, CASH_LIMIT));
        vault.deposit(0, CASH_LIMIT + 1, BOB, 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, COLLATERAL_LIMIT + 1, COLLATERAL_LIMIT));
        vault.deposit(1, COLLATERAL_LIMIT + 1, BOB, 0);
    }

    function test_a_deposit_of_nothing_is_refused() public {
        vm.expectRevert(ICollateralVault.ZeroAmount.selector);
        vault.deposit(0, 0, BOB, 0);
    }

    function test_a_deposit_for_nobody_or_for_the_vault_is_refused() public {
        bytes4 refusal = ICollateralVault.InvalidOwner.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, address(0)));
        vault.deposit(0, 1, address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(vault)));
        vault.deposit(0, 1, address(vault), 0);
    }

    function test_an_unknown_asset_is_refused() public {
        bytes memory refusal = abi.encodeWithSelector(ICollateralVault.UnknownAsset.selector, 2);
        vm.expectRevert(refusal);
        vault.deposit(2, 1, BOB, 0);
        vm.expectRevert(refusal);
        vault.depositLimit(2);
        vm.expectRevert(refusal);
        vm.prank(SETTLEMENT);
        vault.release(2, BOB, 1);
    }

    // --- releases ---

    function test_only_settlement_releases() public {
        vm.prank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.NotSettlement.selector, address(this))
        );
        vault.release(0, ALICE, 10);
    }

    function test_a_release_pays_and_leaves_the_books() public {
        vm.prank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(0, BOB, 4);
        vm.prank(SETTLEMENT);
        vault.release(0, BOB, 4);
        vm.assertEq(cash.balanceOf(BOB), 4);
        vm.assertEq(vault.bookedBalance(0), 6);
    }

    function test_a_donation_is_not_booked_and_cannot_be_released() public {
        vm.startPrank(ALICE);
        vault.deposit(0, 10, ALICE, 0);
        cash.transfer(address(vault), 5);
        vm.stopPrank();
        vm.assertEq(vault.bookedBalance(0), 10);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.InsufficientBookedBalance.selector, 0, 11, 10)
        );
        vm.prank(SETTLEMENT);
        vault.release(0, ALICE, 11);
    }

    // --- hostile tokens ---

    function test_a_token_that_takes_a_fee_is_refused() public {
        FeeToken token = new FeeToken();
        (CollateralVault made,) = _vaultFor(address(token));
        token.mint(address(this), 100);
        token.approve(address(made), 100);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.InexactTransfer.selector, 100, 99));
        made.deposit(0, 100, BOB, 0);
    }

    function test_a_token_that_overcharges_the_vault_is_refused() public {
        SurchargeToken token = new SurchargeToken();
        (CollateralVault made,) = _vaultFor(address(token));
        token.mint(address(this), 100);
        token.approve(address(made), 100);
        made.deposit(0, 100, BOB, 0);
        token.setCharging(true);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.InexactTransfer.selector, 10, 11));
        vm.prank(SETTLEMENT);
        made.release(0, BOB, 10);
    }

    function test_a_token_that_answers_false_is_refused() public {
        FalseToken token = new FalseToken();
        (CollateralVault made,) = _vaultFor(address(token));
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token))
        );
        made.deposit(0, 100, BOB, 0);
    }

    function test_a_token_that_lies_is_refused() public {
        LyingToken token = new LyingToken();
        (CollateralVault made,) = _vaultFor(address(token));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.InexactTransfer.selector, 100, 0));
        made.deposit(0, 100, BOB, 0);
    }

    function test_a_token_that_answers_nothing_works() public {
        SilentToken token = new SilentToken();
        (CollateralVault made,) = _vaultFor(address(token));
        token.mint(address(this), 100);
        made.deposit(0, 100, BOB, 0);
        vm.prank(SETTLEMENT);
        made.release(0, BOB, 100);
        vm.assertEq(token.balanceOf(BOB), 100);
    }

    function test_a_token_cannot_deposit_again_from_inside_a_deposit() public {
        (ReentrantToken token, CollateralVault made, Inbox queue) = _reentrant();
        token.arm(address(made), abi.encodeCall(made.deposit, (0, 1, BOB, 0)));
        made.deposit(0, 10, BOB, 0);
        _assertLocked(token);
        vm.assertEq(queue.count(), 1);
        vm.assertEq(made.bookedBalance(0), 10);
    }

    function test_a_token_cannot_deposit_from_inside_a_release() public {
        (ReentrantToken token, CollateralVault made,) = _reentrant();
        made.deposit(0, 10, BOB, 0);
        token.arm(address(made), abi.encodeCall(made.deposit, (0, 1, BOB, 0)));
        vm.prank(SETTLEMENT);
        made.release(0, BOB, 10);
        _assertLocked(token);
        vm.assertEq(made.bookedBalance(0), 0);
    }

    function _reentrant()
        private
        returns (ReentrantToken token, CollateralVault made, Inbox queue)
    {
        token = new ReentrantToken();
        (made, queue) = _vaultFor(address(token));
        token.mint(address(this), 100);
        token.mint(address(token), 100);
        token.approve(address(made), 100);
        // The token itself could pay for the inner deposit, so only the lock stops it.
        vm.prank(address(token));
        token.approve(address(made), 100);
    }

    function _assertLocked(ReentrantToken token) private view {
        vm.assertFalse(token.entered());
        bytes4 refusal = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        vm.assertEq(bytes32(token.failure()), bytes32(refusal));
    }

    // --- construction ---

    function test_wrong_tokens_are_refused() public {
        bytes4 refusal = ICollateralVault.WrongDecimals.selector;
        PlainToken other = new PlainToken(6);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(collateral), 6, 8));
        new CollateralVault(BOB, SETTLEMENT, address(collateral), only(address(cash)));
        vm.expectRevert(abi.encodeWithSelector(refusal, address(cash), 8, 6));
        new CollateralVault(BOB, SETTLEMENT, address(other), only(address(cash)));
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.SameToken.selector, address(cash)));
        new CollateralVault(BOB, SETTLEMENT, address(cash), only(address(cash)));
    }

    function test_a_token_listed_twice_is_refused() public {
        address[] memory twice = new address[](2);
        (twice[0], twice[1]) = (address(collateral), address(collateral));
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.SameToken.selector, address(collateral))
        );
        new CollateralVault(BOB, SETTLEMENT, address(cash), twice);
    }

    function test_more_than_eight_collaterals_are_refused() public {
        address[] memory many = new address[](9);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.TooManyAssets.selector, 9, 8));
        new CollateralVault(BOB, SETTLEMENT, address(cash), many);
    }

    function test_a_vault_may_hold_cash_alone_or_eight_collaterals() public {
        CollateralVault alone =
            new CollateralVault(BOB, SETTLEMENT, address(cash), new address[](0));
        vm.assertEq(alone.collateralCount(), 0);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.UnknownAsset.selector, 1));
        alone.token(1);

        address[] memory eight = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            eight[i] = address(new PlainToken(8));
        }
        CollateralVault full = new CollateralVault(BOB, SETTLEMENT, address(cash), eight);
        vm.assertEq(full.collateralCount(), 8);
        vm.assertEq(full.token(0), address(cash));
        for (uint8 i = 0; i < 8; ++i) {
            vm.assertEq(full.token(i + 1), eight[i]);
            vm.assertEq(full.depositLimit(i + 1), COLLATERAL_LIMIT);
        }
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.UnknownAsset.selector, 9));
        full.depositLimit(9);
    }

    function test_each_collateral_has_its_own_books() public {
        PlainToken second = new PlainToken(8);
        address[] memory both = new address[](2);
        (both[0], both[1]) = (address(collateral), address(second));
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        CollateralVault made = new CollateralVault(predicted, SETTLEMENT, address(cash), both);
        new Inbox(address(made));
        second.mint(address(this), 7);
        second.approve(address(made), 7);
        made.deposit(2, 7, BOB, 0);
        vm.assertEq(made.bookedBalance(1), 0);
        vm.assertEq(made.bookedBalance(2), 7);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.InsufficientBookedBalance.selector, 1, 1, 0)
        );
        vm.prank(SETTLEMENT);
        made.release(1, BOB, 1);
        vm.prank(SETTLEMENT);
        made.release(2, BOB, 7);
        vm.assertEq(second.balanceOf(BOB), 7);
    }

    function test_missing_addresses_are_refused() public {
        vm.expectRevert(ICollateralVault.ZeroAddress.selector);
        new CollateralVault(address(0), SETTLEMENT, address(cash), only(address(collateral)));
        vm.expectRevert(ICollateralVault.ZeroAddress.selector);
        new CollateralVault(BOB, address(0), address(cash), only(address(collateral)));
        vm.expectRevert(ICollateralVault.ZeroAddress.selector);
        new CollateralVault(BOB, SETTLEMENT, address(0), only(address(collateral)));
        vm.expectRevert(ICollateralVault.ZeroAddress.selector);
        new CollateralVault(BOB, SETTLEMENT, address(cash), only(address(0)));
    }

    function only(address token) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = token;
    }
}
