// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "../../contracts/support/Vm.sol";

/// @dev What Halmos makes for us: calls of a contract with arguments that stand for all others.
interface Solver {
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
}

Solver constant solver = Solver(address(uint160(uint256(keccak256("svm cheat code")))));

/// @dev A restricted function, called by anybody. Whoever gets through must hold one of its roles.
/// Contracts `..Planted` hold that nobody does: each of their checks must find a counterexample,
/// or the call could never have succeeded and its check had shown nothing.
abstract contract Restricted {
    function onlyFor(address holder, address caller, address target, bytes memory data) internal {
        onlyFor(holder, holder, caller, target, data);
    }

    function onlyFor(
        address holder,
        address other,
        address caller,
        address target,
        bytes memory data
    ) internal {
        vm.prank(caller);
        (bool isDone,) = target.call(data);
        if (isDone) assert(isAllowed(caller, holder, other));
    }

    function isAllowed(address caller, address holder, address other)
        internal
        pure
        virtual
        returns (bool)
    {
        return caller == holder || caller == other;
    }
}
