// The lasso: a line drawn by hand around what is meant. Kept in degrees, so that it stays where it was drawn.
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

const CORNERS_MAX = 120
const STEP_PX = 5

export class Lasso {
  #points: [x: number, y: number][] = []
  drawing = false

  start(x: number, y: number): void {
    this.#points = [[x, y]]
    this.drawing = true
  }

  add(x: number, y: number): boolean {
    const last = this.#points.at(-1)
    if (!this.drawing || !last || Math.hypot(x - last[0], y - last[1]) < STEP_PX) return false
    this.#points.push([x, y])
    return true
  }

  /** The polygon, or null when it encloses next to nothing. */
  end(screen: Screen): [number, number][] | null {
    this.drawing = false
    const every = Math.max(1, Math.ceil(this.#points.length / CORNERS_MAX))
    const kept = this.#points.filter((_, index) => index % every === 0)
    this.#points = []
    if (kept.length < 3 || area(kept) < 100) return null
    return kept.map(([x, y]) => [screen.lon(x), screen.lat(y)])
  }

  cancel(): void {
    this.drawing = false
    this.#points = []
  }

  paint(ink: CanvasRenderingContext2D, palette: Palette): void {
    if (this.#points.length < 2) return
    outline(ink, palette, this.#points, false)
  }
}

function area(points: [number, number][]): number {
  let sum = 0
  points.forEach(([x, y], index) => {
    const [nextX, nextY] = points[(index + 1) % points.length]!
    sum += x * nextY - nextX * y
  })
  return Math.abs(sum) / 2
}

function outline(ink: CanvasRenderingContext2D, palette: Palette, points: [number, number][], closed: boolean): void {
  ink.beginPath()
  points.forEach(([x, y], index) => (index ? ink.lineTo(x, y) : ink.moveTo(x, y)))
  if (closed) ink.closePath()
  ink.save()
  ink.globalAlpha = 0.1
  ink.fillStyle = palette.select
  ink.fill()
  ink.restore()
  ink.lineWidth = 1.5
  ink.strokeStyle = palette.select
  ink.setLineDash([5, 3])
  ink.stroke()
  ink.setLineDash([])
}

/** The outline of a polygon in degrees. */
export function paintPolygon(
  ink: CanvasRenderingContext2D,
  palette: Palette,
  screen: Screen,
  polygon: [number, number][],
): void {
  const points = polygon.map(([lon, lat]): [number, number] => [screen.x(mercatorX(lon)), screen.y(mercatorY(lat))])
  outline(ink, palette, points, true)
}

/** Cross-hairs where an asset is to stand. */
export function paintPlace(
  ink: CanvasRenderingContext2D,
  palette: Palette,
  screen: Screen,
  place: { lon: number; lat: number },
): void {
  const x = screen.x(mercatorX(place.lon))
  const y = screen.y(mercatorY(place.lat))
  for (const [width, colour] of [
    [4, palette.halo],
    [1.8, palette.select],
  ] as const) {
    ink.beginPath()
    ink.arc(x, y, 9, 0, Math.PI * 2)
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      ink.moveTo(x + dx * 5, y + dy * 5)
      ink.lineTo(x + dx * 16, y + dy * 16)
    }
    ink.lineWidth = width
    ink.strokeStyle = colour
    ink.stroke()
  }
}
