// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJudge} from "../interfaces/IJudge.sol";
import {BatchHeader} from "../types/Batch.sol";
import {EffectsEvidence} from "../types/ContentEvidence.sol";

/// @title EffectsJudge
/// @notice Kind 12: effects that the command does not justify, or an intent that nobody signed.
/// @dev Evidence is an `EffectsEvidence`: it names one of the judges among which the rules are
/// divided, and carries the evidence for that one. Fixed at construction, in this order: grammar,
/// signatures, trades, prices, deposits, holders, history, band, columns, penalties, solvency.
contract EffectsJudge is IJudge {
    /// @notice There is no such part.
    error UnknownPart(uint8 part, uint256 parts);

    /// @notice A part has no contract.
    error ZeroAddress();

    IJudge[] private _parts;

    constructor(IJudge[] memory parts) {
        for (uint256 i = 0; i < parts.length; ++i) {
            require(address(parts[i]) != address(0), ZeroAddress());
        }
        _parts = parts;
    }

    /// @inheritdoc IJudge
    function isFaulty(BatchHeader calldata header, bytes calldata evidence)
        external
        view
        returns (bool)
    {
        EffectsEvidence calldata shown;
        assembly ("memory-safe") {
            shown := add(evidence.offset, 0x20)
        }
        return part(shown.part).isFaulty(header, shown.evidence);
    }

    /// @notice The judge of a part.
    function part(uint8 place) public view returns (IJudge) {
        require(place < _parts.length, UnknownPart(place, _parts.length));
        return _parts[place];
    }
}
