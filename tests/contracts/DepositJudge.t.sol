// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DepositJudge} from "../../contracts/challenge/DepositJudge.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Effects} from "../../contracts/libraries/Effects.sol";
import {Frames} from "../../contracts/libraries/Frames.sol";
import {Openings} from "../../contracts/libraries/Openings.sol";
import {Trace} from "../../contracts/libraries/Trace.sol";
import {AccountLeaf} from "../../contracts/types/Account.sol";
import {DepositEvidence} from "../../contracts/types/ContentEvidence.sol";
import {Book} from "../../contracts/types/Trace.sol";
import {ContentWorld} from "./support/ContentWorld.sol";
import {EffectWords as W} from "./support/EffectWords.sol";
import {LogFrames} from "./support/LogFrames.sol";
import {vm} from "./support/Vm.sol";

/// @dev What the inbox took in stands in the account of whom it is for, or goes back.
contract DepositJudgeTest is ContentWorld {
    uint32 private constant NOBODY = type(uint32).max;
    uint32 private constant ACCOUNT = 5;
    address private constant OWNER = address(0xA11CE);
    uint128 private constant LIMIT = 1 << 60;

    DepositJudge private _judge;
    Book private _book;

    function setUp() public {
        buildWorld();
        _judge = new DepositJudge(IRiskParameters(address(listings)));
        _book.deposited = new uint128[](2);
        _book.withdrawn = new uint128[](2);
        (_book.deposited[0], _book.withdrawn[0]) = (900, 100);
        (_book.deposited[1], _book.withdrawn[1]) = (95e8, 5e8);
        _book.accounts = ACCOUNT;
    }

    function test_a_deposit_goes_to_the_account_of_its_owner() public {
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        assertHonest(_judge, _credited(leaf));
        leaf.owner = address(0xBAD);
        assertFaulty(_judge, _credited(leaf));
        (leaf.owner, leaf.subaccount) = (OWNER, 1);
        assertFaulty(_judge, _credited(leaf));
        standBefore(rootWithout(ACCOUNT));
        DepositEvidence memory shown = _shown(0, 70, W.credit(ACCOUNT, 0, 70));
        shown.holder = absent(ACCOUNT);
        assertFaulty(_judge, abi.encode(shown));
    }

    function test_accounts_are_numbered_one_after_another() public {
        assertHonest(_judge, _numbered(W.open(ACCOUNT, 0, OWNER)));
        assertFaulty(_judge, _numbered(W.open(ACCOUNT + 1, 0, OWNER)));
        assertFaulty(_judge, _numbered(W.open(ACCOUNT - 1, 0, OWNER)));
        bytes memory two = W.open(ACCOUNT, 0, OWNER);
        assertHonest(_judge, _numbered(bytes.concat(two, W.open(ACCOUNT + 1, 0, OWNER))));
        assertFaulty(_judge, _numbered(bytes.concat(two, W.open(ACCOUNT, 0, OWNER))));
    }

    function test_what_is_listed_and_fits_is_no_noop() public {
        assertFaulty(_judge, _rest(0, 70, W.noop(ACCOUNT, 7)));
        assertFaulty(_judge, _rest(1, 70, W.noop(ACCOUNT, 7)));
        assertFaulty(_judge, _rest(0, (1 << 64) - 1, W.noop(ACCOUNT, 5)));
        assertHonest(_judge, _rest(0, 1 << 64, W.noop(ACCOUNT, 5)));
    }

    function test_only_what_finds_no_room_goes_back_whole() public {
        assertFaulty(_judge, _rest(0, 70, W.output(NOBODY, 0, 70, 1)));
        uint128 most = LIMIT - 800;
        assertHonest(_judge, _rest(0, most, W.output(NOBODY, 0, uint64(most), 1)));
        assertFaulty(_judge, _rest(0, most - 1, W.output(NOBODY, 0, uint64(most) - 1, 1)));
        assertFaulty(_judge, _rest(0, most, W.credit(ACCOUNT, 0, int64(uint64(most)))));
        assertHonest(_judge, _rest(0, most - 1, W.credit(ACCOUNT, 0, int64(uint64(most)) - 1)));
    }

    function test_a_full_tree_sends_back_what_is_for_a_new_account_only() public {
        _book.accounts = 1 << 20;
        standBefore(rootWithout(ACCOUNT));
        DepositEvidence memory shown = _shown(0, 70, W.output(NOBODY, 0, 70, 1));
        (shown.rule, shown.holder) = (2, absent(ACCOUNT));
        assertHonest(_judge, abi.encode(shown));
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        standBefore(rootWith(ACCOUNT, leaf));
        shown = _shown(0, 70, W.output(NOBODY, 0, 70, 1));
        (shown.rule, shown.holder) = (2, opened(ACCOUNT, leaf));
        assertFaulty(_judge, abi.encode(shown));
        bytes memory opening = W.open(1 << 20, 0, OWNER);
        assertFaulty(_judge, _rest(0, 70, bytes.concat(opening, W.credit(1 << 20, 0, 70))));
        assertHonest(_judge, _rest(0, 70, W.credit(ACCOUNT, 0, 70)));
    }

    function test_what_lies_above_the_cap_goes_out_at_once() public {
        // 90 tokens are held, and 100 are the cap.
        bytes memory credit = W.credit(ACCOUNT, 1, 10e8);
        assertHonest(_judge, _rest(1, 10e8, credit));
        assertFaulty(_judge, _rest(1, 10e8, bytes.concat(credit, W.output(ACCOUNT, 1, 1, 1))));
        credit = W.credit(ACCOUNT, 1, 12e8);
        assertHonest(_judge, _rest(1, 12e8, bytes.concat(credit, W.output(ACCOUNT, 1, 2e8, 1))));
        assertFaulty(_judge, _rest(1, 12e8, credit));
        _book.deposited[1] = 300e8;
        assertHonest(_judge, _rest(1, 12e8, bytes.concat(credit, W.output(ACCOUNT, 1, 12e8, 1))));
        assertFaulty(_judge, _rest(1, 12e8, bytes.concat(credit, W.output(ACCOUNT, 1, 11e8, 1))));
    }

    function test_cash_has_no_cap_and_the_fund_holds_no_collateral() public {
        bytes memory credit = W.credit(ACCOUNT, 0, 1e15);
        assertHonest(_judge, _rest(0, 1e15, credit));
        assertFaulty(_judge, _rest(0, 1e15, bytes.concat(credit, W.output(ACCOUNT, 0, 1, 1))));
        credit = W.credit(0, 1, 1e8);
        assertHonest(_judge, _rest(1, 1e8, bytes.concat(credit, W.output(0, 1, 1e8, 1))));
        assertFaulty(_judge, _rest(1, 1e8, credit));
    }

    function test_RevertWhen_what_is_shown_does_not_belong() public {
        AccountLeaf memory leaf = leafOf(OWNER, 0, 0);
        DepositEvidence memory shown = abi.decode(_credited(leaf), (DepositEvidence));
        shown.holder.account += 1;
        expectRefused(_judge, abi.encode(shown), DepositJudge.OtherAccount.selector);
        shown.rule = 3;
        expectRefused(_judge, abi.encode(shown), DepositJudge.UnknownRule.selector);
        shown = abi.decode(_rest(1, 70, W.credit(ACCOUNT, 1, 70)), (DepositEvidence));
        shown.asset.listed.asset = 2;
        expectRefused(_judge, abi.encode(shown), DepositJudge.OtherAsset.selector);
        shown.asset = assetOpening();
        shown.asset.listed.capE8 += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown.asset = assetOpening();
        shown.book.accounts += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
    }

    function test_RevertWhen_the_record_shown_is_not_that_of_the_batch() public {
        bytes memory right = _numbered(W.open(ACCOUNT, 0, OWNER));
        DepositEvidence memory shown = abi.decode(right, (DepositEvidence));
        shown.record.effects = W.open(ACCOUNT + 1, 0, OWNER);
        expectRefused(_judge, abi.encode(shown), Effects.WrongEffects.selector);
        shown.record.pair.step.effectsHash = keccak256(shown.record.effects);
        expectRefused(_judge, abi.encode(shown), Trace.WrongStep.selector);
        shown = abi.decode(_credited(leafOf(OWNER, 0, 0)), (DepositEvidence));
        shown.record.frame = LogFrames.deposit(next(), address(0xBAD), 0, 0, 70);
        expectRefused(_judge, abi.encode(shown), Openings.WrongFrame.selector);
    }

    function test_RevertWhen_the_holder_or_the_book_is_not_that_before_the_record() public {
        bytes memory right = _credited(leafOf(OWNER, 0, 0));
        DepositEvidence memory shown = abi.decode(right, (DepositEvidence));
        shown.holder.leaf[0].owner = address(0xBAD);
        expectRefused(_judge, abi.encode(shown), Openings.WrongRoot.selector);
        shown = abi.decode(_numbered(W.open(ACCOUNT, 0, OWNER)), (DepositEvidence));
        shown.book.accounts += 1;
        expectRefused(_judge, abi.encode(shown), Openings.WrongPreimage.selector);
    }

    function test_RevertWhen_the_rule_is_not_about_the_record() public {
        expectRefused(_judge, _numbered(""), DepositJudge.NothingOpened.selector);
        uint32 index = add(LogFrames.fundingTick(next()), "");
        seal();
        DepositEvidence memory shown;
        shown.record = recordAt(index);
        expectRefused(_judge, abi.encode(shown), Frames.WrongRecordType.selector);
        shown = _shown(0, 70, W.open(ACCOUNT, 0, OWNER));
        shown.holder = absent(ACCOUNT);
        expectRefused(_judge, abi.encode(shown), DepositJudge.OtherAccount.selector);
    }

    function test_gas_of_the_deposit_judge() public {
        bytes memory evidence = _credited(leafOf(OWNER, 0, 0));
        uint256 gas = gasleft();
        _judge.isFaulty(header, evidence);
        uint256 used = gas - gasleft();
        vm.assertLe(used, 120_000);
        vm.snapshotValue("judges", "effects.deposit", used);
    }

    function _credited(AccountLeaf memory leaf) private returns (bytes memory) {
        standBefore(rootWith(ACCOUNT, leaf));
        DepositEvidence memory shown = _shown(0, 70, W.credit(ACCOUNT, 0, 70));
        shown.holder = opened(ACCOUNT, leaf);
        return abi.encode(shown);
    }

    function _numbered(bytes memory words) private returns (bytes memory) {
        DepositEvidence memory shown = _shown(0, 70, words);
        shown.rule = 1;
        return abi.encode(shown);
    }

    function _rest(uint16 asset, uint128 amount, bytes memory words)
        private
        returns (bytes memory)
    {
        DepositEvidence memory shown = _shown(asset, amount, words);
        shown.rule = 2;
        return abi.encode(shown);
    }

    function _shown(uint16 asset, uint128 amount, bytes memory words)
        private
        returns (DepositEvidence memory shown)
    {
        steps[steps.length - 1].bookHash = keccak256(abi.encode(_book));
        uint32 index = add(LogFrames.deposit(next(), OWNER, 0, asset, amount), words);
        seal();
        shown.record = recordAt(index);
        shown.book = _book;
        shown.asset = assetOpening();
    }
}
