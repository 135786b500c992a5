"""What rows are: how labels are read, which rows are copies, which are set aside."""
