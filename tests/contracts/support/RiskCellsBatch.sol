// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRiskCells} from "../../../contracts/interfaces/IRiskCells.sol";
import {FeedPlaces, Instrument, Observation, Scan} from "../../../contracts/types/Pricing.sol";

/// @notice Instruments of one underlying and expiry, each with every scenario of a list.
struct Question {
    Observation observation;
    FeedPlaces places;
    Scan scan;
    Instrument[] instruments;
    uint8[] scenarios;
}

/// @dev Asks for thousands of cells in one call, each through the contract's own entry point.
contract RiskCellsBatch {
    /// @dev Answers for one instrument besides its losses: mark, lot value, delta, vega.
    uint256 private constant OTHERS = 4;

    function answersTo(IRiskCells cells, Question[] calldata questions)
        external
        view
        returns (int256[] memory answers)
    {
        uint256 count = 0;
        for (uint256 q = 0; q < questions.length; ++q) {
            Question calldata asked = questions[q];
            count += asked.instruments.length * (asked.scenarios.length + OTHERS);
        }
        answers = new int256[](count);
        uint256 next = 0;
        for (uint256 q = 0; q < questions.length; ++q) {
            Question calldata asked = questions[q];
            for (uint256 i = 0; i < asked.instruments.length; ++i) {
                next = answer(cells, asked, asked.instruments[i], answers, next);
            }
        }
    }

    /// @notice Gas of one call for a loss, and for each other number of the first instrument.
    function gasOf(IRiskCells cells, Question calldata asked)
        external
        view
        returns (uint256[4] memory gas)
    {
        (Observation calldata observation, FeedPlaces calldata places) =
            (asked.observation, asked.places);
        Instrument calldata one = asked.instruments[0];
        bytes[4] memory inputs = [
            abi.encodeCall(cells.loss, (observation, places, asked.scan, one, asked.scenarios[0])),
            abi.encodeCall(cells.lotValue, (observation, places, one)),
            abi.encodeCall(cells.delta, (observation, places, one)),
            abi.encodeCall(cells.vega, (observation, places, one))
        ];
        for (uint256 n = 0; n < inputs.length; ++n) {
            uint256 before = gasleft();
            (bool done,) = address(cells).staticcall(inputs[n]);
            gas[n] = before - gasleft();
            require(done, "the call reverted");
        }
    }

    function answer(
        IRiskCells cells,
        Question calldata asked,
        Instrument calldata one,
        int256[] memory answers,
        uint256 next
    ) private view returns (uint256) {
        (Observation calldata observation, FeedPlaces calldata places) =
            (asked.observation, asked.places);
        for (uint256 s = 0; s < asked.scenarios.length; ++s) {
            answers[next++] = cells.loss(observation, places, asked.scan, one, asked.scenarios[s]);
        }
        (answers[next], answers[next + 1]) = cells.lotValue(observation, places, one);
        answers[next + 2] = cells.delta(observation, places, one);
        answers[next + 3] = cells.vega(observation, places, one);
        return next + OTHERS;
    }
}
