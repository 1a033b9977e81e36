// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {IProofRouter} from "../interfaces/IProofRouter.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title ProofRouter
contract ProofRouter is IProofRouter, AccessControl {
    /// @inheritdoc IProofRouter
    mapping(uint8 kind => address) public verifierOf;

    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IProofRouter
    function register(uint8 kind, address verifier) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (verifier.code.length == 0) revert NotAContract(verifier);
        verifierOf[kind] = verifier;
        emit VerifierRegistered(kind, verifier);
    }

    /// @inheritdoc IProofRouter
    function requireValid(uint8 kind, bytes32 batchHash, bytes calldata proof) external view {
        address verifier = verifierOf[kind];
        if (verifier == address(0)) revert UnknownProofKind(kind);
        bool valid = IProofVerifier(verifier).verify(batchHash, proof);
        if (!valid) revert InvalidProof(kind, batchHash);
    }
}
