// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleHub} from "../interfaces/IOracleHub.sol";
import {IOracleUse} from "../interfaces/IOracleUse.sol";
import {IRiskCells} from "../interfaces/IRiskCells.sol";
import {IRiskOracle} from "../interfaces/IRiskOracle.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {FixedPoint} from "../libraries/FixedPoint.sol";
import {Merkle} from "../libraries/Merkle.sol";
import {Quotes} from "../libraries/Quotes.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {Surface} from "../libraries/Surface.sol";
import {Report} from "../types/Epoch.sol";
import {Terms} from "../types/Liquidation.sol";
import {ListedInstrument} from "../types/Listing.sol";
import {Action} from "../types/OracleUse.sol";
import {FeedPlaces, Instrument, KIND_CALL, Observation, Shape} from "../types/Pricing.sol";
import {ONE_E8, PRICE_BITS} from "../types/Units.sol";

/// @title RiskOracle
contract RiskOracle is IRiskOracle {
    /// @dev Four storage slots.
    struct Entry {
        bytes32 leafHash;
        FeedPlaces places;
        Instrument instrument;
    }

    address public immutable oracleHub;
    IRiskParameters public immutable riskParameters;
    IRiskCells public immutable riskCells;

    mapping(bytes32 root => mapping(uint16 instrument => Entry)) private _entryOf;

    constructor(address oracleHub_, IRiskParameters riskParameters_, IRiskCells riskCells_) {
        (oracleHub, riskParameters, riskCells) = (oracleHub_, riskParameters_, riskCells_);
    }

    /// @inheritdoc IRiskOracle
    function register(ListedInstrument calldata listed, uint256 index, bytes32[] calldata proof)
        external
    {
        bytes32 root = listingRoot();
        bytes32 leafHash = keccak256(abi.encode(listed));
        bytes32 actual = Merkle.listRoot(leafHash, index, proof);
        require(actual == root, InstrumentNotInListing(listed.id, root, actual));
        Quotes.check(listed.instrument);
        _entryOf[root][listed.id] = Entry(leafHash, listed.places, listed.instrument);
        emit InstrumentRegistered(root, listed.id, leafHash);
    }

    /// @inheritdoc IRiskOracle
    function forward(Action action, uint16 instrument)
        external
        view
        returns (uint256 priceE8, uint64 observedAt)
    {
        Entry storage entry = _entry(instrument);
        (uint256 remainingNs, uint64 time) = _remaining(entry);
        observedAt = time;
        priceE8 = _value(action, remainingNs == 0 ? entry.places.index : entry.places.forward);
    }

    /// @inheritdoc IRiskOracle
    function smile(Action action, uint16 instrument)
        public
        view
        returns (uint256 atTheMoneyE8, Shape memory shape, uint256 remainingNs)
    {
        Entry storage entry = _entry(instrument);
        (uint8 kind, uint64 expiryNs) = (entry.instrument.kind, entry.instrument.expiryNs);
        require(kind >= KIND_CALL, NotAnOption(instrument, kind));
        (remainingNs,) = _remaining(entry);
        require(remainingNs != 0, Expired(instrument, expiryNs));
        FeedPlaces memory places = entry.places;
        atTheMoneyE8 = _value(action, places.volatility);
        if (places.isShaped) shape = _shape(action, places);
    }

    /// @inheritdoc IRiskOracle
    function volatility(Action action, uint16 instrument, uint64 strikeE8)
        external
        view
        returns (uint256 volatilityE8)
    {
        require(strikeE8 != 0 && strikeE8 < 1 << PRICE_BITS, Quotes.StrikeOutOfRange(strikeE8));
        (uint256 atTheMoneyE8, Shape memory shape, uint256 remainingNs) = smile(action, instrument);
        uint256 forwardE8 = _value(action, _entry(instrument).places.forward);
        int256 logMoneyness = FixedPoint.ln(forwardE8) - FixedPoint.ln(strikeE8);
        volatilityE8 = Surface.volatility(atTheMoneyE8, shape, logMoneyness, remainingNs);
    }

    /// @inheritdoc IRiskOracle
    function mark(Action action, uint16 instrument)
        external
        view
        returns (int256 markE8, int256 valueE6)
    {
        Entry storage entry = _entry(instrument);
        Observation memory observation = _observation(action, entry);
        return riskCells.lotValue(observation, entry.places, entry.instrument);
    }

    /// @inheritdoc IRiskOracle
    function loss(Action action, ListedInstrument calldata listed, uint8 scenario)
        external
        view
        returns (int256 lossE6)
    {
        Entry storage entry = _entry(listed.id);
        bytes32 leafHash = keccak256(abi.encode(listed));
        require(leafHash == entry.leafHash, LeafMismatch(listed.id, entry.leafHash, leafHash));
        Observation memory observation = _observation(action, entry);
        return riskCells.loss(observation, listed.places, listed.scan, listed.instrument, scenario);
    }

    /// @inheritdoc IRiskOracle
    function fundingInputs(Action action, uint16 instrument)
        external
        view
        returns (FundingInputs memory inputs)
    {
        Entry storage entry = _entry(instrument);
        (inputs.remainingNs, inputs.observedAt) = _remaining(entry);
        inputs.indexE8 = _value(action, entry.places.index);
        inputs.lotIndexE6 = inputs.indexE8 / entry.instrument.lotDivisor;
        if (inputs.remainingNs == 0) return inputs;
        // forge-lint: disable-start(unsafe-typecast): both have 46 bits.
        int256 index = int256(inputs.indexE8);
        int256 basis = int256(_value(action, entry.places.forward)) - index;
        inputs.premiumE8 = Rounding.floorDiv(basis * int256(ONE_E8), index);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @inheritdoc IRiskOracle
    function correlations()
        external
        view
        returns (uint32 offsetE6, uint32 breakdownE6, uint32 offsetCapUsd)
    {
        Terms memory terms = riskParameters.termsOf(riskParameters.paramsHash());
        return (terms.offsetE6, terms.breakdownE6, terms.offsetCapUsd);
    }

    /// @inheritdoc IRiskOracle
    function isRegistered(uint16 instrument) external view returns (bool) {
        return _entryOf[listingRoot()][instrument].leafHash != 0;
    }

    /// @inheritdoc IRiskOracle
    function listingRoot() public view returns (bytes32) {
        return riskParameters.listingRootOf(riskParameters.paramsHash());
    }

    function _entry(uint16 instrument) private view returns (Entry storage entry) {
        bytes32 root = listingRoot();
        entry = _entryOf[root][instrument];
        require(entry.leafHash != 0, NotRegistered(instrument, root));
    }

    /// @dev Time to expiry at the observation: zero for a perpetual and after it. [ns]
    function _remaining(Entry storage entry)
        private
        view
        returns (uint256 remainingNs, uint64 observedAt)
    {
        (, observedAt,) = IOracleHub(oracleHub).latest(entry.places.index);
        uint64 expiryNs = entry.instrument.expiryNs;
        if (expiryNs > observedAt) remainingNs = expiryNs - observedAt;
    }

    /// @dev The newest report, when everything in it that the instrument needs is usable.
    function _observation(Action action, Entry storage entry)
        private
        view
        returns (Observation memory)
    {
        FeedPlaces memory places = entry.places;
        (uint256 remainingNs,) = _remaining(entry);
        if (remainingNs == 0) {
            _value(action, places.index);
        } else {
            _value(action, places.forward);
            if (entry.instrument.kind >= KIND_CALL) {
                _value(action, places.volatility);
                if (places.isShaped) _shape(action, places);
            }
        }
        Report memory report = IOracleHub(oracleHub).latestReport();
        return Observation(report.observedAt, report.medians);
    }

    function _shape(Action action, FeedPlaces memory places) private view returns (Shape memory) {
        uint256[] memory feeds = new uint256[](4);
        (feeds[0], feeds[1]) = (places.slope, places.tilt);
        (feeds[2], feeds[3]) = (places.centre, places.width);
        (int64[] memory values,) = IOracleUse(oracleHub).valuesFor(action, feeds);
        return Surface.decode(values[0], values[1], values[2], values[3]);
    }

    /// @dev One number of the report, usable and within the range of prices. [1e-8]
    function _value(Action action, uint16 feed) private view returns (uint256) {
        uint256[] memory feeds = new uint256[](1);
        feeds[0] = feed;
        (int64[] memory values,) = IOracleUse(oracleHub).valuesFor(action, feeds);
        // forge-lint: disable-next-line(unsafe-typecast): the hub's numbers are positive.
        uint256 value = uint64(values[0]);
        require(value >> PRICE_BITS == 0, Quotes.MedianOutOfRange(feed, values[0]));
        return value;
    }
}
