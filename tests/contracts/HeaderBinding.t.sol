// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {IFundingOracle} from "../../contracts/interfaces/IFundingOracle.sol";
import {IJudge} from "../../contracts/interfaces/IJudge.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {FundingOracle} from "../../contracts/oracle/FundingOracle.sol";
import {Settlement} from "../../contracts/settlement/Settlement.sol";
import {BatchHeader, BatchStatus, Output} from "../../contracts/types/Batch.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {BitSweep} from "./support/BitSweep.sol";
import {CheckpointTree} from "./support/CheckpointTree.sol";
import {DemandRig} from "./support/DemandRig.sol";
import {ExitRig} from "./support/ExitRig.sol";
import {LiquidationVenue} from "./support/LiquidationVenue.sol";
import {MerkleTree} from "./support/MerkleTree.sol";
import {OutputTree, SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";
import {PlantedHeader} from "./support/planted/PlantedHeader.sol";

/// @dev Says yes to everything: what it is asked must be decided before.
contract YesJudge is IJudge {
    function isFaulty(BatchHeader calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}

/// @dev Knows the hash of one final batch.
contract OneFinalBatch {
    bytes32 private immutable HASH;

    constructor(bytes32 hash) {
        HASH = hash;
    }

    function batchOf(uint64) external view returns (BatchStatus, bytes32) {
        return (BatchStatus.FINALIZED, HASH);
    }
}

abstract contract HeaderSweeps is SettlementRig, BitSweep {
    function setUp() public {
        deployRig();
    }

    function proving() internal returns (bytes memory) {
        BatchHeader memory header = nextHeader();
        commit(header);
        return abi.encodeCall(ISettlement.prove, (header, proofOf(hashOf(header))));
    }
}

/// @dev INV-15: whatever takes a header refuses it with any one bit flipped.
contract HeaderBindingTest is HeaderSweeps {
    function test_no_signature_covers_another_header() public view {
        BatchHeader memory header = nextHeader();
        bytes memory signature = signatureOf(header);
        (bytes32 r, bytes32 s, uint8 v) = parts(signature);
        address sequencer = vm.addr(SEQUENCER_KEY);
        bytes memory encoded = abi.encode(BatchHash.HEADER_TYPEHASH, header);
        vm.assertEq(recovered(encoded, v, r, s), sequencer);
        for (uint256 bit = 0; bit < HEADER_BITS; ++bit) {
            flip(encoded, 64, bit);
            vm.assertTrue(recovered(encoded, v, r, s) != sequencer);
            flip(encoded, 64, bit);
        }
    }

    function test_no_proof_covers_another_header() public view {
        BatchHeader memory header = nextHeader();
        bytes memory encoded = abi.encode(BatchHash.HEADER_TYPEHASH, header);
        bytes memory proof = proofOf(keccak256(encoded));
        router.requireValid(0, keccak256(encoded), proof);
        bytes memory input = abi.encodeCall(router.requireValid, (0, keccak256(encoded), proof));
        uint256 count = 0;
        for (uint256 bit = 0; bit < HEADER_BITS; ++bit) {
            flip(encoded, 64, bit);
            bytes32 hash = keccak256(encoded);
            address place = address(router);
            bool done;
            assembly ("memory-safe") {
                mstore(add(input, 0x44), hash)
                done := staticcall(gas(), place, add(input, 0x20), mload(input), 0, 0)
            }
            if (done) ++count;
            flip(encoded, 64, bit);
        }
        vm.assertEq(count, 0);
    }

    function test_no_commit_takes_another_header() public {
        BatchHeader memory header = nextHeader();
        bytes memory input = abi.encodeCall(ISettlement.commit, (header, signatureOf(header), LOG));
        vm.assertEq(taken(RELAYER, address(settlement), input), 0);
    }

    function test_no_proof_is_shown_of_another_header() public {
        bytes memory input = proving();
        vm.assertEq(taken(RELAYER, address(settlement), input), 0);
    }

    function test_nothing_becomes_final_by_another_header() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        vm.warp(block.timestamp + WINDOW);
        bytes memory proof = proofOf(hashOf(header));
        bytes memory input =
            abi.encodeCall(ISettlement.finalise, (header, totals, sums(), EXIT_ROOT, proof));
        vm.assertEq(taken(RELAYER, address(settlement), input), 0);
        vm.assertEq(settlement.finalised(), 1);
    }

    function test_nothing_is_claimed_by_another_header() public {
        depositFor(cash, 0, RELAYER, 100);
        Output[] memory outputs = new Output[](1);
        outputs[0] = Output(1, 1, RELAYER, 0, 40);
        (totals.netCashE6, totals.depositedCash, totals.withdrawnCash) = (60, 100, 40);
        BatchHeader memory header = settled(OutputTree.rootOf(outputs));
        bytes32[] memory proof = OutputTree.proofOf(outputs, 0);
        bytes memory input = abi.encodeCall(ISettlement.claim, (header, outputs[0], 0, proof));
        vm.assertEq(taken(RELAYER, address(settlement), input), 0);
        vm.assertEq(cash.balanceOf(RELAYER), 40);
    }

    function test_nothing_is_rolled_back_by_another_header() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        bytes memory input = abi.encodeCall(ISettlement.rollback, (header));
        vm.assertEq(taken(vm.addr(SEQUENCER_KEY), address(settlement), input), 0);
    }

    function test_nothing_unverified_is_dropped_by_another_header() public {
        BatchHeader memory header = nextHeader();
        header.liquidationCount = 1;
        commit(header);
        vm.warp(block.timestamp + VERIFY_WINDOW);
        bytes memory input = abi.encodeCall(ISettlement.revertUnverified, (header));
        vm.assertEq(taken(RELAYER, address(settlement), input), 0);
    }

    function test_nothing_challenged_is_dropped_by_another_header() public {
        BatchHeader memory header = nextHeader();
        commit(header);
        vm.prank(COURT);
        settlement.beginChallenge(1, hashOf(header));
        bytes memory input = abi.encodeCall(ISettlement.revertChallenged, (header));
        vm.assertEq(taken(COURT, address(settlement), input), 0);
    }

    function recovered(bytes memory encoded, uint8 v, bytes32 r, bytes32 s)
        private
        view
        returns (address)
    {
        return ecrecover(digestOf(address(settlement), keccak256(encoded)), v, r, s);
    }

    function parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}

