// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessVenue} from "./AccessVenue.sol";
import {vm} from "./Vm.sol";

/// @dev Cheatcodes that only these tests use.
interface VmState {
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool);
    function contains(string calldata text, string calldata part) external pure returns (bool);
}

VmState constant vmState = VmState(address(vm));

/// @dev The restricted functions of docs/ACCESS.md, as scripts/access_matrix.py holds them to the
/// ABIs, on a venue of real contracts.
contract AccessTable is AccessVenue {
    string private constant TABLE = "tests/vectors/access/matrix.json";

    struct Row {
        string name;
        address target;
        bytes4 selector;
        string roles; // ",one,two,"
        bytes refusals; // selectors, one after another
    }

    string[] internal callers;
    Row[] internal rows;

    function loadTable() internal {
        string memory table = vm.readFile(TABLE);
        callers = vm.parseJsonStringArray(table, ".callers");
        string[] memory contracts = vm.parseJsonStringArray(table, ".contracts");
        string[] memory functions = vm.parseJsonStringArray(table, ".functions");
        string[] memory selectors = vm.parseJsonStringArray(table, ".selectors");
        string[] memory roles = vm.parseJsonStringArray(table, ".roles");
        string[] memory refusals = vm.parseJsonStringArray(table, ".refusals");
        for (uint256 i = 0; i < contracts.length; ++i) {
            rows.push(
                Row({
                    name: functions[i],
                    target: contractOf(contracts[i]),
                    selector: bytes4(vm.parseBytes(selectors[i])),
                    roles: roles[i],
                    refusals: vm.parseBytes(refusals[i])
                })
            );
        }
    }

    function isOf(Row memory row, string memory role) internal pure returns (bool) {
        return vmState.contains(row.roles, string.concat(",", role, ","));
    }
}
