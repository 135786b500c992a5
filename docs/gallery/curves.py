"""The wavelet of a network that reads curves."""

import models

import limbeck

rows = models.wave_rows()
result = limbeck.distill(
    models.network(),
    rows.drop(columns="zero").to_numpy(dtype="float32"),
    rows["zero"].to_numpy(),
    into="wavelet",
    wavelet="db3",
    levels=3,
    starts=8,
    trim=(0.3, 3.0),
    epsilon=0.1,
)
print(result)
result.report("report.html")
