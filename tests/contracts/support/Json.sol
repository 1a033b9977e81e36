// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @dev Reads golden vectors: integers are decimal strings, bytes are 0x-prefixed hex.
library Json {
    struct File {
        string text;
        uint256 count; // as stated, and checked: neither fewer nor more cases
    }

    struct Case {
        string text;
        string path;
    }

    error WrongSchema(string actual, string expected);
    error WrongCount(uint256 stated);

    function open(string memory path, string memory schema)
        internal
        view
        returns (File memory file)
    {
        file.text = vm.readFile(path);
        string memory actual = vm.parseJsonString(file.text, ".schema");
        if (keccak256(bytes(actual)) != keccak256(bytes(schema))) {
            revert WrongSchema(actual, schema);
        }
        file.count = vm.parseUint(vm.parseJsonString(file.text, ".count"));
        bool last = file.count > 0 && vm.keyExistsJson(file.text, pathOf(file.count - 1));
        if (!last || vm.keyExistsJson(file.text, pathOf(file.count))) {
            revert WrongCount(file.count);
        }
    }

    function caseAt(File memory file, uint256 index) internal pure returns (Case memory) {
        return Case(file.text, pathOf(index));
    }

    function number(Case memory here, string memory key) internal pure returns (uint256) {
        return vm.parseUint(string_(here, key));
    }

    function signed(Case memory here, string memory key) internal pure returns (int256) {
        return vm.parseInt(string_(here, key));
    }

    function word(Case memory here, string memory key) internal pure returns (bytes32) {
        return vm.parseBytes32(string_(here, key));
    }

    function account(Case memory here, string memory key) internal pure returns (address) {
        return vm.parseAddress(string_(here, key));
    }

    function data(Case memory here, string memory key) internal pure returns (bytes memory) {
        return vm.parseBytes(string_(here, key));
    }

    function flag(Case memory here, string memory key) internal pure returns (bool) {
        return vm.parseJsonBool(here.text, string.concat(here.path, ".", key));
    }

    function words(Case memory here, string memory key)
        internal
        pure
        returns (bytes32[] memory list)
    {
        string[] memory texts = strings(here, key);
        list = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            list[i] = vm.parseBytes32(texts[i]);
        }
    }

    function integers(Case memory here, string memory key)
        internal
        pure
        returns (int256[] memory list)
    {
        string[] memory written = strings(here, key);
        list = new int256[](written.length);
        for (uint256 i = 0; i < written.length; ++i) {
            list[i] = vm.parseInt(written[i]);
        }
    }

    function strings(Case memory here, string memory key) internal pure returns (string[] memory) {
        return vm.parseJsonStringArray(here.text, string.concat(here.path, ".", key));
    }

    function string_(Case memory here, string memory key) internal pure returns (string memory) {
        return vm.parseJsonString(here.text, string.concat(here.path, ".", key));
    }

    function pathOf(uint256 index) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(index), "]");
    }
}
