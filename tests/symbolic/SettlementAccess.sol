// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Court} from "../../contracts/challenge/Court.sol";
import {ICourt} from "../../contracts/interfaces/ICourt.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../contracts/oracle/OracleHub.sol";
import {BatchHeader} from "../../contracts/types/Batch.sol";
import {Action, FeedLimit, Grace, UseRule} from "../../contracts/types/OracleUse.sol";
import {vm} from "../contracts/support/Vm.sol";
import {OpenSettlement, SettlementTerms} from "./support/OpenSettlement.sol";
import {Restricted} from "./support/Restricted.sol";

/// @dev Says who orders batches.
contract OneSequencer {
    address public constant SEQUENCER = address(0x2000005);

    function current() external pure returns (address, uint64, bool) {
        return (SEQUENCER, 1, true);
    }

    function unstakeDelay() external pure returns (uint64) {
        return 3 days;
    }

    function retireDelay() external pure returns (uint64) {
        return 3 days;
    }
}

/// @dev Who may drop or stop a batch, name a judge, or say what a price is good for.
contract SettlementAccessSymbolic is SettlementTerms, Restricted {
    address internal constant SEQUENCER = address(0x2000005);
    address internal constant COURT = address(0x2000003);
    address internal constant GOVERNOR = address(0x2000001);

    OpenSettlement internal settlement;
    Court internal court;
    OracleHub internal hub;

    function setUp() public {
        vm.warp(1_800_000_000);
        address registry = address(new OneSequencer());
        settlement = new OpenSettlement(terms(address(this), registry, COURT));
        court = new Court(
            ICourt.Config(
                address(this), address(settlement), registry, address(this), GOVERNOR, 1e9, 1 hours
            ),
            new uint8[](0),
            new address[](0)
        );
        IOracleHub.Limits memory limits_ = IOracleHub.Limits(2, 50_000, 60e9, 1e9);
        hub = new OracleHub(GOVERNOR, limits_, Grace(3, 60), trio(1), 3);
    }

    function check_Settlement_rollback(address caller, bytes32 stateRoot, uint64 time) public {
        BatchHeader memory made = headerOf(stateRoot, time);
        settlement.putOpen(made, 0);
        onlyFor(SEQUENCER, caller, address(settlement), abi.encodeCall(settlement.rollback, (made)));
    }

    function check_Settlement_beginChallenge(
        address caller,
        uint64 batchNo,
        bytes32 stateRoot,
        uint64 time
    ) public {
        BatchHeader memory made = headerOf(stateRoot, time);
        settlement.putOpen(made, 0);
        onlyFor(
            COURT,
            caller,
            address(settlement),
            abi.encodeCall(settlement.beginChallenge, (batchNo, settlement.batchHashOf(1)))
        );
    }

    function check_Settlement_endChallenge(
        address caller,
        uint64 batchNo,
        bytes32 batchHash,
        uint64 spent
    ) public {
        settlement.putOpen(headerOf("state", 1), 1);
        onlyFor(
            COURT,
            caller,
            address(settlement),
            abi.encodeCall(settlement.endChallenge, (batchNo, batchHash, spent))
        );
    }

    function check_Settlement_revertChallenged(address caller, bytes32 stateRoot, uint64 time)
        public
    {
        BatchHeader memory made = headerOf(stateRoot, time);
        settlement.putOpen(made, 1);
        onlyFor(
            COURT, caller, address(settlement), abi.encodeCall(settlement.revertChallenged, (made))
        );
    }

    function check_Court_registerJudge(address caller, uint8 kind) public {
        onlyFor(
            GOVERNOR,
            caller,
            address(court),
            abi.encodeCall(court.registerJudge, (kind, address(settlement)))
        );
    }

    /// @dev Addresses in order are what any set of signers is; which ones does not matter to who asks.
    function check_OracleHub_replaceSigners(address caller, uint8 quorum) public {
        toHub(caller, abi.encodeCall(hub.replaceSigners, (trio(4), quorum)));
    }

    function check_OracleHub_setGrace(address caller, uint8 reports, uint32 length) public {
        toHub(caller, abi.encodeCall(hub.setGrace, (Grace(reports, length))));
    }

    function check_OracleHub_setUseRule(address caller, uint64 maxAge, uint16 dispersion) public {
        UseRule memory rule = UseRule(maxAge, dispersion, true, true, dispersion);
        toHub(caller, abi.encodeCall(hub.setUseRule, (Action.LIQUIDATE, rule)));
    }

    function check_OracleHub_setFeedLimit(address caller, uint64 heartbeat, uint32 band) public {
        toHub(caller, abi.encodeCall(hub.setFeedLimit, (1, FeedLimit(heartbeat, band))));
    }

    function toHub(address caller, bytes memory data) private {
        onlyFor(GOVERNOR, caller, address(hub), data);
    }

    function headerOf(bytes32 stateRoot, uint64 time)
        private
        pure
        returns (BatchHeader memory made)
    {
        (made.batchNo, made.prevStateRoot, made.timeEnd) = (1, stateRoot, time);
    }

    function trio(uint160 from) private pure returns (address[] memory list) {
        list = new address[](3);
        for (uint160 i = 0; i < 3; ++i) {
            list[i] = address(from + i);
        }
    }
}

contract SettlementAccessPlanted is SettlementAccessSymbolic {
    function isAllowed(address, address, address) internal pure override returns (bool) {
        return false;
    }
}
