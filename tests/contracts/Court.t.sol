// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Upholds exactly the evidence that begins with a one.
contract FirstByteJudge is IJudge {
    function isFaulty(BatchHeader calldata, bytes calldata evidence) external pure returns (bool) {
        return evidence[0] == 0x01;
    }
}

contract CourtTest is SettlementRig {
    uint256 private constant BOND = 100e6;
    uint64 private constant REVEAL = 30;
    uint8 private constant KIND = 11;
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);

    Court private _court = Court(COURT);
    address private _judge = address(new FirstByteJudge());

    function setUp() public {
        deployRig();
        vm.etch(COURT, address(newCourt(courtConfig())).code);
        _court.registerJudge(KIND, _judge);
        for (uint160 i = 0; i < 2; ++i) {
            address challenger = i == 0 ? ALICE : BOB;
            cash.mint(challenger, 10 * BOND);
            vm.prank(challenger);
            cash.approve(COURT, 10 * BOND);
        }
    }

    function test_opening_takes_the_bond_and_makes_the_batch_challenged() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(ALICE, header, hex"01");
        vm.assertEq(cash.balanceOf(COURT), BOND);
        assertStatus(1, BatchStatus.CHALLENGED);
        ICourt.Challenge memory challenge = _court.challengeOf(id);
        vm.assertEq(challenge.challenger, ALICE);
        vm.assertEq(challenge.batchHash, hashOf(header));
        vm.assertEq(challenge.openedAt, block.timestamp);
    }

    function test_a_fault_reverts_the_batch_and_pays_bond_and_bounty() public {
        BatchHeader memory header = committed();
        committed();
        opened(ALICE, header, hex"01");
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");
        assertStatus(1, BatchStatus.REVERTED);
        assertStatus(2, BatchStatus.REVERTED);
        vm.assertEq(settlement.head(), 0);
        vm.assertEq(registry.rewardOf(ALICE), MINIMUM_STAKE / 2);
        vm.assertEq(registry.owedToInsurance(), MINIMUM_STAKE / 2);
        uint256 before = cash.balanceOf(ALICE);
        vm.prank(ALICE);
        vm.assertEq(_court.claimBond(), BOND);
        vm.assertEq(cash.balanceOf(ALICE) - before, BOND);
    }

    function test_the_court_itself_stays_below_its_ceilings() public {
        BatchHeader memory header = committed();
        (bytes32 batchHash, bytes32 commitment) =
            (hashOf(header), commitmentOf(ALICE, header, KIND, hex"01"));
        vm.startPrank(ALICE);
        uint256 start = gasleft();
        _court.open(1, batchHash, commitment);
        uint256 opening = start - gasleft();
        vm.roll(block.number + 1);
        start = gasleft();
        _court.reveal(header, KIND, hex"01");
        uint256 revealing = start - gasleft();
        vm.stopPrank();
        vm.snapshotValue("challenge", "court.open", opening);
        vm.snapshotValue("challenge", "court.reveal", revealing);
        vm.assertLe(opening, 127_000);
        vm.assertLe(revealing, 140_000);
    }

    function test_RevertWhen_the_evidence_shows_no_fault() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, hex"00");
        bytes32 hash = hashOf(header);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoFault.selector, KIND, hash));
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"00");
    }

    function test_RevertWhen_somebody_else_reveals() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, hex"01");
        expectNoSuchChallenge(BOB, header, KIND, hex"01");
        vm.prank(BOB);
        _court.reveal(header, KIND, hex"01");
    }

    function test_RevertWhen_other_evidence_or_another_kind_is_revealed() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, hex"01");
        expectNoSuchChallenge(ALICE, header, KIND, hex"0102");
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"0102");
        expectNoSuchChallenge(ALICE, header, KIND + 1, hex"01");
        vm.prank(ALICE);
        _court.reveal(header, KIND + 1, hex"01");
    }

    function test_RevertWhen_a_challenge_of_one_batch_is_revealed_against_another() public {
        BatchHeader memory header = committed();
        BatchHeader memory other = committed();
        vm.startPrank(ALICE);
        bytes32 id = _court.open(1, hashOf(header), commitmentOf(ALICE, other, KIND, hex"01"));
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchChallenge.selector, id));
        _court.reveal(other, KIND, hex"01");
        vm.stopPrank();
        vm.assertEq(header.batchNo, 1);
    }

    function test_RevertWhen_the_reveal_comes_too_late() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, hex"01");
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.RevealTooLate.selector, until, until + 1));
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");
    }

    function test_the_last_second_is_in_time() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, hex"01");
        vm.warp(block.timestamp + REVEAL);
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");
        assertStatus(1, BatchStatus.REVERTED);
    }

    function test_RevertWhen_no_judge_decides_the_kind() public {
        BatchHeader memory header = committed();
        vm.startPrank(ALICE);
        _court.open(1, hashOf(header), commitmentOf(ALICE, header, 99, hex"01"));
        vm.roll(block.number + 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.UnknownKind.selector, 99));
        _court.reveal(header, 99, hex"01");
        vm.stopPrank();
    }

    function test_RevertWhen_the_same_challenge_is_opened_twice() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(ALICE, header, hex"01");
        bytes32 commitment = commitmentOf(ALICE, header, KIND, hex"01");
        bytes32 batchHash = hashOf(header);
        vm.expectRevert(abi.encodeWithSelector(ICourt.ChallengeExists.selector, id));
        vm.prank(ALICE);
        _court.open(1, batchHash, commitment);
    }

    function test_a_copied_commitment_does_not_stop_its_author() public {
        BatchHeader memory header = committed();
        bytes32 commitment = commitmentOf(ALICE, header, KIND, hex"01");
        vm.prank(BOB);
        _court.open(1, hashOf(header), commitment);
        opened(ALICE, header, hex"01");
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");
        assertStatus(1, BatchStatus.REVERTED);
    }

    function test_RevertWhen_the_batch_is_not_open() public {
        vm.expectRevert(abi.encodeWithSelector(ISettlement.NotOpen.selector, 1, BatchStatus.NONE));
        vm.prank(ALICE);
        _court.open(1, bytes32(0), bytes32(0));
    }

    function test_what_is_not_revealed_is_forfeited_and_delays_the_batch() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(ALICE, header, hex"01");
        uint64 end = settlement.finalAfter(1);
        vm.warp(block.timestamp + REVEAL + 1);
        vm.prank(BOB);
        _court.close(id);
        vm.assertEq(settlement.finalAfter(1), end + REVEAL + 1);
        assertStatus(1, BatchStatus.COMMITTED);
        vm.assertEq(_court.owedToInsurance(), BOND);
        vm.assertEq(_court.bondOf(ALICE), 0);
        uint256 reserve = insurance.reserveE6();
        vm.assertEq(_court.fundInsurance(), BOND);
        vm.assertEq(insurance.reserveE6() - reserve, BOND);
        vm.assertEq(_court.owedToInsurance(), 0);
    }

    function test_RevertWhen_a_challenge_is_closed_that_can_still_be_revealed() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(ALICE, header, hex"01");
        uint256 until = block.timestamp + REVEAL;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ICourt.RevealStillOpen.selector, until, until));
        _court.close(id);
    }

    function test_RevertWhen_a_challenge_is_closed_twice() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(ALICE, header, hex"01");
        vm.warp(block.timestamp + REVEAL + 1);
        _court.close(id);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchChallenge.selector, id));
        _court.close(id);
    }

    function test_who_challenged_a_batch_that_fell_with_another_gets_the_bond_back() public {
        BatchHeader memory header = committed();
        BatchHeader memory next = committed();
        bytes32 id = opened(BOB, next, hex"00");
        opened(ALICE, header, hex"01");
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");

        vm.expectRevert(abi.encodeWithSelector(ICourt.BatchGone.selector, 2, hashOf(next)));
        vm.prank(BOB);
        _court.reveal(next, KIND, hex"00");
        _court.close(id);
        vm.assertEq(_court.bondOf(BOB), BOND);
        vm.assertEq(_court.owedToInsurance(), 0);
    }

    function test_a_challenge_does_not_count_against_the_same_header_committed_again() public {
        BatchHeader memory header = committed();
        bytes32 id = opened(BOB, header, hex"00");
        opened(ALICE, header, hex"01");
        vm.prank(ALICE);
        _court.reveal(header, KIND, hex"01");
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        vm.warp(block.timestamp + 1);
        commit(header);
        opened(ALICE, header, hex"01");
        _court.close(id);
        vm.assertEq(_court.bondOf(BOB), BOND);
        assertStatus(1, BatchStatus.CHALLENGED);
    }

    function test_RevertWhen_nothing_is_owed() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingOwed.selector, ALICE));
        vm.prank(ALICE);
        _court.claimBond();
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingOwed.selector, address(insurance)));
        _court.fundInsurance();
    }

    function test_RevertWhen_another_than_the_governor_registers_a_judge() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotGovernor.selector, ALICE));
        vm.prank(ALICE);
        _court.registerJudge(1, _judge);
    }

    function test_RevertWhen_a_judge_would_be_replaced() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.JudgeRegistered.selector, KIND, _judge));
        _court.registerJudge(KIND, _judge);
    }

    function test_RevertWhen_a_judge_is_no_contract_or_decides_kind_zero() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.InvalidJudge.selector, 1, ALICE));
        _court.registerJudge(1, ALICE);
        vm.expectRevert(abi.encodeWithSelector(ICourt.InvalidJudge.selector, 0, _judge));
        _court.registerJudge(0, _judge);
    }

    function test_RevertWhen_an_address_is_missing() public {
        for (uint256 i = 0; i < 5; ++i) {
            ICourt.Config memory config = courtConfig();
            if (i == 0) config.cash = address(0);
            if (i == 1) config.settlement = address(0);
            if (i == 2) config.registry = address(0);
            if (i == 3) config.insuranceFund = address(0);
            if (i == 4) config.governor = address(0);
            vm.expectRevert(ICourt.ZeroAddress.selector);
            newCourt(config);
        }
    }

    function test_RevertWhen_bond_or_window_are_zero() public {
        ICourt.Config memory config = courtConfig();
        config.bondE6 = 0;
        vm.expectRevert(abi.encodeWithSelector(ICourt.ZeroBondOrWindow.selector, 0, REVEAL));
        newCourt(config);
        config = courtConfig();
        config.revealWindow = 0;
        vm.expectRevert(abi.encodeWithSelector(ICourt.ZeroBondOrWindow.selector, BOND, 0));
        newCourt(config);
    }

    function test_judges_may_be_there_from_the_beginning() public {
        (uint8[] memory kinds, address[] memory judges) = (new uint8[](1), new address[](1));
        (kinds[0], judges[0]) = (7, _judge);
        Court court = new Court(courtConfig(), kinds, judges);
        vm.assertEq(court.judgeOf(7), _judge);
        vm.expectRevert(abi.encodeWithSelector(ICourt.JudgeCount.selector, 1, 0));
        new Court(courtConfig(), kinds, new address[](0));
    }

    function courtConfig() private view returns (ICourt.Config memory) {
        return ICourt.Config({
            cash: address(cash),
            settlement: address(settlement),
            registry: address(registry),
            insuranceFund: address(insurance),
            governor: address(this),
            bondE6: BOND,
            revealWindow: REVEAL
        });
    }

    function newCourt(ICourt.Config memory config) private returns (Court) {
        return new Court(config, new uint8[](0), new address[](0));
    }

    function committed() private returns (BatchHeader memory header) {
        header = nextHeader();
        commit(header);
    }

    function commitmentOf(
        address challenger,
        BatchHeader memory header,
        uint8 kind,
        bytes memory evidence
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(challenger, kind, hashOf(header), keccak256(evidence)));
    }

    function opened(address challenger, BatchHeader memory header, bytes memory evidence)
        private
        returns (bytes32 id)
    {
        bytes32 commitment = commitmentOf(challenger, header, KIND, evidence);
        vm.prank(challenger);
        id = _court.open(header.batchNo, hashOf(header), commitment);
        vm.roll(block.number + 1);
    }

    function expectNoSuchChallenge(
        address challenger,
        BatchHeader memory header,
        uint8 kind,
        bytes memory evidence
    ) private {
        bytes32 commitment = commitmentOf(challenger, header, kind, evidence);
        bytes32 id = keccak256(abi.encode(challenger, commitment));
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSuchChallenge.selector, id));
    }

    function assertStatus(uint64 batchNo, BatchStatus expected) private view {
        vm.assertEq(uint256(settlement.statusOf(batchNo)), uint256(expected));
    }
}
