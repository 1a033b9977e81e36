// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IProofRouter} from "../interfaces/IProofRouter.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";

/// @title ProofRouter
contract ProofRouter is IProofRouter, AccessControl {
    /// @dev One slot.
    struct Entry {
        address verifier;
        bool isValidity;
        uint64 retiresAt; // zero when it stays [s since 1970]
    }

    /// @inheritdoc IProofRouter
    uint64 public immutable retireDelay;

    address private immutable _first; // admin
    mapping(uint8 kind => Entry) private _entries;

    constructor(address admin, uint64 retireDelay_) {
        retireDelay = retireDelay_;
        _first = admin;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IProofRouter
    function register(uint8 kind, address verifier, bool isValidity_)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (verifier.code.length == 0) revert NotAContract(verifier);
        address taken = verifierOf(kind);
        if (taken != address(0)) revert KindTaken(kind, taken);
        _entries[kind] = Entry(verifier, isValidity_, 0);
        emit VerifierRegistered(kind, verifier, isValidity_);
    }

    /// @inheritdoc IProofRouter
    function retire(uint8 kind) external onlyRole(DEFAULT_ADMIN_ROLE) {
        address verifier = verifierOf(kind);
        if (verifier == address(0)) revert UnknownProofKind(kind);
        Entry storage entry = _entries[kind];
        if (entry.retiresAt != 0) revert AlreadyRetiring(kind, entry.retiresAt);
        entry.retiresAt = SafeCast.toUint64(block.timestamp + retireDelay);
        emit VerifierRetiring(kind, verifier, entry.retiresAt);
    }

    /// @inheritdoc IProofRouter
    function requireValid(uint8 kind, bytes32 batchHash, bytes calldata proof) external view {
        address verifier = verifierOf(kind);
        if (verifier == address(0)) revert UnknownProofKind(kind);
        try IProofVerifier(verifier).verify(batchHash, proof) returns (bool valid) {
            if (!valid) revert InvalidProof(kind, batchHash);
        } catch {
            revert InvalidProof(kind, batchHash);
        }
    }

    /// @inheritdoc IProofRouter
    function isValidity(uint8 kind) external view returns (bool) {
        return verifierOf(kind) != address(0) && _entries[kind].isValidity;
    }

    /// @inheritdoc IProofRouter
    function retiresAt(uint8 kind) external view returns (uint64) {
        return _entries[kind].retiresAt;
    }

    /// @inheritdoc AccessControl
    /// @dev Only who deployed this hands the role over. Whoever the timelock named would act without
    /// its delay, without an end, and after a freeze.
    function grantRole(bytes32 role, address account) public override {
        if (msg.sender != _first) revert AccessControlUnauthorizedAccount(msg.sender, role);
        super.grantRole(role, account);
    }

    /// @inheritdoc IProofRouter
    function verifierOf(uint8 kind) public view returns (address) {
        Entry memory entry = _entries[kind];
        // The few seconds that a validator may shift matter little to this delay.
        // forge-lint: disable-next-line(block-timestamp)
        bool isRetired = entry.retiresAt != 0 && block.timestamp >= entry.retiresAt;
        return isRetired ? address(0) : entry.verifier;
    }
}
