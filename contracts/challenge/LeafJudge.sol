// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {LeafForm} from "../libraries/LeafForm.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {Trace} from "../libraries/Trace.sol";
import {AccountLeaf} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {FormEvidence, PlaceEvidence, TwinEvidence} from "../types/StructureEvidence.sol";

/// @title LeafJudge
/// @notice Kind 9: an owner has two accounts for one sub-account, or a leaf is not canonical.
/// @dev evidence = rule u8 | abi.encode(struct).
contract LeafJudge is IJudge {
    uint8 public constant RULE_TWIN = 1; // TwinEvidence
    uint8 public constant RULE_FORM = 2; // FormEvidence
    uint8 public constant RULE_PLACE = 3; // PlaceEvidence

    /// @notice The two leaves are one.
    error SameAccount(uint32 account);

    /// @notice The opening shows no account.
    error NoAccount(uint32 account);

    /// @notice The leaf or book given is not the one committed to.
    error WrongPreimage(bytes32 given, bytes32 expected);

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        pure
        returns (bool)
    {
        (uint8 rule, uint256 place) = Dispute.split(evidence);
        if (rule == RULE_TWIN) return areTwins(header, twinAt(place));
        if (rule == RULE_FORM) return isFormWrong(header, formAt(place));
        if (rule == RULE_PLACE) return isPlaceWrong(header, placeAt(place));
        revert Dispute.UnknownRule(rule);
    }

    /// @dev Faulty: two places of the tree have one owner and one sub-account.
    function areTwins(BatchHeader calldata header, TwinEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireStep(header, e.step);
        bytes32 root = e.step.step.accountRoot;
        Openings.requireAccount(root, e.one);
        Openings.requireAccount(root, e.other);
        require(e.one.account != e.other.account, SameAccount(e.one.account));
        require(e.one.leaf.length != 0, NoAccount(e.one.account));
        AccountLeaf calldata one = e.one.leaf[0];
        return Openings.isOwnedBy(e.other, one.owner, one.subaccount);
    }

    /// @dev Faulty: what is hashed to a leaf is not the encoding of an account.
    function isFormWrong(BatchHeader calldata header, FormEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireStep(header, e.step);
        bytes32 expected = e.step.step.accountRoot;
        bytes32 given = Merkle.accountRoot(keccak256(e.leaf), e.account, e.proof);
        require(given == expected, WrongPreimage(given, expected));
        return !LeafForm.isCanonical(e.leaf);
    }

    /// @dev Faulty: beyond the number of accounts there is one, below it there is none, or one holds
    /// other assets than there are.
    function isPlaceWrong(BatchHeader calldata header, PlaceEvidence calldata e)
        private
        pure
        returns (bool)
    {
        Trace.requireStep(header, e.step);
        bytes32 given = BatchHash.bookHash(e.book);
        bytes32 expected = e.step.step.bookHash;
        require(given == expected, WrongPreimage(given, expected));
        Openings.requireAccount(e.step.step.accountRoot, e.holder);
        bool isThere = e.holder.leaf.length != 0;
        if (isThere != e.holder.account < e.book.accounts) return true;
        return isThere && e.holder.leaf[0].collateralE8.length + 1 != e.book.deposited.length;
    }

    // Where each struct lies in calldata.

    function twinAt(uint256 place) private pure returns (TwinEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function formAt(uint256 place) private pure returns (FormEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }

    function placeAt(uint256 place) private pure returns (PlaceEvidence calldata e) {
        assembly ("memory-safe") {
            e := place
        }
    }
}
