"""Training without a fixed teacher: peers, generations, exits."""
