"""Curves matched to the scores of a teacher."""
