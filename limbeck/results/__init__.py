"""What each verb returns: printed, drawn, saved, loaded."""
