// Signals in their state: a head of three lenses, told by place as much as by colour. Drawn from the names of the
// choices that a signal kind declares; a state that is not listed shows a head with all lenses empty.
import { hatch, padlock, type SignState } from './ink'
import type { Palette } from './palette'

type Lenses = [red: boolean, amber: boolean, green: boolean]

/** In colours: which lens is lit differs from arm to arm, so all three are shown, faint. */
const WORKING = 'colours'

const STATES: Record<string, Lenses> = {
  red: [true, false, false],
  all_red: [true, false, false],
  red_amber: [true, true, false],
  red_yellow: [true, true, false],
  amber: [false, true, false],
  yellow: [false, true, false],
  flashing: [false, true, false],
  flash: [false, true, false],
  yellow_flash: [false, true, false],
  amber_flash: [false, true, false],
  green: [false, false, true],
}

const FLASHING = /flash/

/** A signal head at x, y; `scale` 1 is 12 by 28 px. */
export function head(
  ink: CanvasRenderingContext2D,
  c: Palette,
  choice: string | undefined,
  x: number,
  y: number,
  scale: number,
  state: SignState,
): void {
  const w = 12 * scale
  const h = 28 * scale
  const lens = 3.4 * scale
  ink.save()
  ink.beginPath()
  ink.roundRect(x - w / 2, y - h / 2, w, h, 4 * scale)
  ink.fillStyle = c.asset
  ink.fill()
  if (state.old) {
    ink.save()
    ink.clip()
    hatch(ink, c.assetLine, x, y, h)
    ink.restore()
  }
  ink.beginPath()
  ink.roundRect(x - w / 2, y - h / 2, w, h, 4 * scale)
  ink.lineWidth = state.ordered ? 2 : 1
  ink.strokeStyle = state.ordered ? c.order : c.assetLine
  if (state.old || !state.known) ink.setLineDash([3, 2])
  ink.stroke()
  ink.setLineDash([])
  const lit = (choice !== undefined && STATES[choice]) || [false, false, false]
  const colours = [c.signalRed, c.signalAmber, c.signalGreen]
  colours.forEach((colour, index) => {
    const cy = y + (index - 1) * 8.4 * scale
    ink.beginPath()
    ink.arc(x, cy, lens, 0, Math.PI * 2)
    if (choice === WORKING) {
      ink.globalAlpha = state.old ? 0.25 : 0.6
      ink.fillStyle = colour
      ink.fill()
      ink.globalAlpha = 1
    } else if (lit[index]) {
      ink.globalAlpha = state.old ? 0.45 : 1
      ink.fillStyle = colour
      ink.fill()
      ink.globalAlpha = 1
      if (choice && FLASHING.test(choice)) {
        // Flashing is drawn, not blinked: rays beside the lens.
        ink.beginPath()
        for (const side of [-1, 1]) {
          ink.moveTo(x + side * (w / 2 + 2), cy - 3 * scale)
          ink.lineTo(x + side * (w / 2 + 5 * scale), cy - 5 * scale)
          ink.moveTo(x + side * (w / 2 + 2), cy + 3 * scale)
          ink.lineTo(x + side * (w / 2 + 5 * scale), cy + 5 * scale)
        }
        ink.strokeStyle = colour
        ink.lineWidth = 1.3
        ink.stroke()
      }
    } else {
      ink.strokeStyle = c.assetLine
      ink.globalAlpha = 0.55
      ink.lineWidth = 1
      ink.stroke()
      ink.globalAlpha = 1
    }
  })
  ink.restore()
  if (state.consigned) padlock(ink, c, x + w / 2, y - h / 2)
}
