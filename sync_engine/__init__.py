"""The heart: the stages of the flow, in their order, over one ledger."""
