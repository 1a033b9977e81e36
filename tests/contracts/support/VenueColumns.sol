// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The packed numbers from which liquidations of the test venue are judged.
abstract contract VenueColumns {
    uint256 internal constant SLOTS = 30;
    int64 internal constant BTC_E8 = 110_000e8;

    /// @dev Tier curves as long as those of the preset: five, seven and four lines.
    function curves() internal pure returns (bytes memory) {
        bytes memory one = bytes.concat(deltaCurve(), unwindCurve(), linearCurve());
        return bytes.concat(one, one);
    }

    function deltaCurve() private pure returns (bytes memory packed) {
        packed = bytes.concat(bytes1(0x05), line(0, 0), line(10_000, 200e15));
        packed = bytes.concat(packed, line(25_000, 950e15), line(50_000, 3450e15));
        packed = bytes.concat(packed, line(100_000, 15_950e15));
    }

    function unwindCurve() private pure returns (bytes memory packed) {
        packed = bytes.concat(bytes1(0x07), line(1e6, 0), line(2e6, 10e15));
        packed = bytes.concat(packed, line(4e6, 150e15), line(6e6, 490e15), line(8e6, 1090e15));
        packed = bytes.concat(packed, line(10e6, 2030e15), line(12e6, 3430e15));
    }

    function linearCurve() private pure returns (bytes memory packed) {
        packed = bytes.concat(bytes1(0x04), line(5000, 0), line(10_000, 25e15));
        packed = bytes.concat(packed, line(25_000, 325e15), line(50_000, 2825e15));
    }

    function line(uint32 rateE6, uint96 deductionE12) internal pure returns (bytes memory) {
        return abi.encodePacked(rateE6, deductionE12);
    }

    /// @dev Two assets with three brackets each; the first is credited at 85 % of the index.
    function collateralColumn() internal pure returns (bytes memory) {
        uint64 price = uint64(BTC_E8) * 85 / 100;
        bytes memory first = abi.encodePacked(
            uint64(20e8), price, uint64(100e8), price * 8 / 10, uint64(500e8), price / 2
        );
        bytes memory second = abi.encodePacked(
            uint64(500e8), uint64(3400e8), uint64(2500e8), uint64(2700e8), uint64(12_500e8)
        );
        return bytes.concat(first, bytes16(0), second, bytes8(uint64(1700e8)), bytes16(0));
    }

    /// @dev Long lots have a positive delta in even slots; four expiries take turns.
    function chargeColumn(uint256 underlying) internal pure returns (bytes memory packed) {
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            int32 delta = int32(int256(79e6 + underlying * 1e6 + slot * 1313));
            if (slot % 2 == 1) delta = -delta;
            packed = abi.encodePacked(
                packed,
                abi.encodePacked(delta, delta / 100, uint32(24_001 + slot), uint32(264_003 + slot)),
                abi.encodePacked(uint32(40_007), uint8(slot % 4))
            );
        }
    }

    function valueColumn(uint256 underlying) internal pure returns (bytes memory packed) {
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            packed = abi.encodePacked(packed, int64(uint64(80e6 + underlying * 1e6 + slot * 3331)));
        }
    }

    /// @dev Long lots lose in even slots and gain in odd ones: no position of a case offsets all.
    function lossColumn(uint256 underlying) internal pure returns (bytes memory packed) {
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            int32 loss = int32(int256(21e6 + underlying * 1e6 + slot * 777));
            packed = abi.encodePacked(packed, slot % 2 == 0 ? loss : -loss);
        }
    }

    function columnHash(uint8 underlying, uint8 kind, bytes memory packed)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(underlying, kind, keccak256(packed)));
    }
}
