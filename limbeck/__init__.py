"""Model distillation with a certificate, a control and an honest failure."""
