// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Book,
    CASH_DEFICIT,
    CASH_DEPOSIT,
    CASH_PENALTY,
    CASH_TRADING_FEE,
    EFFECT_ASSETS,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_LIQUIDATION,
    EFFECT_OPEN,
    EFFECT_OUTPUT,
    EFFECT_SHORTFALL
} from "../types/Trace.sol";
import {MAX_COLLATERALS} from "../types/Units.sol";
import {Effects} from "./Effects.sol";

/// @title Books
/// @notice Applies the effect words of a record to the running sums of the venue.
library Books {
    /// @dev The account of the insurance fund.
    uint32 private constant INSURANCE = 0;

    /// @notice Wide enough for sums of words that no engine would write.
    struct Sums {
        int256[] deposited;
        int256[] withdrawn;
        int256 contributedE6;
        int256 drawnE6;
        int256 shortfallE6;
        uint256 accounts;
        uint256 liquidations;
    }

    /// @notice Whether `later` is `book` with the effects of one record.
    /// @dev The book before the first record has no assets; from then on it has those of the set,
    /// and more only by the word for that.
    function follows(Book memory book, bytes calldata effects, Book memory later)
        internal
        pure
        returns (bool)
    {
        uint256 assets = later.deposited.length;
        bool isFirst = book.deposited.length == 0;
        if (assets == 0 || later.withdrawn.length != assets) return false;
        if (!isFirst && book.withdrawn.length != book.deposited.length) return false;
        Sums memory sums = isFirst ? emptyOf(assets) : sumsOf(book);
        uint256 words = Effects.count(effects);
        for (uint256 i = 0; i < words; ++i) {
            if (!add(sums, Effects.wordAt(effects, i))) return false;
        }
        return sums.deposited.length == assets && isSame(sums, later);
    }

    /// @dev False for an asset that is not there, and for assets that are not more.
    function add(Sums memory sums, uint256 word) private pure returns (bool) {
        uint8 kind = Effects.kindOf(word);
        uint256 place = Effects.placeOf(word);
        if (kind == EFFECT_ASSETS) return extend(sums, place);
        if (kind == EFFECT_OPEN) {
            ++sums.accounts;
        } else if (kind == EFFECT_LIQUIDATION) {
            ++sums.liquidations;
        } else if (kind == EFFECT_SHORTFALL) {
            sums.shortfallE6 += amountOf(word);
        } else if (kind == EFFECT_CASH) {
            addCash(sums, word);
        } else if (kind == EFFECT_COLLATERAL && Effects.isDeposit(word)) {
            if (place == 0 || place >= sums.deposited.length) return false;
            sums.deposited[place] += Effects.deltaOf(word);
        } else if (kind == EFFECT_OUTPUT) {
            if (place >= sums.withdrawn.length) return false;
            sums.withdrawn[place] += amountOf(word);
            // A deposit that found no room came in and goes out by this word alone.
            if (Effects.accountOf(word) == Effects.NO_ACCOUNT) {
                sums.deposited[place] += amountOf(word);
            }
        }
        return true;
    }

    /// @dev So many collateral assets; nothing of the new ones came in or went out yet.
    function extend(Sums memory sums, uint256 collaterals) private pure returns (bool) {
        (int256[] memory deposited, int256[] memory withdrawn) = (sums.deposited, sums.withdrawn);
        if (collaterals + 1 <= deposited.length || collaterals > MAX_COLLATERALS) return false;
        sums.deposited = new int256[](collaterals + 1);
        sums.withdrawn = new int256[](collaterals + 1);
        for (uint256 a = 0; a < deposited.length; ++a) {
            (sums.deposited[a], sums.withdrawn[a]) = (deposited[a], withdrawn[a]);
        }
        return true;
    }

    function addCash(Sums memory sums, uint256 word) private pure {
        uint16 reason = Effects.placeOf(word);
        int256 delta = Effects.deltaOf(word);
        if (reason == CASH_DEPOSIT) sums.deposited[0] += delta;
        if (Effects.accountOf(word) != INSURANCE) return;
        if (reason == CASH_TRADING_FEE || reason == CASH_PENALTY) sums.contributedE6 += delta;
        if (reason == CASH_DEFICIT) sums.drawnE6 -= delta;
    }

    function amountOf(uint256 word) private pure returns (int256) {
        return int256(uint256(Effects.amountOf(word)));
    }

    function emptyOf(uint256 assets) private pure returns (Sums memory sums) {
        sums.deposited = new int256[](assets);
        sums.withdrawn = new int256[](assets);
    }

    function sumsOf(Book memory book) private pure returns (Sums memory sums) {
        sums = emptyOf(book.deposited.length);
        for (uint256 a = 0; a < book.deposited.length; ++a) {
            sums.deposited[a] = int256(uint256(book.deposited[a]));
            sums.withdrawn[a] = int256(uint256(book.withdrawn[a]));
        }
        sums.contributedE6 = int256(uint256(book.contributedE6));
        sums.drawnE6 = int256(uint256(book.drawnE6));
        sums.shortfallE6 = int256(uint256(book.shortfallE6));
        sums.accounts = book.accounts;
        sums.liquidations = book.liquidations;
    }

    function isSame(Sums memory sums, Book memory book) private pure returns (bool) {
        for (uint256 a = 0; a < sums.deposited.length; ++a) {
            if (sums.deposited[a] != int256(uint256(book.deposited[a]))) return false;
            if (sums.withdrawn[a] != int256(uint256(book.withdrawn[a]))) return false;
        }
        return sums.contributedE6 == int256(uint256(book.contributedE6))
            && sums.drawnE6 == int256(uint256(book.drawnE6))
            && sums.shortfallE6 == int256(uint256(book.shortfallE6))
            && sums.accounts == book.accounts && sums.liquidations == book.liquidations;
    }
}
