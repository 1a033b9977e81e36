// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../contracts/libraries/BatchHash.sol";
import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {ExitLeaf, ExitSums} from "../../contracts/types/Checkpoint.sol";
import {Json} from "./support/Json.sol";
import {vm} from "./support/Vm.sol";

/// @dev Leaves, paths and roots of checkpoints against the golden vectors of the ledger.
contract SumTreeVectorsTest {
    using Json for Json.Case;
    using Json for Json.File;

    function rootOf(ExitLeaf calldata leaf, bytes calldata path) external pure returns (bytes32) {
        return SumTree.rootOf(leaf, path);
    }

    function test_every_leaf_leads_to_the_root_of_its_checkpoint() public view {
        Json.File memory file = Json.open("tests/vectors/checkpoint.json", "plimsoll.checkpoint.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory c = file.caseAt(i);
            ExitLeaf memory leaf = ExitLeaf({
                account: uint32(c.number("account")),
                owner: c.account("owner"),
                subaccount: uint8(c.number("subaccount")),
                equityE6: uint128(c.number("equityE6")),
                owedE6: uint128(c.number("owedE6")),
                debtE6: uint128(c.number("debtE6")),
                collateralE8: _amounts(c, "collateralE8")
            });
            vm.assertEq(BatchHash.exitLeafHash(leaf), c.word("leafHash"));
            vm.assertEq(this.rootOf(leaf, c.data("path")), c.word("checkpointRoot"));
            vm.assertEq(
                BatchHash.checkpointRoot(c.word("rootHash"), _sums(c)), c.word("checkpointRoot")
            );
        }
    }

    function _sums(Json.Case memory c) private pure returns (ExitSums memory) {
        return ExitSums({
            equityE6: uint128(c.number("sumEquityE6")),
            owedE6: uint128(c.number("sumOwedE6")),
            debtE6: uint128(c.number("sumDebtE6")),
            collateralE8: _amounts(c, "sumCollateralE8")
        });
    }

    function _amounts(Json.Case memory c, string memory key)
        private
        pure
        returns (uint128[] memory amounts)
    {
        int256[] memory numbers = c.integers(key);
        amounts = new uint128[](numbers.length);
        for (uint256 i = 0; i < numbers.length; ++i) {
            amounts[i] = uint128(uint256(numbers[i]));
        }
    }
}
