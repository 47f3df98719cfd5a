// What an order rules, by its own word: a bar over it with a stem, as of something that is held down. The shape says it; its
// colour is that of orders.
import { picture, RULED } from '../state/picture'
import { shown } from '../state/shown'
import type { Palette } from './palette'
import { places } from './places'
import type { Screen } from './screen'

/** Farther away lamps are too small to bear a sign. */
const NEAR_ZOOM = 14

export class Ruled {
  /** The assets, by number. */
  numbers: number[] = []
  #version = -1

  /** lift: how far above an asset of a kind its bar stands, in px, by the kind's code + 1; 0 for a kind that is not
      drawn. */
  draw(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, lift: (kind: number) => number): void {
    if (this.#version !== picture.version) this.#find()
    // A preview shows what would be, not what is.
    if (screen.zoom < NEAR_ZOOM || shown.levels || !this.numbers.length) return
    const half = Math.max(2.5, Math.min(6, (screen.zoom - 12) * 1.3))
    ink.beginPath()
    for (const no of this.numbers) {
      if (!places.has(no)) continue
      const up = lift(places.kind[no]!)
      const x = screen.x(places.x[no]!)
      const y = screen.y(places.y[no]!)
      if (!up || !screen.shows(x, y, 20)) continue
      ink.moveTo(x - half, y - up - half)
      ink.lineTo(x + half, y - up - half)
      ink.moveTo(x, y - up - half)
      ink.lineTo(x, y - up)
    }
    ink.save()
    ink.lineCap = 'round'
    ink.lineWidth = 4.5
    ink.strokeStyle = c.halo
    ink.stroke()
    ink.lineWidth = 1.8
    ink.strokeStyle = c.order
    ink.stroke()
    ink.restore()
  }

  #find(): void {
    const found: number[] = []
    for (let no = 1; no < picture.end; no++) if (picture.flags[no]! & RULED) found.push(no)
    this.numbers = found
    this.#version = picture.version
  }
}
