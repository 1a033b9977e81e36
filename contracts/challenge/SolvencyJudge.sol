// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Charges} from "../libraries/Charges.sol";
import {Collateral} from "../libraries/Collateral.sol";
import {Columns} from "../libraries/Columns.sol";
import {Commands} from "../libraries/Commands.sol";
import {Effects} from "../libraries/Effects.sol";
import {
    Frames,
    RECORD_FORCED,
    RECORD_LIQUIDATE,
    RECORD_PLACE_ORDER,
    RECORD_WITHDRAW
} from "../libraries/Frames.sol";
import {Margin} from "../libraries/Margin.sol";
import {Openings} from "../libraries/Openings.sol";
import {Phrases} from "../libraries/Phrases.sol";
import {AccountLeaf, MODE_PORTFOLIO} from "../types/Account.sol";
import {BatchHeader} from "../types/Batch.sol";
import {AccountOpening, Column, SolvencyEvidence} from "../types/ContentEvidence.sol";
import {Epoch} from "../types/Epoch.sol";
import {ColumnOpening, Terms} from "../types/Liquidation.sol";
import {
    CASH_DEFICIT,
    CASH_SALE,
    EFFECT_CASH,
    EFFECT_COLLATERAL,
    EFFECT_OUTPUT,
    EFFECT_SHORTFALL,
    EFFECT_TRADE
} from "../types/Trace.sol";
import {AMOUNT_PRICE_PER_USD_E6} from "../types/Units.sol";

