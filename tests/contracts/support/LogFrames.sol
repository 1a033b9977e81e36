// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Writes frames of the input log, as docs/COMMITMENTS.md lays them out.
library LogFrames {
    uint32 internal constant SEQUENCER_EPOCH = 1;

    /// @dev Where a record stands: its number and its time.
    struct At {
        uint64 seq;
        uint64 time;
    }

    struct Order {
        uint32 account;
        uint16 instrument;
        int32 lots;
        uint64 limitE8;
        uint8 timeInForce;
        bool reduceOnly;
        uint64 nonce;
        uint64 expiresAt;
    }

    struct Entry {
        uint8 kind;
        address owner;
        uint8 subaccount;
        uint16 place;
        uint128 amount;
        address key;
    }

    function frame(At memory here, uint8 kind, bytes memory payload)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            here.seq, here.time, SEQUENCER_EPOCH, kind, uint32(payload.length), payload
        );
    }

    function unsignedBytes() internal pure returns (bytes memory) {
        return new bytes(65);
    }

    function orderPayload(Order memory order) internal pure returns (bytes memory) {
        bytes memory what =
            abi.encodePacked(order.account, order.instrument, order.lots, order.limitE8);
        bytes memory how = abi.encodePacked(order.timeInForce, order.reduceOnly);
        return abi.encodePacked(what, how, order.nonce, order.expiresAt);
    }

    function placeOrder(At memory here, Order memory order, bytes memory signature)
        internal
        pure
        returns (bytes memory)
    {
        return frame(here, 3, bytes.concat(orderPayload(order), signature));
    }

    function cancel(
        At memory here,
        uint32 account,
        uint64 orderId,
        uint64 nonce,
        uint64 expiresAt,
        bytes memory signature
    ) internal pure returns (bytes memory) {
        return frame(here, 4, abi.encodePacked(account, orderId, nonce, expiresAt, signature));
    }

    function fundingTick(At memory here) internal pure returns (bytes memory) {
        return frame(here, 6, "");
    }

    function liquidate(At memory here, uint32 account) internal pure returns (bytes memory) {
        return frame(here, 7, abi.encodePacked(account));
    }

    function withdraw(
        At memory here,
        uint32 account,
        uint8 asset,
        uint64 amount,
        uint64 nonce,
        uint64 expiresAt,
        bytes memory signature
    ) internal pure returns (bytes memory) {
        return frame(here, 8, abi.encodePacked(account, asset, amount, nonce, expiresAt, signature));
    }

    function settleExpiry(At memory here, uint16 instrument) internal pure returns (bytes memory) {
        return frame(here, 9, abi.encodePacked(instrument));
    }

    function setMode(
        At memory here,
        uint32 account,
        uint8 mode,
        uint64 nonce,
        uint64 expiresAt,
        bytes memory signature
    ) internal pure returns (bytes memory) {
        return frame(here, 10, abi.encodePacked(account, mode, nonce, expiresAt, signature));
    }

    function convert(
        At memory here,
        uint32 account,
        uint8 asset,
        uint64 amount,
        uint64 minimum,
        uint64 nonce,
        uint64 expiresAt,
        bytes memory signature
    ) internal pure returns (bytes memory) {
        return frame(
            here,
            11,
            bytes.concat(
                abi.encodePacked(account, asset, amount, minimum, nonce, expiresAt), signature
            )
        );
    }

    /// @dev The index and the time of the entry are of no matter to the judges of content.
    function deposit(At memory here, address owner, uint8 subaccount, uint16 asset, uint128 amount)
        internal
        pure
        returns (bytes memory)
    {
        return frame(here, 2, abi.encodePacked(uint128(1), owner, subaccount, asset, amount));
    }

    function forced(At memory here, Entry memory entry) internal pure returns (bytes memory) {
        bytes memory whose = abi.encodePacked(uint128(1), entry.owner, entry.subaccount);
        bytes memory what = abi.encodePacked(entry.place, entry.amount, entry.kind, entry.key);
        return frame(here, 12, bytes.concat(whose, what));
    }
}
