// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInsuranceFund} from "../../../../contracts/interfaces/IInsuranceFund.sol";
import {IOracleHub} from "../../../../contracts/interfaces/IOracleHub.sol";
import {IRiskParameters} from "../../../../contracts/interfaces/IRiskParameters.sol";
import {ISettlement} from "../../../../contracts/interfaces/ISettlement.sol";
import {Margin} from "../../../../contracts/libraries/Margin.sol";
import {LiquidationManager} from "../../../../contracts/liquidation/LiquidationManager.sol";
import {BatchHeader} from "../../../../contracts/types/Batch.sol";
import {Instruction, LiquidationWitness, Terms} from "../../../../contracts/types/Liquidation.sol";

/// @dev One thing wrong in the verification of a liquidation.
enum Bug {
    NONE,
    ANY_REPORT, // INV-6
    JUMPED_REPORT, // INV-6
    ANY_MARGIN, // INV-8
    AT_THE_TRIGGER, // INV-8
    LATER_TRIGGER, // INV-8
    EARLIER_TRIGGER // INV-8: refuses what is liquidatable
}

/// @dev The manager with a bug.
contract PlantedManager is LiquidationManager {
    Bug private immutable _bug;

    constructor(
        Bug bug,
        ISettlement settlement_,
        IOracleHub oracleHub_,
        IRiskParameters riskParameters_,
        IInsuranceFund insuranceFund_
    ) LiquidationManager(settlement_, oracleHub_, riskParameters_, insuranceFund_) {
        _bug = bug;
    }

    function _checkEpoch(
        BatchHeader calldata header,
        Instruction calldata instruction,
        LiquidationWitness calldata witness
    ) internal view override {
        if (_bug == Bug.ANY_REPORT) return;
        bool hasJumped = oracleHub.jumpedAt(witness.epoch.reportHash) != 0;
        if (_bug == Bug.JUMPED_REPORT && hasJumped) return;
        super._checkEpoch(header, instruction, witness);
    }

    function _checkMargin(
        Instruction calldata instruction,
        LiquidationWitness calldata witness,
        Terms memory terms
    ) internal pure override returns (int256 balanceE6, uint256 maintenanceE6) {
        Bug bug = _planted();
        if (bug == Bug.ANY_MARGIN) return (0, 0);
        if (bug == Bug.LATER_TRIGGER) terms.fullTriggerE6 += 1;
        if (bug == Bug.EARLIER_TRIGGER) terms.partialTriggerE6 -= 1;
        if (bug != Bug.AT_THE_TRIGGER) return super._checkMargin(instruction, witness, terms);
        (balanceE6, maintenanceE6) = Margin.ofAccount(
            witness.leaf, witness.columns, witness.collateral, witness.curves, terms
        );
        uint32 trigger = instruction.tier == 1 ? terms.partialTriggerE6 : terms.fullTriggerE6;
        bool isLow = Margin.isBelow(balanceE6 - 1, maintenanceE6, trigger);
        require(isLow, NotLiquidatable(balanceE6, maintenanceE6, trigger));
    }

    /// @dev An immutable is part of the code.
    function _planted() private pure returns (Bug bug) {
        function() view returns (Bug) read = _read;
        function() pure returns (Bug) asPure;
        assembly ("memory-safe") {
            asPure := read
        }
        return asPure();
    }

    function _read() private view returns (Bug) {
        return _bug;
    }
}
