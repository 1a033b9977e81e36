// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {vm} from "./support/Vm.sol";

contract InboxTest {
    Inbox private inbox;

    function setUp() public {
        inbox = new Inbox(address(this));
    }

    function test_an_empty_inbox_has_the_zero_prefix() public view {
        vm.assertEq(inbox.count(), 0);
        vm.assertEq(inbox.prefixAt(0), bytes32(0));
    }

    function testFuzz_the_prefix_is_the_chain_of_the_entries(
        address owner,
        uint8 subaccount,
        uint8 asset,
        uint128 amount
    ) public {
        bytes32 prefix = bytes32(0);
        for (uint256 index = 1; index <= 3; ++index) {
            vm.assertEq(inbox.push(owner, subaccount, asset, amount), index);
            bytes32 entry =
                keccak256(abi.encode(uint256(1), index, owner, subaccount, asset, uint256(amount)));
            prefix = keccak256(abi.encode(prefix, entry));
            vm.assertEq(inbox.prefixAt(uint64(index)), prefix);
        }
        vm.assertEq(inbox.count(), 3);
    }

    function test_only_the_vault_pushes() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotVault.selector, address(0xbad)));
        vm.prank(address(0xbad));
        inbox.push(address(1), 0, 0, 1);
    }

    function test_a_prefix_beyond_the_end_is_refused() public {
        inbox.push(address(1), 0, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NoSuchEntry.selector, 2, 1));
        inbox.prefixAt(2);
    }

    function test_an_inbox_without_a_vault_is_refused() public {
        vm.expectRevert(IInbox.ZeroAddress.selector);
        new Inbox(address(0));
    }
}
