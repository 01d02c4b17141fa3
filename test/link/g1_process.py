# SPDX-License-Identifier: Apache-2.0
"""A small G1 on the real wire, in a process of its own: joints follow commands with a lag.

python g1_process.py DOMAIN [mode_machine]. Reads one order per line and answers each with one
line of JSON; see `answer`.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import numpy as np

from g1_il.link import layout, topics
from g1_il.link.crc import crc_of_struct
from g1_il.link.state_codec import encode_state
from g1_il.link.unitree_robot import UnitreeRobot
from g1_il.robot.poses import STANDING
from g1_il.robot.state import RobotState

PERIOD_S = 0.004


class G1:
    """Publishes its state at 250 Hz and remembers every change of the command in force."""

    def __init__(self, domain: int, mode_machine: int) -> None:
        self.robot = UnitreeRobot(domain=domain, interface='lo', mode_machine=mode_machine)
        self.position = STANDING.copy()
        self.silent: set[str] = set()
        self.trace: list[dict] = []
        self.crc: int | None = None
        self.alive = True

    def state(self) -> RobotState:
        return RobotState(
            stamp_ns=0,
            left_hand_stamp_ns=0,
            right_hand_stamp_ns=0,
            position=self.position,
            velocity=np.zeros(43),
            effort=np.linspace(-1.0, 1.0, 43),
            orientation_wxyz=np.array([1.0, 0.0, 0.0, 0.0]),
            angular_velocity=np.array([0.01, 0.02, 0.03]),
            linear_acceleration=np.array([0.1, 0.2, 9.8]),
            mode_machine=0,
            mode_pr=0,
            tick=0,
            casing_temperature=np.arange(29.0) + 20.0,
            winding_temperature=np.arange(29.0) + 30.0,
            wireless_remote=bytes(range(40)),
        )

    def publish(self) -> None:
        state = self.state()
        if 'body' not in self.silent:
            if self.crc is None:
                self.robot.publish_body(state)
            else:
                struct = layout.zeros(layout.LOW_STATE)
                encode_state(struct, state, mode_machine=5, tick=1)
                struct['crc'] = self.crc
                assert crc_of_struct(struct) != self.crc
                self.robot._write_state(layout.low_to_cdr(struct))
        for side in topics.SIDES:
            if side not in self.silent:
                touch = np.arange(108, dtype=np.float32) + 10.0
                self.robot.publish_hand(side, state, touch)

    def run(self) -> None:
        due = time.monotonic()
        while self.alive:
            command = self.robot.command()
            if command is not None:
                follows = command.weight * (command.kp > 0.0)
                self.position = self.position + 0.5 * follows * (command.position - self.position)
                self.trace.append(
                    {
                        'time': time.time(),
                        'weight': command.weight,
                        'position': command.position.tolist(),
                        'kp': float(command.kp[15:29].min()),
                        'kd': float(command.kd[15:29].min()),
                        'waist_kp': float(command.kp[12:15].max()),
                        'hand_kp': command.kp[29:43].tolist(),
                        'hands': command.hands_enabled,
                    }
                )
            self.publish()
            due += PERIOD_S
            time.sleep(max(0.0, due - time.monotonic()))

    def answer(self, order: str, *words: str) -> object:
        if order == 'last':
            return self.trace[-1] if self.trace else None
        if order == 'trace':
            return [
                [entry['time'], entry['weight'], entry['position'][15]] for entry in self.trace
            ]
        if order == 'counts':
            counts = self.robot.counts
            return {name: getattr(counts, name) for name in counts.__slots__}
        if order == 'position':
            return self.position.tolist()
        if order == 'silence':
            self.silent = set(words)
        elif order == 'crc':
            self.crc = None if words == ('right',) else int(words[0])
        else:
            raise ValueError(order)
        return 'ok'


def main() -> None:
    g1 = G1(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    thread = threading.Thread(target=g1.run)
    thread.start()
    print('"ready"', flush=True)
    for line in sys.stdin:
        print(json.dumps(g1.answer(*line.split())), flush=True)
    g1.alive = False
    thread.join()
    g1.robot.close()


if __name__ == '__main__':
    main()
