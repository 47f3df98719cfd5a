// Traffic as slow streaks on the streets where somebody counts it: as dense as vehicles are on the road and as fast as they drive,
// slowed down. Where nothing is known nothing is drawn; where traffic stands, the streaks stand and are amber.
import type { StreetTraffic } from '@lib/traffic'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

/** Farther away a street is thinner than its streaks. */
const NEAR_ZOOM = 12.5
/** Where a streak begins to have room beside the middle of the street. */
const ASIDE_ZOOM = 14
/** A minute of the street is some seconds on the screen: what drives 50 km/h at its true speed would be a flicker. */
const SLOWED = 0.35
/** Nobody counts so far from the place where it was counted. */
const REACH_M = 260
const STREAK_M = 12
/** Where traffic is as thin as this many vehicles on a kilometre, and as thick, streaks get no sparser, and no denser. */
const SPARSE_KM = 2
const DENSE_KM = 90
/** A frame is drawn when the fastest has moved so far, within bounds: a canvas as large as a wall of screens costs a
    processor without a graphics card dearly. */
const STEP_PX = 1
const FRAME_MS_MIN = 50
const FRAME_MS_MAX = 1_000
const STANDS = new Set(['E', 'F'])

interface Drawn {
  unit: Float64Array
  gapM: number
  metresPerS: number
  stands: boolean
}

export class Streaks {
  hidden = false
  #drawn: Drawn[] = []
  /** Metres in a unit of the square, at the town's latitude. */
  #unitM = 1

  set(streets: readonly StreetTraffic[]): void {
    const lat = streets[0]?.line[0]?.[1] ?? 0
    this.#unitM = 40_075_017 * Math.cos((lat * Math.PI) / 180)
    this.#drawn = streets.flatMap((street) => this.#of(street) ?? [])
  }

  /** How many streets are drawn: for tests, and for whoever measures. */
  get count(): number {
    return this.#drawn.length
  }

  #of(street: StreetTraffic): Drawn | null {
    const { flow, speed, density } = street
    if (speed === null || street.both || (flow === 0 && speed > 0)) return null
    const vehiclesKm = Math.min(DENSE_KM, Math.max(SPARSE_KM, speed > 0 ? (density ?? SPARSE_KM) : DENSE_KM))
    return {
      unit: this.#near(street.line),
      gapM: Math.max(4, 1_000 / vehiclesKm - STREAK_M),
      metresPerS: (speed / 3.6) * SLOWED,
      stands: street.level !== null && STANDS.has(street.level),
    }
  }

  /** The last stretch of a line before its end, which is where its detector lies, in units of the square. */
  #near(line: readonly [number, number][]): Float64Array {
    const corners: number[] = []
    let left = REACH_M / this.#unitM
    for (let at = line.length - 1; at >= 0; at--) {
      const x = mercatorX(line[at]![0])
      const y = mercatorY(line[at]![1])
      if (at < line.length - 1) {
        const [beforeX, beforeY] = [corners[0]!, corners[1]!]
        const far = Math.hypot(x - beforeX, y - beforeY)
        if (far > left) {
          corners.unshift(beforeX + ((x - beforeX) * left) / far, beforeY + ((y - beforeY) * left) / far)
          break
        }
        left -= far
      }
      corners.unshift(x, y)
    }
    return Float64Array.from(corners)
  }

  /** Draws what is in view; after how many ms it is worth drawing again, 0 where nothing in view moves. */
  draw(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, nowMs: number): number {
    if (this.hidden || screen.zoom < NEAR_ZOOM || !this.#drawn.length) return 0
    const pxPerM = 1 / (screen.span(1) * this.#unitM)
    const width = Math.max(1.2, Math.min(4, (screen.zoom - 11) * 0.75))
    // Traffic keeps right: each direction has its own half of the street.
    const aside = screen.zoom >= ASIDE_ZOOM ? Math.max(width, 2.4 * pxPerM) : 0
    let fastest = 0
    ink.save()
    ink.lineCap = 'butt'
    ink.lineJoin = 'round'
    ink.lineWidth = width
    for (const street of this.#drawn) {
      if (!this.#trace(ink, screen, street.unit, aside)) continue
      const dash = Math.max(3, STREAK_M * pxPerM)
      const gap = Math.max(3, street.gapM * pxPerM)
      ink.setLineDash([dash, gap])
      ink.lineDashOffset = -((nowMs / 1_000) * street.metresPerS * pxPerM) % (dash + gap)
      ink.strokeStyle = street.stands ? c.signalAmber : c.mover
      ink.globalAlpha = street.stands ? 1 : 0.85
      ink.stroke()
      fastest = Math.max(fastest, street.metresPerS * pxPerM)
    }
    ink.restore()
    return fastest ? Math.min(FRAME_MS_MAX, Math.max(FRAME_MS_MIN, (1_000 * STEP_PX) / fastest)) : 0
  }

  #trace(ink: CanvasRenderingContext2D, screen: Screen, unit: Float64Array, aside: number): boolean {
    let seen = false
    ink.beginPath()
    for (let at = 0; at + 1 < unit.length; at += 2) {
      // Towards the next corner, and at the end as before it.
      const from = Math.min(at, unit.length - 4)
      const dx = unit[from + 2]! - unit[from]!
      const dy = unit[from + 3]! - unit[from + 1]!
      const far = Math.hypot(dx, dy) || 1
      const x = screen.x(unit[at]!) - (dy / far) * aside
      const y = screen.y(unit[at + 1]!) + (dx / far) * aside
      seen ||= screen.shows(x, y, 60)
      if (at) ink.lineTo(x, y)
      else ink.moveTo(x, y)
    }
    return seen
  }
}
