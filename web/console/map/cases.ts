// Cases over the map: the shape says the priority, its filling how far it is. Those that lie on each other are one sign
// with their number; a press on it goes nearer, and where nothing is nearer opens one after the other.
import type { CaseRow } from '@lib/cases'
import { number } from '@lib/format'
import { label, mark } from './ink'
import type { Palette } from './palette'
import { mercatorX, mercatorY } from './places'
import type { Screen } from './screen'

/** Signs never stand closer than this. */
const APART_PX = 30
const SIGN_PX = 15
const GROUP_R_PX = 12
/** From here on only what stands in the same place is one sign. */
const NEAR_ZOOM = 17
const NEAR_PX = 8

export interface CaseSign {
  x: number
  y: number
  r: number
  rows: CaseRow[]
}

export class CaseSigns {
  #rows: readonly CaseRow[] = []
  open: string | null = null
  signs: CaseSign[] = []

  /** The most urgent first: those that lie on each other are one sign, at the place of the first of them. */
  set rows(rows: readonly CaseRow[]) {
    this.#rows = [...rows].sort((a, b) => a.priority - b.priority || Number(b.late) - Number(a.late) || a.number - b.number)
  }

  draw(ink: CanvasRenderingContext2D, c: Palette, screen: Screen): void {
    this.signs = grouped(this.#rows, screen)
    ink.save()
    // What is most urgent lies on top.
    for (const sign of this.signs.toReversed()) {
      const first = sign.rows[0]
      if (!first) continue
      if (sign.rows.length > 1) group(ink, c, sign)
      else single(ink, c, first, sign.x, sign.y)
      if (sign.rows.some((row) => row.id === this.open)) ring(ink, c, sign)
    }
    ink.restore()
  }

  pick(x: number, y: number): CaseSign | null {
    return this.signs.find((sign) => Math.hypot(sign.x - x, sign.y - y) < sign.r + 3) ?? null
  }

  /** Which of those that stand in one place is opened next. */
  next(sign: CaseSign): CaseRow | undefined {
    const at = sign.rows.findIndex((row) => row.id === this.open)
    return sign.rows[(at + 1) % sign.rows.length]
  }
}

function grouped(rows: readonly CaseRow[], screen: Screen): CaseSign[] {
  const apart = screen.zoom < NEAR_ZOOM ? APART_PX : NEAR_PX
  const cells = new Map<string, CaseSign>()
  const signs: CaseSign[] = []
  for (const row of rows) {
    if (row.lon === null || row.lat === null) continue
    const x = screen.x(mercatorX(row.lon))
    const y = screen.y(mercatorY(row.lat))
    if (!screen.shows(x, y, 20)) continue
    const [column, line] = [Math.floor(x / apart), Math.floor(y / apart)]
    let near: CaseSign | undefined
    for (let n = 0; n < 9 && !near; n++) {
      const other = cells.get(`${column - 1 + (n % 3)}/${line - 1 + Math.floor(n / 3)}`)
      if (other && Math.hypot(other.x - x, other.y - y) < apart) near = other
    }
    if (near) {
      near.rows.push(row)
      near.r = GROUP_R_PX
    } else {
      const sign = { x, y, r: SIGN_PX / 2, rows: [row] }
      cells.set(`${column}/${line}`, sign)
      signs.push(sign)
    }
  }
  return signs
}

function group(ink: CanvasRenderingContext2D, c: Palette, { x, y, rows }: CaseSign): void {
  const worst = Math.min(...rows.map((row) => row.priority))
  const text = number(rows.length)
  const half = 9 + 3.5 * text.length
  ink.beginPath()
  ink.roundRect(x - half, y - 10, 2 * half, 20, 10)
  ink.fillStyle = c.asset
  ink.fill()
  ink.lineWidth = 1.5
  ink.strokeStyle = c.assetLine
  ink.stroke()
  label(ink, c, text, x, y + 0.5, '600 12px Inter, sans-serif', c.assetInk, 0.01)
  if (worst <= 2) mark(ink, c, worst, x + half - 2, y - 9, 11)
  else if (rows.some((row) => row.late)) badge(ink, c, x + half - 2, y - 8)
}

function single(ink: CanvasRenderingContext2D, c: Palette, row: CaseRow, x: number, y: number): void {
  const half = SIGN_PX / 2
  const colour = row.priority === 1 ? c.p1 : row.priority === 2 ? c.p2 : c.assetInk
  const shape = new Path2D()
  if (row.priority === 1) shape.roundRect(x - half, y - half, SIGN_PX, SIGN_PX, 2)
  else if (row.priority === 2) {
    shape.moveTo(x, y - half * 1.15)
    shape.lineTo(x + half * 1.15, y + half * 0.9)
    shape.lineTo(x - half * 1.15, y + half * 0.9)
    shape.closePath()
  } else if (row.priority === 3) shape.arc(x, y, half * 0.95, 0, Math.PI * 2)
  else {
    shape.moveTo(x, y - half)
    shape.lineTo(x + half, y)
    shape.lineTo(x, y + half)
    shape.lineTo(x - half, y)
    shape.closePath()
  }
  ink.lineJoin = 'round'
  ink.lineWidth = 5
  ink.strokeStyle = c.halo
  ink.stroke(shape)
  ink.fillStyle = c.asset
  ink.fill(shape)
  if (row.state === 'assigned' || row.state === 'started') {
    ink.save()
    ink.clip(shape)
    ink.fillStyle = row.state === 'started' ? c.order : colour
    ink.fillRect(x - half - 1, y - half - 1, row.state === 'started' ? SIGN_PX + 2 : half + 1, SIGN_PX + 2)
    ink.restore()
  }
  ink.lineWidth = 2
  ink.strokeStyle = colour
  ink.stroke(shape)
  if (row.state === 'blocked') stroke(ink, colour, [[x - 3.5, y], [x + 3.5, y]]) // prettier-ignore
  else if (row.state === 'done') stroke(ink, colour, [[x - 3, y], [x - 1, y + 2.4], [x + 3.4, y - 2.6]]) // prettier-ignore
  else if (row.over) stroke(ink, colour, [[x - 3, y - 3], [x + 3, y + 3]]) // prettier-ignore
  if (row.late) badge(ink, c, x + half, y - half)
}

function stroke(ink: CanvasRenderingContext2D, colour: string, points: readonly [number, number][]): void {
  ink.beginPath()
  points.forEach(([x, y], index) => (index ? ink.lineTo(x, y) : ink.moveTo(x, y)))
  ink.lineWidth = 2
  ink.strokeStyle = colour
  ink.stroke()
}

/** It is late: a clock's hands in a disc. */
function badge(ink: CanvasRenderingContext2D, c: Palette, x: number, y: number): void {
  ink.beginPath()
  ink.arc(x, y, 5.5, 0, Math.PI * 2)
  ink.fillStyle = c.p1
  ink.fill()
  ink.lineWidth = 1.5
  ink.strokeStyle = c.halo
  ink.stroke()
  stroke(ink, c.p1Ink, [[x, y - 3], [x, y], [x + 2.2, y + 1]]) // prettier-ignore
}

function ring(ink: CanvasRenderingContext2D, c: Palette, { x, y, r }: CaseSign): void {
  ink.beginPath()
  ink.arc(x, y, r + 6, 0, Math.PI * 2)
  ink.lineWidth = 2
  ink.strokeStyle = c.select
  ink.stroke()
}
