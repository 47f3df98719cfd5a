// The canvas over the map: signs of single assets, what is wrong, names of areas with their figure, what is chosen.
// Drawn in the same frame as the map, and again when the live picture changes.
import { number } from '@lib/format'
import { CONSIGNED, GONE, ORDER, picture } from '../state/picture'
import { clustersOf, CLUSTER_ZOOM, type Cluster } from './clusters'
import { Cones } from './cones'
import { dot, label, mark, sign, type SignState } from './ink'
import type { Look } from './looks'
import type { Palette } from './palette'
import { mercatorX, mercatorY, places } from './places'
import { Ruled } from './ruled'
import type { Screen } from './screen'
import type { Step } from '../state/targets.svelte'
import { head } from './signals'
import { drawTargets } from './targets'

export interface AreaLabel {
  path: string
  name: string
  depth: number
  x: number
  y: number
  /** Width of its bounds in units of the square. */
  span: number
}

/** What the overlay draws for one kind code. */
export interface Drawn {
  look: Look
  icon: string
  /** Whether it says anything at all: what has no points is never unknown. */
  speaks: boolean
  /** Names of the shown point's choices, if it has any. */
  choices: string[]
}

export interface Hit {
  x: number
  y: number
  r: number
  /** An asset's number, or 0 for a cluster or an area, which are zoomed to. */
  no: number
  unitX: number
  unitY: number
  area?: string
}

/** Signs never stand closer than this; what is wrong goes first. */
const SIGN_GAP_PX = 19

export class Overlay {
  palette: Palette
  drawn: (Drawn | undefined)[] = []
  /** By kind code + 1: whether the kind is shown, as the rail says. */
  shown = new Uint8Array(257)
  areas: AreaLabel[] = []
  counts: ReadonlyMap<string, [number, number, number]> = new Map()
  selected = 0
  hovered = 0
  /** What is selected or ordered, by asset number. */
  targets: ReadonlyMap<number, Step> = new Map()
  hits: Hit[] = []

  #sparse = new Uint32Array(0)
  #placesVersion = -1
  readonly cones = new Cones()
  readonly ruled = new Ruled()
  readonly #taken = new Set<number>()

  constructor(palette: Palette) {
    this.palette = palette
  }

  /** Which kinds are drawn has changed. */
  refresh(): void {
    this.#placesVersion = -1
  }

  draw(ink: CanvasRenderingContext2D, screen: Screen, nowS: number): void {
    if (this.#placesVersion !== places.version) this.#reindex()
    this.hits = []
    this.#taken.clear()
    this.#drawSigns(ink, screen, nowS)
    if (screen.zoom >= CLUSTER_ZOOM) for (const each of clustersOf(screen, this.shown)) this.#drawCluster(ink, screen, each)
    else this.#drawAreas(ink, screen)
    if (screen.zoom >= CLUSTER_ZOOM && screen.zoom < 13.4) this.#drawAreaNames(ink, screen)
    this.ruled.draw(ink, this.palette, screen, (kind) => this.#lift(kind, screen.zoom))
    drawTargets(ink, this.palette, screen, this.targets)
    this.#drawRing(ink, screen, this.hovered, 1)
    this.#drawRing(ink, screen, this.selected, 2)
  }

  /** So far above an asset there is room for a sign of it, in px; 0 where it is not drawn itself. */
  #lift(kind: number, zoom: number): number {
    const look = this.drawn[kind - 1]?.look
    if (!look || !this.shown[kind] || zoom < look.dotZoom) return 0
    if (look.form === 'light') return Math.max(2.5, (zoom - 13.5) * 1.8)
    return zoom >= look.signZoom ? 13 : 4
  }

  #reindex(): void {
    const index: number[] = []
    for (let no = 1; no < places.end; no++) {
      const form = this.drawn[places.kind[no]! - 1]?.look.form
      if (form === 'sign' || form === 'signal') index.push(no)
    }
    this.#sparse = Uint32Array.from(index)
    this.#placesVersion = places.version
  }

