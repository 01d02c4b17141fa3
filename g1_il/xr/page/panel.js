// SPDX-License-Identifier: Apache-2.0
// The two quads seen in the headset: the robot's camera, and a few lines of text below it.

const VERTEX = `
attribute vec2 corner;
uniform mat4 transform;
uniform vec4 box;  // centre x, y and half size x, y [m] in the panel's plane
varying vec2 place;
void main() {
  place = vec2(0.5 + 0.5 * corner.x, 0.5 - 0.5 * corner.y);
  gl_Position = transform * vec4(box.xy + box.zw * corner, 0.0, 1.0);
}`;

const FRAGMENT = `
precision mediump float;
uniform sampler2D picture;
varying vec2 place;
void main() { gl_FragColor = texture2D(picture, place); }`;

const DISTANCE = 1.5;       // [m] of the panel from the head
const HALF_WIDTH = 0.7;     // [m]
const FOLLOW_ANGLE = 0.6;   // [rad] the head may turn away before the panel comes along
const TEXT_WIDTH = 1024;    // [px]
const TEXT_HEIGHT = 256;    // [px]

export class Panel {
  constructor(gl) {
    this.gl = gl;
    this.program = link(gl);
    this.transform = gl.getUniformLocation(this.program, 'transform');
    this.box = gl.getUniformLocation(this.program, 'box');
    this.corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]),
      gl.STATIC_DRAW);
    this.image = texture(gl);
    this.text = texture(gl);
    this.aspect = 0.75;
    this.hasImage = false;
    this.lines = '';
    this.sheet = document.createElement('canvas');
    this.sheet.width = TEXT_WIDTH;
    this.sheet.height = TEXT_HEIGHT;
    this.centre = null;
    this.yaw = 0;
  }

  setImage(bitmap) {
    upload(this.gl, this.image, bitmap);
    this.aspect = bitmap.height / bitmap.width;
    this.hasImage = true;
  }

  setLines(lines) {
    const joined = lines.join('\n');
    if (joined === this.lines) return;
    this.lines = joined;
    const pen = this.sheet.getContext('2d');
    pen.clearRect(0, 0, TEXT_WIDTH, TEXT_HEIGHT);
    pen.fillStyle = 'rgba(20, 23, 26, 0.8)';
    pen.fillRect(0, 0, TEXT_WIDTH, TEXT_HEIGHT);
    pen.fillStyle = '#e8eaed';
    pen.font = '40px sans-serif';
    lines.forEach((line, row) => pen.fillText(line, 24, 52 + 48 * row, TEXT_WIDTH - 48));
    upload(this.gl, this.text, this.sheet);
  }

  // Stands in front of the head and comes along when the head turns well away from it.
  place(pose) {
    const { position, matrix } = pose.transform;
    const yaw = Math.atan2(matrix[8], matrix[10]);
    const turned = Math.atan2(Math.sin(yaw - this.yaw), Math.cos(yaw - this.yaw));
    if (this.centre === null || Math.abs(turned) > FOLLOW_ANGLE) this.yaw = yaw;
    const target = [
      position.x - DISTANCE * Math.sin(this.yaw), position.y,
      position.z - DISTANCE * Math.cos(this.yaw),
    ];
    const rate = this.centre === null ? 1 : 0.05;
    const from = this.centre ?? target;
    this.centre = target.map((value, axis) => from[axis] + rate * (value - from[axis]));
  }

  draw(frame, pose, layer) {
    const { gl } = this;
    this.place(pose);
    gl.bindFramebuffer(gl.FRAMEBUFFER, layer.framebuffer);
    gl.clearColor(0, 0, 0, frame.session.environmentBlendMode === 'opaque' ? 1 : 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.program);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    const corner = gl.getAttribLocation(this.program, 'corner');
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    const halfHeight = HALF_WIDTH * this.aspect;
    const textHalf = HALF_WIDTH * TEXT_HEIGHT / TEXT_WIDTH;
    for (const view of pose.views) {
      const port = layer.getViewport(view);
      gl.viewport(port.x, port.y, port.width, port.height);
      const eye = multiply(view.projectionMatrix, view.transform.inverse.matrix);
      gl.uniformMatrix4fv(this.transform, false, multiply(eye, this.standing()));
      if (this.hasImage) this.quad(this.image, [0, 0, HALF_WIDTH, halfHeight]);
      if (this.lines) {
        this.quad(this.text, [0, -halfHeight - textHalf - 0.03, HALF_WIDTH, textHalf]);
      }
    }
  }

  quad(picture, box) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, picture);
    gl.uniform4fv(this.box, box);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  standing() {
    const [cos, sin] = [Math.cos(this.yaw), Math.sin(this.yaw)];
    const [x, y, z] = this.centre;
    return [cos, 0, -sin, 0, 0, 1, 0, 0, sin, 0, cos, 0, x, y, z, 1];
  }
}

function multiply(a, b) {  // Column-major 4x4, as WebGL and WebXR have them.
  const product = new Float32Array(16);
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      let sum = 0;
      for (let k = 0; k < 4; k += 1) sum += a[4 * k + row] * b[4 * column + k];
      product[4 * column + row] = sum;
    }
  }
  return product;
}

function texture(gl) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}

function upload(gl, target, source) {
  gl.bindTexture(gl.TEXTURE_2D, target);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
      throw new Error(gl.getShaderInfoLog(shader));
    }
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(gl.getProgramInfoLog(program));
  }
  return program;
}
