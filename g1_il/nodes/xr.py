# SPDX-License-Identifier: Apache-2.0
"""Serves the WebXR page and turns what the headset tells into xr/frame.

The address of the page, with its access token, is printed on start. Without a headset the node
says so and waits; it stays up whatever a page does.

Subscribes:
    <camera>/color/image_raw/compressed (sensor_msgs/CompressedImage), 30 Hz: shown in the headset
    gate/status (g1_il/GateStatus), on change and 5 Hz: shown on the page
    episode/status (g1_il/EpisodeStatus), on change and 2 Hz: shown on the page
Publishes:
    xr/frame (g1_il/XrFrame), headset rate, 60-90 Hz, stamped with the capture time

    ros2 run g1_il xr
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from g1_il.msg import EpisodeStatus, GateStatus
from g1_il.msg import XrFrame as XrFrameMsg
from g1_il.ros.messages import compressed_from_msg, frame_to_msg
from g1_il.ros.params import declare
from g1_il.ros.qos import SENSOR, STATUS
from g1_il.ros.run_node import run_node
from g1_il.xr.config import ServerConfig, default_folder
from g1_il.xr.frame import XrFrame
from g1_il.xr.server import XrServer

REPORT_PERIOD_S = 5.0
GATE_STATES = dict(enumerate(('DISARMED', 'ARMING', 'HOLD', 'ACTIVE', 'RELEASING', 'FAULT')))
EPISODE_STATES = dict(enumerate(('IDLE', 'RECORDING', 'SAVING')))


@dataclass(frozen=True, slots=True, kw_only=True)
class XrConfig:
    """Parameters of the node."""

    host: str = field(
        default='0.0.0.0', metadata={'description': 'address to listen on; 0.0.0.0 for all'}
    )
    port: int = field(
        default=8443, metadata={'description': 'TCP port of the page; 0 for any free one'}
    )
    config_folder: str = field(
        default='',
        metadata={
            'description': 'where certificate and token are kept; empty: $XDG_CONFIG_HOME/g1_il '
            'or ~/.config/g1_il'
        },
    )
    certificate: str = field(
        default='',
        metadata={'description': "the site's own certificate (PEM); empty: a self-signed one"},
    )
    key: str = field(default='', metadata={'description': 'key of that certificate (PEM)'})
    camera: str = field(
        default='head_camera', metadata={'description': 'camera shown in the headset'}
    )

    def server(self) -> ServerConfig:
        """The server's part."""
        folder = Path(self.config_folder).expanduser() if self.config_folder else default_folder()
        return ServerConfig(
            host=self.host,
            port=self.port,
            folder=folder,
            certificate=self.certificate,
            key=self.key,
        )


class XrNode(Node):
    """Ties the server to the graph."""

    def __init__(self) -> None:
        """Starts the server and prints the page's address."""
        super().__init__('xr')
        config = declare(self, XrConfig)
        self._frames = self.create_publisher(XrFrameMsg, 'xr/frame', SENSOR)
        self._server = XrServer(config.server(), self._deliver)
        self._server.set_status('camera', config.camera)
        self._server.start()
        self.create_subscription(
            CompressedImage, f'{config.camera}/color/image_raw/compressed', self._on_image, SENSOR
        )
        self.create_subscription(GateStatus, 'gate/status', self._on_gate, STATUS)
        self.create_subscription(EpisodeStatus, 'episode/status', self._on_episode, STATUS)
        self.create_timer(REPORT_PERIOD_S, self._report)
        self._said = 'waiting for a headset to open the page'
        self._dropped = 0
        print('Open in the headset (accept the certificate once):', flush=True)
        for url in self._server.urls():
            print(f'  {url}', flush=True)
        self.get_logger().info(self._said)

    def stop(self) -> None:
        """Closes the server."""
        self._server.stop()

    def _deliver(self, frame: XrFrame, uncertainty_s: float) -> None:
        """Publishes a frame from the server's thread, without a detour through the executor."""
        if self.context.ok():
            self._frames.publish(frame_to_msg(frame, stamp_uncertainty_s=uncertainty_s))

    def _on_image(self, msg: CompressedImage) -> None:
        stamp_ns, jpeg = compressed_from_msg(msg)
        self._server.show(jpeg, stamp_ns)

    def _on_gate(self, msg: GateStatus) -> None:
        state = GATE_STATES.get(msg.state, f'state {msg.state}')
        self._server.set_status(
            'gate', {'state': state, 'source': msg.source, 'reason': msg.reason}
        )

    def _on_episode(self, msg: EpisodeStatus) -> None:
        status = {
            'state': EPISODE_STATES.get(msg.state, f'state {msg.state}'),
            'task': msg.task,
            'duration_s': msg.duration,
            'saved': msg.episodes_saved,
            'warning': msg.warning,
        }
        self._server.set_status('episode', status)

    def _report(self) -> None:
        """Says, when it has changed, who controls or why nobody does; and what was refused."""
        report = self._server.report()
        if report.control:
            said = f'{report.control} controls in {report.session}'
        elif report.clients:
            pages = f'{report.clients} pages are open, none in a session'
            said = '; '.join([pages, *report.problems])
        else:
            said = 'no headset is connected; open the printed address in its browser'
        if said != self._said:
            self._said = said
            self.get_logger().info(said)
        counters = report.counters
        dropped = counters.refused_malformed + counters.refused_late + report.refused_access
        if dropped > self._dropped:
            self._dropped = dropped
            self.get_logger().warning(
                f'refused since start: {counters.refused_malformed} malformed messages '
                f'({"; ".join(report.last_malformed) or "sender gone"}), '
                f'{counters.refused_late} frames that came too late, '
                f'{report.refused_access} wrong tokens'
            )


def main(args: list[str] | None = None) -> int:
    """Runs the node until it is interrupted."""
    return run_node('xr', XrNode, args)


if __name__ == '__main__':
    sys.exit(main())
