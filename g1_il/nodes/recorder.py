# SPDX-License-Identifier: Apache-2.0
"""Records episodes: everything on the topics, as it comes, into one bag per episode.

Subscribes:
    the topics of the parameter `topics`, as bytes, with the QoS their publishers offer
Publishes:
    episode/status (g1_il/EpisodeStatus), on change and at status_rate_hz
Services:
    episode/start (g1_il/StartEpisode), episode/stop (g1_il/StopEpisode)

    ros2 run g1_il recorder --ros-args -p out:=episodes
    ros2 service call /episode/start g1_il/srv/StartEpisode "{task: 'put the can into the bin'}"
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rclpy.node import Node

from g1_il.episodes.finish import recover
from g1_il.episodes.recorder_config import RecorderConfig
from g1_il.errors import ConfigError
from g1_il.msg import EpisodeStatus
from g1_il.ros.episode_recorder import EpisodeRecorder
from g1_il.ros.params import declare
from g1_il.ros.qos import STATUS
from g1_il.ros.raw_topics import RawTopics
from g1_il.ros.run_node import run_node
from g1_il.srv import StartEpisode, StopEpisode


class RecorderNode(Node):
    """Two services and a status around an EpisodeRecorder."""

    def __init__(self) -> None:
        """Recovers what a killed recorder left, then listens."""
        super().__init__('recorder')
        config = declare(self, RecorderConfig)
        root = Path(config.out).expanduser().resolve()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f'parameter out is {config.out}, which cannot be a folder to write to: '
                f'{error.strerror}; name another'
            ) from error
        if not os.access(root, os.W_OK | os.X_OK):
            raise ConfigError(
                f'parameter out is {config.out}, which cannot be written; name another folder'
            )
        for rescued in recover(root):
            self.get_logger().warning(f'{rescued.kept or rescued.folder}: {rescued.note}')
        self._status = self.create_publisher(EpisodeStatus, 'episode/status', STATUS)
        self._recorder = EpisodeRecorder(root, config, self._publish)
        self._topics = RawTopics(
            self,
            config.topics,
            depth=config.depth,
            on_message=self._recorder.take,
            on_lost=self._recorder.note_lost,
        )
        self._recorder.topics = self._topics.topics
        self.create_service(StartEpisode, 'episode/start', self._on_start)
        self.create_service(StopEpisode, 'episode/stop', self._on_stop)
        self.create_timer(1.0 / config.status_rate_hz, self._on_timer)

    def stop(self) -> None:
        """Saves the episode being recorded, flagged: nobody said how it ended."""
        if self._recorder.is_recording:
            warning = 'the recorder was stopped while recording'
            print(f'recorder: {self._save("unknown", warning)}', file=sys.stderr)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_start(
        self, request: StartEpisode.Request, response: StartEpisode.Response
    ) -> StartEpisode.Response:
        response.success, response.message, response.episode_id = self._recorder.start(
            request.task, request.operator, request.notes, self._now_ns()
        )
        self.get_logger().info(response.message)
        return response

    def _on_stop(
        self, request: StopEpisode.Request, response: StopEpisode.Response
    ) -> StopEpisode.Response:
        response.success, response.message, response.path = self._recorder.stop(
            request.outcome, request.notes, self._now_ns()
        )
        self.get_logger().info(response.message)
        return response

    def _on_timer(self) -> None:
        self._topics.refresh(only_new=self._recorder.is_recording)
        if self._recorder.failure:
            self.get_logger().error(self._save('unknown', self._recorder.failure))
        is_recording = self._recorder.is_recording
        self._publish(EpisodeStatus.RECORDING if is_recording else EpisodeStatus.IDLE)

    def _save(self, outcome: str, warning: str) -> str:
        _, message, path = self._recorder.save(outcome, '', self._now_ns(), warning=warning)
        return f'{message}; {path}'

    def _publish(self, state: int) -> None:
        if self.context.ok():  # a signal may have ended ROS while an episode is being saved
            self._status.publish(self._recorder.status(state, self._now_ns()))


def main(args: list[str] | None = None) -> int:
    """Runs the node until a signal comes, then saves what is being recorded."""
    return run_node('recorder', RecorderNode, args)


if __name__ == '__main__':
    sys.exit(main())
