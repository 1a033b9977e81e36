// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleUse} from "../../contracts/interfaces/IOracleUse.sol";
import {IRiskCells} from "../../contracts/interfaces/IRiskCells.sol";
import {IRiskOracle} from "../../contracts/interfaces/IRiskOracle.sol";
import {IRiskParameters} from "../../contracts/interfaces/IRiskParameters.sol";
import {Quotes} from "../../contracts/libraries/Quotes.sol";
import {RiskOracle} from "../../contracts/oracle/RiskOracle.sol";
import {Terms} from "../../contracts/types/Liquidation.sol";
import {ListedInstrument} from "../../contracts/types/Listing.sol";
import {Action, Cause} from "../../contracts/types/OracleUse.sol";
import {FeedPlaces, Instrument, Quote, Shape} from "../../contracts/types/Pricing.sol";
import {OracleListing, QuoteReader, SetParameters} from "./support/OracleListing.sol";
import {Oracles} from "./support/Oracles.sol";
import {vm} from "./support/Vm.sol";

/// @dev What other contracts read of risk: only from the active listing and from usable prices.
contract RiskOracleTest is Oracles {
    uint64 private constant NOW_NS = uint64(START * 1e9);
    uint64 private constant EXPIRY_NS = NOW_NS + 30 days * 1e9;
    uint64 private constant LOT_DIVISOR = 1e5;
    uint16 private constant PERPETUAL = 0;
    uint16 private constant FUTURE = 1;
    uint16 private constant CALL = 2;
    uint16 private constant FLAT_PUT = 3;

    SetParameters private _parameters;
    RiskOracle private _oracle;
    /// @dev Each encoded: the compiler copies no arrays of structs to storage.
    bytes[] private _listing;
    int64[] private _medians;

    function setUp() public {
        deployHub(7);
        _parameters = new SetParameters();
        _oracle = new RiskOracle(
            address(hub), IRiskParameters(address(_parameters)), IRiskCells(address(0))
        );
        FeedPlaces memory shaped = FeedPlaces(0, 1, 2, true, 3, 4, 5, 6);
        FeedPlaces memory flat = FeedPlaces(0, 1, 2, false, 0, 0, 0, 0);
        list(PERPETUAL, Instrument(0, 0, 0, LOT_DIVISOR, 1e8), flat);
        list(FUTURE, Instrument(1, EXPIRY_NS, 0, LOT_DIVISOR, 1e8), flat);
        list(CALL, Instrument(2, EXPIRY_NS, 70_000e8, LOT_DIVISOR, 1e8), shaped);
        list(FLAT_PUT, Instrument(3, EXPIRY_NS, 50_000e8, LOT_DIVISOR, 1e8), flat);
        adopt("one");
        for (uint16 i = 0; i < 4; ++i) {
            register(i);
        }
        int64[7] memory numbers =
            [int64(60_000e8), 60_300e8, 60_000_000, 105_000_000, 170_000_000, 5e8, 120_000_000];
        for (uint256 i = 0; i < 7; ++i) {
            _medians.push(numbers[i]);
        }
        report(1, NOW_NS, _medians);
    }

    function test_a_forward_is_the_index_of_what_has_no_expiry_left() public {
        checkForward(PERPETUAL, 60_000e8);
        checkForward(FUTURE, 60_300e8);
        checkForward(CALL, 60_300e8);
        vm.warp(EXPIRY_NS / 1e9);
        report(2, EXPIRY_NS, _medians);
        (uint256 priceE8, uint64 observedAt) = _oracle.forward(Action.WITHDRAW, FUTURE);
        vm.assertEq(priceE8, 60_000e8);
        vm.assertEq(observedAt, EXPIRY_NS);
    }

    function test_a_smile_is_decoded_from_its_feeds() public view {
        (uint256 atTheMoney, Shape memory shape, uint256 remaining) =
            _oracle.smile(Action.TRADE, CALL);
        vm.assertEq(atTheMoney, 60_000_000);
        vm.assertEq(shape.slopeE8, 5_000_000);
        vm.assertEq(shape.tiltE8, -30_000_000);
        vm.assertEq(shape.centreE8, 0);
        vm.assertEq(shape.widthE8, 20_000_000);
        vm.assertEq(remaining, 30 days * 1e9);
    }

    /// @dev The worked example of docs/RISK_MODEL.md.
    function test_the_volatility_of_a_strike_is_that_of_the_page() public view {
        vm.assertEq(_oracle.volatility(Action.TRADE, CALL, 70_000e8), 60_240_309);
    }

    function testFuzz_every_strike_has_the_volatility_that_the_judges_compute(uint64 strikeE8)
        public
    {
        strikeE8 = strikeE8 % (2 ** 46 - 1) + 1;
        Instrument memory other = Instrument(2, EXPIRY_NS, strikeE8, LOT_DIVISOR, 1e8);
        Quote memory quote =
            new QuoteReader().quoteOf(pack(_medians), listed(CALL).places, other, NOW_NS);
        vm.assertEq(_oracle.volatility(Action.TRADE, CALL, strikeE8), uint256(quote.volatilityE8));
        vm.assertEq(_oracle.volatility(Action.TRADE, FLAT_PUT, strikeE8), 60_000_000);
    }

    function test_RevertWhen_a_strike_is_no_price() public {
        vm.expectRevert(abi.encodeWithSelector(Quotes.StrikeOutOfRange.selector, 0));
        _oracle.volatility(Action.TRADE, CALL, 0);
        vm.expectRevert(abi.encodeWithSelector(Quotes.StrikeOutOfRange.selector, 2 ** 46));
        _oracle.volatility(Action.TRADE, CALL, 2 ** 46);
    }

    function test_RevertWhen_what_has_no_volatility_is_asked_for_one() public {
        vm.expectRevert(abi.encodeWithSelector(IRiskOracle.NotAnOption.selector, FUTURE, 1));
        _oracle.smile(Action.TRADE, FUTURE);
        vm.warp(EXPIRY_NS / 1e9);
        report(2, EXPIRY_NS, _medians);
        vm.expectRevert(abi.encodeWithSelector(IRiskOracle.Expired.selector, CALL, EXPIRY_NS));
        _oracle.smile(Action.TRADE, CALL);
    }

    function test_the_inputs_of_funding_are_index_and_premium() public view {
        IRiskOracle.FundingInputs memory found = _oracle.fundingInputs(Action.TRADE, PERPETUAL);
        vm.assertEq(found.indexE8, 60_000e8);
        vm.assertEq(found.lotIndexE6, 60_000_000);
        vm.assertEq(found.premiumE8, 0);
        vm.assertEq(found.remainingNs, 0);
        vm.assertEq(found.observedAt, NOW_NS);
        found = _oracle.fundingInputs(Action.TRADE, FUTURE);
        vm.assertEq(found.premiumE8, 500_000);
        vm.assertEq(found.remainingNs, 30 days * 1e9);
    }

    function test_a_premium_is_rounded_down_below_zero_too() public {
        _medians[1] = 59_999e8;
        report(2, NOW_NS + 1, _medians);
        // -1 / 60,000 is -1666.67 of 1e8.
        vm.assertEq(_oracle.fundingInputs(Action.TRADE, FUTURE).premiumE8, -1667);
    }

    function test_correlations_are_those_of_the_active_parameters() public view {
        (uint32 offset, uint32 breakdown, uint32 cap) = _oracle.correlations();
        vm.assertEq(offset, 500_000);
        vm.assertEq(breakdown, 850_000);
        vm.assertEq(cap, 5_000_000);
    }

    function test_RevertWhen_an_instrument_is_not_in_the_listing() public {
        ListedInstrument memory forged = listed(CALL);
        forged.places.volatility = 0;
        bytes32[] memory proof = OracleListing.proof(listing(), CALL);
        vm.expectPartialRevert(IRiskOracle.InstrumentNotInListing.selector);
        _oracle.register(forged, uint256(CALL) + 1, proof);
        vm.expectPartialRevert(IRiskOracle.InstrumentNotInListing.selector);
        _oracle.register(listed(CALL), uint256(FUTURE) + 1, proof);
    }

    function test_RevertWhen_a_listed_instrument_cannot_be_priced() public {
        list(4, Instrument(4, EXPIRY_NS, 0, LOT_DIVISOR, 1e8), listed(FUTURE).places);
        adopt("two");
        bytes32[] memory proof = OracleListing.proof(listing(), 4);
        vm.expectRevert(abi.encodeWithSelector(Quotes.UnknownKind.selector, 4));
        _oracle.register(listed(4), 5, proof);
    }

    function test_another_listing_needs_its_instruments_registered_again() public {
        vm.assertTrue(_oracle.isRegistered(FUTURE));
        _listing.pop();
        adopt("two");
        vm.assertFalse(_oracle.isRegistered(FUTURE));
        bytes32 root = OracleListing.root(listing());
        vm.expectRevert(abi.encodeWithSelector(IRiskOracle.NotRegistered.selector, FUTURE, root));
        _oracle.forward(Action.TRADE, FUTURE);
        register(FUTURE);
        checkForward(FUTURE, 60_300e8);
    }

    function test_RevertWhen_the_prices_are_not_usable_for_the_action() public {
        // One report after the genesis of the hub: the grace is not over.
        bytes memory reason = abi.encodeWithSelector(
            IOracleUse.Unusable.selector, Action.LIQUIDATE, 1, Cause.AFTER_OUTAGE, 1, 3
        );
        vm.expectRevert(reason);
        _oracle.forward(Action.LIQUIDATE, FUTURE);
        vm.expectRevert(reason);
        _oracle.mark(Action.LIQUIDATE, CALL);
        vm.warp(START + 61);
        vm.expectPartialRevert(IOracleUse.Unusable.selector);
        _oracle.smile(Action.WITHDRAW, CALL);
        vm.expectPartialRevert(IOracleUse.Unusable.selector);
        _oracle.fundingInputs(Action.WITHDRAW, PERPETUAL);
    }

    function test_each_answer_needs_agreement_on_the_feeds_that_it_is_made_of() public {
        disagreeOn(2, 2);
        _oracle.forward(Action.TRADE, CALL);
        refuse(1, abi.encodeCall(_oracle.forward, (Action.TRADE, FUTURE)), 2);
        refuse(2, abi.encodeCall(_oracle.smile, (Action.TRADE, FLAT_PUT)), 3);
        refuse(2, abi.encodeCall(_oracle.mark, (Action.TRADE, FLAT_PUT)), 4);
        refuse(1, abi.encodeCall(_oracle.volatility, (Action.TRADE, FLAT_PUT, 50_000e8)), 5);
        refuse(5, abi.encodeCall(_oracle.smile, (Action.TRADE, CALL)), 6);
        refuse(6, abi.encodeCall(_oracle.mark, (Action.TRADE, CALL)), 7);
        refuse(1, abi.encodeCall(_oracle.mark, (Action.TRADE, FUTURE)), 8);
        refuse(0, abi.encodeCall(_oracle.mark, (Action.TRADE, PERPETUAL)), 9);
        refuse(0, abi.encodeCall(_oracle.fundingInputs, (Action.TRADE, FUTURE)), 10);
        refuse(1, abi.encodeCall(_oracle.fundingInputs, (Action.TRADE, FUTURE)), 11);
        refuse(0, abi.encodeCall(_oracle.loss, (Action.TRADE, listed(PERPETUAL), 0)), 12);
    }

    function test_RevertWhen_a_number_is_beyond_all_prices() public {
        vm.warp(START + 1);
        _medians[1] = 2 ** 46;
        report(2, NOW_NS + 1, _medians);
        report(3, NOW_NS + 2, _medians);
        vm.expectRevert(abi.encodeWithSelector(Quotes.MedianOutOfRange.selector, 1, int64(2 ** 46)));
        _oracle.forward(Action.WITHDRAW, FUTURE);
    }

    /// @dev A call is refused for the one feed on which the newest report disagrees.
    function refuse(uint256 feed, bytes memory input, uint64 round) private {
        disagreeOn(round + 1, feed);
        (bool done, bytes memory reason) = address(_oracle).staticcall(input);
        vm.assertFalse(done);
        bytes memory expected = abi.encodeWithSelector(
            IOracleUse.Unusable.selector, Action.TRADE, feed, Cause.DISPERSED, 30_000, 20_000
        );
        vm.assertEq(keccak256(reason), keccak256(expected));
    }

    /// @dev Four of five observers stray by 3 % in one feed, two to each side.
    function disagreeOn(uint64 round, uint256 feed) private {
        bytes[] memory values = new bytes[](QUORUM);
        for (uint256 i = 0; i < QUORUM; ++i) {
            int64[] memory seen = _medians;
            int64 stray = seen[feed] * 3 / 100;
            if (i < 2) seen[feed] -= stray;
            if (i > 2) seen[feed] += stray;
            values[i] = still(pack(seen));
        }
        uint64 time = NOW_NS + round;
        vm.assertTrue(hub.submit(round, time, values, signAll(round, time, values)));
    }

    function checkForward(uint16 instrument, uint256 expected) private view {
        (uint256 priceE8, uint64 observedAt) = _oracle.forward(Action.TRADE, instrument);
        vm.assertEq(priceE8, expected);
        vm.assertEq(observedAt, NOW_NS);
    }

    function list(uint16 id, Instrument memory instrument, FeedPlaces memory places) private {
        _listing.push(abi.encode(OracleListing.listed(id, instrument, places)));
    }

    function adopt(string memory name) private {
        Terms memory terms;
        (terms.offsetE6, terms.breakdownE6, terms.offsetCapUsd) = (500_000, 850_000, 5_000_000);
        _parameters.adopt(keccak256(bytes(name)), OracleListing.root(listing()), terms);
    }

    function register(uint16 place) private {
        bytes32[] memory proof = OracleListing.proof(listing(), place);
        _oracle.register(listed(place), uint256(place) + 1, proof);
    }

    function listed(uint256 place) private view returns (ListedInstrument memory) {
        return abi.decode(_listing[place], (ListedInstrument));
    }

    function listing() private view returns (ListedInstrument[] memory all) {
        all = new ListedInstrument[](_listing.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = listed(i);
        }
    }
}