/// @title SolvencyJudge
/// @notice Kind 12, what accounts can afford: trades and withdrawals that leave others to pay.
/// @dev Evidence is a `SolvencyEvidence`; all values are those in force before the record, and
/// `afterwards` is an account under the root after it. Reserved accounts are not asked about: the
/// backstop counts its collateral in another way.
/// `BELOW`: the account's own order, unless it only reduces, has traded, or its withdrawal, signed
/// or forced, has gone out. Faulty when it is below its maintenance margin now. What is opened
/// proves a lower bound of that, docs/COMMITMENTS.md, "Liquidation instruction".
/// `FALLEN`: in an order, a withdrawal, a liquidation or a forced close. Faulty when the margin
/// balance of an account was not negative before it, as `before` shows, and is now. Not of the
/// account that is liquidated, nor of the one that closes.
/// `SPARED`: a liquidation that covered a deficit, or left one. Faulty when the account still has
/// collateral that has a price.
/// `OVERSOLD`: a liquidation that sold collateral. Faulty when the account has cash left that a
/// smaller sale would not have brought: as much as one unit of what was sold last, or more.
contract SolvencyJudge is IJudge {
    using Effects for bytes;
    using Effects for uint256;

    uint8 public constant BELOW = 0;
    uint8 public constant FALLEN = 1;
    uint8 public constant SPARED = 2;
    uint8 public constant OVERSOLD = 3;

    /// @dev Below the requirement itself.
    uint32 private constant WHOLE_E6 = 1e6;

    /// @notice The judge has no such rule.
    error UnknownRule(uint8 rule);

    /// @notice The rule is not about a record like this one.
    error OtherRecord(uint8 rule);

    /// @notice The rule is not about this account in this record.
    error OtherAccount(uint32 account);

    /// @notice The curves given are not those of the set.
    error WrongCurves(bytes32 given, bytes32 expected);

    IRiskParameters private immutable _parameters;

    constructor(IRiskParameters parameters) {
        _parameters = parameters;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        SolvencyEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        uint8 rule = shown.rule;
        require(rule <= OVERSOLD, UnknownRule(rule));
        Openings.requireRecord(header, shown.record);
        Openings.requireEpoch(shown.epoch, shown.record.pair.previous.epochHash);
        Openings.requireAccount(shown.record.pair.step.accountRoot, shown.afterwards);
        uint32 account = shown.afterwards.account;
        bool isThere = shown.afterwards.leaf.length != 0;
        require(isThere && account > Phrases.BACKSTOP, OtherAccount(account));
        if (rule == BELOW) return _isBelow(header.paramsHash, shown, account);
        if (rule == FALLEN) return _isFallen(header.paramsHash, shown, account);
        require(
            Frames.typeOf(shown.record.frame) == RECORD_LIQUIDATE
                && Commands.accountOf(shown.record.frame) == account,
            OtherAccount(account)
        );
        _requireCollateral(shown.epoch, shown.collateral);
        return rule == SPARED ? _isSpared(shown) : _isOversold(shown, account);
    }

    function _isBelow(bytes32 paramsHash, SolvencyEvidence calldata shown, uint32 account)
        private
        view
        returns (bool)
    {
        require(_isOwn(shown, account), OtherRecord(BELOW));
        (int256 balanceE6, uint256 maintenanceE6) =
            _marginOf(paramsHash, shown, shown.afterwards, shown.columns);
        return Margin.isBelow(balanceE6, maintenanceE6, WHOLE_E6);
    }

    /// @dev Whether the record is an order of the account that may add risk and has traded, or a
    /// withdrawal from it.
    function _isOwn(SolvencyEvidence calldata shown, uint32 account) private pure returns (bool) {
        bytes calldata frame = shown.record.frame;
        bytes calldata effects = shown.record.effects;
        if (effects.count() == 0) return false;
        uint8 kind = Frames.typeOf(frame);
        uint256 word = effects.wordAt(0);
        if (kind == RECORD_PLACE_ORDER) {
            return word.kindOf() == EFFECT_TRADE && Commands.accountOf(frame) == account
                && Commands.reduceOnlyOf(frame) == 0;
        }
        bool isWithdrawal = kind == RECORD_WITHDRAW || kind == RECORD_FORCED;
        return isWithdrawal && word.kindOf() == EFFECT_OUTPUT && word.accountOf() == account;
    }

    function _isFallen(bytes32 paramsHash, SolvencyEvidence calldata shown, uint32 account)
        private
        view
        returns (bool)
    {
        require(_isBystander(shown, account), OtherRecord(FALLEN));
        require(
            shown.before.account == account && shown.before.leaf.length != 0, OtherAccount(account)
        );
        Openings.requireAccount(shown.record.pair.previous.accountRoot, shown.before);
        (int256 beforeE6,) = _marginOf(paramsHash, shown, shown.before, shown.columnsBefore);
        if (beforeE6 < 0) return false;
        (int256 afterE6,) = _marginOf(paramsHash, shown, shown.afterwards, shown.columns);
        return afterE6 < 0;
    }

    /// @dev Whether the record must not ruin the account.
    function _isBystander(SolvencyEvidence calldata shown, uint32 account)
        private
        pure
        returns (bool)
    {
        bytes calldata frame = shown.record.frame;
        bytes calldata effects = shown.record.effects;
        uint8 kind = Frames.typeOf(frame);
        if (kind == RECORD_PLACE_ORDER || kind == RECORD_WITHDRAW) return true;
        if (kind == RECORD_LIQUIDATE) return Commands.accountOf(frame) != account;
        if (kind != RECORD_FORCED || effects.count() == 0) return false;
        return effects.wordAt(0).kindOf() != EFFECT_TRADE || Phrases.closerOf(effects) != account;
    }

    function _isSpared(SolvencyEvidence calldata shown) private pure returns (bool) {
        bytes calldata effects = shown.record.effects;
        uint256 words = effects.count();
        bool isAny = false;
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            uint8 kind = word.kindOf();
            bool isCover = kind == EFFECT_CASH && word.placeOf() == CASH_DEFICIT;
            isAny = isAny || isCover || kind == EFFECT_SHORTFALL;
        }
        require(isAny, OtherRecord(SPARED));
        uint64[] calldata held = shown.afterwards.leaf[0].collateralE8;
        for (uint256 a = 0; a < held.length; ++a) {
            if (held[a] != 0 && Collateral.firstPrice(shown.collateral.packed, a + 1) != 0) {
                return true;
            }
        }
        return false;
    }

    function _isOversold(SolvencyEvidence calldata shown, uint32 account)
        private
        pure
        returns (bool)
    {
        bytes calldata effects = shown.record.effects;
        uint256 words = effects.count();
        uint256 asset = 0;
        for (uint256 i = 0; i < words; ++i) {
            uint256 word = effects.wordAt(i);
            bool isSold = word.kindOf() == EFFECT_COLLATERAL && word.accountOf() == account;
            if (isSold) asset = word.placeOf();
        }
        require(asset != 0, OtherRecord(OVERSOLD));
        uint256 priceE8 = Collateral.firstPrice(shown.collateral.packed, asset);
        // forge-lint: disable-next-line(unsafe-typecast): 64 bits.
        return shown.afterwards.leaf[0].cashE6 > int256(priceE8 / AMOUNT_PRICE_PER_USD_E6);
    }

    /// @dev Margin balance and a lower bound of the maintenance margin, from proven columns.
    function _marginOf(
        bytes32 paramsHash,
        SolvencyEvidence calldata shown,
        AccountOpening calldata opening,
        ColumnOpening[] calldata columns
    ) private view returns (int256 balanceE6, uint256 maintenanceE6) {
        AccountLeaf calldata leaf = opening.leaf[0];
        bool hasCharges = _requireColumns(shown.epoch, columns, leaf.mode);
        if (hasCharges) {
            bytes32 given = keccak256(shown.curves);
            bytes32 expected = _parameters.curvesHashOf(paramsHash);
            require(given == expected, WrongCurves(given, expected));
        }
        if (Collateral.isHeld(leaf.collateralE8)) {
            _requireCollateral(shown.epoch, shown.collateral);
        }
        Terms memory terms = _parameters.termsOf(paramsHash);
        return Margin.ofAccount(leaf, columns, shown.collateral.packed, shown.curves, terms);
    }

    /// @dev Tells whether any charges are opened.
    function _requireColumns(Epoch calldata epoch, ColumnOpening[] calldata columns, uint8 mode)
        private
        pure
        returns (bool hasCharges)
    {
        for (uint256 c = 0; c < columns.length; ++c) {
            ColumnOpening calldata column = columns[c];
            uint8 u = column.underlying;
            Openings.requireLeaf(
                epoch.priceRoot,
                Columns.hash(u, Columns.VALUES, column.values),
                Columns.valueIndex(u),
                column.valueProof
            );
            if (mode == MODE_PORTFOLIO) {
                Openings.requireLeaf(
                    epoch.riskRoot,
                    Columns.hash(u, column.scenario, column.losses),
                    Columns.riskIndex(u, column.scenario),
                    column.lossProof
                );
            }
            if (!Margin.isOpened(column)) continue;
            hasCharges = true;
            Openings.requireLeaf(
                epoch.chargeRoot,
                Columns.hash(u, Charges.KIND, column.charges),
                Charges.index(u),
                column.chargeProof
            );
        }
    }

    function _requireCollateral(Epoch calldata epoch, Column calldata column) private pure {
        Openings.requireColumn(
            epoch.chargeRoot, Collateral.INDEX, Collateral.UNDERLYING, Collateral.KIND, column
        );
    }
}
