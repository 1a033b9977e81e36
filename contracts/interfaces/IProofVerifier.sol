// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IProofVerifier
/// @notice One kind of proof that a batch is right.
interface IProofVerifier {
    /// @notice Whether `proof` shows that the batch with this hash is right.
    function verify(bytes32 batchHash, bytes calldata proof) external view returns (bool);
}
