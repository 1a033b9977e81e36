// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Of one collateral asset, at most.
uint256 constant MAX_BRACKETS = 4;

/// @title Documents
/// @notice Reads the few numbers of a canonical parameter document that no leaf of the listing has.
/// @dev The document is JSON in one form: keys sorted, no spaces, integers as decimal strings, and
/// text without quotes or brackets. So a key with the bracket behind it stands for nothing else,
/// and `funding` and `collateral` are keys of the set alone. Who shows a document says where to
/// look.
library Documents {
    /// @dev A bracket of one collateral: up to this amount [token e-8], at most this weight [1e-6].
    struct Bracket {
        uint256 uptoE8;
        uint256 weightE6;
    }

    /// @dev As many digits as any number of a document has.
    uint256 private constant MAX_DIGITS = 25;

    bytes private constant FUNDING = '"funding":{"cap_e8":"';
    bytes private constant DAMPER = ',"damper_e8":"';
    bytes private constant INTEREST = ',"interest_e8":"';
    bytes private constant PERIOD = ',"period_ns":"';
    bytes private constant COLLATERAL = '"collateral":[';
    bytes private constant ASSET = '{"brackets":[';
    bytes private constant UPTO = '{"upto_e8":"';
    bytes private constant WEIGHT = ',"weight_e6":"';

    /// @notice The document does not say this here.
    error OtherText(uint256 place);

    /// @notice The document given is not that of the set.
    error WrongDocument(bytes32 given, bytes32 expected);

    /// @notice Reverts unless the document has this hash.
    function requireDocument(bytes calldata document, bytes32 expected) internal pure {
        bytes32 given = keccak256(document);
        require(given == expected, WrongDocument(given, expected));
    }

    /// @notice The terms of funding.
    /// @param place Where the key begins, with its quotation mark.
    /// @return capE8 Largest rate of one period. [1e-8]
    /// @return periodNs Length of a period. [ns]
    function fundingOf(bytes calldata document, uint256 place)
        internal
        pure
        returns (uint256 capE8, uint256 periodNs)
    {
        (capE8, place) = numberAt(document, skip(document, place, FUNDING));
        place = textEnd(document, skip(document, place, DAMPER));
        place = textEnd(document, skip(document, place, INTEREST));
        (periodNs,) = numberAt(document, skip(document, place, PERIOD));
    }

    /// @notice The brackets of a collateral asset.
    /// @param place Where the key of all assets begins, with its quotation mark.
    /// @param asset From 1; not above the number of assets that are listed.
    function bracketsOf(bytes calldata document, uint256 place, uint256 asset)
        internal
        pure
        returns (Bracket[MAX_BRACKETS] memory brackets, uint256 count)
    {
        place = skip(document, place, COLLATERAL);
        for (uint256 a = 1; a < asset; ++a) {
            // No later than at the next asset, which is where the last one ends.
            ++place;
            while (!isAt(document, place, ASSET)) ++place;
        }
        place = skip(document, place, ASSET);
        while (true) {
            Bracket memory bracket = brackets[count++];
            (bracket.uptoE8, place) = numberAt(document, skip(document, place, UPTO));
            (bracket.weightE6, place) = numberAt(document, skip(document, place, WEIGHT));
            // } closes the bracket, a comma says that another follows.
            if (!isAt(document, place, "},")) break;
            place += 2;
        }
    }

    /// @dev Where the text ends that must stand at `place`.
    function skip(bytes calldata document, uint256 place, bytes memory text)
        private
        pure
        returns (uint256)
    {
        require(isAt(document, place, text), OtherText(place));
        return place + text.length;
    }

    function isAt(bytes calldata document, uint256 place, bytes memory text)
        private
        pure
        returns (bool)
    {
        require(place + text.length <= document.length, OtherText(place));
        return keccak256(document[place:place + text.length]) == keccak256(text);
    }

    /// @dev A number without a sign, and the place behind the quotation mark that ends it.
    function numberAt(bytes calldata document, uint256 place)
        private
        pure
        returns (uint256 number, uint256 end)
    {
        for (end = place; end < place + MAX_DIGITS; ++end) {
            uint256 digit = uint8(document[end]);
            if (digit < 0x30 || digit > 0x39) break;
            number = 10 * number + digit - 0x30;
        }
        require(end != place && document[end] == '"', OtherText(end));
        ++end;
    }

    /// @dev The place behind the next quotation mark.
    function textEnd(bytes calldata document, uint256 place) private pure returns (uint256) {
        while (document[place] != '"') ++place;
        return place + 1;
    }
}
