// SPDX-License-Identifier: Apache-2.0
// Reads head and hands out of an XRFrame into one message; g1_il/xr/tracking.py has its layout.

const JOINTS = 25;
const HEADER = 16;                          // [bytes]
const POSE = 7;                             // floats: position x y z, orientation x y z w
const SIZE = HEADER + 4 * POSE * (1 + 2 * JOINTS);
const [HEAD, LEFT, RIGHT] = [1, 2, 4];      // flags

export class TrackingMessage {
  constructor() {
    this.buffer = new ArrayBuffer(SIZE);
    this.view = new DataView(this.buffer);
    this.poses = new Float32Array(this.buffer, HEADER);
    this.sequence = 0;
  }

  // Fills the message; returns what is tracked. `timeMs` is the frame's time on this page's clock.
  fill(frame, space, viewerPose, timeMs) {
    this.poses.fill(0);
    const tracked = { head: false, left: false, right: false };
    if (viewerPose && !viewerPose.emulatedPosition) {
      this.put(0, viewerPose.transform);
      tracked.head = true;
    }
    for (const source of frame.session.inputSources) {
      if (!source.hand) continue;
      if (source.handedness === 'left') tracked.left = this.hand(1, frame, space, source.hand);
      if (source.handedness === 'right') {
        tracked.right = this.hand(1 + JOINTS, frame, space, source.hand);
      }
    }
    this.view.setUint8(0, 1);
    this.view.setUint8(1, 1);
    this.view.setUint8(2, tracked.head * HEAD | tracked.left * LEFT | tracked.right * RIGHT);
    this.view.setUint32(4, this.sequence, true);
    this.view.setFloat64(8, timeMs, true);
    this.sequence = (this.sequence + 1) >>> 0;
    return tracked;
  }

  // A hand counts as tracked only when each of its joints has a pose of its own.
  hand(first, frame, space, hand) {
    let index = first;
    for (const joint of hand.values()) {
      const pose = index < first + JOINTS ? frame.getJointPose(joint, space) : null;
      if (!pose || pose.emulatedPosition) {
        this.poses.fill(0, first * POSE, (first + JOINTS) * POSE);
        return false;
      }
      this.put(index, pose.transform);
      index += 1;
    }
    return index === first + JOINTS;
  }

  put(index, { position, orientation }) {
    const at = index * POSE;
    this.poses[at] = position.x;
    this.poses[at + 1] = position.y;
    this.poses[at + 2] = position.z;
    this.poses[at + 3] = orientation.x;
    this.poses[at + 4] = orientation.y;
    this.poses[at + 5] = orientation.z;
    this.poses[at + 6] = orientation.w;
  }
}
