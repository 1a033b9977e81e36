// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SolvencyJudge} from "../../contracts/challenge/SolvencyJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {RecordOpening, SolvencyEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {ColumnOpening, Terms} from "../../contracts/types/Liquidation.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {vm} from "./support/Vm.sol";

/// @dev Nobody trades or withdraws what others would have to pay for.
contract SolvencyJudgeTest is ContentWorld {
    uint32 private constant ACCOUNT = 5;
    uint32 private constant OTHER = 6;
    address private constant OWNER = address(0xA11CE);

    /// @dev Ten lots at their value; they may lose 60 dollars.
    int32 private constant LOTS = 10;
    int64 private constant COST_E6 = 10 * VALUE_E6;
    int64 private constant DUE_E6 = 60e6;

    SolvencyJudge private _judge;
    uint64 private _priceE8 = 54_000e8;

    function setUp() public {
        buildWorld();
        Terms memory terms = Terms(1e6, 1e6, 8e5, 5e5, 0, 1e6, 0, 0);
        listings.describe(header.paramsHash, 0, keccak256(curves()), terms);
        _judge = new SolvencyJudge(IRiskParameters(address(listings)));
    }

    function test_who_trades_keeps_the_maintenance_margin() public {
        assertHonest(_judge, ordered(false, DUE_E6));
        assertFaulty(_judge, ordered(false, DUE_E6 - 1));
    }

    function test_a_withdrawal_leaves_the_maintenance_margin() public {
        bytes memory words = W.output(ACCOUNT, 0, 5e6, 1);
        assertHonest(_judge, below(withdrawal(), words, held(2, DUE_E6, 0)));
        assertFaulty(_judge, below(withdrawal(), words, held(2, DUE_E6 - 1, 0)));
        assertHonest(_judge, below(forced(2), words, held(2, DUE_E6, 0)));
        assertFaulty(_judge, below(forced(2), words, held(2, DUE_E6 - 1, 0)));
    }

    function test_collateral_counts() public {
        bytes memory words = W.output(ACCOUNT, 0, 5e6, 1);
        // One hundredth of a cent of 54,000 dollars a token.
        assertHonest(_judge, below(withdrawal(), words, held(2, DUE_E6 - 54e6, 1e5)));
        assertFaulty(_judge, below(withdrawal(), words, held(2, DUE_E6 - 54e6 - 1, 1e5)));
    }

    function test_a_cross_account_keeps_the_curve_of_its_notional() public {
        bytes memory words = W.output(ACCOUNT, 0, 5e6, 1);
        assertHonest(_judge, below(withdrawal(), words, held(1, DUE_E6, 0)));
        assertFaulty(_judge, below(withdrawal(), words, held(1, DUE_E6 - 1, 0)));
    }

    function test_RevertWhen_the_record_may_leave_the_account_below() public {
        bytes4 refused = SolvencyJudge.OtherRecord.selector;
        expectRefused(_judge, ordered(true, 0), refused);
        expectRefused(_judge, below(order(ACCOUNT, false), "", held(2, 0, 0)), refused);
        expectRefused(_judge, below(order(OTHER, false), fill(), held(2, 0, 0)), refused);
        bytes memory words = W.liquidation(ACCOUNT, 1);
        expectRefused(_judge, below(liquidation(), words, held(2, 0, 0)), refused);
        words = W.output(OTHER, 0, 5e6, 1);
        expectRefused(_judge, below(withdrawal(), words, held(2, 0, 0)), refused);
        words = W.noop(ACCOUNT, 2);
        expectRefused(_judge, below(forced(2), words, held(2, 0, 0)), refused);
    }

    function test_no_trade_ruins_a_bystander() public {
        // Ten dollars before; ten lots at their value and ten dollars more.
        assertHonest(_judge, fallen(order(OTHER, false), fill(), 10e6, COST_E6 + 10e6));
        assertFaulty(_judge, fallen(order(OTHER, false), fill(), 10e6, COST_E6 + 10e6 + 1));
        bytes memory words = bytes.concat(
            W.liquidation(OTHER, 1), W.fill(OTHER, ACCOUNT, PERPETUAL, -LOTS, -COST_E6, 1, 0)
        );
        bytes memory frame = LogFrames.liquidate(next(), OTHER);
        assertFaulty(_judge, fallen(frame, words, 10e6, COST_E6 + 10e6 + 1));
        words = W.fill(OTHER, ACCOUNT, PERPETUAL, -LOTS, -COST_E6, 1, 0);
        assertFaulty(_judge, fallen(forced(4), words, 10e6, COST_E6 + 10e6 + 1));
        assertFaulty(_judge, fallen(withdrawal(), "", 10e6, COST_E6 + 10e6 + 1));
    }

    function test_who_was_ruined_before_may_stay_so() public {
        assertHonest(_judge, fallen(order(OTHER, false), fill(), -1, COST_E6 + 10e6));
        assertFaulty(_judge, fallen(order(OTHER, false), fill(), 0, COST_E6 + 10e6));
    }

    function test_RevertWhen_the_record_may_ruin_the_account() public {
        bytes4 refused = SolvencyJudge.OtherRecord.selector;
        bytes memory words = W.liquidation(ACCOUNT, 1);
        expectRefused(_judge, fallen(liquidation(), words, 0, COST_E6 + 1), refused);
        expectRefused(_judge, fallen(forced(4), fill(), 0, COST_E6 + 1), refused);
        expectRefused(_judge, fallen(forced(4), "", 0, COST_E6 + 1), refused);
        bytes memory frame = LogFrames.settleExpiry(next(), FUTURE);
        expectRefused(_judge, fallen(frame, "", 0, COST_E6 + 1), refused);
    }

    function test_collateral_pays_before_the_fund() public {
        bytes memory words = bytes.concat(W.liquidation(ACCOUNT, 2), W.cover(ACCOUNT, 5e6));
        assertHonest(_judge, abi.encode(liquidated(2, words, leafOf(OWNER, 0, 0))));
        assertFaulty(_judge, abi.encode(liquidated(2, words, leafOf(OWNER, 0, 1))));
        words = bytes.concat(W.liquidation(ACCOUNT, 2), W.shortfall(ACCOUNT, 5));
        assertFaulty(_judge, abi.encode(liquidated(2, words, leafOf(OWNER, -5, 1))));
        _priceE8 = 0;
        assertHonest(_judge, abi.encode(liquidated(2, words, leafOf(OWNER, -5, 1))));
    }

    function test_no_more_collateral_is_sold_than_is_owed() public {
        bytes memory sale = W.sale(ACCOUNT, 1, 1e4, 5.4e6);
        bytes memory words = bytes.concat(W.liquidation(ACCOUNT, 2), sale);
        // A unit of it is worth 540 millionths of a dollar.
        assertHonest(_judge, abi.encode(liquidated(3, words, leafOf(OWNER, 540, 7))));
        assertHonest(_judge, abi.encode(liquidated(3, words, leafOf(OWNER, -1, 0))));
        assertFaulty(_judge, abi.encode(liquidated(3, words, leafOf(OWNER, 541, 7))));
    }

    function test_RevertWhen_the_liquidation_did_neither() public {
        bytes memory words = bytes.concat(W.liquidation(ACCOUNT, 2), W.penalty(ACCOUNT, 5));
        SolvencyEvidence memory shown = liquidated(2, words, leafOf(OWNER, 0, 1));
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherRecord.selector);
        shown.rule = 3;
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherRecord.selector);
        words = bytes.concat(W.liquidation(OTHER, 2), W.cover(OTHER, 5e6));
        shown = liquidated(2, words, leafOf(OWNER, 0, 1));
        shown.record = record(LogFrames.liquidate(next(), OTHER), words, shown.afterwards.leaf[0]);
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherAccount.selector);
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        SolvencyEvidence memory shown = abi.decode(ordered(false, 0), (SolvencyEvidence));
        shown.rule = 4;
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.UnknownRule.selector);
        shown.rule = 0;
        shown.epoch.number += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
        shown.epoch.number -= 1;
        shown.afterwards.leaf[0].cashE6 -= 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.afterwards.leaf[0].cashE6 += 1;
        shown.columns[0].values = packed([int64(1), 1, 1]);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.columns[0].values = packed(values);
        shown.columns[0].losses = abi.encodePacked(int32(6e7), int32(0), int32(0));
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.columns[0].losses = losses();
        shown.columns[0].charges = new bytes(63);
        shown.columns[0].chargeProof = MerkleTree.proof(chargeLeaves(), 1);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.columns[0].charges = charges();
        shown.curves = "";
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.WrongCurves.selector);
    }

    function test_RevertWhen_collateral_is_priced_by_another_column() public {
        bytes memory words = W.output(ACCOUNT, 0, 5e6, 1);
        bytes memory evidence = below(withdrawal(), words, held(2, 0, 1));
        SolvencyEvidence memory shown = abi.decode(evidence, (SolvencyEvidence));
        shown.collateral.packed = new bytes(64);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_record_is_not_that_of_the_batch() public {
        SolvencyEvidence memory shown = abi.decode(ordered(true, 0), (SolvencyEvidence));
        shown.record.frame = order(ACCOUNT, false);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_a_sale_is_priced_by_another_column() public {
        bytes memory words = bytes.concat(W.liquidation(ACCOUNT, 2), W.sale(ACCOUNT, 1, 1e4, 5.4e6));
        SolvencyEvidence memory shown = liquidated(3, words, leafOf(OWNER, 540, 7));
        shown.collateral.packed = new bytes(64);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_bystander_was_another_before() public {
        bytes memory evidence = fallen(order(OTHER, false), fill(), -1, COST_E6 + 10e6);
        SolvencyEvidence memory shown = abi.decode(evidence, (SolvencyEvidence));
        shown.before.leaf[0].cashE6 = 10e6;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.before.account = OTHER;
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherAccount.selector);
        shown.before = absent(ACCOUNT);
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherAccount.selector);
    }

    function test_RevertWhen_the_account_is_reserved_or_absent() public {
        SolvencyEvidence memory shown = abi.decode(ordered(false, 0), (SolvencyEvidence));
        AccountLeaf memory leaf = shown.afterwards.leaf[0];
        uint32 last = uint32(steps.length - 1);
        steps[last].accountRoot = rootWith(1, leaf);
        seal();
        shown.record = recordAt(last);
        shown.afterwards.account = 1;
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherAccount.selector);
        steps[last].accountRoot = rootWithout(ACCOUNT);
        seal();
        shown.record = recordAt(last);
        shown.afterwards = absent(ACCOUNT);
        expectRefused(_judge, abi.encode(shown), SolvencyJudge.OtherAccount.selector);
    }

    function test_gas_of_the_solvency_judge() public {
        bytes memory evidence = ordered(false, 0);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        vm.assertLe(gas - gasleft(), 250_000);
    }

    // Records

    function order(uint32 account, bool reduceOnly) private view returns (bytes memory) {
        LogFrames.Order memory terms =
            LogFrames.Order(account, PERPETUAL, LOTS, 60_000e8, 0, reduceOnly, 1, LATER);
        return LogFrames.placeOrder(next(), terms, LogFrames.unsignedBytes());
    }

    function withdrawal() private view returns (bytes memory) {
        bytes memory signature = LogFrames.unsignedBytes();
        return LogFrames.withdraw(next(), ACCOUNT, 0, 5e6, 1, LATER, signature);
    }

    function forced(uint8 kind) private view returns (bytes memory) {
        return LogFrames.forced(next(), LogFrames.Entry(kind, OWNER, 0, 0, 5e6, address(0)));
    }

    function liquidation() private view returns (bytes memory) {
        return LogFrames.liquidate(next(), ACCOUNT);
    }

    function fill() private pure returns (bytes memory) {
        return W.fill(ACCOUNT, OTHER, PERPETUAL, LOTS, COST_E6, 1, 0);
    }

    function ordered(bool reduceOnly, int64 cashE6) private returns (bytes memory) {
        return below(order(ACCOUNT, reduceOnly), fill(), held(2, cashE6, 0));
    }

    function held(uint8 mode, int64 cashE6, uint64 collateralE8)
        private
        pure
        returns (AccountLeaf memory leaf)
    {
        leaf = withPosition(leafOf(OWNER, cashE6, collateralE8), PERPETUAL, LOTS, COST_E6);
        leaf.mode = mode;
    }

    // Evidence

    function below(bytes memory frame, bytes memory words, AccountLeaf memory leaf)
        private
        returns (bytes memory)
    {
        return abi.encode(shownWith(0, frame, words, leaf, leaf));
    }

    /// @dev An account without positions before, which then has ten lots at this cost.
    function fallen(bytes memory frame, bytes memory words, int64 cashE6, int64 costE6)
        private
        returns (bytes memory)
    {
        AccountLeaf memory before = leafOf(OWNER, cashE6, 0);
        AccountLeaf memory leaf = withPosition(leafOf(OWNER, cashE6, 0), PERPETUAL, LOTS, costE6);
        SolvencyEvidence memory shown = shownWith(1, frame, words, before, leaf);
        shown.before = opened(ACCOUNT, before);
        return abi.encode(shown);
    }

    function liquidated(uint8 rule, bytes memory words, AccountLeaf memory leaf)
        private
        returns (SolvencyEvidence memory)
    {
        return shownWith(rule, liquidation(), words, leaf, leaf);
    }

    function shownWith(
        uint8 rule,
        bytes memory frame,
        bytes memory words,
        AccountLeaf memory before,
        AccountLeaf memory leaf
    ) private returns (SolvencyEvidence memory shown) {
        standBefore(rootWith(ACCOUNT, before));
        steps[steps.length - 1].epochHash = keccak256(abi.encode(inForce()));
        shown.record = record(frame, words, leaf);
        shown.rule = rule;
        shown.afterwards = opened(ACCOUNT, leaf);
        shown.epoch = inForce();
        shown.columns = new ColumnOpening[](leaf.positions.length);
        if (leaf.positions.length != 0) shown.columns[0] = columnsFor(leaf.mode);
        shown.collateral.packed = credits();
        shown.collateral.proof = MerkleTree.proof(chargeLeaves(), 0);
        shown.curves = curves();
    }

    function record(bytes memory frame, bytes memory words, AccountLeaf memory leaf)
        private
        returns (RecordOpening memory)
    {
        uint32 index = add(frame, words);
        steps[index].accountRoot = rootWith(ACCOUNT, leaf);
        seal();
        return recordAt(index);
    }

    function columnsFor(uint8 mode) private view returns (ColumnOpening memory column) {
        column.values = packed(values);
        column.valueProof = MerkleTree.proof(priceLeaves(), 0);
        if (mode == 2) {
            column.losses = losses();
        } else {
            column.charges = charges();
            column.chargeProof = MerkleTree.proof(chargeLeaves(), 1);
        }
    }

    // The epoch

    function inForce() private view returns (Epoch memory its) {
        its = epoch();
        its.priceRoot = MerkleTree.root(priceLeaves());
        its.riskRoot = columnHash(0, 0, losses());
        its.chargeRoot = MerkleTree.root(chargeLeaves());
    }

    function priceLeaves() private view returns (bytes32[] memory all) {
        all = new bytes32[](2);
        all[0] = columnHash(0, 255, packed(values));
        all[1] = columnHash(0, 252, packed(fundings));
    }

    function chargeLeaves() private view returns (bytes32[] memory all) {
        all = new bytes32[](2);
        all[0] = columnHash(255, 253, credits());
        all[1] = columnHash(0, 254, charges());
    }

    function credits() private view returns (bytes memory) {
        return abi.encodePacked(uint64(10e8), _priceE8, new bytes(48));
    }

    function losses() private pure returns (bytes memory) {
        return abi.encodePacked(int32(6e6), int32(6e6), int32(5e6));
    }

    /// @dev A delta of sixty dollars a lot.
    function charges() private pure returns (bytes memory) {
        return abi.encodePacked(int32(60e6), new bytes(17), new bytes(42));
    }

    /// @dev Ten percent of the notional, in each curve.
    function curves() private pure returns (bytes memory) {
        bytes memory one = abi.encodePacked(uint8(1), uint32(100_000), uint96(0));
        return bytes.concat(one, one, one);
    }
}
