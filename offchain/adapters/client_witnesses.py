"""Liquidation witnesses from the public API: what a keeper far from the engine reads."""

from offchain.adapters.client import ApiClient, ApiError, ApiUnavailable
from offchain.services.errors import WitnessMissing


class ApiWitnesses:
    """A `WitnessStore` over the API's client. What comes from it is checked by the keeper."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def witness(self, batch_no: int, index: int) -> dict[str, object] | None:
        """Return the witness of a liquidation of a batch as JSON.

        Raises
        ------
        WitnessMissing
            The server does not have it, does not answer, or answers something else.
        """
        try:
            found = self._client.call("keeper/get_witness", batch_no=batch_no, index=index)
        except (ApiError, ApiUnavailable) as fault:
            raise WitnessMissing(f"batch {batch_no}, liquidation {index}: {fault}") from fault
        if not isinstance(found, dict):
            raise WitnessMissing(f"batch {batch_no}, liquidation {index}: no object")
        return found
