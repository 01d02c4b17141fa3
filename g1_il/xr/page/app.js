// SPDX-License-Identifier: Apache-2.0
// The page: a line to the server, buttons that start a session, pictures and status.

import { Panel } from './panel.js';
import { TrackingMessage } from './tracking.js';

const MAX_WAITING = 16384;   // [bytes] unsent; beyond it a frame is left out, never queued
const RECONNECT_MS = 1000;
const ROLES = {
  control: 'this headset controls',
  watch: 'another headset controls, this one only watches',
  free: 'nobody; start a session to take it',
};

const element = (id) => document.getElementById(id);
const show = (id, text) => {
  if (element(id).textContent !== text) element(id).textContent = text;
};

let socket = null;
let session = null;
let panel = null;
let newest = null;           // Bitmap that the headset has not been given yet.
let status = {};
let seen = { head: false, left: false, right: false };

function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(message);
}

function tell(message) {
  send(JSON.stringify(message));
}

function problem(text) {
  show('problem', text);
  element('problem').hidden = text === '';
  tell({ type: 'problem', text });
}

// --- The line to the server -------------------------------------------------------------------

function connect() {
  socket = new WebSocket(new URL('ws', location.href.replace(/^http/, 'ws')));
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    show('connection', 'connected');
    tell({ type: 'problem', text: element('problem').textContent });
    if (session) tell({ type: 'session', mode: session.g1Mode });
  };
  socket.onclose = () => {
    show('connection', 'lost, trying again');
    status = {};
    showStatus();
    setTimeout(connect, RECONNECT_MS);
  };
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') {
      receiveImage(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === 'ping') tell({ type: 'pong', id: message.id, t_ms: performance.now() });
    if (message.type === 'status') {
      status = message;
      showStatus();
    }
  };
}

async function receiveImage(data) {
  const number = new DataView(data).getUint32(4, true);
  try {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 8)]));
    if (newest) newest.close();
    newest = bitmap;
    if (!session) {
      const canvas = element('preview');
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      }
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
    }
  } finally {
    tell({ type: 'image_shown', number });
  }
}

// --- Status -----------------------------------------------------------------------------------

function lines() {
  const { gate, episode } = status;
  const robot = gate ? [gate.state, gate.source, gate.reason].filter(Boolean).join(' · ') : '–';
  let tape = '–';
  if (episode) {
    tape = [episode.state, episode.task, episode.warning].filter(Boolean).join(' · ');
    if (episode.state === 'RECORDING') tape += ` · ${episode.duration_s.toFixed(0)} s`;
    tape += ` · ${episode.saved} saved`;
  }
  const age = status.image_age_ms == null ? '' : `, ${status.image_age_ms.toFixed(0)} ms old`;
  return { robot, tape, camera: status.camera ? status.camera + age : '–' };
}

function showStatus() {
  const { robot, tape, camera } = lines();
  show('role', ROLES[status.role] ?? '–');
  show('gate', robot);
  show('episode', tape);
  show('camera', camera);
  for (const part of ['head', 'left', 'right']) {
    show(part, session ? (seen[part] ? 'seen' : 'not seen') : '–');
  }
}

function headsetLines() {
  const { robot, tape, camera } = lines();
  const lost = Object.keys(seen).filter((part) => !seen[part]);
  const tracking = lost.length ? `NOT SEEN: ${lost.join(', ')}` : 'head and hands are seen';
  const role = status.role === 'control' ? '' : ` · ${ROLES[status.role] ?? 'no server'}`;
  return [`Robot: ${robot}`, `Episode: ${tape}`, `Camera: ${camera}`, tracking + role];
}

// --- The session ------------------------------------------------------------------------------

async function whyNot() {
  if (!window.isSecureContext) {
    return 'This page did not come over HTTPS, so the browser offers no VR. Open the address '
      + 'that begins with https://, as the xr node printed it.';
  }
  if (!navigator.xr) {
    return 'This browser has no WebXR. Open this address in the browser of a headset; here you '
      + 'can watch the camera.';
  }
  const modes = await Promise.all(['immersive-ar', 'immersive-vr'].map(
    async (mode) => [mode, await navigator.xr.isSessionSupported(mode).catch(() => false)],
  ));
  for (const button of document.querySelectorAll('button')) {
    button.disabled = !modes.some(([mode, able]) => able && mode === button.dataset.mode);
  }
  if (!modes.some(([, able]) => able)) {
    return 'No headset is connected to this browser, or it may not use it.';
  }
  return '';
}

async function start(mode) {
  problem('');
  let asked;
  try {
    asked = await navigator.xr.requestSession(mode, {
      requiredFeatures: ['local-floor'], optionalFeatures: ['hand-tracking'],
    });
  } catch (error) {
    problem(`The headset refused to start ${mode}: ${error.message}`);
    return;
  }
  try {
    await run(asked, mode);
  } catch (error) {
    problem(`The session could not begin: ${error.message}`);
    await asked.end();
  }
}

async function run(asked, mode) {
  const gl = document.createElement('canvas').getContext('webgl', { xrCompatible: true });
  if (!gl) throw new Error('this browser has no WebGL');
  const layer = new XRWebGLLayer(asked, gl);
  await asked.updateRenderState({ baseLayer: layer });
  const space = await asked.requestReferenceSpace('local-floor');
  const message = new TrackingMessage();
  panel = new Panel(gl);
  session = asked;
  session.g1Mode = mode;
  const began = performance.now();
  let toldOfHands = false;
  session.addEventListener('end', () => {
    session = null;
    panel = null;
    seen = { head: false, left: false, right: false };
    tell({ type: 'session', mode: '' });
    showStatus();
  });
  const onFrame = (time, frame) => {
    if (!session) return;
    session.requestAnimationFrame(onFrame);
    const pose = frame.getViewerPose(space);
    seen = message.fill(frame, space, pose, time);
    if (socket.bufferedAmount < MAX_WAITING) send(message.buffer);
    if (!toldOfHands && time - began > 5000 && ![...session.inputSources].some((s) => s.hand)) {
      toldOfHands = true;
      problem('The browser gives no hands: allow hand tracking for this page, switch it on in '
        + 'the headset\'s settings, and put the controllers down.');
    }
    if (!pose) return;
    if (newest) {
      panel.setImage(newest);
      newest.close();
      newest = null;
    }
    panel.setLines(headsetLines());
    panel.draw(frame, pose, layer);
  };
  tell({ type: 'session', mode });
  session.requestAnimationFrame(onFrame);
}

for (const button of document.querySelectorAll('button')) {
  button.addEventListener('click', () => start(button.dataset.mode));
}
if (navigator.xr) {
  navigator.xr.addEventListener('devicechange', async () => problem(await whyNot()));
}
connect();
problem(await whyNot());
