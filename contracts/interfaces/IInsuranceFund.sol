// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchStatus, Totals} from "../types/Batch.sol";

/// @title IInsuranceFund
/// @notice Owns the engine's insurance account, keeps the reserve that pays keepers, and records
/// what each finalised batch moved.
/// @dev The reserve is every token here that is not owed to a keeper, however it came.
interface IInsuranceFund {
    /// @notice Only the settlement contract may record a batch.
    error NotSettlement(address caller);
    /// @notice Only the liquidation manager may credit a keeper.
    error NotLiquidationManager(address caller);
    /// @notice An address that must be given is missing.
    error ZeroAddress();
    /// @notice The reserve is smaller than what is to be moved. [USD e-6]
    error InsufficientReserve(uint256 amountE6, uint256 reserveE6);
    /// @notice The keeper is owed nothing for this batch.
    error NothingOwed(bytes32 batchHash, address keeper);
    /// @notice The caller's credit is not due before this batch is final.
    error CreditNotDue(uint64 batchNo, BatchStatus status);
    /// @notice The batch that the credit is for is open or final.
    error NotDead(uint64 batchNo, bytes32 batchHash);
    /// @notice A batch was recorded before its predecessor or twice.
    error BatchOutOfOrder(uint64 batchNo, uint64 last);
    /// @notice A sum since genesis went down. [USD e-6]
    error CumulativeDecreased(uint128 before, uint128 later);

    /// @param amountE6 Added to the reserve. [USD e-6]
    event Funded(address indexed from, uint256 amountE6);
    /// @param amountE6 Moved from the reserve into the engine's account. [USD e-6]
    event Seeded(uint256 amountE6, uint64 inboxIndex);
    /// @param paidE6 Credited, at most the fee. [USD e-6]
    event KeeperCredited(
        address indexed keeper, bytes32 indexed batchHash, uint64 feeE6, uint64 paidE6
    );
    /// @param amountE6 Paid out. [USD e-6]
    event KeeperPaid(address indexed keeper, uint256 amountE6);
    /// @param amountE6 Credited for a batch that was reverted; free again. [USD e-6]
    event CreditReleased(address indexed keeper, bytes32 indexed batchHash, uint256 amountE6);
    /// @notice What one batch moved. [USD e-6]
    /// @param balanceE6 Of the engine's account after the batch.
    event InsuranceMoved(
        uint64 indexed batchNo,
        int128 balanceE6,
        uint128 contributedE6,
        uint128 drawnE6,
        uint128 shortfallE6
    );

    /// @notice Adds the caller's cash to the reserve. [USD e-6]
    function fund(uint256 amountE6) external;

    /// @notice Deposits part of the reserve into the engine's insurance account; admin only.
    /// @dev The account's owner is this contract, its subaccount 0. [USD e-6]
    function seed(uint256 amountE6) external;

    /// @notice Credits a keeper as far as the reserve reaches; only for the liquidation manager.
    /// @dev Due when that very batch is final: before that only the sequencer vouches for it, who
    /// could otherwise collect the reserve with liquidations that never were.
    /// @dev Never reverts for lack of money: a verification must not fail because the fund is poor.
    /// @return paidE6 What was credited, at most `feeE6`. [USD e-6]
    function payKeeper(uint64 batchNo, bytes32 batchHash, address keeper, uint64 feeE6)
        external
        returns (uint64 paidE6);

    /// @notice Pays the caller all that is credited to him for these batches, each of them final.
    /// @dev The caller bounds the list.
    /// @return amountE6 What was paid. [USD e-6]
    function claimKeeperFees(uint64[] calldata batchNos) external returns (uint256 amountE6);

    /// @notice Frees what a keeper is credited with for a batch that was reverted; anyone may call.
    /// @dev A batch is dead when its number has another one, or is reverted.
    function releaseDead(bytes32 batchHash, address keeper) external;

    /// @notice Records the totals of a batch that became final; only for the settlement contract.
    function record(uint64 batchNo, Totals calldata totals) external;

    /// @notice What is free to pay keepers or to seed the account. [USD e-6]
    function reserveE6() external view returns (uint256);

    /// @notice What a keeper may claim now for a batch. [USD e-6]
    function keeperCredit(uint64 batchNo, address keeper) external view returns (uint256);

    /// @notice What a keeper is credited with for a batch, due or not. [USD e-6]
    function creditOf(bytes32 batchHash, address keeper)
        external
        view
        returns (uint64 batchNo, uint192 amountE6);

    /// @notice What all keepers together are credited with. [USD e-6]
    function owedToKeepersE6() external view returns (uint256);

    /// @notice Balance of the engine's account after the last finalised batch. [USD e-6]
    function balanceE6() external view returns (int128);

    /// @notice Paid into the account since genesis. [USD e-6]
    function contributedE6() external view returns (uint128);

    /// @notice Paid for deficits since genesis. [USD e-6]
    function drawnE6() external view returns (uint128);

    /// @notice Deficits that the account could not pay, since genesis. [USD e-6]
    function shortfallE6() external view returns (uint128);

    /// @notice The last batch that was recorded.
    function lastBatch() external view returns (uint64);
}
