// A circuit over the map, street by street. Each state has a line of its own: colour only says again what it says.
import type { DrawnStreet, RoundState } from '@lib/rounds'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

/** Width in px, and dashes; `tube`: a line within the line. The page's key draws the same (rounds/LineSign.svelte). */
export const LINES: Readonly<Record<RoundState, { width: number; dash: number[]; tube: boolean }>> = {
  open: { width: 2, dash: [2, 5], tube: false },
  done: { width: 4, dash: [], tube: false },
  late: { width: 5, dash: [10, 5], tube: false },
  done_late: { width: 5, dash: [], tube: true },
}

export function paintCircuit(ink: CanvasRenderingContext2D, c: Palette, screen: Screen, streets: readonly DrawnStreet[]): void {
  ink.save()
  ink.lineJoin = 'round'
  for (const { state, line } of streets) {
    const { width, dash, tube } = LINES[state]
    trace(ink, screen, line)
    stroke(ink, c.halo, width + 3, [])
    stroke(ink, state === 'late' ? c.p2 : c.labelStrong, width, dash)
    if (tube) stroke(ink, c.halo, width - 3, [])
  }
  ink.restore()
}

/** A vehicle's trail, and where it stood. */
export function paintTrail(
  ink: CanvasRenderingContext2D,
  c: Palette,
  screen: Screen,
  path: readonly (readonly [number, number][])[],
  stops: readonly { lon: number; lat: number }[],
): void {
  ink.save()
  ink.lineJoin = ink.lineCap = 'round'
  for (const part of path) {
    trace(ink, screen, part)
    stroke(ink, c.halo, 5, [])
    stroke(ink, c.select, 2, [])
  }
  for (const { lon, lat } of stops) {
    ink.beginPath()
    ink.rect(screen.x(mercatorX(lon)) - 4, screen.y(mercatorY(lat)) - 4, 8, 8)
    ink.fillStyle = c.select
    ink.fill()
    stroke(ink, c.halo, 2, [])
  }
  ink.restore()
}

function trace(ink: CanvasRenderingContext2D, screen: Screen, line: readonly (readonly [number, number])[]): void {
  ink.beginPath()
  line.forEach(([lon, lat], n) => {
    const [x, y] = [screen.x(mercatorX(lon)), screen.y(mercatorY(lat))]
    if (n) ink.lineTo(x, y)
    else ink.moveTo(x, y)
  })
}

function stroke(ink: CanvasRenderingContext2D, colour: string, width: number, dash: number[]): void {
  ink.lineWidth = width
  ink.strokeStyle = colour
  ink.setLineDash(dash)
  ink.stroke()
}
