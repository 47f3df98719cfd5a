// Rings around what is selected, and around the targets of the order that is open: what waits is dashed, what was sent
// is whole, what is proved bears a tick, what failed is crossed. Shape says it as much as colour.
import type { Step } from '../state/targets.svelte'
import type { Palette } from './palette'
import { places } from './places'
import type { Screen } from './screen'

/** Below this zoom a ring has no room for its tick. */
const TICK_ZOOM = 14.5

export function drawTargets(
  ink: CanvasRenderingContext2D,
  c: Palette,
  screen: Screen,
  targets: ReadonlyMap<number, Step>,
): void {
  if (!targets.size) return
  const near = screen.zoom >= TICK_ZOOM
  const r = Math.max(3.5, Math.min(11, (screen.zoom - 12) * 2.2))
  ink.save()
  ink.lineCap = ink.lineJoin = 'round'
  for (const [no, step] of targets) {
    if (!places.has(no)) continue
    const x = screen.x(places.x[no]!)
    const y = screen.y(places.y[no]!)
    if (!screen.shows(x, y, 16)) continue
    const colour = step === 'meant' ? c.select : step === 'proved' ? c.labelStrong : step === 'failed' ? c.p2 : c.order
    ink.setLineDash(step === 'waiting' ? [3, 3] : [])
    ring(ink, x, y, r, near ? 4.5 : 3, c.halo)
    ring(ink, x, y, r, near ? 2 : 1.3, colour)
    if (!near || (step !== 'proved' && step !== 'failed')) continue
    ink.setLineDash([])
    badge(ink, c, x + r * 0.85, y - r * 0.85, step === 'proved', colour)
  }
  ink.restore()
}

function ring(ink: CanvasRenderingContext2D, x: number, y: number, r: number, width: number, colour: string): void {
  ink.beginPath()
  ink.arc(x, y, r, 0, Math.PI * 2)
  ink.lineWidth = width
  ink.strokeStyle = colour
  ink.stroke()
}

function badge(ink: CanvasRenderingContext2D, c: Palette, x: number, y: number, good: boolean, colour: string): void {
  ink.beginPath()
  ink.arc(x, y, 5.2, 0, Math.PI * 2)
  ink.fillStyle = colour
  ink.fill()
  ink.beginPath()
  if (good) {
    ink.moveTo(x - 2.3, y + 0.2)
    ink.lineTo(x - 0.6, y + 1.9)
    ink.lineTo(x + 2.4, y - 1.8)
  } else {
    ink.moveTo(x - 1.8, y - 1.8)
    ink.lineTo(x + 1.8, y + 1.8)
    ink.moveTo(x + 1.8, y - 1.8)
    ink.lineTo(x - 1.8, y + 1.8)
  }
  ink.lineWidth = 1.6
  ink.strokeStyle = c.halo
  ink.stroke()
}
