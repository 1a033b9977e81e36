// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Exit} from "../../contracts/exit/Exit.sol";
import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {ICollateralVault} from "../../contracts/interfaces/ICollateralVault.sol";
import {CollateralVault} from "../../contracts/vault/CollateralVault.sol";
import {CustodyChecks} from "./support/CustodyChecks.sol";
import {CustodyHandler} from "./support/CustodyHandler.sol";
import {FeeToken, PlainToken, ReentrantToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";
import {Bug, PlantedExit, PlantedInbox, PlantedVault} from "./support/planted/PlantedCustody.sol";

/// @dev A handler around one broken contract. Its constructor makes the contracts, so the bug has
/// to be known before: whoever makes it is asked.
contract PlantedHandler is CustodyHandler {
    function makeCash() internal override returns (PlainToken) {
        return _bug() == Bug.BELIEVES_THE_TOKEN ? new FeeToken() : new PlainToken(6);
    }

    function makeVault(
        ICollateralVault.Config memory wiring,
        ICollateralVault.NewAsset[] memory listed
    ) internal override returns (CollateralVault) {
        return new PlantedVault(_bug(), wiring, listed);
    }

    function makeInbox(address vaultAt, address settlementAt) internal override returns (Inbox) {
        return new PlantedInbox(_bug(), vaultAt, settlementAt);
    }

    function makeExit(address vaultAt, address inboxAt, address settlementAt)
        internal
        override
        returns (Exit)
    {
        return new PlantedExit(_bug(), vaultAt, inboxAt, settlementAt);
    }

    function _bug() private view returns (Bug) {
        return CustodyPlantedTest(msg.sender).bug();
    }
}

/// @dev The invariants of custody bite: each bug fails the check that it is meant for, on a walk on
/// which the right contracts fail none.
contract CustodyPlantedTest {
    Bug public bug;
    CustodyHandler private handler;

    function _plant(Bug planted) private {
        bug = planted;
        handler = new PlantedHandler();
    }

    /// @dev Profit, loss that collateral covers in part, outputs, late deposits, a freeze.
    function _walk() private {
        handler.deposit(0, 0, 8e9 - 1);
        handler.deposit(1, 1, 499);
        handler.deposit(2, 0, 1e6);
        handler.force(1);
        handler.commitBatch();
        handler.finaliseBatch();
        handler.trade(0, 2, 5e8);
        handler.trade(3, 1, 7);
        handler.withdraw(0, 0, 3e9 - 2);
        handler.withdraw(1, 1, 49);
        handler.withdraw(0, 0, 11);
        handler.commitBatch();
        handler.finaliseBatch();
        handler.claim(1, 0);
        handler.claim(1, 0);
        handler.claim(1, 1);
        handler.deposit(3, 0, 76);
        handler.freezeNow();
        for (uint256 i = 0; i < 6; ++i) {
            handler.refund(i);
            handler.refund(i);
        }
        handler.startExits();
        for (uint256 i = 0; i < 8; ++i) {
            handler.leaveVenue(i, uint8(i % 2));
            handler.leaveVenue(i, uint8(i % 2));
            handler.leaveVenue(i, uint8(1 + i % 2));
        }
        handler.everyoneLeaves(3);
    }

    function test_right_contracts_pass_every_check() public {
        _plant(Bug.NONE);
        _walk();
        vm.assertTrue(CustodyChecks.isSound(handler));
        vm.assertTrue(CustodyChecks.isEmptied(handler));
    }

    function test_a_vault_that_pays_too_much_is_seen() public {
        _plant(Bug.PAYS_TOO_MUCH);
        _walk();
        vm.assertFalse(CustodyChecks.isCovered(handler));
    }

    function test_a_vault_that_pays_another_is_seen() public {
        _plant(Bug.PAYS_ANOTHER);
        _walk();
        vm.assertFalse(CustodyChecks.isCovered(handler));
    }

    /// @dev C-2: cash is a token that keeps a fee, which the right vault refuses.
    function test_a_vault_that_believes_the_token_is_seen() public {
        _plant(Bug.BELIEVES_THE_TOKEN);
        handler.deposit(0, 0, 100);
        vm.assertEq(handler.bookedBalance(0), 101);
        vm.assertFalse(CustodyChecks.isCovered(handler));
    }

    function test_a_vault_without_an_outflow_cap_is_seen() public {
        _plant(Bug.NO_OUTFLOW_CAP);
        _walk();
        vm.assertFalse(CustodyChecks.isBounded(handler));
    }

    function test_an_inbox_that_forgets_an_entry_is_seen() public {
        _plant(Bug.FORGETS_AN_ENTRY);
        handler.force(1);
        vm.assertFalse(CustodyChecks.isChained(handler));
    }

    function test_an_exit_that_pays_twice_is_seen() public {
        _plant(Bug.EXITS_TWICE);
        _walk();
        vm.assertFalse(CustodyChecks.isOnce(handler));
        vm.assertFalse(CustodyChecks.isEmptied(handler));
    }

    function test_an_exit_that_refunds_twice_is_seen() public {
        _plant(Bug.REFUNDS_TWICE);
        _walk();
        vm.assertFalse(CustodyChecks.isOnce(handler));
    }

    function test_an_exit_that_refunds_what_was_consumed_is_seen() public {
        _plant(Bug.REFUNDS_CONSUMED);
        _walk();
        vm.assertFalse(CustodyChecks.isComposed(handler));
        vm.assertFalse(CustodyChecks.isObedient(handler));
    }

    function test_an_exit_that_forgets_outputs_is_seen() public {
        _plant(Bug.FORGETS_OUTPUTS);
        _walk();
        vm.assertFalse(CustodyChecks.isEmptied(handler));
        vm.assertFalse(CustodyChecks.isObedient(handler));
    }

    function test_an_exit_that_pays_by_order_is_seen() public {
        _plant(Bug.ORDER_MATTERS);
        _walk();
        vm.assertFalse(CustodyChecks.isEmptied(handler));
    }

    function test_an_exit_that_rounds_up_is_seen() public {
        _plant(Bug.ROUNDS_UP);
        _walk();
        vm.assertFalse(CustodyChecks.isEmptied(handler));
    }
}

/// @dev C-7: a token that reads the books in the middle of a transfer reads them only from a vault
/// whose view is not locked.
contract LockPlantedTest is VaultRig {
    Bug private _bug;

    function makeVault(
        ICollateralVault.Config memory config,
        ICollateralVault.NewAsset[] memory assets
    ) internal override returns (CollateralVault) {
        return new PlantedVault(_bug, config, assets);
    }

    function _isLocked(Bug bug) private returns (bool) {
        _bug = bug;
        ReentrantToken token = new ReentrantToken();
        deployVault(only(address(token)));
        token.mint(address(this), 10);
        token.approve(address(vault), 10);
        token.arm(address(vault), abi.encodeCall(vault.bookedBalance, (0)));
        vault.deposit(0, 10, address(this), 0);
        return !token.entered();
    }

    function test_books_that_are_not_locked_are_seen() public {
        vm.assertTrue(_isLocked(Bug.NONE));
        vm.assertFalse(_isLocked(Bug.UNLOCKED_BOOKS));
    }
}
