// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {BatchHash} from "../libraries/BatchHash.sol";
import {Dispute} from "../libraries/Dispute.sol";
import {Effects} from "../libraries/Effects.sol";
import {Leaves} from "../libraries/Leaves.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Openings} from "../libraries/Openings.sol";
import {BatchHeader} from "../types/Batch.sol";
import {AccountOpening, RootEvidence, TransitionEvidence} from "../types/ContentEvidence.sol";
import {EFFECT_OUTPUT} from "../types/Trace.sol";
import {ACCOUNT_TREE_DEPTH} from "../types/Units.sol";

/// @title TransitionJudge
/// @notice Kind 3: a leaf after a record is not the leaf before it with the record's effects.
/// @dev Evidence is a `TransitionEvidence`. Faulty when the words of the record, applied to the
/// leaf before it, cannot be applied, or give another leaf than stands at the same place after it.
/// That includes places that no word names: nothing else may change there. How many collateral
/// assets a new account has is taken from the account itself; the judge of leaves looks at that.
///
/// Who hides the leaves behind a root cannot be shown a wrong one. So evidence may also be the byte
/// `RULE_ROOT` and a `RootEvidence`: the accounts that the words name, as they were. Faulty when the
/// words name one beyond the tree, or cannot be applied, or the root with the changed leaves is not
/// the one after the record. Where an instrument is settled, or there are more assets than before,
/// those are all accounts there are.
contract TransitionJudge is IJudge {
    /// @notice The two openings are of different accounts.
    error DifferentAccounts(uint32 before, uint32 afterwards);

    /// @notice The account has more positions than any account may have: the judge of leaves asks.
    error TooManyPositions(uint256 positions);

    /// @notice Accounts ascend by number, without repeats.
    error AccountsOutOfOrder(uint256 place);

    /// @notice A word changes an account that was not opened.
    error MissingAccount(uint32 account);

    /// @notice A word changes every account: each must be opened.
    error MissingAccounts(uint256 given, uint256 accounts);

    /// @notice With what evidence begins that is a `RootEvidence`.
    uint8 public constant RULE_ROOT = 1;

    uint256 private constant MAX_POSITIONS = 32;

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        pure
        returns (bool)
    {
        // Evidence of the other kind begins with a zero.
        if (evidence.length != 0 && uint8(evidence[0]) == RULE_ROOT) {
            (, uint256 place) = Dispute.split(evidence);
            return _isRootWrong(header, _rootAt(place));
        }
        TransitionEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint32 number = shown.before.account;
        require(
            number == shown.afterwards.account, DifferentAccounts(number, shown.afterwards.account)
        );
        Openings.requireRecord(header, shown.record);
        Openings.requireAccount(shown.record.pair.previous.accountRoot, shown.before);
        Openings.requireAccount(shown.record.pair.step.accountRoot, shown.afterwards);
        return _differs(shown, number);
    }

    function _differs(TransitionEvidence calldata shown, uint32 number)
        private
        pure
        returns (bool)
    {
        uint256 assets = 0;
        if (shown.afterwards.leaf.length != 0) {
            assets = shown.afterwards.leaf[0].collateralE8.length;
        }
        _requirePositions(shown.before);
        Leaves.Account memory account = Leaves.read(shown.before, assets);
        if (!Leaves.applyAll(account, number, shown.record.effects)) return true;
        return !Leaves.isSame(account, shown.afterwards);
    }

    function _isRootWrong(BatchHeader calldata header, RootEvidence calldata shown)
        private
        pure
        returns (bool)
    {
        Openings.requireRecord(header, shown.record);
        bytes32 given = BatchHash.bookHash(shown.book);
        bytes32 expected = shown.record.pair.step.bookHash;
        require(given == expected, Openings.WrongPreimage(given, expected));
        if (!_areAccounts(shown)) return true;
        uint256 assets = shown.book.deposited.length;
        assets = assets == 0 ? 0 : assets - 1;
        bytes32 root = shown.record.pair.previous.accountRoot;
        for (uint256 i = 0; i < shown.accounts.length; ++i) {
            AccountOpening calldata opening = shown.accounts[i];
            Openings.requireAccount(root, opening);
            _requirePositions(opening);
            Leaves.Account memory account = Leaves.read(opening, assets);
            if (!Leaves.applyAll(account, opening.account, shown.record.effects)) return true;
            (bool fits, bytes32 leaf) = Leaves.hashOf(account);
            if (!fits) return true;
            root = Merkle.accountRoot(leaf, opening.account, opening.proof);
        }
        return root != shown.record.pair.step.accountRoot;
    }

    /// @dev Whether the words change accounts of the tree only. Reverts unless each of them is
    /// opened, once.
    function _areAccounts(RootEvidence calldata shown) private pure returns (bool) {
        uint256 least = 0;
        for (uint256 i = 0; i < shown.accounts.length; ++i) {
            require(shown.accounts[i].account >= least, AccountsOutOfOrder(i));
            least = uint256(shown.accounts[i].account) + 1;
        }
        bytes calldata effects = shown.record.effects;
        uint256 words = Effects.count(effects);
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = Effects.wordAt(effects, i);
            uint8 kind = Effects.kindOf(word);
            uint32 account = Effects.accountOf(word);
            if (Leaves.isMovingAll(kind)) {
                uint256 given = shown.accounts.length;
                uint256 all = shown.book.accounts;
                require(given == all && least == all, MissingAccounts(given, all));
            } else if (Leaves.isMoving(kind)) {
                // What goes back at once goes through nobody's account.
                if (kind == EFFECT_OUTPUT && account == Effects.NO_ACCOUNT) continue;
                if (account >> ACCOUNT_TREE_DEPTH != 0) return false;
                _requireAccount(shown, account);
            }
        }
        return true;
    }

    function _requireAccount(RootEvidence calldata shown, uint32 account) private pure {
        for (uint256 i = 0; i < shown.accounts.length; ++i) {
            if (shown.accounts[i].account == account) return;
        }
        revert MissingAccount(account);
    }

    function _requirePositions(AccountOpening calldata opening) private pure {
        if (opening.leaf.length == 0) return;
        uint256 positions = opening.leaf[0].positions.length;
        require(positions <= MAX_POSITIONS, TooManyPositions(positions));
    }

    function _rootAt(uint256 place) private pure returns (RootEvidence calldata shown) {
        assembly ("memory-safe") {
            shown := place
        }
    }
}
