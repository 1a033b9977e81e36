// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {Action, Grace, UseRule} from "../../contracts/types/OracleUse.sol";
import {vm} from "../contracts/support/Vm.sol";
import {solver} from "./support/Restricted.sol";

/// @dev O-1, O-3, O-4: no call of any function by anybody but the governor changes whom the hub believes or
/// what its prices are good for, named or not in the table of roles.
/// Reports that a quorum signed are not among these calls: Halmos knows no signature, and tries lists
/// shorter than a quorum.
abstract contract HubTerms {
    address internal constant GOVERNOR = address(0x2000001);

    OracleHub private _hub;

    function setUp() public {
        vm.warp(1_800_000_000);
        address[] memory trio = new address[](3);
        (trio[0], trio[1], trio[2]) = (address(1), address(2), address(3));
        IOracleHub.Limits memory limits = IOracleHub.Limits(2, 50_000, 60e9, 1e9);
        _hub = new OracleHub(GOVERNOR, limits, Grace(3, 60), trio, 3);
    }

    function changes(address caller) internal {
        vm.assume(!isExcluded(caller));
        (bytes32 signers, bytes32 rules) = (signersNow(), rulesNow());
        bytes memory data = anyCall(_hub);
        vm.prank(caller);
        (bool isDone,) = address(_hub).call(data);
        if (!isDone) return;
        assert(signersNow() == signers);
        assert(rulesNow() == rules);
    }

    function anyCall(OracleHub) internal virtual returns (bytes memory) {
        return solver.createCalldata("OracleHub");
    }

    function isExcluded(address caller) internal pure virtual returns (bool) {
        return caller == GOVERNOR;
    }

    function signersNow() private view returns (bytes32) {
        return
            keccak256(
                abi.encode(_hub.signers(), _hub.quorum(), _hub.signerEpoch(), _hub.governor())
            );
    }

    function rulesNow() private view returns (bytes32) {
        UseRule[4] memory rules;
        for (uint256 i = 0; i < 4; ++i) {
            rules[i] = _hub.useRule(Action(i));
        }
        return keccak256(abi.encode(rules, _hub.feedLimit(0), _hub.feedLimit(1), _hub.grace()));
    }
}

contract HubTermsSymbolic is HubTerms {
    function check_nobody_else_changes_the_terms(address caller) public {
        changes(caller);
    }
}

/// @dev With the governor among the callers the grace does change. Not any call: a feed that stands
/// for all others is a place in storage that Halmos cannot write to.
contract HubTermsPlanted is HubTermsSymbolic {
    function isExcluded(address) internal pure override returns (bool) {
        return false;
    }

    function anyCall(OracleHub hub) internal pure override returns (bytes memory) {
        return abi.encodeCall(hub.setGrace, (Grace(4, 60)));
    }
}
