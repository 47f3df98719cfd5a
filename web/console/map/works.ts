// Works over the map: each occupancy has a form of its own, which colour only says again. What is taken up now is solid,
// what is to come is dashed.
import type { Line, Occupancy } from '@lib/works'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

export interface DrawnWorks {
  id: string
  occupancy: Occupancy
  now: boolean
  line: Line
  /** Its sheet is open. */
  open: boolean
}

/** A stretch that is being picked. */
export interface PickedStretch {
  whole: Line
  part: Line
  at: boolean
  /** Its place in the order, where that counts. */
  no?: number
}

/** Width in px of the line. The page's key draws the same marks (works/OccupancySign.svelte). */
export const WIDTHS: Readonly<Record<Occupancy, number>> = { closure: 5, one_way: 4, alternating: 4, lane: 4, parking: 3, pavement: 2 }
const APART_PX = 18
/** Shorter than this it is one sign. */
const SIGN_PX = 16
/** A stretch that is shorter on the screen is not numbered. */
const NUMBERED_PX = 36
const REACH_PX = 9
const HANDLE_PX = 7
const ASIDE_PX = 6

type Point = readonly [x: number, y: number]

function onScreen(screen: Screen, line: Line): Point[] {
  return line.map(([lon, lat]): Point => [screen.x(mercatorX(lon)), screen.y(mercatorY(lat))])
}

function seen(screen: Screen, points: readonly Point[]): boolean {
  return points.length > 1 && (points.some(([x, y]) => screen.shows(x, y, 40)) || crosses(screen, points))
}

/** A long street may pass through the screen with no corner in it. */
function crosses(screen: Screen, points: readonly Point[]): boolean {
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  return Math.min(...xs) < screen.width && Math.max(...xs) > 0 && Math.min(...ys) < screen.height && Math.max(...ys) > 0
}

export function paintWorks(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, drawn: readonly DrawnWorks[]): void {
  ink.save()
  ink.lineJoin = 'round'
  for (const works of drawn) {
    const points = onScreen(screen, works.line)
    if (!seen(screen, points)) continue
    const turnsAway = works.occupancy === 'closure' || works.occupancy === 'one_way'
    const colour = turnsAway ? c.p2 : c.labelStrong
    const width = WIDTHS[works.occupancy]
    if (lengthOf(points) < SIGN_PX) {
      sign(ink, c, colour, points[Math.floor(points.length / 2)]!, works)
      continue
    }
    trace(ink, points)
    if (works.open) stroke(ink, c.select, width + 9, [])
    stroke(ink, c.halo, width + 4, [])
    stroke(ink, colour, width, works.now ? [] : [8, 6])
    for (const [x, y, angle] of along(points)) mark(ink, c, colour, works.occupancy, x, y, angle)
  }
  ink.restore()
}

/** A way round: a thin line with arrows in the way of travel. */
export function paintDiversion(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, legs: readonly Line[]): void {
  ink.save()
  ink.lineJoin = 'round'
  for (const leg of legs) {
    const points = onScreen(screen, leg)
    if (!seen(screen, points)) continue
    trace(ink, points)
    stroke(ink, c.halo, 6, [])
    stroke(ink, c.order, 2.5, [2, 4])
    // On the right of the way of travel: where both ways go round by one street, both are seen.
    for (const [x, y, angle] of along(points)) arrow(ink, c, c.order, x - Math.sin(angle) * ASIDE_PX, y + Math.cos(angle) * ASIDE_PX, angle, 4)
  }
  ink.restore()
}

