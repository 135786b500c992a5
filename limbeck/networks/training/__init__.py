"""How a student is trained.

`settings` and `callbacks` are what users give; `train` puts a training together, `trainer` runs its
epochs, `training_step` makes one update, in parts by `gradient_accumulation`; `teacher_outputs` is
what teaches, `validation` and `metrics` are computed after each epoch, `history` notes them,
`checkpoint` lets a training go on. `engine` knows processes, devices and precision.
"""
