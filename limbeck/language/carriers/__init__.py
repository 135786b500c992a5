"""What is kept of the teacher's next-token distributions; one kind a file."""
