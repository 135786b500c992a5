from __future__ import annotations

from limbeck.core.certificate import Certificate


def test_reached_compares_with_what_was_asked() -> None:
    def certificate(asked: float | None) -> Certificate:
        return Certificate(0.05, 0.05, 100, 0.0, "disagreement", "", "", (), "", "", asked)

    assert certificate(None).reached
    assert certificate(0.05).reached
    assert not certificate(0.04).reached
