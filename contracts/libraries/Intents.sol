// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Commands} from "./Commands.sol";
import {
    Frames,
    RECORD_CANCEL_ORDER,
    RECORD_PLACE_ORDER,
    RECORD_SET_MODE,
    RECORD_WITHDRAW
} from "./Frames.sol";

/// @title Intents
/// @notice The EIP-712 struct hashes of what traders sign, from the frames that carry it.
library Intents {
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(uint32 account,uint16 instrument,int32 lots,uint64 limitPriceE8,uint8 timeInForce,"
        "bool reduceOnly,uint64 nonce,uint64 expiresAt)"
    );
    bytes32 internal constant CANCEL_TYPEHASH =
        keccak256("Cancel(uint32 account,uint64 orderId,uint64 nonce,uint64 expiresAt)");
    bytes32 internal constant WITHDRAWAL_TYPEHASH = keccak256(
        "Withdrawal(uint32 account,uint8 asset,uint64 amount,uint64 nonce,uint64 expiresAt)"
    );
    bytes32 internal constant MODE_TYPEHASH =
        keccak256("Mode(uint32 account,uint8 mode,uint64 nonce,uint64 expiresAt)");
    bytes32 internal constant CONVERSION_TYPEHASH = keccak256(
        "Conversion(uint32 account,uint8 asset,uint64 amount,uint64 minimumE6,uint64 nonce,"
        "uint64 expiresAt)"
    );

    /// @notice `hashStruct` of the intent in a frame; reverts when it carries none.
    function structHash(bytes calldata frame) internal pure returns (bytes32) {
        uint8 kind = Frames.typeOf(frame);
        uint32 account = Commands.accountOf(frame);
        (uint64 nonce, uint64 expiresAt) = (Commands.nonceOf(frame), Commands.expiryOf(frame));
        if (kind == RECORD_PLACE_ORDER) return orderHash(frame, account, nonce, expiresAt);
        if (kind == RECORD_CANCEL_ORDER) {
            uint64 orderId = Commands.orderOfCancel(frame);
            return keccak256(abi.encode(CANCEL_TYPEHASH, account, orderId, nonce, expiresAt));
        }
        if (kind == RECORD_SET_MODE) {
            uint8 mode = Commands.modeOf(frame);
            return keccak256(abi.encode(MODE_TYPEHASH, account, mode, nonce, expiresAt));
        }
        (uint8 asset, uint64 amount) = (Commands.assetOf(frame), Commands.amountOf(frame));
        if (kind == RECORD_WITHDRAW) {
            return
                keccak256(abi.encode(WITHDRAWAL_TYPEHASH, account, asset, amount, nonce, expiresAt));
        }
        uint64 minimum = Commands.minimumOf(frame);
        return keccak256(
            abi.encode(CONVERSION_TYPEHASH, account, asset, amount, minimum, nonce, expiresAt)
        );
    }

    function orderHash(bytes calldata frame, uint32 account, uint64 nonce, uint64 expiresAt)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                ORDER_TYPEHASH,
                account,
                Commands.instrumentOfOrder(frame),
                Commands.lotsOfOrder(frame),
                Commands.limitOfOrder(frame),
                Commands.timeInForceOf(frame),
                Commands.reduceOnlyOf(frame) != 0,
                nonce,
                expiresAt
            )
        );
    }
}
