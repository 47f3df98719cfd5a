// Assets that move. Between two received positions a mover glides, one report behind; it never runs ahead of what it
// said, and at the age limit it stands still.
import type { Frame } from '@lib/frames'
import { mercatorX, mercatorY } from '../map/places'

const GLIDE_MS_MIN = 200
const GLIDE_MS_MAX = 60_000
/** A jump longer than this share of the map's unit square (about 2 km here) is a new place, not a journey. */
const JUMP_MAX = 7e-5

export interface Mover {
  no: number
  fromX: number
  fromY: number
  toX: number
  toY: number
  /** When the glide started and ends, on this machine's steady clock. */
  startMs: number
  endMs: number
  /** Observed, in seconds since 1970. */
  atS: number
  /** Degrees clockwise from north; NaN where none is known. */
  heading: number
  worst: number
  flags: number
}

export class Movers {
  all = new Map<number, Mover>()
  version = 0

  take(frame: Frame, nowMs: number): void {
    const { no, lon, lat, at_s: at, heading, worst, flags } = frame.columns
    if (!no || !lon || !lat) return
    // A snapshot names all that are in view: any other has left it unheard.
    if (frame.header.type === 'snapshot') {
      const here = new Set(no)
      for (const number of this.all.keys()) if (!here.has(number)) this.all.delete(number)
    }
    for (let row = 0; row < frame.rows; row++) {
      const number = no[row]!
      const flag = flags?.[row] ?? 0
      if (flag & 8) {
        this.all.delete(number)
        continue
      }
      if (Number.isNaN(lon[row]!)) continue
      const x = mercatorX(lon[row]!)
      const y = mercatorY(lat[row]!)
      const atS = at?.[row] ?? 0
      const mover = this.all.get(number)
      if (!mover) {
        this.all.set(number, {
          no: number,
          fromX: x,
          fromY: y,
          toX: x,
          toY: y,
          startMs: nowMs,
          endMs: nowMs,
          atS,
          heading: heading?.[row] ?? NaN,
          worst: worst?.[row] ?? 0,
          flags: flag,
        })
        continue
      }
      if (x !== mover.toX || y !== mover.toY) send(mover, x, y, atS, heading?.[row] ?? NaN, nowMs)
      mover.atS = Math.max(mover.atS, atS)
      mover.worst = worst?.[row] ?? mover.worst
      mover.flags = flag
    }
    this.version += 1
  }

  clear(): void {
    this.all.clear()
    this.version += 1
  }
}

function send(mover: Mover, x: number, y: number, atS: number, heading: number, nowMs: number): void {
  const [hereX, hereY] = where(mover, nowMs)
  const jumps = Math.abs(x - hereX) > JUMP_MAX || Math.abs(y - hereY) > JUMP_MAX
  mover.fromX = jumps ? x : hereX
  mover.fromY = jumps ? y : hereY
  mover.heading = Number.isNaN(heading) ? course(mover.toX, mover.toY, x, y, mover.heading) : heading
  mover.toX = x
  mover.toY = y
  mover.startMs = nowMs
  mover.endMs = nowMs + Math.min(GLIDE_MS_MAX, Math.max(GLIDE_MS_MIN, (atS - mover.atS) * 1000))
}

/** Where it is shown at an instant of the steady clock. */
export function where(mover: Mover, nowMs: number): [x: number, y: number] {
  if (nowMs >= mover.endMs) return [mover.toX, mover.toY]
  const share = (nowMs - mover.startMs) / (mover.endMs - mover.startMs)
  return [mover.fromX + (mover.toX - mover.fromX) * share, mover.fromY + (mover.toY - mover.fromY) * share]
}

function course(fromX: number, fromY: number, toX: number, toY: number, otherwise: number): number {
  const dx = toX - fromX
  const dy = toY - fromY
  if (Math.hypot(dx, dy) < 1e-8) return otherwise
  return ((Math.atan2(dx, -dy) * 180) / Math.PI + 360) % 360
}

export const movers = new Movers()
