"""Approvals: which plan needs whose yes."""
