// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {ProofRouter} from "../../contracts/proof/ProofRouter.sol";
import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Upholds everything.
contract HarshJudge is IJudge {
    function isFaulty(BatchHeader calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}

/// @dev INV-14 against a sequencer that may commit, roll back and stake whenever it helps, and
/// against strangers who copy, crowd and wait.
contract CourtHostileTest is SettlementRig {
    uint256 private constant BOND = 100e6;
    uint64 private constant REVEAL = 30;
    uint64 private constant SLOWEST = WINDOW + MAX_EXTENSION + REVEAL;
    uint8 private constant KIND = 11;
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    address private constant CAROL = address(0xca401);

    Court private _court = Court(COURT);

    function setUp() public {
        deployRig();
        vm.etch(COURT, address(newCourt(REVEAL)).code);
        _court.registerJudge(KIND, address(new HarshJudge()));
        for (uint160 i = 0; i < 3; ++i) {
            address challenger = i == 0 ? ALICE : i == 1 ? BOB : CAROL;
            cash.mint(challenger, 30 * BOND);
            vm.prank(challenger);
            cash.approve(COURT, 30 * BOND);
        }
    }

    function newCourt(uint64 revealWindow) private returns (Court) {
        return new Court(courtConfig(revealWindow), new uint8[](0), new address[](0));
    }

    function courtConfig(uint64 revealWindow) private view returns (ICourt.Config memory) {
        return ICourt.Config({
            cash: address(cash),
            settlement: address(settlement),
            registry: address(registry),
            insuranceFund: address(insurance),
            governor: address(this),
            bondE6: BOND,
            revealWindow: revealWindow
        });
    }

    function committed() private returns (BatchHeader memory header) {
        header = nextHeader();
        commit(header);
    }

    function opened(address challenger, BatchHeader memory header, bytes memory evidence)
        private
        returns (bytes32)
    {
        bytes32 hash = hashOf(header);
        bytes32 commitment = keccak256(abi.encode(challenger, KIND, hash, keccak256(evidence)));
        vm.prank(challenger);
        return _court.open(header.batchNo, hash, commitment);
    }

    function reveal(address challenger, BatchHeader memory header, bytes memory evidence) private {
        vm.prank(challenger);
        _court.reveal(header, KIND, evidence);
    }

    /// @dev The commitment hides the evidence only until it is revealed: a copy that could be opened
    /// and revealed in the very block of the original, before it, would take the bounty.
    function test_who_copies_evidence_on_its_way_comes_too_late() public {
        BatchHeader memory header = committed();
        opened(ALICE, header, "x");
        vm.roll(block.number + 1);
        opened(BOB, header, "x");
        vm.expectRevert(
            abi.encodeWithSelector(ICourt.RevealTooEarly.selector, uint64(block.number))
        );
        reveal(BOB, header, "x");
        reveal(ALICE, header, "x");
        vm.assertEq(registry.rewardOf(ALICE), MINIMUM_STAKE / 2);
    }

    /// @dev The sequencer sees a challenge on its way, rolls the faulty batch back and commits a
    /// right one under its number: the challenger must not be left with a bond on that.
    function test_who_is_accused_does_not_win_a_bond_with_another_batch() public {
        BatchHeader memory faulty = committed();
        vm.prank(vm.addr(SEQUENCER_KEY));
        settlement.rollback(faulty);
        BatchHeader memory right = nextHeader();
        right.stateRoot = keccak256("right");
        commit(right);
        bytes32 meant = hashOf(faulty);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, meant, hashOf(right))
        );
        vm.prank(ALICE);
        _court.open(1, meant, keccak256("commitment"));
        vm.assertEq(cash.balanceOf(ALICE), 30 * BOND);
    }

    /// @dev One block: a challenged batch falls and is committed again, the same to the bit. Neither
    /// may an old challenge forfeit its bond, nor may ending it end one of the new batch.
    function test_the_same_batch_again_in_the_same_second_is_another_case() public {
        BatchHeader memory header = committed();
        bytes32 old = opened(BOB, header, "old");
        opened(ALICE, header, "x");
        vm.roll(block.number + 1);
        reveal(ALICE, header, "x");
        stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        commit(header);
        vm.assertEq(settlement.committedAt(1), block.timestamp + 1);
        opened(CAROL, header, "new");

        vm.warp(block.timestamp + REVEAL);
        vm.roll(block.number + 1);
        _court.close(old);
        vm.assertEq(_court.bondOf(BOB), BOND);
        vm.assertEq(_court.owedToInsurance(), 0);
        vm.assertEq(uint256(settlement.statusOf(1)), uint256(BatchStatus.CHALLENGED));
        reveal(CAROL, header, "new");
        vm.assertEq(_court.bondOf(CAROL), BOND);
    }

    /// @dev A third time in one second, and later: the times of a number only grow.
    function test_each_commitment_of_a_number_has_its_own_time() public {
        uint256 last = 0;
        BatchHeader memory header = nextHeader();
        for (uint256 i = 0; i < 3; ++i) {
            commit(header);
            vm.assertEq(settlement.committedAt(1), last == 0 ? block.timestamp : last + 1);
            last = settlement.committedAt(1);
            opened(ALICE, header, abi.encode(i));
            vm.roll(block.number + 1);
            reveal(ALICE, header, abi.encode(i));
            stakeFor(vm.addr(SEQUENCER_KEY), MINIMUM_STAKE);
        }
        vm.warp(block.timestamp + 100);
        commit(header);
        vm.assertEq(settlement.committedAt(1), block.timestamp);
    }

    /// @dev Twenty challenges of the last second, together far longer than `maxExtension`: each is
    /// decided on its own until its time is over, and the batch is not final before the last is.
    function test_many_challenges_of_the_last_second_are_all_decidable() public {
        BatchHeader memory header = committed();
        vm.warp(settlement.finalAfter(1) - 1);
        bytes32[] memory ids = new bytes32[](20);
        for (uint256 i = 0; i < 20; ++i) {
            ids[i] = opened(i == 19 ? ALICE : BOB, header, abi.encode(i));
        }
        uint256 since = block.timestamp;
        vm.roll(block.number + 1);
        vm.warp(since + REVEAL + 1);
        for (uint256 i = 0; i < 18; ++i) {
            _court.close(ids[i]);
        }
        vm.assertEq(settlement.finalAfter(1), since + 1 + MAX_EXTENSION);
        vm.warp(since + REVEAL);
        bytes memory proof = proofOf(hashOf(header));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.ChallengeOpen.selector, 1));
        settlement.finalise(header, totals, sums(), EXIT_ROOT, proof);
        reveal(ALICE, header, abi.encode(uint256(19)));
        _court.close(ids[18]);
        vm.assertEq(_court.bondOf(BOB), BOND); // the 19th fell with the batch
        vm.assertEq(_court.bondOf(ALICE), BOND);
    }

    /// @dev With the extension used up nobody pays a bond for a challenge that cannot be.
    function test_no_bond_is_taken_once_the_extension_ran_out() public {
        BatchHeader memory header = committed();
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(settlement.finalAfter(1) - 1);
            bytes32 id = opened(BOB, header, abi.encode(i));
            vm.warp(block.timestamp + REVEAL + 1);
            _court.close(id);
        }
        uint256 end = settlement.finalAfter(1);
        vm.assertEq(end, start + WINDOW + MAX_EXTENSION);
        vm.warp(end);
        bytes32 hash = hashOf(header);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WindowOver.selector, end, end));
        vm.prank(ALICE);
        _court.open(1, hash, 0);
        vm.assertEq(cash.balanceOf(ALICE), 30 * BOND);
        finalise(header);
    }

    /// @dev The sequencer asks for its stake in the second of the commit, and has the batch delayed
    /// for as long as bonds can: the fault that is shown last still costs the whole stake.
    function test_the_stake_is_there_when_the_slowest_challenge_is_upheld() public {
        BatchHeader memory header = committed();
        address sequencer = vm.addr(SEQUENCER_KEY);
        vm.prank(sequencer);
        registry.requestUnstake(MINIMUM_STAKE);
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(settlement.finalAfter(1) - 1);
            bytes32 id = opened(BOB, header, abi.encode(i));
            vm.warp(block.timestamp + REVEAL + 1);
            _court.close(id);
        }
        vm.warp(settlement.finalAfter(1) - 1);
        opened(ALICE, header, "x");
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + REVEAL);
        vm.expectPartialRevert(bytes4(keccak256("UnstakeNotDue(uint256,uint256)")));
        vm.prank(sequencer);
        registry.unstake();
        reveal(ALICE, header, "x");
        vm.assertEq(registry.rewardOf(ALICE), MINIMUM_STAKE / 2);
    }

    // --- relations ---

    function test_a_stake_that_could_leave_too_soon_is_refused() public {
        uint64 reveal_ = UNSTAKE_DELAY - WINDOW - MAX_EXTENSION;
        newCourt(reveal_ - 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICourt.StakeLeavesTooSoon.selector, UNSTAKE_DELAY, UNSTAKE_DELAY)
        );
        newCourt(reveal_);
    }

    function test_a_verifier_that_could_retire_too_soon_is_refused() public {
        router = new ProofRouter(address(this), SLOWEST);
        resettle(LIVENESS, REPAIR_TIME, PROVEN_WINDOW);
        vm.expectRevert(
            abi.encodeWithSelector(ICourt.VerifierRetiresTooSoon.selector, SLOWEST, SLOWEST)
        );
        newCourt(REVEAL);
        newCourt(REVEAL - 1);
    }

    function test_strangers_must_not_be_able_to_freeze_an_honest_venue() public {
        for (uint256 i = 0; i < 2; ++i) {
            (uint64 liveness, uint64 repair) = i == 0 ? (SLOWEST, REPAIR_TIME) : (LIVENESS, SLOWEST);
            resettle(liveness, repair, PROVEN_WINDOW);
            bytes4 refusal = ICourt.FreezesTooSoon.selector;
            vm.expectRevert(abi.encodeWithSelector(refusal, liveness, repair, SLOWEST));
            newCourt(REVEAL);
            newCourt(REVEAL - 1);
        }
    }

    function test_the_longer_window_counts() public {
        resettle(LIVENESS, SLOWEST + 1, WINDOW + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICourt.FreezesTooSoon.selector, LIVENESS, SLOWEST + 1, SLOWEST + 1
            )
        );
        newCourt(REVEAL);
    }

    function resettle(uint64 liveness, uint64 repairTime, uint64 provenWindow) private {
        ISettlement.Config memory made = config(address(vault), address(inbox), address(insurance));
        (made.liveness, made.repairTime) = (liveness, repairTime);
        made.provenWindow = provenWindow;
        settlement = new Settlement(made);
    }
}
