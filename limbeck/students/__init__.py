"""What a teacher becomes: each a scikit-learn estimator that holds no teacher."""

from limbeck.students.files import load

__all__ = ["load"]
