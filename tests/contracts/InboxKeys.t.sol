// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {PlainToken} from "./support/HostileTokens.sol";
import {VaultRig} from "./support/VaultRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Trading keys: at any cursor and time, now or later, the inbox tells whether one was active.
contract InboxKeysTest is VaultRig {
    struct Event {
        uint8 kind; // 0 nothing, 1 grant, 2 revoke, 3 revoke all
        uint256 key;
        uint64 expiresAt;
    }

    address private constant ALICE = address(0xa11ce);
    address private constant KEY = address(0x4e1);
    uint64 private constant EXPIRY = uint64(START + 1 days);
    uint64 private constant SECOND = 1e9;
    uint64 private constant NOW = uint64(START) * SECOND;

    Event[] private _history;

    function setUp() public {
        deployVault(only(address(new PlainToken(6))));
        vm.startPrank(ALICE);
    }

    function test_a_key_is_active_from_its_grant_to_its_expiry() public {
        inbox.forceCancelAll(0);
        inbox.grantKey(KEY, EXPIRY);
        (uint64 granted, uint64 expires, uint64 revoked) = inbox.keyOf(ALICE, KEY);
        vm.assertEq(granted, 2);
        vm.assertEq(expires, EXPIRY);
        vm.assertEq(revoked, 0);
        vm.assertFalse(inbox.isKeyActive(ALICE, KEY, 1, NOW));
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 2, NOW));
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 2, EXPIRY * SECOND - 1));
        vm.assertFalse(inbox.isKeyActive(ALICE, KEY, 2, EXPIRY * SECOND));
        vm.assertFalse(inbox.isKeyActive(address(this), KEY, 2, NOW));
        vm.assertFalse(inbox.isKeyActive(ALICE, ALICE, 2, NOW));
    }

    function test_a_revoked_key_was_active_before() public {
        inbox.grantKey(KEY, EXPIRY);
        inbox.forceCancelAll(0);
        vm.assertEq(inbox.revokeKey(KEY), 3);
        (,, uint64 revoked) = inbox.keyOf(ALICE, KEY);
        vm.assertEq(revoked, 3);
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 2, NOW));
        vm.assertFalse(inbox.isKeyActive(ALICE, KEY, 3, NOW));
    }

    function test_all_keys_go_at_once_and_later_ones_stay() public {
        inbox.grantKey(KEY, EXPIRY);
        vm.assertEq(inbox.revokedAllAt(ALICE), 0);
        inbox.revokeKey(address(0));
        inbox.grantKey(address(0x4e2), EXPIRY);
        vm.assertEq(inbox.revokedAllAt(ALICE), 2);
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 1, NOW));
        vm.assertFalse(inbox.isKeyActive(ALICE, KEY, 3, NOW));
        vm.assertTrue(inbox.isKeyActive(ALICE, address(0x4e2), 3, NOW));
        inbox.revokeKey(address(0));
        vm.assertEq(inbox.revokedAllAt(ALICE), 4);
        vm.assertTrue(inbox.isKeyActive(ALICE, address(0x4e2), 3, NOW));
        vm.assertFalse(inbox.isKeyActive(ALICE, address(0x4e2), 4, NOW));
        // What ended at entry 2 does not come back with a later revocation.
        vm.assertFalse(inbox.isKeyActive(ALICE, KEY, 2, NOW));
    }

    function test_keys_of_owners_are_apart() public {
        inbox.grantKey(KEY, EXPIRY);
        vm.stopPrank();
        inbox.revokeKey(address(0));
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 2, NOW));
        inbox.grantKey(KEY, EXPIRY);
        vm.assertTrue(inbox.isKeyActive(address(this), KEY, 3, NOW));
    }

    /// @dev Any history of an owner with three keys, asked at any cursor, against a walk through
    /// all entries as the engine takes it.
    function testFuzz_every_moment_of_any_history_can_be_told(
        bytes12 actions,
        uint64 cursor,
        uint32 later
    ) public {
        for (uint256 i = 0; i < 12; ++i) {
            _act(uint8(actions[i]));
        }
        cursor = cursor % (inbox.count() + 1);
        uint64 time = NOW + uint64(later % 4 days) * SECOND / 2;
        for (uint256 key = 0; key < 3; ++key) {
            bool expected = _replayed(key, cursor, time);
            vm.assertTrue(inbox.isKeyActive(ALICE, _keyAt(key), cursor, time) == expected);
        }
    }

    function _act(uint8 action) private {
        Event memory e = Event(action % 4, action / 4 % 3, uint64(START + 1 days * (action / 64)));
        if (e.kind == 0) inbox.forceCancelAll(0);
        if (e.kind == 3) inbox.revokeKey(address(0));
        if (e.kind == 1) {
            e.expiresAt += 1;
            try inbox.grantKey(_keyAt(e.key), e.expiresAt) {}
            catch {
                return;
            }
        }
        if (e.kind == 2) {
            try inbox.revokeKey(_keyAt(e.key)) {}
            catch {
                return;
            }
        }
        _history.push(e);
    }

    function _replayed(uint256 key, uint64 cursor, uint64 time) private view returns (bool) {
        uint64 until = 0;
        for (uint256 i = 0; i < cursor; ++i) {
            Event memory e = _history[i];
            if (e.kind == 1 && e.key == key) until = e.expiresAt;
            if (e.kind == 3 || (e.kind == 2 && e.key == key)) until = 0;
        }
        return time < until * SECOND;
    }

    function _keyAt(uint256 key) private pure returns (address) {
        return address(uint160(0x4e10 + key));
    }

    // --- refusals ---

    function test_RevertWhen_a_key_is_granted_again() public {
        inbox.grantKey(KEY, EXPIRY);
        bytes4 refusal = IInbox.KeyGrantedBefore.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, KEY, 1));
        inbox.grantKey(KEY, EXPIRY + 1);
        inbox.revokeKey(KEY);
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, KEY, 1));
        inbox.grantKey(KEY, EXPIRY);
    }

    function test_RevertWhen_a_key_is_nobody_or_its_owner() public {
        bytes4 refusal = IInbox.InvalidKey.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, address(0)));
        inbox.grantKey(address(0), EXPIRY);
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, ALICE));
        inbox.grantKey(ALICE, EXPIRY);
    }

    function test_RevertWhen_a_key_expires_now_or_beyond_all_logs() public {
        uint256 latest = type(uint64).max / SECOND;
        bytes4 refusal = IInbox.InvalidExpiry.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, START, START + 1, latest));
        inbox.grantKey(KEY, uint64(START));
        vm.expectRevert(abi.encodeWithSelector(refusal, latest + 1, START + 1, latest));
        inbox.grantKey(KEY, uint64(latest + 1));
        inbox.grantKey(KEY, uint64(latest));
        vm.assertTrue(inbox.isKeyActive(ALICE, KEY, 1, uint64(latest) * SECOND - 1));
    }

    function test_RevertWhen_a_key_that_is_not_granted_is_revoked() public {
        bytes4 refusal = IInbox.KeyNotGranted.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, KEY));
        inbox.revokeKey(KEY);
        inbox.grantKey(KEY, EXPIRY);
        inbox.revokeKey(KEY);
        vm.expectRevert(abi.encodeWithSelector(refusal, ALICE, KEY));
        inbox.revokeKey(KEY);
    }
}
