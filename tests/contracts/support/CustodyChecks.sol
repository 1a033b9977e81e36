// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CustodyHandler} from "./CustodyHandler.sol";

/// @dev What must hold of custody after any calls, each as a question to the handler's ghost, so
/// that a test can also show that a broken contract fails it.
library CustodyChecks {
    /// @dev C-1, INV-1: the tokens are those of users and donors, and the books those of users.
    function isCovered(CustodyHandler handler) internal view returns (bool) {
        for (uint8 asset = 0; asset < 2; ++asset) {
            uint256 owed = handler.outstanding(asset);
            uint256 tokens = owed * handler.unitOf(asset) + handler.donated(asset);
            if (handler.vaultBalance(asset) != tokens) return false;
            if (handler.bookedBalance(asset) != owed) return false;
        }
        return true;
    }

    /// @dev INV-1: the books are the book, outputs not claimed, deposits not consumed, deferrals.
    function isComposed(CustodyHandler handler) internal view returns (bool) {
        for (uint8 asset = 0; asset < 2; ++asset) {
            if (handler.bookedBalance(asset) != handler.composed(asset)) return false;
        }
        return true;
    }

    /// @dev C-3, C-4: nobody holds more or less than what was paid to him.
    function isPaidExactly(CustodyHandler handler) internal view returns (bool) {
        for (uint8 asset = 0; asset < 2; ++asset) {
            for (uint256 user = 0; user < handler.USERS(); ++user) {
                uint256 held = handler.tokenOf(asset).balanceOf(handler.userAt(user));
                if (held != handler.paidOut(user, asset) * handler.unitOf(asset)) return false;
            }
        }
        return true;
    }

    /// @dev C-6, INV-3: each output, refund and exit has effect at most once.
    function isOnce(CustodyHandler handler) internal view returns (bool) {
        for (uint64 id = 1; id <= handler.lastId(); ++id) {
            if (handler.timesPaid(id) > 1) return false;
        }
        for (uint64 index = 1; index <= handler.entryCount(); ++index) {
            if (handler.timesRefunded(index) > 1) return false;
        }
        for (uint256 user = 0; user < handler.USERS(); ++user) {
            if (handler.timesLeft(user, 0) > 1 || handler.timesLeft(user, 1) > 1) return false;
        }
        return true;
    }

    /// @dev C-6: the inbox is the chain of what was enqueued, nothing lost and nothing added.
    function isChained(CustodyHandler handler) internal view returns (bool) {
        (uint64 count, bytes32 prefix) = handler.inboxEnd();
        return count == handler.entryCount() && prefix == handler.prefix();
    }

    /// @dev C-5: no window paid more than it may.
    function isBounded(CustodyHandler handler) internal view returns (bool) {
        return handler.breaches() == 0;
    }

    /// @dev INV-3, INV-11: no hostile call went through, and each honest one did what it should.
    function isObedient(CustodyHandler handler) internal view returns (bool) {
        return handler.intrusions() == 0 && handler.mistakes() == 0;
    }

    /// @dev L-2, L-3, INV-11: each account left with what was due to it, every deposit and output
    /// was paid, and less than one unit for each account and asset is left.
    function isEmptied(CustodyHandler handler) internal view returns (bool) {
        for (uint8 asset = 0; asset < 2; ++asset) {
            for (uint256 user = 0; user < handler.USERS(); ++user) {
                if (handler.exits(user, asset) != handler.dueTo(user, asset)) return false;
                if (handler.deferred(user, asset) != 0) return false;
            }
            if (handler.unclaimed(asset) != 0) return false;
            if (handler.bookedBalance(asset) > 2 * handler.USERS() + handler.unshared(asset)) {
                return false;
            }
        }
        return true;
    }

    function isSound(CustodyHandler handler) internal view returns (bool) {
        return isCovered(handler) && isComposed(handler) && isPaidExactly(handler)
            && isOnce(handler) && isChained(handler) && isBounded(handler) && isObedient(handler);
    }
}