/** The stretches that are being picked, with what is taken of each, and a handle at both ends of it. */
export function paintPicked(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, picked: readonly PickedStretch[]): void {
  ink.save()
  ink.lineJoin = ink.lineCap = 'round'
  for (const { whole, part, at } of picked) {
    trace(ink, onScreen(screen, whole))
    stroke(ink, c.halo, 6, [])
    stroke(ink, c.select, 1.5, [3, 4])
    const points = onScreen(screen, part)
    trace(ink, points)
    stroke(ink, c.halo, 10, [])
    stroke(ink, c.select, 6, [])
    if (!at) continue
    for (const [x, y] of [points[0], points.at(-1)].filter((point) => point !== undefined)) {
      ink.beginPath()
      ink.arc(x, y, HANDLE_PX, 0, Math.PI * 2)
      ink.fillStyle = c.halo
      ink.fill()
      stroke(ink, c.select, 2.5, [])
    }
  }
  paintOrder(ink, c, screen, picked)
  ink.restore()
}

/** The places of stretches in their order; where one is too short on the screen, it is left out. */
function paintOrder(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, picked: readonly PickedStretch[]): void {
  ink.font = `600 11px Inter, sans-serif`
  ink.textAlign = 'center'
  ink.textBaseline = 'middle'
  for (const { whole, no } of picked) {
    const points = onScreen(screen, whole)
    if (no === undefined || !seen(screen, points) || lengthOf(points) < NUMBERED_PX) continue
    const spot = middleOf(points)
    const text = String(no)
    ink.beginPath()
    ink.roundRect(spot[0] - 5 - 3.5 * text.length, spot[1] - 8, 10 + 7 * text.length, 16, 8)
    ink.fillStyle = c.halo
    ink.fill()
    stroke(ink, c.select, 1.5, [])
    ink.fillStyle = c.labelStrong
    ink.fillText(text, spot[0], spot[1] + 0.5)
  }
}

/** The works under a point of the screen. */
export function pickWorks(screen: Screen, drawn: readonly DrawnWorks[], x: number, y: number): string | null {
  let [best, found]: [number, string | null] = [REACH_PX, null]
  for (const works of drawn) {
    const points = onScreen(screen, works.line)
    for (let n = 1; n < points.length; n++) {
      const away = awayFrom(points[n - 1]!, points[n]!, x, y)
      if (away < best) [best, found] = [away, works.id]
    }
  }
  return found
}

/** The handle under a point: of which stretch, and whether it is the one where it ends. */
export function pickHandle(screen: Screen, picked: readonly PickedStretch[], x: number, y: number): { stretch: number; end: boolean } | null {
  for (const [stretch, each] of picked.entries()) {
    if (!each.at) continue
    const points = onScreen(screen, each.part)
    // Where both lie on each other the end is taken: it can be drawn out.
    for (const [end, point] of [[true, points.at(-1)], [false, points[0]]] as const) {
      if (point && Math.hypot(point[0] - x, point[1] - y) < HANDLE_PX + 5) return { stretch, end }
    }
  }
  return null
}

function awayFrom(a: Point, b: Point, x: number, y: number): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const share = Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1)))
  return Math.hypot(a[0] + dx * share - x, a[1] + dy * share - y)
}

function lengthOf(points: readonly Point[]): number {
  let sum = 0
  for (let n = 1; n < points.length; n++) sum += Math.hypot(points[n]![0] - points[n - 1]![0], points[n]![1] - points[n - 1]![1])
  return sum
}

function middleOf(points: readonly Point[]): Point {
  let left = lengthOf(points) / 2
  for (let n = 1; n < points.length; n++) {
    const [a, b] = [points[n - 1]!, points[n]!]
    const long = Math.hypot(b[0] - a[0], b[1] - a[1])
    if (left <= long && long > 0) return [a[0] + ((b[0] - a[0]) * left) / long, a[1] + ((b[1] - a[1]) * left) / long]
    left -= long
  }
  return points[0]!
}

