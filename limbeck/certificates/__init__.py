"""Bounds that a third party can verify: they import only the contract and the errors."""

from limbeck.certificates.active import ActiveCertificate, certify_active
from limbeck.certificates.binomial import interval, paired_interval, smallest_n, upper_bound
from limbeck.certificates.bounded import betting_bound, empirical_bernstein
from limbeck.certificates.budget_rows import Budget, BudgetRow
from limbeck.certificates.budgets import budget
from limbeck.certificates.certificate_file import load, save
from limbeck.certificates.certify import certify, certify_all
from limbeck.certificates.chains import TwoSteps, chain, two_steps
from limbeck.certificates.fingerprint import Fingerprint, Overlap, overlap, row_hashes
from limbeck.certificates.frontier import Frontier, frontier, mutual_vc, vc_dimension
from limbeck.certificates.sequential import AnytimeBound
from limbeck.certificates.tolerance import tolerance_bound
from limbeck.certificates.verification import FieldMismatch, Verification, verify

__all__ = [
    "ActiveCertificate",
    "AnytimeBound",
    "Budget",
    "BudgetRow",
    "FieldMismatch",
    "Fingerprint",
    "Frontier",
    "Overlap",
    "TwoSteps",
    "Verification",
    "betting_bound",
    "budget",
    "certify",
    "certify_active",
    "certify_all",
    "chain",
    "empirical_bernstein",
    "frontier",
    "interval",
    "load",
    "mutual_vc",
    "overlap",
    "paired_interval",
    "row_hashes",
    "save",
    "smallest_n",
    "tolerance_bound",
    "two_steps",
    "upper_bound",
    "vc_dimension",
    "verify",
]
