// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AttestedVerifier} from "../../contracts/proof/AttestedVerifier.sol";
import {vm} from "./support/Vm.sol";

/// @dev C-9 and C-10: what an attestation covers, and its one accepted form.
contract AttestedVerifierTest {
    uint256 private constant CURVE_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant BATCH = keccak256("batch");

    uint256[] private keys; // in the order of their addresses
    AttestedVerifier private verifier;

    function setUp() public {
        keys = [uint256(11), 22, 33];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (vm.addr(keys[j]) < vm.addr(keys[i])) {
                    (keys[i], keys[j]) = (keys[j], keys[i]);
                }
            }
        }
        verifier = new AttestedVerifier(attestors(), 2);
    }

    function attestors() private view returns (address[] memory list) {
        list = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = vm.addr(keys[i]);
        }
    }

    function sign(uint256 key, bytes32 batchHash) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, verifier.attestationDigest(batchHash));
        return abi.encodePacked(r, s, v);
    }

    function proof(uint256 first, uint256 second) private view returns (bytes memory) {
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = sign(first, BATCH);
        signatures[1] = sign(second, BATCH);
        return abi.encode(signatures);
    }

    function test_the_threshold_of_attestors_suffices() public view {
        vm.assertTrue(verifier.verify(BATCH, proof(keys[0], keys[1])));
        vm.assertTrue(verifier.verify(BATCH, proof(keys[0], keys[2])));
        vm.assertTrue(verifier.verify(BATCH, proof(keys[1], keys[2])));
    }

    function test_more_than_the_threshold_is_no_harm() public view {
        bytes[] memory signatures = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            signatures[i] = sign(keys[i], BATCH);
        }
        vm.assertTrue(verifier.verify(BATCH, abi.encode(signatures)));
    }

    function test_fewer_than_the_threshold_are_refused() public view {
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = sign(keys[0], BATCH);
        vm.assertFalse(verifier.verify(BATCH, abi.encode(signatures)));
        vm.assertFalse(verifier.verify(BATCH, abi.encode(new bytes[](0))));
    }

    function test_one_attestor_counts_once() public view {
        vm.assertFalse(verifier.verify(BATCH, proof(keys[0], keys[0])));
    }

    function test_signers_must_ascend() public view {
        vm.assertFalse(verifier.verify(BATCH, proof(keys[1], keys[0])));
    }

    function testFuzz_a_stranger_is_refused(uint128 key) public view {
        vm.assume(key > 33);
        vm.assertFalse(verifier.verify(BATCH, proof(keys[0], key)));
        vm.assertFalse(verifier.verify(BATCH, proof(key, keys[2])));
    }

    function testFuzz_an_attestation_is_for_one_batch(bytes32 other) public view {
        vm.assume(other != BATCH);
        vm.assertFalse(verifier.verify(other, proof(keys[0], keys[1])));
    }

    function test_an_attestation_for_another_contract_or_chain_is_refused() public {
        bytes memory elsewhere = proof(keys[0], keys[1]);
        AttestedVerifier twin = new AttestedVerifier(attestors(), 2);
        vm.assertFalse(twin.verify(BATCH, elsewhere));
        vm.chainId(1);
        vm.assertFalse(verifier.verify(BATCH, elsewhere));
    }

    function test_malformed_and_mirrored_signatures_are_refused() public view {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[1], verifier.attestationDigest(BATCH));
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = sign(keys[0], BATCH);
        signatures[1] = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), uint8(v ^ 7));
        vm.assertFalse(verifier.verify(BATCH, abi.encode(signatures)));
        signatures[1] = abi.encodePacked(r, s);
        vm.assertFalse(verifier.verify(BATCH, abi.encode(signatures)));
        signatures[1] = abi.encodePacked(r, s, v, uint8(0));
        vm.assertFalse(verifier.verify(BATCH, abi.encode(signatures)));
        signatures[1] = abi.encodePacked(r, s, v);
        vm.assertTrue(verifier.verify(BATCH, abi.encode(signatures)));
    }

    function test_bytes_that_are_no_proof_are_refused() public {
        vm.expectRevert();
        verifier.verify(BATCH, "garbage");
    }

    function test_impossible_thresholds_are_refused() public {
        bytes4 refusal = AttestedVerifier.InvalidThreshold.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, 0, 3));
        new AttestedVerifier(attestors(), 0);
        vm.expectRevert(abi.encodeWithSelector(refusal, 4, 3));
        new AttestedVerifier(attestors(), 4);
    }

    function test_attestors_must_ascend_and_exist() public {
        bytes4 refusal = AttestedVerifier.AttestorsNotAscending.selector;
        address[] memory list = attestors();
        list[1] = list[0];
        vm.expectRevert(abi.encodeWithSelector(refusal, list[0], list[0]));
        new AttestedVerifier(list, 2);
        list[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(refusal, address(0), address(0)));
        new AttestedVerifier(list, 2);
    }
}
