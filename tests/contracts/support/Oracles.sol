// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../../contracts/interfaces/IOracleHub.sol";
import {OracleHub} from "../../../contracts/oracle/OracleHub.sol";
import {Grace} from "../../../contracts/types/OracleUse.sol";
import {vm} from "./Vm.sol";

/// @dev Seven oracle keys, of which five make a quorum, and what they sign.
abstract contract Oracles {
    uint256 internal constant ORACLES = 7;
    uint8 internal constant QUORUM = 5;
    uint32 internal constant BAND_E6 = 50_000;
    uint64 internal constant HEARTBEAT_NS = 60e9;
    uint64 internal constant MAX_SKEW_NS = 5e9;
    uint256 internal constant START = 1_760_000_000;

    bytes32 internal constant OBSERVATION =
        keccak256("Observation(uint64 round,uint64 observedAt,bytes values,bytes spans)");

    OracleHub internal hub;
    uint256[] internal oracleKeys;

    function deployHub(uint16 feeds) internal {
        vm.warp(START);
        sortKeys(ORACLES);
        hub = new OracleHub(
            address(this),
            IOracleHub.Limits(feeds, BAND_E6, HEARTBEAT_NS, MAX_SKEW_NS),
            startingGrace(),
            addresses(ORACLES),
            QUORUM
        );
    }

    /// @dev What a hub of the tests begins with: three reports, and a heartbeat.
    function startingGrace() internal pure returns (Grace memory) {
        return Grace(3, uint32(HEARTBEAT_NS / 1e9));
    }

    /// @dev Keys ascending by address, as signatures must be.
    function sortKeys(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            oracleKeys.push(uint256(keccak256(abi.encode("oracle", i))) >> 8);
            for (uint256 j = i; j > 0 && oracleAt(j) < oracleAt(j - 1); --j) {
                (oracleKeys[j], oracleKeys[j - 1]) = (oracleKeys[j - 1], oracleKeys[j]);
            }
        }
    }

    function oracleAt(uint256 index) internal view returns (address) {
        return vm.addr(oracleKeys[index]);
    }

    function addresses(uint256 count) internal view returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = oracleAt(i);
        }
    }

    /// @dev Of a vector: eight bytes of twelve are its values, the others its spans.
    function digest(uint64 round, uint64 observedAt, bytes memory vector)
        internal
        view
        returns (bytes32)
    {
        uint256 cut = vector.length / 12 * 8;
        bytes memory values = new bytes(cut);
        bytes memory spans = new bytes(vector.length - cut);
        for (uint256 i = 0; i < vector.length; ++i) {
            if (i < cut) values[i] = vector[i];
            else spans[i - cut] = vector[i];
        }
        bytes32 hash = keccak256(
            abi.encode(OBSERVATION, round, observedAt, keccak256(values), keccak256(spans))
        );
        return keccak256(abi.encodePacked(hex"1901", hub.domainSeparator(), hash));
    }

    function sign(uint256 oracle, uint64 round, uint64 observedAt, bytes memory values)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(oracleKeys[oracle], digest(round, observedAt, values));
        return abi.encodePacked(r, s, v);
    }

    function signAll(uint64 round, uint64 observedAt, bytes[] memory values)
        internal
        view
        returns (bytes[] memory signatures)
    {
        signatures = new bytes[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            signatures[i] = sign(i, round, observedAt, values[i]);
        }
    }

    /// @dev All of a quorum report the same values.
    function report(uint64 round, uint64 observedAt, int64[] memory medians)
        internal
        returns (bool accepted)
    {
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            values[i] = still(pack(medians));
        }
        return hub.submit(round, observedAt, values, signAll(round, observedAt, values));
    }

    function pack(int64[] memory values) internal pure returns (bytes memory packed) {
        for (uint256 i = 0; i < values.length; ++i) {
            packed = abi.encodePacked(packed, values[i]);
        }
    }

    /// @dev The vector of a signer whose sources did not move.
    function still(bytes memory values) internal pure returns (bytes memory) {
        return bytes.concat(values, new bytes(values.length / 2));
    }

    /// @dev The vector of a signer whose sources went so far from every value.
    function moved(bytes memory values, uint16 downE5, uint16 upE5)
        internal
        pure
        returns (bytes memory vector)
    {
        vector = values;
        for (uint256 i = 0; i < values.length / 8; ++i) {
            vector = abi.encodePacked(vector, downE5, upE5);
        }
    }

    /// @dev One oracle's vector, or one report, over a single feed.
    function single(int64 value) internal pure returns (int64[] memory values) {
        values = new int64[](1);
        values[0] = value;
    }

    /// @dev A quorum that agrees on one value of a single feed.
    function quorumOf(uint64 round, uint64 observedAt, int64 value)
        internal
        view
        returns (bytes[] memory values, bytes[] memory signatures)
    {
        values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            values[i] = still(abi.encodePacked(value));
        }
        signatures = signAll(round, observedAt, values);
    }
}
