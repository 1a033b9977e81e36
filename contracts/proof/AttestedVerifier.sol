// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title AttestedVerifier
/// @notice Accepts a batch that a threshold of attestors replayed and signed.
/// @dev The set is fixed: another set is another verifier, registered in the router. The proof is
/// abi.encode(bytes[] signatures), signers strictly ascending, so that none counts twice.
contract AttestedVerifier is IProofVerifier, EIP712 {
    /// @notice Nobody, or more attestors than there are, would have to sign.
    error InvalidThreshold(uint256 threshold, uint256 attestors);
    /// @notice Attestors must ascend and none may be zero.
    error AttestorsNotAscending(address previous, address attestor);

    bytes32 private constant ATTESTATION_TYPEHASH = keccak256("Attestation(bytes32 batchHash)");

    uint256 public immutable threshold;
    uint256 public immutable attestorCount;
    mapping(address attestor => bool) public isAttestor;

    constructor(address[] memory attestors, uint256 threshold_) EIP712("Plimsoll", "1") {
        if (threshold_ == 0 || threshold_ > attestors.length) {
            revert InvalidThreshold(threshold_, attestors.length);
        }
        address previous = address(0);
        for (uint256 i = 0; i < attestors.length; ++i) {
            if (attestors[i] <= previous) revert AttestorsNotAscending(previous, attestors[i]);
            previous = attestors[i];
            isAttestor[previous] = true;
        }
        threshold = threshold_;
        attestorCount = attestors.length;
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 batchHash, bytes calldata proof) external view returns (bool) {
        bytes[] memory signatures = abi.decode(proof, (bytes[]));
        if (signatures.length < threshold) return false;
        bytes32 digest = attestationDigest(batchHash);
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            (address signer,,) = ECDSA.tryRecover(digest, signatures[i]);
            if (signer <= previous || !isAttestor[signer]) return false;
            previous = signer;
        }
        return true;
    }

    /// @notice What an attestor signs for a batch.
    function attestationDigest(bytes32 batchHash) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ATTESTATION_TYPEHASH, batchHash)));
    }
}
