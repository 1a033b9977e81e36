// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";
import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {ChainlinkFeed} from "../../contracts/oracle/ChainlinkFeed.sol";
import {FeedLimit} from "../../contracts/types/OracleUse.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

contract ChainlinkFeedTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);

    ChainlinkFeed private _feed;

    function setUp() public {
        deployHub(1);
        _feed = new ChainlinkFeed(hub, 0, "BTC / USD");
    }

    function test_it_answers_in_the_shape_of_an_aggregator() public {
        report(9, NOW_NS, single(110_000e8));
        vm.assertEq(_feed.decimals(), 8);
        vm.assertEq(_feed.version(), 1);
        vm.assertEq(keccak256(bytes(_feed.description())), keccak256("BTC / USD"));
        (uint80 round, int256 answer, uint256 started, uint256 updated, uint80 answered) =
            _feed.latestRoundData();
        vm.assertEq(round, 9);
        vm.assertEq(answer, 110_000e8);
        vm.assertEq(started, START);
        vm.assertEq(updated, START);
        vm.assertEq(answered, 9);
        (, int256 again,,,) = _feed.getRoundData(9);
        vm.assertEq(again, answer);
    }

    function test_an_older_round_is_not_kept() public {
        report(1, NOW_NS, single(100));
        report(2, NOW_NS + 1, single(101));
        vm.expectRevert(abi.encodeWithSelector(IAggregatorV3.RoundNotKept.selector, 1, 2));
        _feed.getRoundData(1);
    }

    function test_a_stale_round_is_not_answered() public {
        report(1, NOW_NS, single(100));
        vm.warp(START + HEARTBEAT_NS / 1e9 + 1);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorV3.StaleRound.selector, 1, START));
        _feed.latestRoundData();
        vm.expectRevert(abi.encodeWithSelector(IAggregatorV3.StaleRound.selector, 1, START));
        _feed.getRoundData(1);
    }

    function test_a_feed_with_a_heartbeat_of_its_own_is_not_answered_beyond_it() public {
        hub.setFeedLimit(0, FeedLimit(10e9, 0));
        report(1, NOW_NS, single(100));
        vm.warp(START + 10);
        _feed.latestRoundData();
        vm.warp(START + 11);
        vm.assertTrue(hub.isFresh());
        vm.expectRevert(abi.encodeWithSelector(IAggregatorV3.StaleRound.selector, 1, START));
        _feed.latestRoundData();
    }

    function test_there_is_no_answer_before_the_first_report() public {
        vm.expectRevert(IOracleHub.NoReport.selector);
        _feed.latestRoundData();
    }

    function test_a_feed_that_the_hub_lacks_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IOracleHub.UnknownFeed.selector, 1, 1));
        new ChainlinkFeed(hub, 1, "nothing");
    }
}