  #drawSigns(ink: CanvasRenderingContext2D, screen: Screen, nowS: number): void {
    for (const no of this.#sparse) {
      const kind = places.kind[no]!
      const drawn = this.drawn[kind - 1]
      if (!drawn || !this.shown[kind] || screen.zoom < drawn.look.dotZoom) continue
      const x = screen.x(places.x[no]!)
      const y = screen.y(places.y[no]!)
      if (!screen.shows(x, y, 30) || (no < picture.end && picture.flags[no]! & GONE)) continue
      const state = stateOf(no, nowS, drawn.speaks)
      const near = screen.zoom >= drawn.look.signZoom
      const free = near && (this.#free(x, y) || no === this.selected)
      if (!free) {
        dot(ink, state.ordered ? this.palette.order : this.palette.assetLine, x, y, near ? 2.5 : 2, !state.known || state.old)
      } else if (drawn.look.form === 'signal') {
        const choice = state.known ? drawn.choices[picture.value[no]!] : undefined
        head(ink, this.palette, choice, x, y, Math.min(1.5, 0.7 + (screen.zoom - drawn.look.signZoom) * 0.25), state)
      } else {
        if (drawn.look.cone) this.cones.draw(ink, this.palette, screen, no, x, y)
        sign(ink, this.palette, drawn.icon, x, y, Math.min(24, 15 + (screen.zoom - drawn.look.signZoom) * 3), state)
      }
      this.hits.push({ x, y, r: free ? 12 : 6, no, unitX: places.x[no]!, unitY: places.y[no]! })
    }
  }

  #free(x: number, y: number): boolean {
    const column = Math.floor(x / SIGN_GAP_PX)
    const row = Math.floor(y / SIGN_GAP_PX)
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        if (this.#taken.has((column + dx) * 10_000 + row + dy)) return false
      }
    }
    this.#taken.add(column * 10_000 + row)
    return true
  }

  #drawCluster(ink: CanvasRenderingContext2D, screen: Screen, cluster: Cluster): void {
    const x = screen.x(cluster.x)
    const y = screen.y(cluster.y)
    const [, n1, n2, n3, n4] = cluster.counts
    const wrong = n1 + n2 + n3
    const c = this.palette
    if (cluster.no) {
      const size = cluster.worst === 4 ? 9 : 16
      // A single sign stands above its asset, so that the asset is still seen.
      const lift = screen.zoom >= 15 ? 15 : 0
      mark(ink, c, cluster.worst, x, y - lift, size)
      this.hits.push({ x, y: y - lift, r: size * 0.7, no: cluster.no, unitX: cluster.x, unitY: cluster.y })
      return
    }
    const text = number(wrong || n4)
    ink.font = '600 12px Inter'
    const width = 20 + ink.measureText(text).width + 8
    ink.beginPath()
    ink.roundRect(x - width / 2, y - 11, width, 22, 11)
    ink.fillStyle = c.halo
    ink.globalAlpha = 0.92
    ink.fill()
    ink.globalAlpha = 1
    ink.lineWidth = 1
    ink.strokeStyle = c.assetLine
    ink.stroke()
    mark(ink, c, cluster.worst, x - width / 2 + 12, y, cluster.worst === 4 ? 9 : 13)
    ink.fillStyle = c.labelStrong
    ink.font = '600 12px Inter'
    ink.textAlign = 'left'
    ink.textBaseline = 'middle'
    ink.fillText(text, x - width / 2 + 21, y + 0.5)
    this.hits.push({ x, y, r: width / 2, no: 0, unitX: cluster.x, unitY: cluster.y })
  }

  /** Far away: each area with what is wrong in it. */
  #drawAreas(ink: CanvasRenderingContext2D, screen: Screen): void {
    const c = this.palette
    const boxes: [number, number, number, number][] = []
    for (const area of this.#areasAt(screen)) {
      const x = screen.x(area.x)
      const y = screen.y(area.y)
      if (!screen.shows(x, y, 40)) continue
      const counts = this.counts.get(area.path) ?? [0, 0, 0]
      const wrong = counts[0] + counts[1] + counts[2]
      ink.font = '500 12px Inter'
      const half = Math.max(30, ink.measureText(area.name).width / 2 + 4)
      const box: [number, number, number, number] = [x - half, y - 9, x + half, y + (wrong ? 24 : 9)]
      if (boxes.some((other) => crosses(other, box))) continue
      boxes.push(box)
      label(ink, c, area.name, x, y, '500 12px Inter', wrong ? c.labelStrong : c.labelArea, 5)
      if (wrong) figures(ink, c, counts, x, y + 17)
      this.hits.push({ x, y: y + 4, r: 16, no: 0, unitX: area.x, unitY: area.y, area: area.path })
    }
  }

  #drawAreaNames(ink: CanvasRenderingContext2D, screen: Screen): void {
    for (const area of this.#areasAt(screen)) {
      const x = screen.x(area.x)
      const y = screen.y(area.y)
      if (screen.shows(x, y)) label(ink, this.palette, area.name, x, y, '500 12px Inter', this.palette.labelArea, 5)
    }
  }

  /** The areas of the depth whose names have room; those with most wrong first. */
  #areasAt(screen: Screen): AreaLabel[] {
    const room = screen.span(70)
    let depth = 1
    for (let deeper = 2; deeper <= 4; deeper++) {
      const all = this.areas.filter((area) => area.depth === deeper)
      const fit = all.filter((area) => area.span > room)
      if (all.length && fit.length >= all.length / 2) depth = deeper
    }
    const weight = (area: AreaLabel): number => {
      const [n1, n2, n3] = this.counts.get(area.path) ?? [0, 0, 0]
      return n1 * 1e6 + n2 * 1e3 + n3 + area.span
    }
    return this.areas.filter((area) => area.depth === depth).sort((a, b) => weight(b) - weight(a))
  }

  #drawRing(ink: CanvasRenderingContext2D, screen: Screen, no: number, width: number): void {
    if (!no || !places.has(no)) return
    const x = screen.x(places.x[no]!)
    const y = screen.y(places.y[no]!)
    if (!screen.shows(x, y, 20)) return
    const r = screen.zoom >= 15 ? 15 : 9
    ink.beginPath()
    ink.arc(x, y, r, 0, Math.PI * 2)
    ink.lineWidth = width + 2
    ink.strokeStyle = this.palette.halo
    ink.stroke()
    ink.lineWidth = width
    ink.strokeStyle = this.palette.select
    ink.stroke()
  }
}

