// A crew's round over the map: straight from stop to stop, since no street is known to it, and each stop with its number.
import type { Stop } from '@lib/maintenance'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

const STOP_PX = 9
/** Further away the numbers would lie on each other. */
const NUMBER_ZOOM = 12.5

export function paintRoute(
  ink: CanvasRenderingContext2D,
  c: Palette,
  screen: Screen,
  from: { lon: number; lat: number },
  stops: readonly Stop[],
): void {
  const at = ({ lon, lat }: { lon: number; lat: number }): [number, number] => [
    screen.x(mercatorX(lon)),
    screen.y(mercatorY(lat)),
  ]
  const home = at(from)
  const points = stops.map(at)
  ink.save()
  ink.lineJoin = ink.lineCap = 'round'
  for (const [width, colour] of [
    [5, c.halo],
    [2, c.select],
  ] as const) {
    ink.beginPath()
    ink.moveTo(...home)
    for (const point of [...points, home]) ink.lineTo(...point)
    ink.lineWidth = width
    ink.strokeStyle = colour
    ink.stroke()
  }
  square(ink, c, home)
  const numbered = screen.zoom >= NUMBER_ZOOM
  ink.font = '600 11px Inter, sans-serif'
  ink.textAlign = 'center'
  ink.textBaseline = 'middle'
  // The first lies on top: it is where the crew goes next.
  for (const [n, [x, y]] of [...points.entries()].reverse()) {
    if (!screen.shows(x, y, 16)) continue
    ink.beginPath()
    ink.arc(x, y, numbered ? STOP_PX : 3, 0, Math.PI * 2)
    ink.fillStyle = c.halo
    ink.fill()
    ink.lineWidth = 2
    ink.strokeStyle = c.select
    ink.stroke()
    if (!numbered) continue
    ink.fillStyle = c.labelStrong
    ink.fillText(String(n + 1), x, y + 0.5)
  }
  ink.restore()
}

function square(ink: CanvasRenderingContext2D, c: Palette, [x, y]: [number, number]): void {
  ink.fillStyle = c.select
  ink.strokeStyle = c.halo
  ink.lineWidth = 2
  ink.beginPath()
  ink.rect(x - 6, y - 6, 12, 12)
  ink.fill()
  ink.stroke()
}
