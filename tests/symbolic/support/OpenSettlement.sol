// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {BatchHash} from "../../../contracts/libraries/BatchHash.sol";
import {Settlement} from "../../../contracts/settlement/Settlement.sol";
import {BatchHeader} from "../../../contracts/types/Batch.sol";

/// @dev The real contract, in states that a signature would be needed to reach: Halmos knows none.
contract OpenSettlement is Settlement {
    constructor(Config memory config) Settlement(config) {}

    /// @dev Batch 1 is committed and open.
    function putOpen(BatchHeader calldata header, uint16 challenges) external {
        _chain.head = 1;
        _hashes[1] = BatchHash.givenHeaderHash(header);
        _openOf(1).committedAt = _now();
        _openOf(1).challenges = challenges;
    }

    /// @dev Batch 1 is final, and the venue frozen.
    function putFrozen(BatchHeader calldata header) external {
        (_chain.head, _chain.finalised, _chain.frozenAt) = (1, 1, _now());
        _hashes[1] = BatchHash.givenHeaderHash(header);
    }
}

abstract contract SettlementTerms {
    /// @dev One address stands for all that the calls in question never reach.
    function terms(address vault, address registry, address court)
        internal
        pure
        returns (ISettlement.Config memory)
    {
        address other = address(0x4000001);
        return ISettlement.Config({
            vault: vault,
            inbox: other,
            liquidationManager: other,
            riskParameters: other,
            insuranceFund: other,
            proofRouter: registry,
            registry: registry,
            court: court,
            provenWindow: 2 hours,
            attestedWindow: 1 days,
            maxExtension: 1 days,
            verifyWindow: 1 days,
            maxOpenBatches: 32,
            maxSkew: 60,
            maxLag: 1 days,
            forcedDeadline: 7 days,
            liveness: 3 days,
            repairTime: 3 days,
            engineHash: "engine"
        });
    }
}
