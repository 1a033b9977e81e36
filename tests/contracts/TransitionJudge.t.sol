// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TransitionJudge} from "../../contracts/challenge/TransitionJudge.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {AccountLeaf, Position} from "../../contracts/types/Account.sol";
import {TransitionEvidence} from "../../contracts/types/ContentEvidence.sol";
import {ContentRig} from "./support/ContentRig.sol";
import {EffectWords} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev A leaf after a record is the leaf before it with the record's effects.
contract TransitionJudgeTest is ContentRig {
    uint32 private constant ACCOUNT = 5;
    address private constant OWNER = address(0xA11CE);

    TransitionJudge private _judge = new TransitionJudge();

    /// @dev What the model knows of the account: lots and cost by instrument.
    int256[6] private _lots;
    int256[6] private _costs;
    int64 private _cash;
    uint64 private _collateral;

    function setUp() public {
        beginBatch();
    }

    function test_every_effect_changes_the_leaf_as_it_says() public {
        AccountLeaf memory before = withPosition(leafOf(OWNER, 1000e6, 5e8), 3, 10, 700e6);
        bytes memory words = bytes.concat(
            EffectWords.credit(ACCOUNT, 0, 50e6),
            EffectWords.credit(ACCOUNT, 1, 2e8),
            EffectWords.trade(ACCOUNT, 1, -4, -80e6, 0),
            EffectWords.mode(ACCOUNT, 1)
        );
        words = bytes.concat(
            words,
            EffectWords.output(ACCOUNT, 0, 7e6, 1),
            EffectWords.output(ACCOUNT, 1, 1e8, 2),
            EffectWords.noop(ACCOUNT, 3)
        );
        AccountLeaf memory afterwards = leafOf(OWNER, 1043e6, 6e8);
        afterwards.mode = 1;
        afterwards.positions = new Position[](2);
        afterwards.positions[0] = Position(1, -4, -80e6);
        afterwards.positions[1] = Position(3, 10, 700e6);
        assertHonest(_judge, _evidence(before, words, afterwards));
        afterwards.mode = 2;
        assertFaulty(_judge, _evidence(before, words, afterwards));
    }

    function test_a_position_that_closes_turns_its_cost_into_cash() public {
        AccountLeaf memory before = withPosition(leafOf(OWNER, 100e6, 0), 3, 10, 700e6);
        bytes memory words = EffectWords.trade(ACCOUNT, 3, -10, -750e6, 9);
        AccountLeaf memory afterwards = leafOf(OWNER, 150e6, 0);
        assertHonest(_judge, _evidence(before, words, afterwards));
        afterwards.cashE6 = 100e6;
        assertFaulty(_judge, _evidence(before, words, afterwards));
    }

    function test_a_settlement_closes_every_position_in_the_instrument() public {
        AccountLeaf memory before = withPosition(leafOf(OWNER, 100e6, 0), 3, -10, -700e6);
        bytes memory words = EffectWords.settle(3, 60e6);
        AccountLeaf memory afterwards = leafOf(OWNER, 200e6, 0);
        assertHonest(_judge, _evidence(before, words, afterwards));
        assertFaulty(_judge, _evidence(before, words, before));
        bytes memory another = EffectWords.settle(4, 60e6);
        assertHonest(_judge, _evidence(before, another, before));
    }

    function test_an_account_opens_empty_in_portfolio_mode() public {
        bytes memory words =
            bytes.concat(EffectWords.open(ACCOUNT, 2, OWNER), EffectWords.credit(ACCOUNT, 0, 9e6));
        AccountLeaf memory afterwards = leafOf(OWNER, 9e6, 0);
        afterwards.subaccount = 2;
        assertHonest(_judge, _opening(words, afterwards));
        afterwards.mode = 0;
        assertFaulty(_judge, _opening(words, afterwards));
        (afterwards.mode, afterwards.owner) = (2, address(0xBAD));
        assertFaulty(_judge, _opening(words, afterwards));
        (afterwards.owner, afterwards.subaccount) = (OWNER, 3);
        assertFaulty(_judge, _opening(words, afterwards));
    }

    function test_a_leaf_that_no_word_names_may_not_change() public {
        AccountLeaf memory before = leafOf(OWNER, 100e6, 0);
        bytes memory words = EffectWords.credit(ACCOUNT + 1, 0, 50e6);
        assertHonest(_judge, _evidence(before, words, before));
        assertFaulty(_judge, _evidence(before, words, leafOf(OWNER, 150e6, 0)));
        assertFaulty(_judge, _evidence(before, words, leafOf(address(0xBAD), 100e6, 0)));
    }

    function test_an_account_may_not_appear_or_disappear_by_itself() public {
        AccountLeaf memory leaf = leafOf(OWNER, 100e6, 0);
        assertFaulty(_judge, _opening("", leaf));
        TransitionEvidence memory shown = _shown("", rootWith(ACCOUNT, leaf), rootWithout(ACCOUNT));
        (shown.before, shown.afterwards) = (opened(ACCOUNT, leaf), absent(ACCOUNT));
        assertFaulty(_judge, abi.encode(shown));
        shown = _shown("", rootWithout(ACCOUNT), rootWithout(ACCOUNT));
        (shown.before, shown.afterwards) = (absent(ACCOUNT), absent(ACCOUNT));
        assertHonest(_judge, abi.encode(shown));
    }

    function test_what_cannot_be_applied_is_a_fault() public {
        AccountLeaf memory leaf = leafOf(OWNER, 100e6, 1e8);
        bytes[6] memory impossible = [
            EffectWords.collateral(ACCOUNT, 1, -2e8, false),
            EffectWords.collateral(ACCOUNT, 2, 1, false),
            EffectWords.collateral(ACCOUNT, 0, 1, false),
            EffectWords.open(ACCOUNT, 0, OWNER),
            EffectWords.mode(ACCOUNT, 3),
            bytes.concat(
                EffectWords.trade(ACCOUNT, 1, type(int32).max, 1, 0),
                EffectWords.trade(ACCOUNT, 1, 1, 1, 0)
            )
        ];
        for (uint256 i = 0; i < impossible.length; ++i) {
            assertFaulty(_judge, _evidence(leaf, impossible[i], leaf));
        }
        assertFaulty(_judge, _opening(EffectWords.credit(ACCOUNT, 0, 1), leaf));
        assertFaulty(_judge, _opening(EffectWords.open(ACCOUNT, 256, OWNER), leaf));
    }

    function test_a_thirty_third_position_is_a_fault() public {
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        leaf.positions = new Position[](32);
        for (uint16 i = 0; i < 32; ++i) {
            leaf.positions[i] = Position(i, 1, 0);
        }
        assertFaulty(_judge, _evidence(leaf, EffectWords.trade(ACCOUNT, 40, 1, 0, 0), leaf));
        assertHonest(_judge, _evidence(leaf, "", leaf));
    }

    /// @dev Against a model that keeps positions in plain arrays.
    function testFuzz_an_honest_leaf_is_never_faulty(uint256 seed, uint8 count) public {
        AccountLeaf memory before = leafOf(OWNER, 1000e6, 1 << 40);
        (_cash, _collateral) = (before.cashE6, before.collateralE8[0]);
        bytes memory words;
        for (uint256 i = 0; i < uint256(count) % 24; ++i) {
            words = bytes.concat(words, _step(uint256(keccak256(abi.encode(seed, i)))));
        }
        AccountLeaf memory afterwards = _modelled();
        assertHonest(_judge, _evidence(before, words, afterwards));
        afterwards.cashE6 += 1;
        assertFaulty(_judge, _evidence(before, words, afterwards));
    }

    function test_RevertWhen_the_openings_do_not_belong() public {
        AccountLeaf memory leaf = leafOf(OWNER, 100e6, 0);
        TransitionEvidence memory shown = _shown("", rootWith(ACCOUNT, leaf), rootWith(5, leaf));
        (shown.before, shown.afterwards) = (opened(ACCOUNT, leaf), opened(4, leaf));
        expectRefused(_judge, abi.encode(shown), TransitionJudge.DifferentAccounts.selector);
        shown.before.account = 4;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.before.account = shown.afterwards.account = ACCOUNT;
        shown.before.leaf = new AccountLeaf[](2);
        expectRefused(_judge, abi.encode(shown), Openings.LeafCount.selector);
        shown.before = opened(ACCOUNT, leaf);
        shown.record.effects = EffectWords.mode(ACCOUNT, 1);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown.record.frame = "another";
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_the_leaf_afterwards_is_not_that_of_the_tree() public {
        AccountLeaf memory leaf = leafOf(OWNER, 100e6, 0);
        bytes memory evidence = _evidence(leaf, "", leaf);
        TransitionEvidence memory shown = abi.decode(evidence, (TransitionEvidence));
        shown.afterwards.leaf[0].cashE6 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
    }

    function test_RevertWhen_the_leaf_before_has_too_many_positions() public {
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        leaf.positions = new Position[](33);
        expectRefused(_judge, _evidence(leaf, "", leaf), TransitionJudge.TooManyPositions.selector);
    }

    function test_gas_of_the_transition_judge() public {
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        leaf.positions = new Position[](32);
        bytes memory words;
        for (uint16 i = 0; i < 32; ++i) {
            leaf.positions[i] = Position(i, 1, 0);
            words = bytes.concat(words, EffectWords.trade(ACCOUNT, i, 1, 0, 0));
        }
        bytes memory evidence = _evidence(leaf, words, leaf);
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 400_000);
        vm.snapshotValue("judges", "transition", used);
    }

    /// @dev One random word, applied to the model.
    function _step(uint256 random) private returns (bytes memory) {
        uint16 instrument = uint16(random >> 8) % 6;
        int64 amount = int64(uint64(random >> 32) % 1e9);
        if (random % 4 == 0) {
            _cash -= amount;
            return EffectWords.cash(ACCOUNT, 2, -amount);
        }
        if (random % 4 == 1) {
            _collateral -= uint64(amount);
            return EffectWords.collateral(ACCOUNT, 1, -amount, false);
        }
        int32 lots = int32(int256((random >> 100) % 7)) - 3;
        _lots[instrument] += lots;
        _costs[instrument] += amount;
        if (_lots[instrument] == 0) {
            _cash -= int64(_costs[instrument]);
            _costs[instrument] = 0;
        }
        return EffectWords.trade(ACCOUNT, instrument, lots, amount, 0);
    }

    function _modelled() private view returns (AccountLeaf memory leaf) {
        leaf = leafOf(OWNER, _cash, _collateral);
        uint256 count = 0;
        for (uint256 i = 0; i < 6; ++i) {
            if (_lots[i] != 0) ++count;
        }
        leaf.positions = new Position[](count);
        count = 0;
        for (uint16 i = 0; i < 6; ++i) {
            if (_lots[i] == 0) continue;
            leaf.positions[count++] = Position(i, int32(_lots[i]), int64(_costs[i]));
        }
    }

    function _evidence(AccountLeaf memory before, bytes memory words, AccountLeaf memory afterwards)
        private
        returns (bytes memory)
    {
        TransitionEvidence memory shown =
            _shown(words, rootWith(ACCOUNT, before), rootWith(ACCOUNT, afterwards));
        shown.before = opened(ACCOUNT, before);
        shown.afterwards = opened(ACCOUNT, afterwards);
        return abi.encode(shown);
    }

    /// @dev Nobody had the place before.
    function _opening(bytes memory words, AccountLeaf memory afterwards)
        private
        returns (bytes memory)
    {
        TransitionEvidence memory shown =
            _shown(words, rootWithout(ACCOUNT), rootWith(ACCOUNT, afterwards));
        shown.before = absent(ACCOUNT);
        shown.afterwards = opened(ACCOUNT, afterwards);
        return abi.encode(shown);
    }

    function _shown(bytes memory words, bytes32 before, bytes32 afterwards)
        private
        returns (TransitionEvidence memory shown)
    {
        standBefore(before);
        uint32 index = add(LogFrames.fundingTick(next()), words);
        steps[index].accountRoot = afterwards;
        seal();
        shown.record = recordAt(index);
    }
}
