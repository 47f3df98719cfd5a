// Movers on their own canvas: it is redrawn while they glide, the map beneath is not.
import { OLD } from '../state/picture'
import { movers, where, type Mover } from '../state/movers'
import { hatch, mark } from './ink'
import type { Look } from './looks'
import type { Palette } from './palette'
import type { Screen } from './screen'

export interface MoverKind {
  look: Look
  hidden: boolean
  validS: number
}

export interface MoverHit {
  x: number
  y: number
  no: number
}

export class Traffic {
  palette: Palette
  /** How the mover with this number looks; undefined: it is of a kind nobody told about yet. */
  kindOf: (no: number) => MoverKind | undefined = () => undefined
  selected = 0
  hits: MoverHit[] = []

  constructor(palette: Palette) {
    this.palette = palette
  }

  /** Draws all movers in view. True while one of them glides. */
  draw(ink: CanvasRenderingContext2D, screen: Screen, nowMs: number, serverS: number): boolean {
    this.hits = []
    let gliding = false
    for (const mover of movers.all.values()) {
      const kind = this.kindOf(mover.no)
      if (!kind || kind.hidden || screen.zoom < kind.look.dotZoom) continue
      const old = (mover.flags & OLD) > 0 || serverS - mover.atS > kind.validS
      const [unitX, unitY] = old ? [mover.toX, mover.toY] : where(mover, nowMs)
      const x = screen.x(unitX)
      const y = screen.y(unitY)
      if (!screen.shows(x, y, 30)) continue
      if (!old && nowMs < mover.endMs) gliding = true
      this.#body(ink, screen.zoom, kind.look, mover, x, y, old)
      this.hits.push({ x, y, no: mover.no })
    }
    return gliding
  }

  #body(ink: CanvasRenderingContext2D, zoom: number, look: Look, mover: Mover, x: number, y: number, old: boolean): void {
    const c = this.palette
    const near = zoom >= look.signZoom
    const grow = near ? Math.min(1.7, 0.8 + (zoom - look.signZoom) * 0.22) : 0.26 + Math.max(0, zoom - 10.5) * 0.08
    const length = (look.length ?? 10) * grow
    const width = (look.width ?? 6) * grow
    ink.save()
    ink.translate(x, y)
    ink.beginPath()
    if (Number.isNaN(mover.heading)) ink.arc(0, 0, Math.max(2, width * 0.7), 0, Math.PI * 2)
    else {
      ink.rotate(((mover.heading - 90) * Math.PI) / 180)
      ink.moveTo(-length / 2, -width / 2)
      ink.lineTo(length / 2 - width / 2, -width / 2)
      ink.lineTo(length / 2, 0)
      ink.lineTo(length / 2 - width / 2, width / 2)
      ink.lineTo(-length / 2, width / 2)
      ink.closePath()
    }
    ink.lineJoin = 'round'
    if (near) {
      ink.lineWidth = 2.5
      ink.strokeStyle = c.halo
      ink.stroke()
    }
    ink.fillStyle = old ? c.asset : c.mover
    ink.fill()
    if (old) {
      ink.save()
      ink.clip()
      hatch(ink, c.mover, 0, 0, length)
      ink.restore()
      ink.lineWidth = 1
      ink.strokeStyle = c.mover
      ink.setLineDash([2, 2])
      ink.stroke()
    }
    ink.restore()
    if (mover.no === this.selected) {
      ink.beginPath()
      ink.arc(x, y, 15, 0, Math.PI * 2)
      ink.lineWidth = 2
      ink.strokeStyle = c.select
      ink.stroke()
    }
    if (mover.worst > 0 && mover.worst < 4 && zoom >= 12) mark(ink, c, mover.worst, x, y - 13, 14)
  }
}
