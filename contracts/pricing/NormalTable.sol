// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Normal} from "../libraries/Normal.sol";

/// @title NormalTable
/// @notice Its code is not a program but the table of `Normal`: a STOP, so that a call does
/// nothing, then the 20,480 bytes that `offchain.pricing.normal_table` computes.
contract NormalTable {
    /// @param coefficients 2,560 int64, big-endian.
    constructor(bytes memory coefficients) {
        bytes memory code = bytes.concat(hex"00", coefficients);
        bytes32 codeHash = keccak256(code);
        require(codeHash == Normal.TABLE_CODE_HASH, Normal.WrongTable(codeHash));
        // What a constructor returns becomes the code; Solidity has no words for that.
        assembly ("memory-safe") {
            return(add(code, 0x20), mload(code))
        }
    }
}
