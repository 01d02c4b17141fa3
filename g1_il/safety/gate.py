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
- After a process that died holding the arms it is still 1: the gate then begins in FAULT and says
  nothing until `reset` ramps it out where the arms are.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from g1_il.robot.command import JointTargets, RobotCommand
from g1_il.robot.joints import COMMAND_INDEX
from g1_il.robot.state import RobotState
from g1_il.safety.config import SOURCES, GateConfig
from g1_il.safety.inputs import SelectedSource
from g1_il.safety.limits import LEFT_HAND, RIGHT_HAND, make_limits
from g1_il.safety.output import Output
from g1_il.safety.release import Release
from g1_il.safety.report import KINDS, GateReport, GateState
from g1_il.safety.trajectory import HeldBack, Trajectory
from g1_il.safety.watch import RobotWatch

Array = npt.NDArray[np.float64]
Answer = tuple[bool, str]

LEFT_HELD = 'a bridge died (or runs yet) holding the arms; gate/reset gives them back slowly'

NOTICEABLE_LAG_RAD = 0.05
"""The acceleration limit counts as an intervention when the command lags by more than this."""


class Gate:
    """State machine between the sources and the robot. Not thread-safe."""

    def __init__(self, config: GateConfig, *, left_held: bool = False) -> None:
        """Starts disarmed, or silent in FAULT when somebody died holding the arms.

        Args:
            config: Limits, time-outs and ramps.
            left_held: The robot holds a command at weight 1 that nobody sends any more.
        """
        self._config = config
        limits = make_limits(config)
        self._period_s = config.period_ns * 1e-9
        self._trajectory = Trajectory(limits, self._period_s)
        self._source = SelectedSource(config, limits)
        self._output = Output(config)
        self._watch = RobotWatch(config)
        self._release = Release(config)
        self._state = GateState.DISARMED
        self._reason = ''
        self._weight = 0.0
        self._counts = dict.fromkeys(KINDS, 0)
        self._rest: Array = np.zeros(28)
        self._hands_let_go = left_held
        self._left_held = left_held
        if left_held:
            self._weight = 1.0
            self._enter(GateState.FAULT, LEFT_HELD)

    @property
    def status(self) -> GateReport:
        """Where the gate stands after the last call."""
        return GateReport(
            state=self._state,
            source=self._source.name,
            reason=self._reason,
            weight=self._weight,
            interventions=dict(self._counts),
        )

    @property
    def source_followed(self) -> str:
        """Source whose commands are being executed; empty while the gate goes its own way."""
        return self._source.name if self._state is GateState.ACTIVE else ''

    def arm(self, now_ns: int) -> Answer:
        """Begins to take the arms over where they are."""
        if self._state in (GateState.ARMING, GateState.HOLD, GateState.ACTIVE):
            return True, f'is {self._state.name} already'
        if self._state is not GateState.DISARMED:
            remedy = 'reset first' if self._state is GateState.FAULT else 'wait until it has ended'
            return False, f'cannot arm in {self._state.name}: {remedy}'
        obstacle = self._watch.obstacle_to_arming(now_ns)
        if obstacle:
            self._reason = f'cannot arm: {obstacle}'
            return False, self._reason
        self._rest = self._measured_position()
        self._trajectory.start(self._rest)
        self._output.start(self._measured)
        self._hands_let_go = False
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
        if not self._watch.is_fresh(now_ns):
            return False, 'cannot reset without a fresh robot state; check the link to the robot'
        ill = self._watch.illness()
        if ill:
            return False, f'cannot reset: {ill}'
        self._trajectory.start(self._measured_position())
        if self._left_held:
            self._left_held = False
            self._output.start(self._measured)
        self._begin_release(now_ns, move=False, damped=False)
        return True, 'releasing from where the arms are'

    def select_source(self, source: str, now_ns: int) -> Answer:
        """Chooses whose commands are followed; an empty name: nobody's."""
        if source and source not in SOURCES:
            return False, f'source is {source!r}, allowed are {", ".join(SOURCES)} or empty (hold)'
        if self._state in (GateState.FAULT, GateState.RELEASING):
            return False, f'cannot select a source in {self._state.name}'
        if source == self.source_followed and source:
            return True, f'{source} is followed already'
        self._source.select(source)
        self._enter(GateState.HOLD if self._state is GateState.ACTIVE else self._state, '')
        return True, f'waiting for {source}' if source else 'holding'

    def shut_down(self, now_ns: int) -> None:
        """Begins the release before the process ends, from any state, FAULT included."""
        if self._state is not GateState.FAULT:
            self.disarm(now_ns)
        elif self._weight == 0.0 or self._left_held:
            self._enter(GateState.DISARMED, self._reason)
        else:
            self._begin_release(now_ns, move=False, damped=True)

    def offer(self, targets: JointTargets, now_ns: int) -> None:
        """Takes targets of a source; those of sources that are not selected are ignored."""
        if not self._listens_to(targets.source):
            return
        kind = self._source.fault_of(targets)
        if kind:
            self._counts[kind] += 1
            return
        if self._state is GateState.HOLD:
            self._source.begin(self._trajectory.position, now_ns)
            self._enter(GateState.ACTIVE, '')
        self._source.accept(targets, now_ns)

    def refuse(self, source: str, kind: str) -> None:
        """Counts a message of a source that could not even be read, if it was listened to."""
        if self._listens_to(source):
            self._counts[kind] += 1

    def step(self, now_ns: int, state: RobotState | None) -> RobotCommand | None:
        """Takes one control step.

        Args:
            now_ns: Time on the gate's clock, which only goes forward [ns].
            state: Newest measured state; its stamps may be of another clock.

        Returns:
            The command to send now, or None when there is nothing to say: disarmed, the robot's
            own controller has the arms.
        """
        new = self._watch.observe(state, now_ns)
        if self._drives:
            self._look_after_robot(new, now_ns)
        if self._state is GateState.DISARMED:
            return None
        if self._state is GateState.FAULT:
            return self._damp() if self._weight > 0.0 and not self._left_held else None
        fresh = self._watch.is_fresh(now_ns)
        self._counts['stale_state'] += not fresh
        if self._state is GateState.RELEASING:
            return self._step_release(now_ns, fresh)
        if self._state is GateState.ARMING:
            return self._step_arming(fresh)
        self._listen(now_ns)
        if self._state is GateState.ACTIVE and fresh:
            self._step_active(now_ns)
        else:
            self._brake(now_ns)
        return self._follow()

    @property
    def _drives(self) -> bool:
        """True while the arms follow commands; False while they are free or damped."""
        if self._state is GateState.RELEASING:
            return not self._release.damped
        return self._state not in (GateState.DISARMED, GateState.FAULT)

    @property
    def _measured(self) -> RobotState:
        measured = self._watch.measured
        assert measured is not None  # nothing arms before the first state
        return measured

    def _measured_position(self) -> Array:
        """Measured positions of the commanded joints, (28,); zero for hands that are not there."""
        return np.nan_to_num(self._measured.position[COMMAND_INDEX])

    def _listens_to(self, source: str) -> bool:
        armed = self._state in (GateState.HOLD, GateState.ACTIVE)
        return armed and source != '' and source == self._source.name

    def _look_after_robot(self, new_state: bool, now_ns: int) -> None:
        """Faults when the robot is ill, or has been silent for so long that nobody knows."""
        ill = self._watch.illness() if new_state else ''
        if ill:
            self._fail(ill)
        elif self._state is not GateState.RELEASING and self._watch.is_lost(now_ns):
            self._fail(
                f'no robot state for {self._config.state_fault_after_s:.1f} s; '
                f'check the cable and the robot'
            )

    def _listen(self, now_ns: int) -> None:
        """Holds when the followed source is silent, lets go of it when it stays silent."""
        silence_s = self._source.silence_s(now_ns)
        if silence_s <= self._config.hold_after_s:
            return
        self._counts['stale_input'] += 1
        if silence_s > self._config.disengage_after_s:
            self._counts['disengaged'] += 1
            silent = f'{self._source.name} was silent for {self._config.disengage_after_s:.2f} s'
            self._source.select('')
            self._enter(GateState.HOLD, f'{silent}; select it again')
        elif self._state is GateState.ACTIVE:
            self._enter(GateState.HOLD, f'{self._source.name} is silent')

    def _step_active(self, now_ns: int) -> None:
        target, velocity = self._source.reference(now_ns)
        held_back = self._advance(target, velocity, self._config.follow_gain_per_s, now_ns)
        counts = self._counts
        counts['position_limit'] += self._source.clipped
        counts['velocity_limit'] += held_back.velocity_limit
        counts['acceleration_limit'] += held_back.lag_rad > NOTICEABLE_LAG_RAD

    def _step_arming(self, fresh: bool) -> RobotCommand:
        if fresh:
            self._weight = min(1.0, self._weight + self._period_s / self._config.arming_s)
        if self._weight >= 1.0:
            self._enter(GateState.HOLD, '')
        return self._follow()

    def _step_release(self, now_ns: int, fresh: bool) -> RobotCommand:
        release = self._release
        if release.wants_to_move(self._trajectory, self._rest, now_ns) and fresh:
            target = np.concatenate((self._rest[:14], self._trajectory.position[14:]))
            gain_per_s, max_velocity = release.gain_per_s, release.max_velocity
            self._advance(target, np.zeros(28), gain_per_s, now_ns, max_velocity=max_velocity)
        else:
            self._weight = release.next_weight(self._weight, now_ns)
            self._brake(now_ns)
        if release.has_ended(now_ns):
            self._enter(GateState.DISARMED, self._reason)
        return self._damp() if release.damped else self._follow()

    def _brake(self, now_ns: int) -> None:
        """Comes to a standstill and stays there."""
        self._advance(self._trajectory.position, np.zeros(28), 0.0, now_ns)

    def _advance(
        self,
        target: Array,
        velocity: Array,
        gain_per_s: float,
        now_ns: int,
        *,
        max_velocity: Array | None = None,
    ) -> HeldBack:
        """Moves the commanded trajectory one step on; a silent hand stays where it is."""
        measured = self._measured.position[COMMAND_INDEX]
        measured_velocity = self._measured.velocity[COMMAND_INDEX]
        silent = self._silent_hands(measured, measured_velocity, now_ns)
        if silent:
            self._counts['stale_hand'] += self._config.hands
            target, velocity = target.copy(), velocity.copy()
            for hand in silent:
                target[hand] = measured[hand] = self._trajectory.position[hand]
                velocity[hand] = measured_velocity[hand] = 0.0
        held_back = self._trajectory.advance(
            target,
            velocity,
            gain_per_s=gain_per_s,
            measured=measured,
            measured_velocity=measured_velocity,
            max_velocity=max_velocity,
        )
        self._counts['tracking_error'] += held_back.tracking_error
        return held_back

    def _silent_hands(self, measured: Array, velocity: Array, now_ns: int) -> list[slice]:
        """Hands whose state is old or not a number."""
        stale = self._watch.stale_hands(now_ns)
        if not any(stale) and math.isfinite(np.add.reduce(measured) + np.add.reduce(velocity)):
            return []
        return [
            hand
            for hand, old in zip((LEFT_HAND, RIGHT_HAND), stale, strict=True)
            if old or not np.isfinite(measured[hand] + velocity[hand]).all()
        ]

    def _begin_release(self, now_ns: int, *, move: bool, damped: bool) -> None:
        self._source.select('')
        self._release.begin(now_ns, move=move, damped=damped)
        self._enter(GateState.RELEASING, self._reason if damped else '')

    def _follow(self) -> RobotCommand:
        return self._output.follow(
            self._measured,
            self._trajectory.position,
            self._trajectory.velocity,
            self._weight,
            hands_enabled=self._weight > 0.0 and not self._hands_let_go,
        )

    def _damp(self) -> RobotCommand:
        return self._output.damp(self._trajectory.position, self._weight)

    def _fail(self, reason: str) -> None:
        self._counts['fault'] += 1
        self._hands_let_go = True
        self._left_held = self._left_held and self._watch.measured is None
        self._source.select('')
        self._enter(GateState.FAULT, reason)

    def _enter(self, state: GateState, reason: str) -> None:
        self._state = state
        self._reason = reason
