// The cones of cameras, faint: where a camera looks and how wide, from its inventory. Asked for near only, once each.
import { api } from '@lib/api'
import type { AssetSheet } from '@lib/types'
import type { Palette } from './palette'
import { idOf, latOf, places } from './places'
import type { Screen } from './screen'

const REACH_M = 55
const AT_ONCE = 4
const KNOWN_MAX = 400

interface Cone {
  bearing: number
  view: number
}

export class Cones {
  /** Called when a cone has come to be known. */
  onKnown: () => void = () => undefined
  #known = new Map<number, Cone | null>()
  #asking = 0

  draw(ink: CanvasRenderingContext2D, palette: Palette, screen: Screen, no: number, x: number, y: number): void {
    const cone = this.#known.get(no)
    if (cone === undefined) void this.#ask(no)
    if (!cone) return
    const around = 40_075_016 * Math.cos((latOf(places.y[no]!) * Math.PI) / 180)
    const r = Math.max(18, REACH_M / around / screen.span(1))
    const middle = ((cone.bearing - 90) * Math.PI) / 180
    const half = (Math.min(cone.view, 340) * Math.PI) / 360
    const fade = ink.createRadialGradient(x, y, 4, x, y, r)
    fade.addColorStop(0, palette.coneNear)
    fade.addColorStop(1, palette.coneFar)
    ink.beginPath()
    ink.moveTo(x, y)
    ink.arc(x, y, r, middle - half, middle + half)
    ink.closePath()
    ink.fillStyle = fade
    ink.fill()
  }

  async #ask(no: number): Promise<void> {
    if (this.#asking >= AT_ONCE || this.#known.size >= KNOWN_MAX) return
    this.#asking += 1
    this.#known.set(no, null)
    try {
      const id = await idOf(no)
      if (!id) return
      const { attributes } = await api.get<AssetSheet>(`assets/${encodeURIComponent(id)}`)
      const { bearing, view } = attributes as { bearing?: unknown; view?: unknown }
      if (typeof bearing === 'number') this.#known.set(no, { bearing, view: typeof view === 'number' ? view : 60 })
    } catch {
      // a camera that may not be read has no cone
    } finally {
      this.#asking -= 1
      this.onKnown()
    }
  }
}
