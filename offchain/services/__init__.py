"""The loops: sequencer, oracle network, batcher, keeper, and the ports they need."""
