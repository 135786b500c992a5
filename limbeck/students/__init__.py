"""What a teacher becomes: each a scikit-learn estimator that holds no teacher."""
