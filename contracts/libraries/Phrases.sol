// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TIER_FULL, TIER_PARTIAL} from "../types/Liquidation.sol";
import {
    CASH_DEFICIT,
    CASH_DEPOSIT,
    CASH_PENALTY,
    CASH_SALE,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_LIQUIDATION,
    EFFECT_SHORTFALL,
    EFFECT_TRADE
} from "../types/Trace.sol";
import {Effects} from "./Effects.sol";

/// @title Phrases
/// @notice Groups of effect words that one event makes: a fill, a transfer, a fee, a sale.
/// @dev A phrase that would reach beyond the last word is none.
library Phrases {
    using Effects for bytes;
    using Effects for uint256;

    /// @notice The insurance fund.
    uint32 internal constant INSURANCE = 0;

    /// @notice Takes over what liquidations cannot sell.
    uint32 internal constant BACKSTOP = 1;

    uint256 internal constant SALE_WORDS = 4;

    /// @notice A TRADE of the taker, and the same in reverse of another account, whose order has a
    /// number below `seq`.
    function isFill(bytes calldata effects, uint256 place, uint32 taker, uint64 seq)
        internal
        pure
        returns (bool)
    {
        if (!isTrade(effects, place)) return false;
        (uint256 first, uint256 second) = (effects.wordAt(place), effects.wordAt(place + 1));
        uint64 orderId = second.orderOf();
        return first.accountOf() == taker && first.orderOf() == 0 && orderId != 0 && orderId < seq;
    }

    /// @notice A TRADE of the backstop, and the same in reverse of the account that gives, both
    /// without an order.
    function isTransfer(bytes calldata effects, uint256 place, uint32 giver)
        internal
        pure
        returns (bool)
    {
        if (!isTrade(effects, place)) return false;
        (uint256 first, uint256 second) = (effects.wordAt(place), effects.wordAt(place + 1));
        return first.accountOf() == BACKSTOP && second.accountOf() == giver && first.orderOf() == 0
            && second.orderOf() == 0;
    }

    /// @notice Two TRADE words of two accounts that add up to nothing, of one instrument and some
    /// lots; the insurance fund never trades.
    function isTrade(bytes calldata effects, uint256 place) internal pure returns (bool) {
        if (place + 2 > effects.count()) return false;
        (uint256 first, uint256 second) = (effects.wordAt(place), effects.wordAt(place + 1));
        return first.kindOf() == EFFECT_TRADE && second.kindOf() == EFFECT_TRADE
            && first.placeOf() == second.placeOf() && first.lotsOf() != 0
            && int256(first.lotsOf()) + second.lotsOf() == 0
            && int256(first.costOf()) + second.costOf() == 0
            && first.accountOf() != second.accountOf() && first.accountOf() != INSURANCE
            && second.accountOf() != INSURANCE;
    }

    /// @notice CASH of the account, less than nothing, and the same in reverse of the insurance
    /// fund.
    function isToFund(bytes calldata effects, uint256 place, uint32 account, uint16 why)
        internal
        pure
        returns (bool)
    {
        return isCash(effects, place, account, INSURANCE, why)
            && effects.wordAt(place).deltaOf() < 0;
    }

    function isPenalty(bytes calldata effects, uint256 place, uint32 account)
        internal
        pure
        returns (bool)
    {
        return isToFund(effects, place, account, CASH_PENALTY);
    }

    /// @notice CASH of one account, and the same in reverse of another.
    function isCash(bytes calldata effects, uint256 place, uint32 one, uint32 other, uint16 why)
        internal
        pure
        returns (bool)
    {
        if (place + 2 > effects.count()) return false;
        (uint256 first, uint256 second) = (effects.wordAt(place), effects.wordAt(place + 1));
        return first.kindOf() == EFFECT_CASH && second.kindOf() == EFFECT_CASH
            && first.placeOf() == why && second.placeOf() == why && first.accountOf() == one
            && second.accountOf() == other && int256(first.deltaOf()) + second.deltaOf() == 0;
    }

    /// @notice COLLATERAL from the account to the backstop, and CASH of a sale the other way.
    function isSale(bytes calldata effects, uint256 place, uint32 seller)
        internal
        pure
        returns (bool)
    {
        if (place + SALE_WORDS > effects.count()) return false;
        (uint256 first, uint256 second) = (effects.wordAt(place), effects.wordAt(place + 1));
        return first.kindOf() == EFFECT_COLLATERAL && second.kindOf() == EFFECT_COLLATERAL
            && first.placeOf() == second.placeOf() && first.placeOf() != 0
            && first.accountOf() == seller && second.accountOf() == BACKSTOP && !first.isDeposit()
            && !second.isDeposit() && first.deltaOf() < 0
            && int256(first.deltaOf()) + second.deltaOf() == 0
            && isCash(effects, place + 2, seller, BACKSTOP, CASH_SALE)
            && effects.wordAt(place + 2).deltaOf() >= 0;
    }

    /// @notice The whole amount credited from the inbox, as cash or as collateral.
    function isCredit(
        bytes calldata effects,
        uint256 place,
        uint32 account,
        uint16 asset,
        uint128 amount
    ) internal pure returns (bool) {
        if (place >= effects.count()) return false;
        uint256 word = effects.wordAt(place);
        if (word.accountOf() != account) return false;
        if (int256(word.deltaOf()) != int256(uint256(amount))) return false;
        if (asset == 0) return word.kindOf() == EFFECT_CASH && word.placeOf() == CASH_DEPOSIT;
        return word.kindOf() == EFFECT_COLLATERAL && word.placeOf() == asset && word.isDeposit();
    }

    /// @notice LIQUIDATION, fills without fees, transfers, a penalty and, in a full step, sales of
    /// collateral, cover of a deficit and a shortfall: in this order, all of one account.
    function isLiquidation(bytes calldata effects, uint32 account, uint64 seq)
        internal
        pure
        returns (bool)
    {
        uint256 words = effects.count();
        if (words == 0) return false;
        uint256 word = effects.wordAt(0);
        uint16 tier = word.placeOf();
        if (word.kindOf() != EFFECT_LIQUIDATION || word.accountOf() != account) return false;
        if (tier != TIER_PARTIAL && tier != TIER_FULL) return false;
        uint256 next = 1;
        while (isFill(effects, next, account, seq)) next += 2;
        while (isTransfer(effects, next, account)) next += 2;
        if (isPenalty(effects, next, account)) next += 2;
        if (tier == TIER_FULL) next = debtEnd(effects, next, account);
        return next == words && next != 1;
    }

    /// @notice Who gives up a position in a forced close: the taker of its first trade, or, when
    /// that is a transfer, the one that gives.
    /// @dev Of the backstop itself nobody takes over, so its trades are fills.
    function closerOf(bytes calldata effects) internal pure returns (uint32) {
        if (effects.count() < 2) return effects.wordAt(0).accountOf();
        uint256 second = effects.wordAt(1);
        bool isOnBook = second.orderOf() != 0;
        return isOnBook ? effects.wordAt(0).accountOf() : second.accountOf();
    }

    /// @dev Sales, cover, shortfall.
    function debtEnd(bytes calldata effects, uint256 next, uint32 account)
        private
        pure
        returns (uint256)
    {
        while (isSale(effects, next, account)) next += SALE_WORDS;
        if (
            isCash(effects, next, account, INSURANCE, CASH_DEFICIT)
                && effects.wordAt(next).deltaOf() > 0
        ) next += 2;
        if (next >= effects.count()) return next;
        uint256 word = effects.wordAt(next);
        bool isShortfall = word.kindOf() == EFFECT_SHORTFALL && word.accountOf() == account
            && word.placeOf() == 0 && word.amountOf() != 0;
        return isShortfall ? next + 1 : next;
    }
}
