// The light that lamps cast: every lamp of the city in one draw call, from the columns of places and picture. Dark: light
// adds up, so that a bright street is brighter; by day the same points in a quiet amber. Four vertices a lamp and an index,
// not an instance a lamp: without a graphics card each instance is a draw call of its own, and the city takes seconds.
import type { CustomLayerInterface, Map as Chart } from 'maplibre-gl'
import { OLD, ORDER, picture } from '../state/picture'
import { shown, UNSAID } from '../state/shown'
import { mercatorX, mercatorY, places } from './places'

const VERTEX = `#version 300 es
in vec2 place;
in vec2 state;
uniform vec4 view;
uniform vec2 reach;
uniform float scale;
out vec2 at;
out float level;
out float kind;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
  at = corner;
  level = state.x;
  kind = state.y * 255.0;
  vec2 middle = place * view.xy + view.zw;
  float size = kind < 0.5 ? 0.0 : kind > 1.5 && kind < 2.5 ? 0.7 : mix(0.75, 1.0, level);
  gl_Position = vec4(middle + corner * reach * scale * size, 0.0, 1.0);
}`

// kind: 0 not drawn, 1 a level that is true, 2 unknown, 3 a level that is old, 4 an order is under way.
const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at;
in float level;
in float kind;
uniform vec4 lit;
uniform vec4 dark;
uniform vec3 ordered;
uniform float additive;
uniform float core;
uniform float afar;
out vec4 colour;
void main() {
  float d = dot(at, at);
  if (d > 1.0 || kind < 0.5) discard;
  float fall = exp(-4.5 * d) * (1.0 - d);
  float heart = smoothstep(core, core * 0.35, d) * afar;
  if (kind > 1.5 && kind < 2.5) {
    colour = vec4(dark.rgb, 1.0) * dark.a * heart;
  } else {
    bool order = kind > 3.5;
    float age = order ? 1.0 : kind > 2.5 ? 0.55 : 1.0;
    float glow = (fall * 0.55 + heart * 0.8) * lit.a * (order ? 1.0 : level) * age;
    vec3 tint = order ? ordered : mix(lit.rgb, dark.rgb, kind > 2.5 ? 0.5 : 0.0);
    colour = vec4(tint, 1.0) * glow + vec4(dark.rgb, 1.0) * dark.a * 0.6 * heart * (1.0 - min(1.0, level * 8.0));
  }
  colour.a *= 1.0 - additive;
}`

/** A lamp's two triangles, by its four corners. */
const TRIANGLES = [0, 1, 2, 2, 1, 3]
const CORNERS = 4
/** How far a lamp lights, in metres: near, its pool is seen; afar it is never smaller than REACH_PX_MIN. */
const REACH_M = 17
const REACH_PX_MIN = 3.2

export class Lights implements CustomLayerInterface {
  readonly id = 'lights'
  readonly type = 'custom' as const
  readonly renderingMode = '2d' as const
  /** Kind codes that are lamps. */
  codes = new Set<number>()
  light = false
  /** How many lamps the last picture held. */
  drawn = 0

  #map: Chart | null = null
  #program: WebGLProgram | null = null
  #vao: WebGLVertexArrayObject | null = null
  #indexBuffer: WebGLBuffer | null = null
  #placeBuffer: WebGLBuffer | null = null
  #stateBuffer: WebGLBuffer | null = null
  #uniforms: Record<string, WebGLUniformLocation | null> = {}
  #index = new Uint32Array(0)
  /** Level in the low byte, kind in the high one, as the shader reads them. */
  #states = new Uint16Array(0)
  #origin: [number, number] = [0.5, 0.5]
  #placesVersion = -1
  #pictureVersion = -1
  #shownVersion = -1

  onAdd(map: Chart, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext
    this.#map = map
    this.#program = link(gl)
    for (const name of ['view', 'reach', 'scale', 'lit', 'dark', 'ordered', 'additive', 'core', 'afar']) {
      this.#uniforms[name] = gl.getUniformLocation(this.#program, name)
    }
    this.#vao = gl.createVertexArray()
    gl.bindVertexArray(this.#vao)
    this.#indexBuffer = gl.createBuffer()
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#indexBuffer)
    this.#placeBuffer = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#placeBuffer)
    attribute(gl, this.#program, 'place', gl.FLOAT, false)
    this.#stateBuffer = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#stateBuffer)
    attribute(gl, this.#program, 'state', gl.UNSIGNED_BYTE, true)
    gl.bindVertexArray(null)
    this.#placesVersion = -1
    this.#pictureVersion = -1
  }

  onRemove(): void {
    this.#program = null
  }

  /** Something else counts as a lamp now, or another theme draws: everything is filled anew. */
  refresh(): void {
    this.#placesVersion = -1
    this.#map?.triggerRepaint()
  }

  render(context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext
    const map = this.#map
    if (!map || !this.#program) return
    if (this.#placesVersion !== places.version) this.#fillPlaces(gl)
    if (this.#pictureVersion !== picture.version || this.#shownVersion !== shown.version) this.#fillStates(gl)
    if (this.drawn === 0) return
    gl.useProgram(this.#program)
    gl.bindVertexArray(this.#vao)
    this.#setUniforms(gl, map)
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
    gl.disable(gl.DEPTH_TEST)
    gl.disable(gl.STENCIL_TEST)
    gl.drawElements(gl.TRIANGLES, this.drawn * TRIANGLES.length, gl.UNSIGNED_INT, 0)
    gl.bindVertexArray(null)
  }

  // The map has no tilt and no turn: a scale and an offset, reckoned in doubles from where the lamps are, are all it
  // takes, and single floats hold them at every zoom.
  #setUniforms(gl: WebGL2RenderingContext, map: Chart): void {
    const canvas = map.getCanvas()
    const ratio = canvas.width / canvas.clientWidth
    const zoom = map.getZoom()
    const { lng, lat } = map.getCenter()
    const world = 512 * 2 ** zoom
    const metres = (40_075_016 * Math.cos((lat * Math.PI) / 180)) / world
    const reach = Math.max(REACH_PX_MIN + Math.max(0, zoom - 11) * 1.4, REACH_M / metres) * ratio
    const near = Math.min(1, Math.max(0, (zoom - 11) / 4))
    const u = this.#uniforms
    const scaleX = (2 * world) / canvas.clientWidth
    const scaleY = (-2 * world) / canvas.clientHeight
    const offsetX = (this.#origin[0] - mercatorX(lng)) * scaleX
    const offsetY = (this.#origin[1] - mercatorY(lat)) * scaleY
    gl.uniform4f(u['view']!, scaleX, scaleY, offsetX, offsetY)
    gl.uniform2f(u['reach']!, 2 / canvas.width, 2 / canvas.height)
    gl.uniform1f(u['scale']!, reach)
    gl.uniform1f(u['core']!, 0.34 - 0.2 * near)
    gl.uniform1f(u['afar']!, 1 - Math.min(1, Math.max(0, zoom - 13.5) / 1.5))
    gl.uniform1f(u['additive']!, this.light ? 0 : 1)
    if (this.light) gl.uniform3f(u['ordered']!, 0, 0.44, 0.54)
    else gl.uniform3f(u['ordered']!, 0.3, 0.78, 0.85)
    if (this.light) {
      gl.uniform4f(u['lit']!, 0.86, 0.5, 0.02, 0.5 - 0.3 * near)
      gl.uniform4f(u['dark']!, 0.5, 0.56, 0.62, 0.3 * (1 - near))
    } else {
      gl.uniform4f(u['lit']!, 1.0, 0.73, 0.42, 0.26 + 0.1 * near)
      gl.uniform4f(u['dark']!, 0.3, 0.4, 0.5, 0.34 * (1 - near))
    }
  }

  #fillPlaces(gl: WebGL2RenderingContext): void {
    const index: number[] = []
    for (let no = 1; no < places.end; no++) {
      const kind = places.kind[no]!
      if (kind > 0 && this.codes.has(kind - 1)) index.push(no)
    }
    this.#index = Uint32Array.from(index)
    this.#states = new Uint16Array(index.length * CORNERS)
    const first = index[0]
    this.#origin = first === undefined ? [0.5, 0.5] : [places.x[first]!, places.y[first]!]
    const at = new Float32Array(index.length * CORNERS * 2)
    const triangles = new Uint32Array(index.length * TRIANGLES.length)
    for (let row = 0; row < index.length; row++) {
      const no = index[row]!
      const x = places.x[no]! - this.#origin[0]
      const y = places.y[no]! - this.#origin[1]
      for (let corner = row * CORNERS; corner < (row + 1) * CORNERS; corner++) {
        at[corner * 2] = x
        at[corner * 2 + 1] = y
      }
      for (let n = 0; n < TRIANGLES.length; n++) triangles[row * TRIANGLES.length + n] = row * CORNERS + TRIANGLES[n]!
    }
    gl.bindVertexArray(this.#vao)
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.DYNAMIC_DRAW)
    gl.bindVertexArray(null)
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#placeBuffer)
    gl.bufferData(gl.ARRAY_BUFFER, at, gl.DYNAMIC_DRAW)
    this.drawn = index.length
    this.#placesVersion = places.version
    this.#pictureVersion = -1
  }

  #fillStates(gl: WebGL2RenderingContext): void {
    const states = this.#states
    for (let row = 0; row < this.#index.length; row++) {
      states.fill(stateOf(this.#index[row]!), row * CORNERS, (row + 1) * CORNERS)
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#stateBuffer)
    gl.bufferData(gl.ARRAY_BUFFER, states, gl.DYNAMIC_DRAW)
    this.#pictureVersion = picture.version
    this.#shownVersion = shown.version
  }
}

/** A lamp as the shader reads it: by its own word, or as a preview has it. */
function stateOf(no: number): number {
  if (picture.gone(no)) return 0
  if (shown.levels) {
    const level = shown.levels[no] ?? UNSAID
    return level === UNSAID ? 2 << 8 : (level * 2.55) | (1 << 8)
  }
  const known = picture.known(no)
  const level = known ? Math.min(255, picture.value[no]! * 2.55) : 0
  const flags = no < picture.end ? picture.flags[no]! : 0
  const kind = flags & ORDER ? 4 : !known ? 2 : flags & OLD ? 3 : 1
  return level | (kind << 8)
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram()
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type)
    if (!shader) throw new Error('no shader can be made')
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? 'shader')
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? 'program')
  return program
}

function attribute(
  gl: WebGL2RenderingContext,
  program: WebGLProgram,
  name: string,
  type: number,
  normalised: boolean,
): void {
  const location = gl.getAttribLocation(program, name)
  gl.enableVertexAttribArray(location)
  gl.vertexAttribPointer(location, 2, type, normalised, 0, 0)
}
