"""Carry a plan out: run lock, ledger, transactions."""
