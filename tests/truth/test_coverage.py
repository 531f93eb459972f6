"""Intervals cover as often as they say, and chance is seldom called a clear gap."""

from tests.truth.coverage import simulate


def test_coverage_and_false_alarms():
    shares = simulate(universities=60)
    assert len(shares) == 11
    for name, share in shares.items():
        if name.startswith("families"):
            assert share <= 0.065, f"{name}: {share:.1%}"
        else:
            assert 0.93 <= share <= 0.97, f"{name}: {share:.1%}"
