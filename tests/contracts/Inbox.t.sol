// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Inbox} from "../../contracts/inbox/Inbox.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {InboxEntry} from "../../contracts/types/Inbox.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev The queue: six kinds of entry in one chain.
contract InboxTest is VaultRig {
    address private constant ALICE = address(0xa11ce);
    address private constant KEY = address(0x4e1);
    uint64 private constant EXPIRY = uint64(START + 1 days);

    function setUp() public {
        deployVault(both(address(new PlainToken(6)), address(new PlainToken(8))));
    }

    function test_an_empty_inbox_has_the_zero_prefix() public view {
        vm.assertEq(inbox.count(), 0);
        vm.assertEq(inbox.prefixAt(0), bytes32(0));
    }

    function test_each_kind_says_what_the_page_says() public {
        InboxEntry[6] memory entries;
        uint64 time = uint64(START);
        entries[0] = InboxEntry(1, 1, time, ALICE, 4, 1, 77, address(0));
        entries[1] = InboxEntry(2, 2, time, ALICE, 4, 1, type(uint128).max, address(0));
        entries[2] = InboxEntry(3, 3, time, ALICE, 5, 0, 0, address(0));
        entries[3] = InboxEntry(4, 4, time, ALICE, 6, 0x0102, 9, address(0));
        entries[4] = InboxEntry(5, 5, time, ALICE, 0, 0, EXPIRY, KEY);
        entries[5] = InboxEntry(6, 6, time, ALICE, 0, 0, 0, KEY);
        bytes32 prefix = 0;
        for (uint256 i = 0; i < 6; ++i) {
            InboxEntry memory e = entries[i];
            vm.assertFalse(inbox.isEntry(e));
            prefix = keccak256(abi.encode(prefix, keccak256(abi.encode(e))));
            vm.expectEmit(address(inbox));
            emit IInbox.Enqueued(
                e.index, e.kind, ALICE, e.subaccount, e.place, e.amount, e.key, time, prefix
            );
            vm.assertEq(_enqueue(i), e.index);
            vm.assertEq(inbox.prefixAt(e.index), prefix);
            vm.assertTrue(inbox.isEntry(e));
        }
        vm.assertEq(inbox.count(), 6);
    }

    function _enqueue(uint256 which) private returns (uint64) {
        if (which == 0) {
            vm.prank(address(vault));
            return inbox.push(ALICE, 4, 1, 77);
        }
        vm.prank(ALICE);
        if (which == 1) return inbox.forceWithdraw(4, 1, type(uint128).max);
        if (which == 2) return inbox.forceCancelAll(5);
        if (which == 3) return inbox.forceClose(6, 0x0102, 9);
        if (which == 4) return inbox.grantKey(KEY, EXPIRY);
        return inbox.revokeKey(KEY);
    }

    function testFuzz_the_prefix_is_the_chain_of_the_entries(
        address owner,
        uint8 subaccount,
        uint8 asset,
        uint128 amount
    ) public {
        bytes32 prefix = bytes32(0);
        for (uint64 index = 1; index <= 3; ++index) {
            vm.warp(START + index);
            vm.prank(address(vault));
            vm.assertEq(inbox.push(owner, subaccount, asset, amount), index);
            InboxEntry memory entry = InboxEntry(
                1, index, uint64(START + index), owner, subaccount, asset, amount, address(0)
            );
            prefix = keccak256(abi.encode(prefix, keccak256(abi.encode(entry))));
            vm.assertEq(inbox.prefixAt(index), prefix);
        }
        vm.assertEq(inbox.count(), 3);
    }

    function testFuzz_a_changed_entry_is_none(uint8 field, uint64 by) public {
        _enqueue(0);
        _enqueue(3);
        vm.assume(by != 0);
        uint64 time = uint64(START);
        InboxEntry memory entry = InboxEntry(4, 2, time, ALICE, 6, 0x0102, 9, address(0));
        vm.assertTrue(inbox.isEntry(entry));
        uint256 which = field % 8;
        if (which == 0) entry.kind ^= uint8(1 + by % 255);
        if (which == 1) entry.index ^= by;
        if (which == 2) entry.time ^= by;
        if (which == 3) entry.owner = address(uint160(entry.owner) ^ by);
        if (which == 4) entry.subaccount ^= uint8(1 + by % 255);
        if (which == 5) entry.place ^= uint16(1 + by % 65_535);
        if (which == 6) entry.amount ^= by;
        if (which == 7) entry.key = address(uint160(by));
        vm.assertFalse(inbox.isEntry(entry));
    }

    function test_RevertWhen_somebody_else_than_the_vault_pushes() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotVault.selector, address(0xbad)));
        vm.prank(address(0xbad));
        inbox.push(address(1), 0, 0, 1);
    }

    function test_RevertWhen_a_prefix_lies_beyond_the_end() public {
        _enqueue(0);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NoSuchEntry.selector, 2, 1));
        inbox.prefixAt(2);
    }

    function test_RevertWhen_nothing_or_an_unknown_asset_is_withdrawn() public {
        vm.expectRevert(IInbox.ZeroAmount.selector);
        inbox.forceWithdraw(0, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownAsset.selector, 2));
        inbox.forceWithdraw(0, 2, 1);
        inbox.forceWithdraw(0, 1, 1);
    }

    function test_RevertWhen_the_venue_is_frozen() public {
        vm.prank(ALICE);
        inbox.grantKey(KEY, EXPIRY);
        books.freeze();
        for (uint256 which = 0; which < 6; ++which) {
            vm.expectRevert(IInbox.VenueFrozen.selector);
            if (which == 4) {
                inbox.grantKey(KEY, EXPIRY);
            } else {
                _frozen(which);
            }
        }
        vm.assertEq(inbox.count(), 1);
    }

    function _frozen(uint256 which) private {
        vm.prank(which == 0 ? address(vault) : ALICE);
        if (which == 0) inbox.push(ALICE, 4, 1, 77);
        if (which == 1) inbox.forceWithdraw(4, 1, 1);
        if (which == 2) inbox.forceCancelAll(5);
        if (which == 3) inbox.forceClose(6, 0x0102, 9);
        if (which == 5) inbox.revokeKey(KEY);
    }

    function test_RevertWhen_an_address_is_missing() public {
        vm.expectRevert(IInbox.ZeroAddress.selector);
        new Inbox(address(0), address(books));
        vm.expectRevert(IInbox.ZeroAddress.selector);
        new Inbox(address(vault), address(0));
    }
}