function stateOf(no: number, nowS: number, speaks: boolean): SignState {
  const flags = no < picture.end ? picture.flags[no]! : 0
  return {
    known: !speaks || picture.known(no),
    old: picture.old(no, nowS),
    ordered: (flags & ORDER) > 0,
    consigned: (flags & CONSIGNED) > 0,
  }
}

function crosses(a: [number, number, number, number], b: [number, number, number, number]): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/** Signs with their counts, side by side, centred. */
function figures(ink: CanvasRenderingContext2D, c: Palette, counts: [number, number, number], x: number, y: number): void {
  ink.font = '600 12px Inter'
  const parts = counts
    .map((count, index) => ({ count, worst: index + 1, width: 20 + ink.measureText(number(count)).width }))
    .filter((part) => part.count > 0)
  const total = parts.reduce((sum, part) => sum + part.width + 6, -6)
  let left = x - total / 2
  for (const part of parts) {
    mark(ink, c, part.worst, left + 7, y, 13)
    ink.font = '600 12px Inter'
    ink.textAlign = 'left'
    ink.textBaseline = 'middle'
    ink.lineWidth = 3
    ink.strokeStyle = c.halo
    ink.strokeText(number(part.count), left + 17, y + 0.5)
    ink.fillStyle = c.labelStrong
    ink.fillText(number(part.count), left + 17, y + 0.5)
    left += part.width + 6
  }
}

/** The areas as the overlay wants them. */
export function areaLabels(
  areas: { path: string; name: string; lon: number; lat: number; bounds: [number, number, number, number] }[],
): AreaLabel[] {
  return areas.map((area) => ({
    path: area.path,
    name: area.name,
    depth: area.path.split('/').length,
    x: mercatorX(area.lon),
    y: mercatorY(area.lat),
    span: mercatorX(area.bounds[2]) - mercatorX(area.bounds[0]),
  }))
}
