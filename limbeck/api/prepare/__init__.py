"""What is understood and checked before a network is trained."""
