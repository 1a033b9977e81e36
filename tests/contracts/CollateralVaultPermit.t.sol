// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {PermitToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Deposits in one transaction, by a signature instead of an allowance.
contract CollateralVaultPermitTest is VaultRig {
    uint256 private constant KEY = uint256(keccak256("depositor"));
    bytes32 private constant PERMIT = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    PermitToken private token;
    address private depositor;

    function setUp() public {
        token = new PermitToken();
        deployVault(only(address(token)));
        depositor = vm.addr(KEY);
        token.mint(depositor, 1000);
    }

    function _signed(uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 permit = keccak256(
            abi.encode(
                PERMIT, depositor, address(vault), value, token.nonces(depositor), START + 60
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), permit));
        return vm.sign(KEY, digest);
    }

    function test_a_permit_stands_for_an_allowance() public {
        (uint8 v, bytes32 r, bytes32 s) = _signed(600);
        vm.prank(depositor);
        uint64 index = vault.depositWithPermit(0, 600, depositor, 0, START + 60, v, r, s);
        vm.assertEq(index, 1);
        vm.assertEq(vault.bookedBalance(0), 600);
        vm.assertEq(token.allowance(depositor, address(vault)), 0);
    }

    /// @dev Whoever sees a permit in the mempool can use it first, and that must not hurt.
    function test_a_permit_that_was_used_in_advance_does_no_harm() public {
        (uint8 v, bytes32 r, bytes32 s) = _signed(600);
        token.permit(depositor, address(vault), 600, START + 60, v, r, s);
        vm.prank(depositor);
        vault.depositWithPermit(0, 600, depositor, 0, START + 60, v, r, s);
        vm.assertEq(vault.bookedBalance(0), 600);
    }

    function test_RevertWhen_neither_permit_nor_allowance_is_there() public {
        (uint8 v, bytes32 r, bytes32 s) = _signed(599);
        bytes memory refusal = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 600
        );
        vm.expectRevert(refusal);
        vm.prank(depositor);
        vault.depositWithPermit(0, 600, depositor, 0, START + 60, v, r, s);
    }

    /// @dev The permit is the caller's: nobody deposits the tokens of another.
    function test_RevertWhen_a_stranger_uses_a_permit() public {
        (uint8 v, bytes32 r, bytes32 s) = _signed(600);
        bytes memory refusal = abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 600
        );
        vm.expectRevert(refusal);
        vault.depositWithPermit(0, 600, address(this), 0, START + 60, v, r, s);
    }
}
