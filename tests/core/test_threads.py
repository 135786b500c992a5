from __future__ import annotations

import numpy as np  # noqa: F401  (its BLAS is what is limited)
from threadpoolctl import threadpool_info, threadpool_limits

from limbeck.core.threads import one_blas_thread, one_thread


def threads(kind):
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == kind}


def test_linear_algebra_has_one_thread_within_and_what_it_had_after():
    with threadpool_limits(2):
        for limited in (one_blas_thread, one_thread):
            with limited():
                assert threads("blas") == {1}
            assert threads("blas") == {2}


def test_threads_of_others_are_left_alone_by_blas():
    import sklearn.utils._openmp_helpers  # noqa: F401

    with threadpool_limits(2), one_blas_thread():
        assert threads("openmp") in ({2}, set())
