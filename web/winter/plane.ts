// The town on a flat sheet, and the part of it that a map shows. Lengths on the sheet are degrees of latitude.
import type { Line } from './types'

export type Spot = [x: number, y: number]

export class Plane {
  readonly #narrow: number
  constructor(middleLat: number) {
    this.#narrow = Math.cos((middleLat * Math.PI) / 180)
  }

  spot([lon, lat]: Line[number]): Spot {
    return [lon * this.#narrow, -lat]
  }

  path(lines: Iterable<Line>): Path2D {
    const path = new Path2D()
    for (const line of lines) {
      line.forEach((corner, n) => {
        const [x, y] = this.spot(corner)
        if (n) path.lineTo(x, y)
        else path.moveTo(x, y)
      })
    }
    return path
  }
}

/** What is shown: px for each degree of the sheet, and where its origin lies, in px. */
export interface View {
  scale: number
  left: number
  top: number
}

export function around(plane: Plane, lines: readonly Line[], width: number, height: number, room: number): View | null {
  let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const line of lines) {
    for (const corner of line) {
      const [x, y] = plane.spot(corner)
      ;[west, north, east, south] = [Math.min(west, x), Math.min(north, y), Math.max(east, x), Math.max(south, y)]
    }
  }
  if (west > east) return null
  // No closer than some hundred metres.
  const scale = Math.min((width - 2 * room) / Math.max(east - west, 0.004), (height - 2 * room) / Math.max(south - north, 0.004))
  return { scale, left: width / 2 - (scale * (west + east)) / 2, top: height / 2 - (scale * (north + south)) / 2 }
}

/** The same, so many times as large, with what lies at x, y staying there. */
export function zoomed(view: View, times: number, x: number, y: number, least: number): View {
  const scale = Math.min(Math.max(view.scale * times, least), least * 600)
  const ratio = scale / view.scale
  return { scale, left: x - (x - view.left) * ratio, top: y - (y - view.top) * ratio }
}

/** How far a spot is from a line, in px. */
export function awayPx(plane: Plane, view: View, line: Line, x: number, y: number): number {
  let nearest = Infinity
  for (let n = 1; n < line.length; n++) {
    const [ax, ay] = placed(view, plane.spot(line[n - 1]!))
    const [bx, by] = placed(view, plane.spot(line[n]!))
    const long2 = (bx - ax) ** 2 + (by - ay) ** 2
    const share = long2 ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long2)) : 0
    nearest = Math.min(nearest, Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay)))
  }
  return nearest
}

export function placed(view: View, [x, y]: Spot): Spot {
  return [view.left + view.scale * x, view.top + view.scale * y]
}
