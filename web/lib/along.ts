// Metres along a line that is said in degrees, as the post measures them (core/ground.py).
import type { Line } from './works'

const M_PER_DEGREE = 111_195

type Spot = readonly [x: number, y: number]

function ground(line: Line): { spots: Spot[]; at: number[]; east: number } {
  const middle = line.reduce((sum, [, lat]) => sum + lat, 0) / Math.max(1, line.length)
  const east = M_PER_DEGREE * Math.cos((middle * Math.PI) / 180)
  const spots = line.map(([lon, lat]): Spot => [lon * east, lat * M_PER_DEGREE])
  const at = [0]
  for (let n = 1; n < spots.length; n++) at.push(at[n - 1]! + Math.hypot(spots[n]![0] - spots[n - 1]![0], spots[n]![1] - spots[n - 1]![1]))
  return { spots, at, east }
}

/** How long it is. */
export function lengthOf(line: Line): number {
  return ground(line).at.at(-1) ?? 0
}

/** The part of it between two places along it; to its end where none is said. */
export function cut(line: Line, from: number, to: number | null): [number, number][] {
  const { at } = ground(line)
  const end = at.at(-1) ?? 0
  const [first, last] = [Math.min(Math.max(0, from), end), Math.min(to ?? end, end)]
  const found: [number, number][] = []
  for (let n = 1; n < line.length; n++) {
    const [a, b, begin, over] = [line[n - 1]!, line[n]!, at[n - 1]!, at[n]!]
    if (over < first || begin > last || over === begin) continue
    const point = (where: number): [number, number] => {
      const share = (Math.min(Math.max(where, begin), over) - begin) / (over - begin)
      return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
    }
    if (!found.length) found.push(point(first))
    found.push(point(last))
  }
  return found
}

/** How far along it the place of it is that is nearest to another. */
export function nearest(line: Line, lon: number, lat: number): number {
  const { spots, at, east } = ground(line)
  const [x, y] = [lon * east, lat * M_PER_DEGREE]
  let [best, where] = [Infinity, 0]
  for (let n = 1; n < spots.length; n++) {
    const [a, b] = [spots[n - 1]!, spots[n]!]
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
    const share = Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1)))
    const away = Math.hypot(a[0] + dx * share - x, a[1] + dy * share - y)
    if (away < best) [best, where] = [away, at[n - 1]! + share * (at[n]! - at[n - 1]!)]
  }
  return where
}
