// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevToken} from "../../contracts/devnet/DevToken.sol";
import {vm} from "./support/Vm.sol";

contract DevTokenTest {
    function test_anyone_mints_with_the_chosen_decimals() public {
        DevToken token = new DevToken("Test dollar", "tUSD", 6);
        vm.prank(address(0xb0b));
        token.mint(address(0xa11ce), 7);
        vm.assertEq(token.balanceOf(address(0xa11ce)), 7);
        vm.assertEq(token.decimals(), 6);
    }

    function test_it_refuses_any_other_chain() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(DevToken.NotADevelopmentChain.selector, 1));
        new DevToken("Test dollar", "tUSD", 6);
    }
}
