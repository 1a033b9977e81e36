// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InboxEntry} from "../../../contracts/types/Inbox.sol";

/// @dev Frames and effect words, written field by field.
library TraceWords {
    uint32 internal constant NOBODY = type(uint32).max;

    function frame(uint64 seq, uint64 time, uint32 epoch, uint8 kind, bytes memory payload)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(seq, time, epoch, kind, uint32(payload.length), payload);
    }

    function depositPayload(InboxEntry memory e) internal pure returns (bytes memory) {
        return abi.encodePacked(e.index, e.time, e.owner, e.subaccount, e.place, e.amount);
    }

    function forcedPayload(InboxEntry memory e) internal pure returns (bytes memory) {
        return bytes.concat(depositPayload(e), abi.encodePacked(e.kind, e.key));
    }

    function open(uint32 account, address owner, uint16 subaccount)
        internal
        pure
        returns (bytes memory)
    {
        return word(1, account, subaccount, abi.encodePacked(owner));
    }

    function cash(uint32 account, uint16 reason, int64 delta) internal pure returns (bytes memory) {
        return word(2, account, reason, abi.encodePacked(delta));
    }

    function collateral(uint32 account, uint16 asset, int64 delta, bool isDeposit)
        internal
        pure
        returns (bytes memory)
    {
        return word(3, account, asset, abi.encodePacked(delta, isDeposit));
    }

    function trade(uint32 account, uint16 instrument, int32 lots, int64 cost, uint64 orderId)
        internal
        pure
        returns (bytes memory)
    {
        return word(4, account, instrument, abi.encodePacked(lots, cost, orderId));
    }

    function assets(uint16 count) internal pure returns (bytes memory) {
        return word(11, 0, count, "");
    }

    function output(uint32 account, uint16 asset, uint64 amount, uint64 id)
        internal
        pure
        returns (bytes memory)
    {
        return word(6, account, asset, abi.encodePacked(amount, id));
    }

    function noop(uint32 account, uint16 reason) internal pure returns (bytes memory) {
        return word(7, account, reason, "");
    }

    function liquidation(uint32 account, uint16 tier) internal pure returns (bytes memory) {
        return word(8, account, tier, "");
    }

    function shortfall(uint32 account, uint64 amount) internal pure returns (bytes memory) {
        return word(10, account, 0, abi.encodePacked(amount));
    }

    function word(uint8 kind, uint32 account, uint16 place, bytes memory body)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory head = abi.encodePacked(kind, account, place, body);
        return bytes.concat(head, new bytes(32 - head.length));
    }

    /// @dev What is posted of a step, as docs/COMMITMENTS.md lays it out.
    function posted(bytes32[3] memory before, bytes32[3] memory roots, bytes memory words)
        internal
        pure
        returns (bytes memory item)
    {
        uint8 flags = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (before[i] == roots[i]) continue;
            flags |= uint8(1 << i);
            item = bytes.concat(item, roots[i]);
        }
        item = bytes.concat(bytes1(flags), item, bytes2(uint16(words.length / 32)));
        for (uint256 i = 0; i < words.length; i += 32) {
            item = bytes.concat(item, shortened(words, i));
        }
    }

    function shortened(bytes memory words, uint256 start)
        private
        pure
        returns (bytes memory short)
    {
        uint256 size = 32;
        while (words[start + size - 1] == 0) --size;
        short = abi.encodePacked(uint8(size));
        for (uint256 i = 0; i < size; ++i) {
            short = bytes.concat(short, words[start + i]);
        }
    }
}
