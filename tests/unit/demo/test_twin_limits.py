"""The twin's rate limits (contract A.7), with a clock of our own."""

from demo.limits import Limiter, auth_headers, standard_headers


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_sixth_login_within_a_quarter_of_an_hour_is_blocked() -> None:
    limiter = Limiter(5, block=900.0, clock=Clock())

    standings = [limiter.hit("127.0.0.1:a@b.example") for _ in range(6)]

    assert [standing.allowed for standing in standings] == [True] * 5 + [False]
    assert [standing.remaining for standing in standings] == [4, 3, 2, 1, 0, 0]
    assert standings[5].blocked


def test_a_block_is_counted_from_the_excess_and_not_prolonged_by_knocking() -> None:
    clock = Clock()
    limiter = Limiter(5, block=900.0, clock=clock)
    for _ in range(5):
        limiter.hit("k")
    clock.now += 600
    assert limiter.hit("k").reset == 900

    clock.now += 899
    assert not limiter.hit("k").allowed
    clock.now += 1
    assert limiter.hit("k").allowed


def test_a_window_without_a_block_ends_where_it_began_to_count() -> None:
    clock = Clock()
    limiter = Limiter(1, clock=clock)
    limiter.hit("k")
    clock.now += 899
    refused = limiter.hit("k")

    assert (refused.allowed, refused.reset, refused.blocked) == (False, 1, False)
    clock.now += 1
    assert limiter.hit("k").allowed


def test_keys_do_not_share() -> None:
    limiter = Limiter(1, clock=Clock())
    limiter.hit("a")

    assert limiter.hit("b").allowed


def test_headers_are_the_ones_each_limiter_sends() -> None:
    standing = Limiter(100, clock=Clock()).hit("k")

    assert standard_headers(standing) == {
        "ratelimit-policy": "100;w=900",
        "ratelimit-limit": "100",
        "ratelimit-remaining": "99",
        "ratelimit-reset": "900",
    }
    assert set(auth_headers(standing)) == {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
