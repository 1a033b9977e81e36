// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHash} from "../../../../contracts/libraries/BatchHash.sol";
import {Settlement} from "../../../../contracts/settlement/Settlement.sol";
import {BatchHeader} from "../../../../contracts/types/Batch.sol";

/// @dev INV-15: a settlement that looks at the committed hash, but not at the trace of the header.
contract PlantedHeader is Settlement {
    constructor(Config memory config) Settlement(config) {}

    function _requireCommitted(BatchHeader calldata header)
        internal
        view
        override
        returns (bytes32 given)
    {
        BatchHeader memory seen = header;
        seen.traceRoot = keccak256(abi.encode("trace", header.batchNo));
        given = keccak256(abi.encode(BatchHash.HEADER_TYPEHASH, seen));
        bytes32 committed = _hashes[header.batchNo];
        if (given != committed) revert WrongHeader(header.batchNo, given, committed);
    }
}
