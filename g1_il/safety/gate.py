# SPDX-License-Identifier: Apache-2.0
"""The gate that every command passes before the wire, whoever sent it.

    DISARMED -> ARMING -> HOLD <-> ACTIVE(source) -> RELEASING -> DISARMED;  any -> FAULT

Weight of arm_sdk, thought through (nobody has shown that the robot lets go by itself, so it is
taken to hold the last command for ever):

- ARMING ramps it from 0 to 1 while commanding the pose measured at its start.
- RELEASING goes to that same pose, where the robot's own controller held the arms when they were
  taken over, and then ramps the weight out; so neither end of the ramp has anything to jump to.
- FAULT keeps it as it is and commands damping only: the arms sink slowly. Dropping it at once
  would hand the arms, wherever they are, to a controller that wants them elsewhere.
- `reset` after a fault, and a process that ends in one, ramp it out where the arms have sunk to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.robot.state import RobotState
from g1_il.safety.config import SOURCES, GateConfig
from g1_il.safety.follower import Follower
from g1_il.safety.health import illness, is_finite, obstacle_to_arming
from g1_il.safety.inputs import fault_of_targets
from g1_il.safety.limits import LEFT_HAND, RIGHT_HAND, make_limits
from g1_il.safety.output import Output
from g1_il.safety.release import Release
from g1_il.safety.report import GateReport, GateState
from g1_il.safety.trajectory import Trajectory
from g1_il.safety.watch import StateWatch

Array = npt.NDArray[np.float64]
Answer = tuple[bool, str]

KINDS = (
    'position_limit',
    'velocity_limit',
    'acceleration_limit',
    'tracking_error',
    'stale_input',
    'disengaged',
    'not_finite',
    'wrong_length',
    'stamp_backwards',
    'stale_state',
    'stale_hand',
    'fault',
)
"""What the gate does against its inputs' will; each is counted."""

NOTICEABLE_LAG_RAD = 0.05
"""The acceleration limit counts as an intervention when the command lags by more than this."""


