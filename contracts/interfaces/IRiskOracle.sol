// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ListedInstrument} from "../types/Listing.sol";
import {Action} from "../types/OracleUse.sol";
import {Shape} from "../types/Pricing.sol";

/// @title IRiskOracle
/// @notice What the venue knows of risk, for other contracts: forwards, smiles, marks, losses in
/// scenarios, the inputs of funding, and how underlyings are assumed to move together.
/// @dev Everything comes from the newest accepted report and the active listing, and is computed as
/// the engine and the judges compute it. Whoever asks says for which action, and every feed that
/// the answer needs must be usable for it: errors of `IOracleUse` come through, as do those of
/// `Quotes` and `RiskCell`.
interface IRiskOracle {
    /// @notice What a funding rate is made from, next to the book.
    /// @param indexE8 Index price. [USD e-8]
    /// @param lotIndexE6 Index value of one lot, rounded down. [USD e-6]
    /// @param premiumE8 (forward - index) / index, rounded down; 0 for a perpetual. [1e-8]
    /// @param remainingNs To the expiry to which the premium belongs; 0 for a perpetual. [ns]
    /// @param observedAt [ns since 1970]
    struct FundingInputs {
        uint256 indexE8;
        uint256 lotIndexE6;
        int256 premiumE8;
        uint256 remainingNs;
        uint64 observedAt;
    }

    /// @notice The instrument is not at this place of the active listing.
    error InstrumentNotInListing(uint16 instrument, bytes32 expectedRoot, bytes32 actualRoot);

    /// @notice Nobody has registered the instrument under the active listing.
    error NotRegistered(uint16 instrument, bytes32 listingRoot);

    /// @notice The instrument is not the one that was registered.
    error LeafMismatch(uint16 instrument, bytes32 expected, bytes32 actual);

    /// @notice Only options list a volatility.
    error NotAnOption(uint16 instrument, uint8 kind);

    /// @notice After its expiry nothing has a volatility. [ns since 1970]
    error Expired(uint16 instrument, uint64 expiryNs);

    event InstrumentRegistered(
        bytes32 indexed listingRoot, uint16 indexed instrument, bytes32 leafHash
    );

    /// @notice Makes an instrument of the active listing readable. Anyone may call it; another
    /// listing needs it again.
    /// @param index Place under the listing root.
    /// @param proof Siblings, leaf level first.
    function register(ListedInstrument calldata listed, uint256 index, bytes32[] calldata proof)
        external;

    /// @notice The forward of an instrument's expiry; the index of a perpetual and after expiry.
    /// @return priceE8 Positive. [USD e-8]
    /// @return observedAt [ns since 1970]
    function forward(Action action, uint16 instrument)
        external
        view
        returns (uint256 priceE8, uint64 observedAt);

    /// @notice The smile of an option's expiry: raw SVI in total variance, as in `Surface`.
    /// @return atTheMoneyE8 Volatility at the forward. [1e-8]
    /// @return shape Without a slope, the smile is flat. [1e-8]
    /// @return remainingNs To expiry. [ns]
    function smile(Action action, uint16 instrument)
        external
        view
        returns (uint256 atTheMoneyE8, Shape memory shape, uint256 remainingNs);

    /// @notice Volatility at any strike of an option's expiry. [1e-8]
    /// @param strikeE8 In [1, 2**46). [USD e-8]
    function volatility(Action action, uint16 instrument, uint64 strikeE8)
        external
        view
        returns (uint256 volatilityE8);

    /// @notice Mark price, on the tick, and the value of one long lot at it.
    /// @return markE8 Rounded down. [USD e-8]
    /// @return valueE6 Exact. [USD e-6]
    function mark(Action action, uint16 instrument)
        external
        view
        returns (int256 markE8, int256 valueE6);

    /// @notice Loss of one long lot in a scenario, rounded up. [USD e-6]
    /// @param listed As it was registered.
    /// @param scenario Below 36, in the order of the risk columns.
    function loss(Action action, ListedInstrument calldata listed, uint8 scenario)
        external
        view
        returns (int256 lossE6);

    /// @notice What a funding rate is made from, next to the book.
    function fundingInputs(Action action, uint16 instrument)
        external
        view
        returns (FundingInputs memory);

    /// @notice How underlyings are assumed to move together, by the active parameters.
    /// @return offsetE6 Share of a gain in one that pays for a loss in another. [1e-6]
    /// @return breakdownE6 Share of the sum of the worst losses that counts at least. [1e-6]
    /// @return offsetCapUsd The most that gains pay for. [USD]
    function correlations()
        external
        view
        returns (uint32 offsetE6, uint32 breakdownE6, uint32 offsetCapUsd);

    /// @notice Root of the listing that is active, under which instruments are registered.
    function listingRoot() external view returns (bytes32);

    /// @notice Whether an instrument is readable under the active listing.
    function isRegistered(uint16 instrument) external view returns (bool);
}