/** Places on a line, evenly apart, and which way it goes there; at least one, in its middle. */
function along(points: readonly Point[]): [x: number, y: number, angle: number][] {
  const whole = lengthOf(points)
  const count = Math.min(400, Math.max(1, Math.floor(whole / APART_PX)))
  const found: [number, number, number][] = []
  let [n, gone] = [1, 0]
  for (let k = 0; k < count; k++) {
    const where = ((k + 0.5) * whole) / count
    let long = 0
    for (; n < points.length; n++) {
      long = Math.hypot(points[n]![0] - points[n - 1]![0], points[n]![1] - points[n - 1]![1])
      if (gone + long >= where || n === points.length - 1) break
      gone += long
    }
    const [a, b] = [points[n - 1]!, points[n]!]
    const share = long ? (where - gone) / long : 0
    found.push([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, Math.atan2(b[1] - a[1], b[0] - a[0])])
  }
  return found
}

function mark(ink: CanvasRenderingContext2D, c: Palette, colour: string, occupancy: Occupancy, x: number, y: number, angle: number): void {
  ink.save()
  ink.translate(x, y)
  ink.rotate(angle)
  ink.beginPath()
  switch (occupancy) {
    case 'closure': // barred
      ink.moveTo(0, -7)
      ink.lineTo(0, 7)
      stroke(ink, c.halo, 6, [])
      stroke(ink, colour, 3, [])
      break
    case 'one_way':
      ink.restore()
      arrow(ink, c, colour, x, y, angle, 7)
      return
    case 'alternating': // towards each other
      for (const way of [-1, 1]) {
        ink.moveTo(way * 6, -5)
        ink.lineTo(way * 1.5, 0)
        ink.lineTo(way * 6, 5)
      }
      stroke(ink, c.halo, 5, [])
      stroke(ink, colour, 2, [])
      break
    case 'lane': // one side of it
      ink.rect(-4, 1, 8, 5)
      stroke(ink, c.halo, 3, [])
      ink.fillStyle = colour
      ink.fill()
      break
    case 'parking':
      ink.rect(-4, -4, 8, 8)
      ink.fillStyle = c.halo
      ink.fill()
      stroke(ink, colour, 2, [])
      break
    case 'pavement':
      ink.arc(0, 0, 3, 0, Math.PI * 2)
      stroke(ink, c.halo, 3, [])
      ink.fillStyle = colour
      ink.fill()
  }
  ink.restore()
}

function arrow(ink: CanvasRenderingContext2D, c: Palette, colour: string, x: number, y: number, angle: number, size: number): void {
  ink.save()
  ink.translate(x, y)
  ink.rotate(angle)
  ink.beginPath()
  ink.moveTo(-size / 2, -size)
  ink.lineTo(size / 2, 0)
  ink.lineTo(-size / 2, size)
  stroke(ink, c.halo, 6, [])
  stroke(ink, colour, 2.5, [])
  ink.restore()
}

/** From afar: a disc, barred where nobody gets through; empty for what is to come. */
function sign(ink: CanvasRenderingContext2D, c: Palette, colour: string, [x, y]: Point, { now, occupancy, open }: DrawnWorks): void {
  ink.beginPath()
  ink.arc(x, y, 6, 0, Math.PI * 2)
  stroke(ink, open ? c.select : c.halo, 5, [])
  ink.fillStyle = now ? colour : c.halo
  ink.fill()
  stroke(ink, colour, 2, [])
  if (occupancy !== 'closure') return
  ink.beginPath()
  ink.moveTo(x - 3.5, y)
  ink.lineTo(x + 3.5, y)
  stroke(ink, now ? c.halo : colour, 2.5, [])
}

function trace(ink: CanvasRenderingContext2D, points: readonly Point[]): void {
  ink.beginPath()
  points.forEach(([x, y], n) => (n ? ink.lineTo(x, y) : ink.moveTo(x, y)))
}

function stroke(ink: CanvasRenderingContext2D, colour: string, width: number, dash: number[]): void {
  ink.lineWidth = width
  ink.strokeStyle = colour
  ink.setLineDash(dash)
  ink.stroke()
}
