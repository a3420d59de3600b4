"""Profiles learned from samples, and refused where they do not tell."""

import math

import pytest

import smo
from smo.profile import ProfileSample, join_prometheus, learn, read_samples


def samples(alpha: float, beta: float, first: int = 0) -> list[ProfileSample]:
    """Forty samples of one to four replicas that lie on a line."""

    def sample(second: int) -> ProfileSample:
        replicas = 1 + second % 4
        carried = alpha * replicas + beta
        rate = carried * (0.4 + second % 7 / 20)
        return ProfileSample(second, replicas, rate, 0.8 * rate / carried)

    return [sample(second) for second in range(first, first + 40)]


def test_a_line_is_learned_and_its_drift_noticed() -> None:
    profile = learn(samples(110, -30))
    value, low, high = profile.alpha
    assert low <= value <= high and abs(value - 110) < 1e-3
    assert (profile.samples, profile.ignored, profile.replicas) == (40, 0, (1, 4))
    assert abs(profile.carries(2) - 190) < 0.01
    assert "110 r - 30" in str(profile) and profile.to_dict()["samples"] == 40
    same = profile.drift(samples(110, -30, first=40))
    assert not same.drifted and same.shift is not None and abs(same.shift) < 0.01
    worse = profile.drift(samples(80, -30, first=40))
    assert worse.drifted and worse.shift is not None and worse.shift < -0.2
    assert "learn it again" in str(worse)
    assert profile.drift([]).shift is None


def test_files_and_prometheus_are_read() -> None:
    text = "time,replicas,rate,utilisation\n60,2,100,0.5\n75,2,,0.5\n90,3,150,0.6\n"
    assert [(sample.replicas, sample.rate, sample.utilisation) for sample in read_samples(text)] == [
        (2, 100.0, 0.5),
        (3, 150.0, 0.6),
    ]

    def answer(*values: tuple[int, str]) -> str:
        pairs = ", ".join(f'[{at}, "{value}"]' for at, value in values)
        return f'{{"status": "success", "data": {{"resultType": "matrix", "result": [{{"metric": {{}}, "values": [{pairs}]}}]}}}}'

    [joined] = join_prometheus(answer((60, "2"), (75, "2")), answer((60, "100"), (75, "NaN")), answer((60, "0.5")))
    assert joined == ProfileSample(60, 2, 100.0, 0.5)
    assert joined.at == "1970-01-01T00:01:00Z"


def test_what_does_not_tell_is_refused() -> None:
    with pytest.raises(smo.NotEnoughData, match="of 2 replicas"):
        learn([ProfileSample(second, 2, 100.0, 0.5) for second in range(30)])
    assert learn([ProfileSample(second, 2, 100.0, 0.5) for second in range(30)], proportional=True).beta[0] == 0
    with pytest.raises(smo.NotEnoughData, match="are needed"):
        learn(samples(10, 0)[:5])
    with pytest.raises(smo.InvalidSamples) as refused:
        learn([ProfileSample(60, 0, -1.0, math.nan), ProfileSample(0, 1, 1.0, 0.5)])
    assert len(refused.value.faults) >= 4
    with pytest.raises(smo.InvalidSamples, match="option"):
        learn(samples(10, 0), target=0)
    with pytest.raises(smo.InvalidSamples, match="latency"):
        ProfileSample(0, 1, 1.0)
    with pytest.raises(smo.InvalidSamples, match="line 2") as unread:
        read_samples("time,replicas,rate,utilisation\n60,two,100,0.5\n")
    assert unread.value.hints
    with pytest.raises(smo.InvalidSamples, match="replicas: "):
        join_prometheus("{", "{", "{")
