"""The breaker's rules, against every order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.breaker import Breaker, BreakerLimits, Permit, State, Verdict

LIMITS = BreakerLimits(failures=3, of=5, open_seconds=10)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(LIMITS, clock)
    for _ in range(3):
        permit = breaker.enter()
        assert permit is not None
        breaker.leave(permit, Verdict.FAILED)
    return breaker


def test_it_opens_at_three_of_five_and_lets_one_probe_in_after_its_time() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert (breaker.state, breaker.enter(), breaker.wait) == (State.OPEN, None, 10)
    clock.now = 10
    probe = breaker.enter()
    assert probe is not None
    assert probe.probe
    assert breaker.enter() is None
    breaker.leave(probe, Verdict.WELL)
    assert breaker.state is State.CLOSED
    assert breaker.enter() is not None


def test_a_probe_that_fails_leaves_it_alone_once_more() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10
    probe = breaker.enter()
    assert probe is not None
    breaker.leave(probe, Verdict.FAILED)
    assert (breaker.state, breaker.wait) == (State.OPEN, 10)


def test_a_probe_whose_caller_went_away_frees_its_place() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10
    probe = breaker.enter()
    assert probe is not None
    breaker.leave(probe, Verdict.NOTHING)
    assert breaker.state is State.HALF_OPEN
    assert breaker.enter() is not None


def test_two_failures_among_many_answers_do_not_open_it() -> None:
    breaker = Breaker(LIMITS, Clock())
    for verdict in [Verdict.FAILED, Verdict.WELL, Verdict.WELL, Verdict.FAILED, Verdict.WELL] * 20:
        permit = breaker.enter()
        assert permit is not None
        breaker.leave(permit, verdict)
    assert breaker.state is State.CLOSED


class AnyOrder(RuleBasedStateMachine):
    """Questions come, are answered in any order or never, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(LIMITS, self.clock)
        self.inside: list[Permit] = []
        self.probe: Permit | None = None
        self.recent: list[Verdict] = []

    @rule()
    def a_question_comes(self) -> None:
        before = self.breaker.state
        permit = self.breaker.enter()
        if before is State.CLOSED:
            assert permit is not None
            assert not permit.probe
        elif before is State.OPEN or self.probe is not None:
            assert permit is None, "nobody is asked while it is open, or beside the probe"
        else:
            assert permit is not None
            assert permit.probe
            self.probe = permit
        if permit is not None:
            self.inside.append(permit)

    @precondition(lambda self: self.inside)
    @rule(which=st.integers(min_value=0), verdict=st.sampled_from(Verdict))
    def an_answer_comes(self, which: int, verdict: Verdict) -> None:
        permit = self.inside.pop(which % len(self.inside))
        before = self.breaker.state
        self.breaker.leave(permit, verdict)
        if permit is self.probe:
            self.probe = None
            wanted = {Verdict.WELL: State.CLOSED, Verdict.FAILED: State.OPEN, Verdict.NOTHING: State.HALF_OPEN}
            assert self.breaker.state is wanted[verdict]
            self.recent.clear()
        elif before is not State.CLOSED:
            assert self.breaker.state is before, "a late answer decides nothing"
        elif verdict is Verdict.FAILED:
            self.recent.append(verdict)
        if self.breaker.state is State.OPEN and before is State.CLOSED:
            assert verdict is Verdict.FAILED
            assert len(self.recent) >= LIMITS.failures

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def it_never_waits_longer_than_it_may(self) -> None:
        assert 0 <= self.breaker.wait <= LIMITS.open_seconds
        assert (self.breaker.state is State.OPEN) == (self.breaker.wait > 0)


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
