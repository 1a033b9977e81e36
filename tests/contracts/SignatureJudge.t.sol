// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureJudge} from "../../contracts/challenge/SignatureJudge.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {Commands} from "../../contracts/libraries/Commands.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {SignatureEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev What the judge asks of the inbox: one key, granted by one entry until a time.
contract OneKey {
    address public owner;
    address public key;
    uint64 public grantedIndex;
    uint64 public expiresNs;

    function grant(address owner_, address key_, uint64 index, uint64 until) external {
        (owner, key, grantedIndex, expiresNs) = (owner_, key_, index, until);
    }

    function isKeyActive(address owner_, address key_, uint64 cursor, uint64 timeNs)
        external
        view
        returns (bool)
    {
        return owner_ == owner && key_ == key && cursor >= grantedIndex && timeNs < expiresNs;
    }
}

/// @dev C-9: nothing is done in a trader's name that the trader did not sign.
contract SignatureJudgeTest is ContentRig {
    uint32 private constant ACCOUNT = 5;
    uint256 private constant OWNER_KEY = 0xA11CE;
    uint256 private constant TRADING_KEY = 0xB0B;
    uint64 private constant NONCE = 77;

    OneKey private _keys = new OneKey();
    SignatureJudge private _judge;

    function setUp() public {
        beginBatch();
        _judge = new SignatureJudge(ISettlement(address(batches)), IInbox(address(_keys)));
        _keys.grant(vm.addr(OWNER_KEY), vm.addr(TRADING_KEY), 4, LATER);
        steps[0].inboxCursor = 4;
    }

    function test_the_owner_signs_every_intent() public {
        for (uint8 kind = 0; kind < 5; ++kind) {
            assertHonest(_judge, _evidence(_signed(kind, OWNER_KEY)));
            assertFaulty(_judge, _evidence(_signed(kind, 0xBAD)));
        }
    }

    function test_a_trading_key_signs_orders_and_cancels_only() public {
        for (uint8 kind = 0; kind < 5; ++kind) {
            bytes memory evidence = _evidence(_signed(kind, TRADING_KEY));
            if (kind < 2) assertHonest(_judge, evidence);
            else assertFaulty(_judge, evidence);
        }
    }

    function test_a_key_counts_from_its_entry_until_its_expiry() public {
        steps[0].inboxCursor = 3;
        assertFaulty(_judge, _evidence(_signed(0, TRADING_KEY)));
        steps[steps.length - 1].inboxCursor = 4;
        assertHonest(_judge, _evidence(_signed(0, TRADING_KEY)));
        _keys.grant(vm.addr(OWNER_KEY), vm.addr(TRADING_KEY), 4, next().time);
        assertFaulty(_judge, _evidence(_signed(0, TRADING_KEY)));
    }

    function test_the_signature_covers_every_field() public {
        bytes memory frame = _signed(0, OWNER_KEY);
        // Account, time in force and reduce-only have their own rules in other judges.
        for (uint256 place = 29; place < 61; ++place) {
            bytes memory other = bytes.concat(frame);
            other[place] ^= 0x01;
            assertFaulty(_judge, _evidence(other));
        }
    }

    function test_a_malformed_signature_is_a_fault() public {
        bytes memory frame = _signed(0, OWNER_KEY);
        frame[frame.length - 1] = 0x02;
        assertFaulty(_judge, _evidence(frame));
    }

    function test_an_account_that_does_not_exist_signs_nothing() public {
        bytes memory frame = _signed(0, OWNER_KEY);
        standBefore(rootWithout(ACCOUNT));
        SignatureEvidence memory shown = _shown(frame);
        shown.holder = absent(ACCOUNT);
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_RevertWhen_the_record_carries_no_intent() public {
        bytes memory evidence = _evidence(LogFrames.liquidate(next(), ACCOUNT));
        expectRefused(_judge, evidence, Commands.NotAnIntent.selector);
    }

    function test_RevertWhen_what_is_shown_is_not_of_the_step() public {
        bytes memory evidence = _evidence(_signed(0, OWNER_KEY));
        SignatureEvidence memory shown = abi.decode(evidence, (SignatureEvidence));
        shown.holder.leaf[0].owner = address(0xBAD);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.frame = _signed(0, 0xBAD);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
        shown.pair.step.inboxCursor += 1;
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
    }

    function test_RevertWhen_the_account_is_another_one() public {
        AccountLeaf memory leaf = leafOf(address(0xBAD), 0, 0);
        bytes memory frame = _signed(0, OWNER_KEY);
        standBefore(rootWith(ACCOUNT + 1, leaf));
        SignatureEvidence memory shown = _shown(frame);
        shown.holder = opened(ACCOUNT + 1, leaf);
        expectRefused(_judge, abi.encode(shown), SignatureJudge.OtherAccount.selector);
    }

    function test_gas_of_the_signature_judge() public {
        bytes memory evidence = _evidence(_signed(0, TRADING_KEY));
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 120_000);
        vm.snapshotValue("judges", "effects.signature", used);
    }

    /// @dev Order, cancel, withdrawal, mode, conversion.
    function _signed(uint8 kind, uint256 key) private view returns (bytes memory) {
        LogFrames.At memory here = next();
        if (kind == 0) {
            LogFrames.Order memory order =
                LogFrames.Order(ACCOUNT, 3, -10, 5e8, 0, true, NONCE, LATER);
            return LogFrames.placeOrder(here, order, _sign(key, _orderHash(order)));
        }
        bytes32 hash = keccak256(_intent(kind));
        bytes memory signature = _sign(key, hash);
        if (kind == 1) return LogFrames.cancel(here, ACCOUNT, 9, NONCE, LATER, signature);
        if (kind == 2) return LogFrames.withdraw(here, ACCOUNT, 1, 70, NONCE, LATER, signature);
        if (kind == 3) return LogFrames.setMode(here, ACCOUNT, 1, NONCE, LATER, signature);
        return LogFrames.convert(here, ACCOUNT, 1, 50, 20, NONCE, LATER, signature);
    }

    function _orderHash(LogFrames.Order memory order) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Order(uint32 account,uint16 instrument,int32 lots,uint64 limitPriceE8,"
                    "uint8 timeInForce,bool reduceOnly,uint64 nonce,uint64 expiresAt)"
                ),
                order
            )
        );
    }

    function _intent(uint8 kind) private pure returns (bytes memory) {
        if (kind == 1) {
            bytes32 cancel =
                keccak256("Cancel(uint32 account,uint64 orderId,uint64 nonce,uint64 expiresAt)");
            return abi.encode(cancel, ACCOUNT, 9, NONCE, LATER);
        }
        if (kind == 2) {
            bytes32 withdrawal = keccak256(
                "Withdrawal(uint32 account,uint8 asset,uint64 amount,uint64 nonce,uint64 expiresAt)"
            );
            return abi.encode(withdrawal, ACCOUNT, 1, 70, NONCE, LATER);
        }
        if (kind == 3) {
            bytes32 mode =
                keccak256("Mode(uint32 account,uint8 mode,uint64 nonce,uint64 expiresAt)");
            return abi.encode(mode, ACCOUNT, 1, NONCE, LATER);
        }
        bytes32 conversion = keccak256(
            "Conversion(uint32 account,uint8 asset,uint64 amount,uint64 minimumE6,uint64 nonce,"
            "uint64 expiresAt)"
        );
        return abi.encode(conversion, ACCOUNT, 1, 50, 20, NONCE, LATER);
    }

    function _sign(uint256 key, bytes32 hash) private view returns (bytes memory) {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", batches.domainSeparator(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _evidence(bytes memory frame) private returns (bytes memory) {
        standBefore(rootWith(ACCOUNT, leafOf(vm.addr(OWNER_KEY), 0, 0)));
        SignatureEvidence memory shown = _shown(frame);
        shown.holder = opened(ACCOUNT, leafOf(vm.addr(OWNER_KEY), 0, 0));
        return abi.encode(shown);
    }

    function _shown(bytes memory frame) private returns (SignatureEvidence memory shown) {
        uint32 index = add(frame, "");
        seal();
        (shown.pair, shown.frame) = (pairAt(index), frame);
    }
}