class Gate:
    """State machine, limits and watchdogs between the sources and the robot. Not thread-safe."""

    def __init__(self, config: GateConfig) -> None:
        """Starts disarmed.

        Args:
            config: Limits, time-outs and ramps.
        """
        self._config = config
        self._limits = make_limits(config)
        self._period_s = config.period_ns * 1e-9
        self._trajectory = Trajectory(self._limits, self._period_s)
        self._follower = Follower(round(config.blend_s * 1e9))
        self._output = Output(config)
        self._watch = StateWatch()
        self._release = Release(config)
        self._state = GateState.DISARMED
        self._source = ''
        self._reason = ''
        self._weight = 0.0
        self._counts = dict.fromkeys(KINDS, 0)
        self._measured: RobotState | None = None
        self._rest: Array = np.zeros(28)
        self._accepted_ns: int | None = None
        self._accepted_stamp_ns: int | None = None
        self._target_clipped = False

    @property
    def status(self) -> GateReport:
        """Where the gate stands after the last call."""
        return GateReport(
            state=self._state,
            source=self._source,
            reason=self._reason,
            weight=self._weight,
            interventions=dict(self._counts),
        )

    def arm(self, now_ns: int) -> Answer:
        """Begins to take the arms over where they are."""
        if self._state in (GateState.ARMING, GateState.HOLD, GateState.ACTIVE):
            return True, f'is {self._state.name} already'
        if self._state is not GateState.DISARMED:
            remedy = 'reset first' if self._state is GateState.FAULT else 'wait until it has ended'
            return False, f'cannot arm in {self._state.name}: {remedy}'
        obstacle = self._obstacle_to_arming(now_ns)
        if obstacle:
            self._reason = f'cannot arm: {obstacle}'
            return False, self._reason
        assert self._measured is not None
        self._rest = np.nan_to_num(self._measured.position[COMMAND_INDEX])
        self._trajectory.start(self._rest)
        self._output.start(self._measured)
        self._forget_input()
        self._enter(GateState.ARMING, '')
        return True, f'arming: {self._config.arming_s:.1f} s'

    def disarm(self, now_ns: int) -> Answer:
        """Begins to give the arms back: slowly to rest, then the weight ramps out."""
        if self._state in (GateState.DISARMED, GateState.RELEASING):
            return True, f'is {self._state.name} already'
        if self._state is GateState.FAULT:
            return False, f'cannot release in FAULT ({self._reason}): reset first'
        self._begin_release(now_ns, move=self._state is not GateState.ARMING, damped=False)
        return True, 'releasing'

    def estop(self, now_ns: int) -> Answer:
        """Stops at once: arms damped, hands let go; stays so until `reset`."""
        self._fail('e-stop')
        return True, 'e-stop: arms damped, hands let go'

    def reset(self, now_ns: int) -> Answer:
        """Leaves FAULT: the weight ramps out from where the arms are."""
        if self._state is not GateState.FAULT:
            return False, f'nothing to reset: the gate is {self._state.name}'
        if self._weight == 0.0:
            self._enter(GateState.DISARMED, '')
            return True, 'disarmed'
        age_ns = self._watch.body_age_ns(now_ns)
        if self._measured is None or age_ns is None or age_ns > self._hold_age_ns:
            return False, 'cannot reset without a fresh robot state; check the link to the robot'
        ill = illness(self._measured, self._config)
        if ill:
            return False, f'cannot reset: {ill}'
        self._trajectory.start(np.nan_to_num(self._measured.position[COMMAND_INDEX]))
        self._begin_release(now_ns, move=False, damped=False)
        return True, 'releasing from where the arms are'

    def select_source(self, source: str, now_ns: int) -> Answer:
        """Chooses whose commands are followed; an empty name: nobody's."""
        if source and source not in SOURCES:
            return False, f'source is {source!r}, allowed are {", ".join(SOURCES)} or empty (hold)'
        if self._state in (GateState.FAULT, GateState.RELEASING):
            return False, f'cannot select a source in {self._state.name}'
        if source == self._source and self._state is GateState.ACTIVE:
            return True, f'{source} is followed already'
        self._source = source
        self._forget_input()
        if self._state is GateState.ACTIVE:
            self._state = GateState.HOLD
        self._reason = ''
        return True, f'waiting for {source}' if source else 'holding'

    def shut_down(self, now_ns: int) -> None:
        """Begins the release before the process ends, from any state, FAULT included."""
        if self._state is GateState.FAULT:
            if self._weight == 0.0:
                self._enter(GateState.DISARMED, self._reason)
            else:
                self._begin_release(now_ns, move=False, damped=True)
        else:
            self.disarm(now_ns)

    def offer(self, targets: JointTargets, now_ns: int) -> None:
        """Takes targets of a source; those of sources that are not selected are ignored."""
        if targets.source != self._source or not self._source:
            return
        if self._state not in (GateState.HOLD, GateState.ACTIVE):
            return
        kind = fault_of_targets(targets, self._accepted_stamp_ns)
        if kind:
            self._counts[kind] += 1
            return
        if self._state is GateState.HOLD:
            self._follower.start(self._trajectory.position, now_ns)
            self._enter(GateState.ACTIVE, '')
        limits = self._limits
        position = np.clip(targets.position, limits.lower, limits.upper)
        self._target_clipped = bool((np.abs(position - targets.position) > 1e-6).any())
        velocity = np.clip(targets.velocity, -limits.velocity, limits.velocity)
        self._follower.offer(position, velocity, now_ns)
        self._accepted_ns = now_ns
        self._accepted_stamp_ns = targets.stamp_ns

    def step(self, now_ns: int, state: RobotState | None) -> RobotCommand | None:
        """Takes one control step.

        Args:
            now_ns: Time on the gate's clock, which only goes forward [ns].
            state: Newest measured state; its stamps may be of another clock.

        Returns:
            The command to send now, or None when there is nothing to say: disarmed, the robot's
            own controller has the arms.
        """
        fresh = self._observe(now_ns, state)
        if self._state is GateState.DISARMED:
            return None
        if self._state is GateState.FAULT:
            return self._damp() if self._weight > 0.0 else None
        if self._state is GateState.RELEASING:
            return self._step_release(now_ns, fresh)
        if self._state is GateState.ARMING:
            return self._step_arming(fresh)
        self._check_silence(now_ns)
        wanted = np.zeros(28)
        following = self._state is GateState.ACTIVE and fresh
        lag: Array | None = None
        if following:
            target, velocity = self._follower.step(now_ns)
            target = np.clip(target, self._limits.lower, self._limits.upper)
            lag = np.abs(target - self._trajectory.position)
            wanted = self._trajectory.approach(target, velocity, self._config.follow_gain_per_s)
            self._counts['position_limit'] += self._target_clipped
        self._advance(wanted, now_ns, lag=lag)
        return self._follow()

    def _observe(self, now_ns: int, state: RobotState | None) -> bool:
        """Watches the robot's state; True while it is fresh enough to move by."""
        if state is not None and not is_finite(state):
            state = None
        if self._watch.observe(state, now_ns):
            self._measured = state
            if state is not None and self._drives:
                ill = illness(state, self._config)
                if ill:
                    self._fail(ill)
        elif state is not None:
            self._measured = state
        age_ns = self._watch.body_age_ns(now_ns)
        fresh = age_ns is not None and age_ns <= self._hold_age_ns
        if self._state in (GateState.DISARMED, GateState.FAULT):
            return fresh
        self._counts['stale_state'] += not fresh
        lost = age_ns is None or age_ns > self._config.state_fault_after_s * 1e9
        if lost and self._state is not GateState.RELEASING:
            self._fail(
                f'no robot state for {self._config.state_fault_after_s:.1f} s; '
                f'check the cable and the robot'
            )
        return fresh

    @property
    def _drives(self) -> bool:
        """True while the arms follow commands; False while they are free or damped."""
        if self._state is GateState.RELEASING:
            return not self._release.damped
        return self._state not in (GateState.DISARMED, GateState.FAULT)

    @property
    def _hold_age_ns(self) -> float:
        return self._config.state_hold_after_s * 1e9

    def _obstacle_to_arming(self, now_ns: int) -> str:
        age_ns = self._watch.body_age_ns(now_ns)
        if self._measured is None or age_ns is None:
            return 'no robot state has come yet; is the robot on, and interface:= right?'
        if age_ns > self._hold_age_ns:
            return f'the robot state is {age_ns * 1e-9:.2f} s old; check the link to the robot'
        if self._config.hands:
            limit_ns = self._config.hand_stale_after_s * 1e9
            ages_ns = self._watch.hand_ages_ns(now_ns)
            for side, hand_age_ns in zip(('left', 'right'), ages_ns, strict=True):
                if hand_age_ns is None or hand_age_ns > limit_ns:
                    return f'the {side} hand is silent; check its cable, or set hands:=false'
        return obstacle_to_arming(self._measured, self._config)

    def _check_silence(self, now_ns: int) -> None:
        """Holds when the followed source is silent, lets go of it when it stays silent."""
        if self._accepted_ns is None:
            return
        silence_s = (now_ns - self._accepted_ns) * 1e-9
        if silence_s <= self._config.hold_after_s:
            return
        self._counts['stale_input'] += 1
        if silence_s > self._config.disengage_after_s:
            self._counts['disengaged'] += 1
            reason = f'{self._source} was silent for {self._config.disengage_after_s:.2f} s; '
            self._source = ''
            self._forget_input()
            self._enter(GateState.HOLD, reason + 'select it again')
        elif self._state is GateState.ACTIVE:
            self._enter(GateState.HOLD, f'{self._source} is silent')

    def _advance(
        self,
        wanted: Array,
        now_ns: int,
        *,
        lag: Array | None,
        max_velocity: Array | None = None,
    ) -> None:
        """Moves the commanded trajectory one step on, and counts what held it back."""
        assert self._measured is not None
        measured = self._measured.position[COMMAND_INDEX]
        measured_velocity = self._measured.velocity[COMMAND_INDEX]
        for hand, age_ns in zip(
            (LEFT_HAND, RIGHT_HAND), self._watch.hand_ages_ns(now_ns), strict=True
        ):
            if age_ns is None or age_ns > self._config.hand_stale_after_s * 1e9:
                self._counts['stale_hand'] += self._config.hands
                wanted[hand] = 0.0
                measured[hand] = self._trajectory.position[hand]
                measured_velocity[hand] = 0.0
        held_back = self._trajectory.advance(
            wanted,
            measured=measured,
            measured_velocity=measured_velocity,
            max_velocity=max_velocity,
        )
        self._counts['tracking_error'] += bool(held_back['tracking_error'].any())
        if lag is not None:
            self._counts['velocity_limit'] += bool(held_back['velocity_limit'].any())
            lagging = held_back['acceleration_limit'] & (lag > NOTICEABLE_LAG_RAD)
            self._counts['acceleration_limit'] += bool(lagging.any())

    def _step_arming(self, fresh: bool) -> RobotCommand:
        if fresh:
            self._weight = min(1.0, self._weight + self._period_s / self._config.arming_s)
        if self._weight >= 1.0:
            self._enter(GateState.HOLD, '')
        return self._follow()

    def _step_release(self, now_ns: int, fresh: bool) -> RobotCommand | None:
        release = self._release
        if release.wants_to_move(self._trajectory, self._rest, now_ns) and fresh:
            target = np.concatenate((self._rest[:14], self._trajectory.position[14:]))
            wanted = self._trajectory.approach(target, np.zeros(28), release.gain_per_s)
            self._advance(wanted, now_ns, lag=None, max_velocity=release.max_velocity)
        else:
            self._weight = release.next_weight(self._weight)
            self._advance(np.zeros(28), now_ns, lag=None)
        if release.has_ended(self._weight):
            self._enter(GateState.DISARMED, self._reason if release.damped else '')
        return self._damp() if release.damped else self._follow()

    def _begin_release(self, now_ns: int, *, move: bool, damped: bool) -> None:
        self._source = ''
        self._forget_input()
        self._release.begin(now_ns, move=move, damped=damped)
        self._enter(GateState.RELEASING, self._reason if damped else '')

    def _follow(self) -> RobotCommand:
        assert self._measured is not None
        return self._output.follow(
            self._measured,
            self._trajectory.position,
            self._trajectory.velocity,
            self._weight,
            hands_enabled=self._weight > 0.0,
        )

    def _damp(self) -> RobotCommand:
        return self._output.damp(self._trajectory.position, self._weight)

    def _fail(self, reason: str) -> None:
        self._counts['fault'] += 1
        self._source = ''
        self._forget_input()
        self._enter(GateState.FAULT, reason)

    def _forget_input(self) -> None:
        self._accepted_ns = None
        self._accepted_stamp_ns = None
        self._target_clipped = False

    def _enter(self, state: GateState, reason: str) -> None:
        self._state = state
        self._reason = reason
