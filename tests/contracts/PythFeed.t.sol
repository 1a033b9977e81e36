// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../../contracts/interfaces/IOracleHub.sol";
import {IPyth} from "../../contracts/interfaces/IPyth.sol";
import {PythFeed} from "../../contracts/oracle/PythFeed.sol";
import {PythSource} from "../../contracts/oracle/PythSource.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

contract PythFeedTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);
    bytes32 private constant ID = bytes32(0);

    PythFeed private _feed;

    function setUp() public {
        deployHub(1);
        _feed = new PythFeed(hub);
    }

    function test_it_answers_in_the_shape_of_pyth_with_the_spread_of_the_observers() public {
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            values[i] = still(abi.encodePacked(int64(uint64(1e8 + i * 1000))));
        }
        hub.submit(1, NOW_NS, values, signAll(1, NOW_NS, values));
        IPyth.Price memory price = _feed.getPriceUnsafe(ID);
        vm.assertEq(price.price, 1e8 + 2000);
        // Distances 0, 1000, 1000, 2000, 2000: the third is 10 millionths, rounded up.
        vm.assertEq(price.conf, 1001);
        vm.assertEq(price.expo, -8);
        vm.assertEq(price.publishTime, START);
    }

    function test_RevertWhen_the_price_is_older_than_asked_for() public {
        report(1, NOW_NS, single(100e8));
        vm.warp(START + 30);
        vm.assertEq(_feed.getPriceNoOlderThan(ID, 30).price, 100e8);
        vm.expectRevert(abi.encodeWithSelector(IPyth.PriceTooOld.selector, ID, 30, 29));
        _feed.getPriceNoOlderThan(ID, 29);
        vm.warp(START - 1);
        vm.assertEq(_feed.getPriceNoOlderThan(ID, 0).price, 100e8);
    }

    function test_RevertWhen_the_hub_has_no_such_feed_or_no_report() public {
        bytes32 id = bytes32(uint256(1));
        vm.expectRevert(abi.encodeWithSelector(IPyth.PriceFeedNotFound.selector, id));
        _feed.getPriceUnsafe(id);
        vm.expectRevert(IOracleHub.NoReport.selector);
        _feed.getPriceUnsafe(ID);
    }

    function test_an_average_moves_by_its_share_of_an_hour() public {
        report(1, NOW_NS, single(100e8));
        sample();
        vm.assertEq(_feed.getEmaPriceUnsafe(ID).price, 100e8);
        step(2, 36, 104e8);
        vm.assertEq(_feed.getEmaPriceUnsafe(ID).price, 100e8 + 4e8 / 100);
        vm.assertEq(_feed.getEmaPriceUnsafe(ID).publishTime, START + 36);
        sample();
        vm.assertEq(_feed.getEmaPriceUnsafe(ID).price, 100e8 + 4e8 / 100);
    }

    function test_an_average_takes_the_price_after_an_hour() public {
        report(1, NOW_NS, single(100e8));
        sample();
        step(2, 3600, 104e8);
        vm.assertEq(_feed.getEmaPriceUnsafe(ID).price, 104e8);
    }

    function testFuzz_an_average_stays_between_its_samples(uint32 elapsed, uint32 a, uint32 b)
        public
    {
        (int64 first, int64 second) = (int64(uint64(a)) + 1e10, int64(uint64(b) % 4e8) + 1e10);
        report(1, NOW_NS, single(first));
        sample();
        uint64 time = NOW_NS + 1 + uint64(elapsed) * 1e3;
        vm.warp(time / 1e9);
        if (!report(2, time, single(second))) report(3, time + 1, single(second));
        sample();
        int64 average = _feed.getEmaPriceUnsafe(ID).price;
        vm.assertTrue(average >= (first < second ? first : second));
        vm.assertTrue(average <= (first < second ? second : first));
    }

    function test_RevertWhen_there_is_no_average_or_an_old_one() public {
        report(1, NOW_NS, single(100e8));
        vm.expectRevert(abi.encodeWithSelector(IPyth.NoAverage.selector, ID));
        _feed.getEmaPriceUnsafe(ID);
        sample();
        vm.warp(START + 10);
        vm.assertEq(_feed.getEmaPriceNoOlderThan(ID, 10).price, 100e8);
        vm.expectRevert(abi.encodeWithSelector(IPyth.PriceTooOld.selector, ID, 10, 9));
        _feed.getEmaPriceNoOlderThan(ID, 9);
    }

    function test_what_goes_out_comes_in_again() public {
        report(1, NOW_NS, single(100e8));
        (int64 priceE8, uint256 age) = new PythSource(_feed, ID, 60, 1).read();
        vm.assertEq(priceE8, 100e8);
        vm.assertEq(age, 0);
    }

    function step(uint64 round, uint64 elapsed, int64 value) private {
        vm.warp(START + elapsed);
        report(round, NOW_NS + elapsed * 1e9, single(value));
        sample();
    }

    function sample() private {
        bytes32[] memory ids = new bytes32[](1);
        _feed.sample(ids);
    }
}
