// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Output} from "../../contracts/types/Batch.sol";
import {vm} from "../contracts/support/Vm.sol";
import {OpenSettlement, SettlementTerms} from "./support/OpenSettlement.sol";
import {SymbolicCustody} from "./support/SymbolicCustody.sol";

/// @dev L-2: after a freeze an output of a final batch is paid in full, whatever the outflow caps
/// say and whoever brings it.
abstract contract EscapeClaim is SymbolicCustody, SettlementTerms {
    address private constant SETTLEMENT_AT = address(0x1000003);
    uint256 internal constant HELD = 1e15;

    OpenSettlement private _settlement;

    function setUp() public {
        deployCustody();
        OpenSettlement made = new OpenSettlement(terms(address(vault), address(books), COURT));
        vm.etch(SETTLEMENT_AT, address(made).code);
        _settlement = OpenSettlement(SETTLEMENT_AT);
        depositFor(ME, 0, HELD);
    }

    function settlementAt() internal pure override returns (address) {
        return SETTLEMENT_AT;
    }

    function claims(address caller, address owner, uint64 amount, uint64 floor) internal {
        vm.assume(owner != address(0) && owner != address(vault));
        Output memory output = Output(1, 2, owner, 0, amount);
        limits.setOutflow(floor, 0);
        BatchHeader memory header;
        (header.batchNo, header.outputRoot) = (1, keccak256(abi.encode(output)));
        _settlement.putFrozen(header);
        uint256 before = cash.balanceOf(owner);
        vm.prank(caller);
        (bool isDone,) = SETTLEMENT_AT.call(
            abi.encodeCall(_settlement.claim, (header, output, 0, new bytes32[](0)))
        );
        assert(isDone && cash.balanceOf(owner) - before == amount);
    }
}

contract EscapeClaimSymbolic is EscapeClaim {
    function check_a_claim_cannot_be_refused(
        address caller,
        address owner,
        uint64 amount,
        uint64 floor
    ) public {
        vm.assume(amount <= HELD);
        claims(caller, owner, amount, floor);
    }
}

/// @dev More than the books hold cannot be paid.
contract EscapeClaimPlanted is EscapeClaim {
    function check_a_claim_cannot_be_refused(
        address caller,
        address owner,
        uint64 amount,
        uint64 floor
    ) public {
        claims(caller, owner, amount, floor);
    }
}
