// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Which tokens a vault takes, at its construction and later.
contract CollateralVaultListingTest is VaultRig {
    address private constant BOB = address(0xb0b);

    PlainToken private cash;
    PlainToken private collateral;

    function setUp() public {
        cash = new PlainToken(6);
        collateral = new PlainToken(8);
        deployVault(both(address(cash), address(collateral)));
    }

    function test_the_governor_adds_the_next_asset() public {
        PlainToken more = new PlainToken(18);
        vm.expectEmit(address(vault));
        emit ICollateralVault.AssetListed(2, address(more), 18, 7);
        vm.prank(GOVERNOR);
        vm.assertEq(vault.list(address(more), 7), 2);
        vm.assertEq(vault.collateralCount(), 2);
        vm.assertEq(vault.token(2), address(more));
        vm.assertEq(vault.decimalsOf(2), 18);
        vm.assertEq(vault.minDeposit(2), 7);
        vm.assertEq(vault.depositLimit(2), 2 ** 40 - 1);
    }

    function test_RevertWhen_somebody_else_adds_an_asset() public {
        PlainToken more = new PlainToken(8);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.NotGovernor.selector, address(this))
        );
        vault.list(address(more), 1);
    }

    function test_RevertWhen_an_asset_is_added_to_a_frozen_venue() public {
        PlainToken more = new PlainToken(8);
        books.freeze();
        vm.expectRevert(ICollateralVault.VenueFrozen.selector);
        vm.prank(GOVERNOR);
        vault.list(address(more), 1);
    }

    function test_an_asset_counts_as_used_from_the_entry_of_its_first_deposit() public {
        PlainToken more = new PlainToken(8);
        vm.prank(GOVERNOR);
        vault.list(address(more), 1);
        uint64 last = type(uint64).max;
        vm.assertEq(vault.usedCollaterals(last), 0);
        depositFor(0, BOB, 0, 1);
        vm.assertEq(vault.usedCollaterals(last), 0);
        uint64 first = depositFor(2, BOB, 0, 1);
        depositFor(2, BOB, 0, 1);
        vm.assertEq(vault.usedCollaterals(first - 1), 0);
        vm.assertEq(vault.usedCollaterals(first), 2);
        vm.assertEq(vault.usedCollaterals(last), 2);
        books.pay(vault, 2, BOB, 2);
        vm.assertEq(vault.usedCollaterals(last), 2);
    }

    function test_RevertWhen_decimals_are_not_convertible() public {
        bytes4 refusal = ICollateralVault.WrongDecimals.selector;
        PlainToken coarse = new PlainToken(5);
        PlainToken fine = new PlainToken(19);
        vm.startPrank(GOVERNOR);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(coarse), 6, 18, 5));
        vault.list(address(coarse), 1);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(fine), 6, 18, 19));
        vault.list(address(fine), 1);
    }

    function test_RevertWhen_a_token_is_listed_twice() public {
        bytes4 refusal = ICollateralVault.SameToken.selector;
        vm.startPrank(GOVERNOR);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(cash)));
        vault.list(address(cash), 1);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(collateral)));
        vault.list(address(collateral), 1);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(refusal, address(cash)));
        new CollateralVault(configOf(BOB, BOB), minimal(both(address(cash), address(cash))));
    }

    function test_RevertWhen_the_least_deposit_is_nothing_or_too_much() public {
        PlainToken more = new PlainToken(8);
        bytes4 refusal = ICollateralVault.InvalidMinimum.selector;
        vm.startPrank(GOVERNOR);
        vm.expectRevert(abi.encodeWithSelector(refusal, 2, 0, 2 ** 40 - 1));
        vault.list(address(more), 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 2, 2 ** 40, 2 ** 40 - 1));
        vault.list(address(more), 2 ** 40);
        vault.list(address(more), 2 ** 40 - 1);
    }

    function test_RevertWhen_there_are_more_than_eight_collaterals() public {
        bytes4 refusal = ICollateralVault.TooManyAssets.selector;
        vm.startPrank(GOVERNOR);
        for (uint8 asset = 2; asset <= 8; ++asset) {
            vm.assertEq(vault.list(address(new PlainToken(8)), 1), asset);
        }
        address ninth = address(new PlainToken(8));
        vm.expectRevert(abi.encodeWithSelector(refusal, 9, 8));
        vault.list(ninth, 1);
    }

    function test_a_vault_may_hold_cash_alone() public {
        CollateralVault alone =
            new CollateralVault(configOf(BOB, BOB), minimal(only(address(cash))));
        vm.assertEq(alone.collateralCount(), 0);
        vm.assertEq(alone.depositLimit(0), 2 ** 56 - 1);
        vm.expectRevert(abi.encodeWithSelector(ICollateralVault.UnknownAsset.selector, 1));
        alone.token(1);
    }

    function test_RevertWhen_there_is_no_cash() public {
        vm.expectRevert(ICollateralVault.NoCash.selector);
        new CollateralVault(configOf(BOB, BOB), minimal(new address[](0)));
    }

    function test_RevertWhen_an_address_is_missing() public {
        ICollateralVault.NewAsset[] memory assets = minimal(only(address(cash)));
        for (uint256 missing = 0; missing < 5; ++missing) {
            ICollateralVault.Config memory config = configOf(BOB, BOB);
            if (missing == 0) config.inbox = address(0);
            if (missing == 1) config.settlement = address(0);
            if (missing == 2) config.exit = address(0);
            if (missing == 3) config.limits = address(0);
            if (missing == 4) config.governor = address(0);
            vm.expectRevert(ICollateralVault.ZeroAddress.selector);
            new CollateralVault(config, assets);
        }
        vm.expectRevert(ICollateralVault.ZeroAddress.selector);
        new CollateralVault(configOf(BOB, BOB), minimal(only(address(0))));
    }
}
