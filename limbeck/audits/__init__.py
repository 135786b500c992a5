"""Audit a black box from a table of its scores: Distill-and-Compare (Tan et al. 2018).

One step of the audit a file; :mod:`limbeck.api.audit` walks through them.
"""
