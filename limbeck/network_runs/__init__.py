"""What a distillation of networks is made of around its training: checks, judging, papers."""
