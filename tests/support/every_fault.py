"""Every lie there is: a module registers what it tells when it is imported."""

from tests.support import (
    asset_faults,
    bound_faults,
    effect_faults,
    faults,
    header_faults,
    inbox_faults,
    leaf_faults,
    opening_faults,
)

MODULES = (
    faults,
    inbox_faults,
    effect_faults,
    header_faults,
    opening_faults,
    leaf_faults,
    asset_faults,
    bound_faults,
)
EVERY = tuple(faults.FAULTS)
