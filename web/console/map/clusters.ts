// What is wrong in view, gathered on a grid that stays put while the map is dragged. Counted here, from the columns: a
// zoom needs no answer from the post.
import { GONE, picture } from '../state/picture'
import { places } from './places'
import type { Screen } from './screen'

export interface Cluster {
  /** Middle of its members, in the unit square. */
  x: number
  y: number
  /** By priority 1 to 3, and maintenance in place 4. */
  counts: [number, number, number, number, number]
  /** The worst state in it. */
  worst: number
  /** The only member's number; 0 when there are several. */
  no: number
}

/** From here on single signs may stand close; below, they gather on a coarser grid. */
const CLOSE_ZOOM = 14
const ALONE_ZOOM = 16
export const CLUSTER_ZOOM = 11.4
/** Maintenance is no alarm: it is shown only near. */
const MAINTENANCE_ZOOM = 14.5

function sideOf(zoom: number): number {
  const px = zoom >= ALONE_ZOOM ? 6 : zoom >= CLOSE_ZOOM ? 34 : 84
  return px / (512 * 2 ** Math.floor(zoom))
}

/** Gathers what is wrong among the kinds with these codes (+1, as places keep them). */
export function clustersOf(screen: Screen, shown: Uint8Array): Cluster[] {
  const side = sideOf(screen.zoom)
  const margin = 60
  const west = screen.unitX(-margin)
  const east = screen.unitX(screen.width + margin)
  const north = screen.unitY(-margin)
  const south = screen.unitY(screen.height + margin)
  const withMaintenance = screen.zoom >= MAINTENANCE_ZOOM
  const cells = new Map<number, Cluster>()
  const end = Math.min(picture.end, places.end)
  for (let no = 1; no < end; no++) {
    const worst = picture.worst[no]!
    if (worst === 0 || (worst === 4 && !withMaintenance) || picture.flags[no]! & GONE) continue
    if (!shown[places.kind[no]!]) continue
    const x = places.x[no]!
    const y = places.y[no]!
    if (x < west || x > east || y < north || y > south) continue
    const key = Math.floor(x / side) * 1e8 + Math.floor(y / side)
    const cell = cells.get(key)
    if (!cell) {
      const counts: Cluster['counts'] = [0, 0, 0, 0, 0]
      counts[worst] = 1
      cells.set(key, { x, y, counts, worst, no })
      continue
    }
    const members = cell.counts[1] + cell.counts[2] + cell.counts[3] + cell.counts[4]
    cell.x += (x - cell.x) / (members + 1)
    cell.y += (y - cell.y) / (members + 1)
    cell.counts[worst as 1 | 2 | 3 | 4] += 1
    cell.worst = Math.min(cell.worst, worst)
    cell.no = 0
  }
  return [...cells.values()].sort((a, b) => b.worst - a.worst)
}
