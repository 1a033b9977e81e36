// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheatcodes that our tests use, and no others.
interface Vm {
    function assertEq(uint256 a, uint256 b) external pure;
    function assertEq(int256 a, int256 b) external pure;
    function assertLe(uint256 a, uint256 b) external pure;
    function assume(bool condition) external pure;
    function expectRevert(bytes calldata reason) external;
    function prank(address sender) external;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonStringArray(string calldata json, string calldata key)
        external
        pure
        returns (string[] memory);
    function keyExistsJson(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonString(string calldata json, string calldata key)
        external
        pure
        returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
    function parseInt(string calldata text) external pure returns (int256);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
