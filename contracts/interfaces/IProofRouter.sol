// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IProofRouter
/// @notice Sends a proof to the verifier of its kind. Kind 0 is attested.
interface IProofRouter {
    /// @notice No verifier is registered for this kind.
    error UnknownProofKind(uint8 kind);
    /// @notice The verifier said no.
    error InvalidProof(uint8 kind, bytes32 batchHash);
    /// @notice Not a contract, so it could not verify anything.
    error NotAContract(address verifier);

    event VerifierRegistered(uint8 indexed kind, address indexed verifier);

    /// @notice Sets the verifier of a kind; admin only.
    function register(uint8 kind, address verifier) external;

    /// @notice Reverts unless `proof` is valid for the batch.
    function requireValid(uint8 kind, bytes32 batchHash, bytes calldata proof) external view;

    /// @notice The verifier of a kind; zero if none.
    function verifierOf(uint8 kind) external view returns (address);
}