/// @dev The sweep notices a settlement that leaves out one field.
contract HeaderBindingPlantedTest is HeaderSweeps {
    function makeSettlement(ISettlement.Config memory made) internal override returns (Settlement) {
        return new PlantedHeader(made);
    }

    function test_a_settlement_that_leaves_out_a_field_is_caught() public {
        vm.assertGe(taken(RELAYER, address(settlement), proving()), 1);
    }
}

/// @dev INV-15, for challenges and demands.
contract HeaderBindingCourtTest is DemandRig, BitSweep {
    uint8 private constant KIND = 11;

    function setUp() public {
        deployDemands();
        demands.registerJudge(KIND, address(new YesJudge()));
    }

    function test_no_challenge_is_upheld_by_another_header() public {
        BatchHeader memory header = committed(leaves());
        bytes32 commitment = keccak256(abi.encode(ALICE, KIND, hashOf(header), keccak256(hex"01")));
        vm.prank(ALICE);
        demands.open(1, hashOf(header), commitment);
        vm.roll(block.number + 1);
        bytes memory input = abi.encodeCall(Court.reveal, (header, KIND, hex"01"));
        vm.assertEq(taken(ALICE, COURT, input), 0);
        vm.assertEq(settlement.head(), 0);
    }

    function test_nothing_is_demanded_by_another_header() public {
        BatchHeader memory header = committed(leaves());
        bytes memory input = abi.encodeCall(demands.demand, (header, 3));
        vm.assertEq(taken(ALICE, COURT, input), 0);
    }
}

/// @dev INV-15, for the verification of liquidations.
contract HeaderBindingLiquidationTest is LiquidationVenue, BitSweep {
    function setUp() public {
        deployVenue();
    }

    function test_nothing_is_verified_by_another_header() public {
        Case memory c = fullCase(2);
        seal(c);
        bytes memory input = abi.encodeCall(manager.verify, (c.header, c.instruction, c.witness));
        vm.assertEq(taken(RELAYER, address(manager), input), 0);
        vm.assertEq(manager.verifiedCount(hasher.hash(c.header)), 1);
    }

    function test_no_funding_is_told_by_another_header() public {
        IFundingOracle.Opening memory opening;
        opening.column = abi.encodePacked(int64(-7));
        bytes32[] memory columns = filler("columns", 2);
        columns[1] = columnHash(0, 252, opening.column);
        opening.columnProof = MerkleTree.proof(columns, 1);
        opening.epoch = Epoch(1, 100, 0, MerkleTree.root(columns), 0, 0);
        BatchHeader memory header;
        header.epochRoot = keccak256(abi.encode(opening.epoch));
        OneFinalBatch final_ = new OneFinalBatch(hasher.hash(header));
        FundingOracle oracle = new FundingOracle(ISettlement(address(final_)));
        bytes memory input = abi.encodeCall(IFundingOracle.fundingIn, (header, opening, 0));
        vm.assertEq(taken(RELAYER, address(oracle), input), 0);
    }
}

/// @dev INV-15, for the start of all exits.
contract HeaderBindingExitTest is ExitRig, BitSweep {
    function setUp() public {
        deployExit();
    }

    function test_no_exits_start_from_another_header() public {
        addLeaf(1200, 0, 0, 30);
        fundLeaves(0, 0, 0);
        finalise();
        books.freeze();
        CheckpointTree.Node memory root = CheckpointTree.root(leaves);
        bytes memory input =
            abi.encodeCall(exit.start, (header, totals, CheckpointTree.sumsOf(root), root.hash));
        vm.assertEq(taken(address(0xbeef), address(exit), input), 0);
        vm.assertTrue(exit.checkpointRoot() != 0);
    }
}
