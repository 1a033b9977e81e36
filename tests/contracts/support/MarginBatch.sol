// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Margin} from "../../../contracts/libraries/Margin.sol";
import {AccountLeaf} from "../../../contracts/types/Account.sol";
import {ColumnOpening, Terms} from "../../../contracts/types/Liquidation.sol";

/// @notice An account with what a witness opens of it; numbers are places in what is shared.
/// @param leaf abi.encode of an `AccountLeaf`.
/// @param terms abi.encode of `Terms`.
/// @param openings Three bytes for each: underlying, scenario, and whether charges are opened.
struct Question {
    bytes leaf;
    bytes terms;
    bytes openings;
    uint256 book;
    uint256 collateral;
    uint256 curves;
}

/// @notice Columns that many questions share.
struct Book {
    bytes[] values;
    bytes[][] losses;
    bytes[] charges;
}

/// @dev Asks for thousands of margins in one call.
contract MarginBatch {
    /// @notice Margin balance, maintenance margin, and whether the library took the question.
    function answersTo(
        Question[] calldata questions,
        Book[] calldata books,
        bytes[] calldata collaterals,
        bytes[] calldata curves
    ) external view returns (int256[3][] memory answers) {
        answers = new int256[3][](questions.length);
        for (uint256 q = 0; q < questions.length; ++q) {
            Question calldata asked = questions[q];
            try this.margin(
                abi.decode(asked.leaf, (AccountLeaf)),
                opened(asked.openings, books[asked.book]),
                collaterals[asked.collateral],
                curves[asked.curves],
                abi.decode(asked.terms, (Terms))
            ) returns (
                int256 balance, uint256 maintenance
            ) {
                answers[q] = [balance, int256(maintenance), int256(1)];
            } catch {}
        }
    }

    function margin(
        AccountLeaf calldata leaf,
        ColumnOpening[] calldata columns,
        bytes calldata collateral,
        bytes calldata curves,
        Terms calldata terms
    ) external pure returns (int256, uint256) {
        return Margin.ofAccount(leaf, columns, collateral, curves, terms);
    }

    function opened(bytes calldata openings, Book calldata book)
        private
        pure
        returns (ColumnOpening[] memory columns)
    {
        columns = new ColumnOpening[](openings.length / 3);
        for (uint256 c = 0; c < columns.length; ++c) {
            uint8 u = uint8(openings[3 * c]);
            uint8 s = uint8(openings[3 * c + 1]);
            columns[c].underlying = u;
            columns[c].scenario = s;
            columns[c].values = book.values[u];
            columns[c].losses = book.losses[u][s];
            if (openings[3 * c + 2] != 0) columns[c].charges = book.charges[u];
        }
    }
}
