// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IProofRouter
/// @notice Sends a proof to the verifier of its kind. Kind 0 is attested.
/// @dev A kind is never replaced in place: its verifier retires after a delay, longer than any
/// batch stays open, and only then is the kind free again.
interface IProofRouter {
    /// @notice No verifier is registered for this kind, or it has retired.
    error UnknownProofKind(uint8 kind);
    /// @notice The verifier said no, or could not read the proof.
    error InvalidProof(uint8 kind, bytes32 batchHash);
    /// @notice Not a contract, so it could not verify anything.
    error NotAContract(address verifier);
    /// @notice The kind has a verifier, which must retire first.
    error KindTaken(uint8 kind, address verifier);
    /// @notice The verifier retires already. [s since 1970]
    error AlreadyRetiring(uint8 kind, uint64 time);

    event VerifierRegistered(uint8 indexed kind, address indexed verifier, bool isValidity);
    /// @param time From when on the kind is unknown. [s since 1970]
    event VerifierRetiring(uint8 indexed kind, address indexed verifier, uint64 time);

    /// @notice Sets the verifier of a free kind; admin only.
    /// @param isValidity_ Whether its proofs show that the batch follows the rules; else somebody
    /// says so, and the batch waits the longer window.
    function register(uint8 kind, address verifier, bool isValidity_) external;

    /// @notice Begins the retirement of the verifier of a kind; admin only.
    function retire(uint8 kind) external;

    /// @notice Reverts unless `proof` is valid for the batch.
    function requireValid(uint8 kind, bytes32 batchHash, bytes calldata proof) external view;

    /// @notice The verifier of a kind; zero if none.
    function verifierOf(uint8 kind) external view returns (address);

    /// @notice Whether the proofs of a kind are validity proofs; false for an unknown one.
    function isValidity(uint8 kind) external view returns (bool);

    /// @notice When the verifier of a kind retires; zero if it does not. [s since 1970]
    function retiresAt(uint8 kind) external view returns (uint64);

    /// @notice How long a retirement takes. [s]
    function retireDelay() external view returns (uint64);
}
