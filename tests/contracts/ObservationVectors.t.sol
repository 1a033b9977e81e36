// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Observations} from "../../contracts/libraries/Observations.sol";
import {Json} from "./support/Json.sol";
import {vm} from "./support/Vm.sol";

/// @dev Medians and brackets against the golden vectors of `core.oracle`, and against the rule
/// written out slowly for every number of signers that a hub takes: O-3, O-8.
contract ObservationVectorsTest {
    using Json for Json.Case;
    using Json for Json.File;

    function summarise(bytes[] calldata vectors, uint256 feeds)
        external
        pure
        returns (Observations.Summary memory)
    {
        return Observations.summarise(vectors, feeds);
    }

    function structHash(uint64 round, uint64 observedAt, bytes calldata vector)
        external
        pure
        returns (bytes32)
    {
        return Observations.structHash(round, observedAt, vector);
    }

    function test_every_report_has_the_brackets_of_its_vector() public view {
        Json.File memory file =
            Json.open("tests/vectors/observations.json", "plimsoll.observations.v1");
        for (uint256 i = 0; i < file.count; ++i) {
            Json.Case memory c = file.caseAt(i);
            (uint256 signers, uint256 feeds) = (c.number("signers"), c.number("feeds"));
            bytes[] memory vectors = split(c.data("vectors"), signers);
            Observations.Summary memory seen = this.summarise(vectors, feeds);
            vm.assertEq(keccak256(seen.medians), keccak256(c.data("medians")));
            vm.assertEq(keccak256(seen.lows), keccak256(c.data("lows")));
            vm.assertEq(keccak256(seen.highs), keccak256(c.data("highs")));
            vm.assertEq(keccak256(rangesOf(seen.shares)), keccak256(c.data("ranges")));
            bytes32 hash = this.structHash(
                uint64(c.number("round")), uint64(c.number("observedAt")), vectors[0]
            );
            vm.assertEq(hash, c.word("structHash"));
        }
    }

    function testFuzz_the_range_is_that_of_the_median_spans_for_any_number_of_signers(
        uint256 seed,
        uint8 count,
        uint8 kind
    ) public view {
        uint256 signers = uint256(count) % 32 + 1;
        bytes[] memory vectors = new bytes[](signers);
        uint256[] memory downs = new uint256[](signers);
        uint256[] memory ups = new uint256[](signers);
        for (uint256 i = 0; i < signers; ++i) {
            (downs[i], ups[i]) = (spanOf(seed, i, kind), spanOf(~seed, i, kind));
            vectors[i] = abi.encodePacked(int64(1e8), uint16(downs[i]), uint16(ups[i]));
        }
        Observations.Summary memory seen = this.summarise(vectors, 1);
        (uint256 down, uint256 up) = (middleOf(downs), middleOf(ups));
        uint256 sum = down + up;
        vm.assertEq(uint16(bytes2(rangesOf(seen.shares))), sum < 65_535 ? sum : 65_535);
        vm.assertEq(uint64(bytes8(seen.lows)), down == 65_535 ? 0 : 1000 * (100_000 - down));
        uint256 high = up == 65_535 ? uint64(type(int64).max) : 1000 * (100_000 + up);
        vm.assertEq(uint64(bytes8(seen.highs)), high);
    }

    /// @dev Any, few different, or at the ends.
    function spanOf(uint256 seed, uint256 signer, uint8 kind) private pure returns (uint256) {
        uint256 any = uint256(keccak256(abi.encode(seed, signer)));
        if (kind % 3 == 0) return any >> 240;
        if (kind % 3 == 1) return any % 3;
        return any % 2 == 0 ? 65_535 - any % 4 / 2 : 0;
    }

    /// @dev The least that at least (k + 1) / 2 do not exceed.
    function middleOf(uint256[] memory list) private pure returns (uint256 least) {
        least = type(uint256).max;
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 reached = 0;
            for (uint256 j = 0; j < list.length; ++j) {
                if (list[j] <= list[i]) ++reached;
            }
            if (reached >= (list.length + 1) / 2 && list[i] < least) least = list[i];
        }
    }

    /// @dev The later two of each four bytes.
    function rangesOf(bytes memory shares) private pure returns (bytes memory ranges) {
        ranges = new bytes(shares.length / 2);
        for (uint256 i = 0; i < ranges.length; ++i) {
            ranges[i] = shares[i / 2 * 4 + 2 + i % 2];
        }
    }

    function split(bytes memory packed, uint256 parts) private pure returns (bytes[] memory list) {
        list = new bytes[](parts);
        uint256 size = packed.length / parts;
        for (uint256 i = 0; i < parts; ++i) {
            list[i] = new bytes(size);
            for (uint256 j = 0; j < size; ++j) {
                list[i][j] = packed[i * size + j];
            }
        }
    }
}
