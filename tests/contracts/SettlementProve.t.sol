// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProofRouter} from "../../contracts/interfaces/IProofRouter.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BatchHeader, BatchStatus} from "../../contracts/types/Batch.sol";
import {SettlementRig} from "./support/SettlementRig.sol";
import {vm} from "./support/Vm.sol";

/// @dev Accepts the hash of the batch as the proof of it.
contract EchoVerifier is IProofVerifier {
    function verify(bytes32 batchHash, bytes calldata proof) external pure returns (bool) {
        return keccak256(proof) == keccak256(abi.encode(batchHash));
    }
}

/// @dev COMMITTED to PROVEN, and how long each class of proof waits.
contract SettlementProveTest is SettlementRig {
    uint8 private constant VALIDITY = 7;

    BatchHeader private header;
    uint256 private since;

    function setUp() public {
        deployRig();
        router.register(VALIDITY, address(new EchoVerifier()), true);
        header = nextHeader();
        commit(header);
        since = block.timestamp;
    }

    function commitValid() private {
        header = nextHeader();
        header.proofKind = VALIDITY;
        commit(header);
    }

    function settle(BatchHeader memory of_, bytes memory proof, bytes memory reason) private {
        if (reason.length != 0) vm.expectRevert(reason);
        settlement.finalise(of_, totals, sums(), EXIT_ROOT, proof);
    }

    function test_anyone_proves_an_open_batch() public {
        bytes memory proof = proofOf(hashOf(header));
        vm.expectEmit(address(settlement));
        emit ISettlement.BatchProven(1, hashOf(header), false);
        vm.prank(address(0xf00));
        settlement.prove(header, proof);
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.PROVEN);
        vm.assertEq(settlement.finalAfter(1), since + WINDOW);
    }

    function test_a_proven_batch_becomes_final_without_another_proof() public {
        settlement.prove(header, proofOf(hashOf(header)));
        vm.warp(since + WINDOW);
        settle(header, "", "");
        vm.assertTrue(settlement.statusOf(1) == BatchStatus.FINALIZED);
    }

    function test_a_batch_that_is_not_proven_does_not() public {
        vm.warp(since + WINDOW);
        vm.expectRevert(); // nothing is no list of signatures
        settlement.finalise(header, totals, sums(), EXIT_ROOT, "");
        vm.assertEq(settlement.finalised(), 0);
    }

    function test_a_batch_is_proven_once() public {
        bytes memory proof = proofOf(hashOf(header));
        settlement.prove(header, proof);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.AlreadyProven.selector, 1));
        settlement.prove(header, proof);
    }

    function test_another_header_is_not_proven() public {
        bytes32 committed = hashOf(header);
        header.stateRoot = keccak256("mine");
        bytes memory reason =
            abi.encodeWithSelector(ISettlement.WrongHeader.selector, 1, hashOf(header), committed);
        vm.expectRevert(reason);
        settlement.prove(header, "");
    }

    function test_a_wrong_proof_is_refused() public {
        bytes memory proof = proofOf(keccak256("another"));
        vm.expectRevert(
            abi.encodeWithSelector(IProofRouter.InvalidProof.selector, 0, hashOf(header))
        );
        settlement.prove(header, proof);
    }

    function test_only_an_open_batch_is_proven() public {
        vm.warp(since + WINDOW);
        finalise(header);
        bytes4 refusal = ISettlement.NotOpen.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 1, BatchStatus.FINALIZED));
        settlement.prove(header, "");
        header.batchNo = 2;
        vm.expectRevert(abi.encodeWithSelector(refusal, 2, BatchStatus.NONE));
        settlement.prove(header, "");
        header.batchNo = 0;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, BatchStatus.NONE));
        settlement.prove(header, "");
    }

    function test_a_validity_proof_waits_the_shorter_window() public {
        vm.warp(since + WINDOW);
        finalise(header);
        commitValid();
        uint256 until = block.timestamp + PROVEN_WINDOW;
        vm.assertEq(settlement.finalAfter(2), block.timestamp + WINDOW); // as long as it has none
        settlement.prove(header, abi.encode(hashOf(header)));
        vm.assertEq(settlement.finalAfter(2), until);
        vm.warp(until - 1);
        settle(
            header, "", abi.encodeWithSelector(ISettlement.WindowOpen.selector, until, until - 1)
        );
        vm.warp(until);
        settle(header, "", "");
    }

    function test_a_validity_proof_may_come_with_finality() public {
        vm.warp(since + WINDOW);
        finalise(header);
        commitValid();
        uint256 until = block.timestamp + PROVEN_WINDOW;
        bytes memory proof = abi.encode(hashOf(header));
        vm.warp(until - 1);
        settle(
            header, proof, abi.encodeWithSelector(ISettlement.WindowOpen.selector, until, until - 1)
        );
        vm.warp(until);
        settle(header, proof, "");
        vm.assertEq(settlement.finalised(), 2);
    }
}
