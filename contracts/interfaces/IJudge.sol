// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../types/Batch.sol";

/// @title IJudge
/// @notice Decides one kind of challenge in one step, from chain data and evidence alone.
interface IJudge {
    /// @notice Whether the evidence shows a fault of the batch.
    /// @dev Evidence that is malformed or belongs to another batch reverts. An honest batch is
    /// never faulty, whatever the evidence.
    /// @param header Of the disputed batch; its hash was checked by the court.
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool);
}
