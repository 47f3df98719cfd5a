// Fences over the map: those in force by a thin outline with their name; the one that is open with its corners, numbered, and
// a dashed side where the last is joined to the first.
import type { DrawnFence } from '../state/fences.svelte'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

const CORNER_PX = 6
const REACH_PX = 11
/** A fence that is smaller on the screen bears no name. */
const NAMED_PX = 40

type Point = readonly [x: number, y: number]

function onScreen(screen: Screen, { corners }: DrawnFence): Point[] {
  return corners.map(([lon, lat]): Point => [screen.x(mercatorX(lon)), screen.y(mercatorY(lat))])
}

export function paintFences(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, fences: readonly DrawnFence[]): void {
  ink.save()
  ink.lineJoin = ink.lineCap = 'round'
  ink.textAlign = 'center'
  ink.textBaseline = 'middle'
  for (const fence of fences) {
    const points = onScreen(screen, fence)
    if (!points.some(([x, y]) => screen.shows(x, y)) && !covers(screen, points)) continue
    fill(ink, c, points, fence.open)
    outline(ink, c, points, fence.open)
    if (fence.open) paintCorners(ink, c, points, fence.at)
    paintName(ink, c, points, fence.name)
  }
  ink.restore()
}

/** The corner under a point of the screen, of the fence that is open. */
export function pickCorner(screen: Screen, fences: readonly DrawnFence[], x: number, y: number): number | null {
  const open = fences.find((each) => each.at)
  const points = open ? onScreen(screen, open) : []
  const near = points.map(([cornerX, cornerY]) => Math.hypot(cornerX - x, cornerY - y))
  const least = Math.min(...near)
  return least <= REACH_PX ? near.indexOf(least) : null
}

/** Whether a large one lies over the screen with no corner in it. */
function covers(screen: Screen, points: readonly Point[]): boolean {
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  return Math.min(...xs) < screen.width && Math.max(...xs) > 0 && Math.min(...ys) < screen.height && Math.max(...ys) > 0
}

function fill(ink: CanvasRenderingContext2D, c: Palette, points: readonly Point[], open: boolean): void {
  trace(ink, points)
  ink.globalAlpha = open ? 0.14 : 0.07
  ink.fillStyle = open ? c.select : c.labelStrong
  ink.fill()
  ink.globalAlpha = 1
}

function outline(ink: CanvasRenderingContext2D, c: Palette, points: readonly Point[], open: boolean): void {
  const [colour, width] = open ? [c.select, 2.5] : [c.labelStrong, 1.5]
  trace(ink, points)
  if (!open) ink.closePath()
  stroke(ink, c.halo, width + 3, [])
  stroke(ink, colour, width, [])
  if (!open || points.length < 3) return
  trace(ink, [points.at(-1)!, points[0]!])
  stroke(ink, c.halo, width + 3, [])
  stroke(ink, colour, width, [3, 6])
}

function paintCorners(ink: CanvasRenderingContext2D, c: Palette, points: readonly Point[], at: boolean): void {
  for (const [n, [x, y]] of points.entries()) {
    ink.beginPath()
    ink.arc(x, y, at ? CORNER_PX : CORNER_PX / 2, 0, Math.PI * 2)
    // The first is told from the others: a press on it ends the drawing.
    ink.fillStyle = n === 0 && at ? c.select : c.halo
    ink.fill()
    stroke(ink, c.select, 2.5, [])
  }
}

function paintName(ink: CanvasRenderingContext2D, c: Palette, points: readonly Point[], name: string): void {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  if (points.length < 3 || Math.max(right - left, bottom - top) < NAMED_PX) return
  ink.font = '600 12px Inter, sans-serif'
  ink.lineWidth = 4
  ink.setLineDash([])
  ink.strokeStyle = c.halo
  ink.strokeText(name, (left + right) / 2, (top + bottom) / 2)
  ink.fillStyle = c.labelStrong
  ink.fillText(name, (left + right) / 2, (top + bottom) / 2)
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
