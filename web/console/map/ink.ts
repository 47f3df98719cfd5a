// The strokes of the canvas over the map: signs of alarms, signs of assets, hatching. Sizes in px.
import { ICONS } from '@lib/icons'
import type { Palette } from './palette'

type Ink = CanvasRenderingContext2D

const paths = new Map<string, Path2D>()

function iconPath(name: string): Path2D {
  let path = paths.get(name)
  if (!path) {
    path = new Path2D(ICONS[name] ?? ICONS['other'])
    paths.set(name, path)
  }
  return path
}

export function rounded(ink: Ink, x: number, y: number, w: number, h: number, r: number): void {
  ink.beginPath()
  ink.roundRect(x, y, w, h, r)
}

/** The sign of a priority: square, triangle, disc, hollow diamond; the same as parts/Mark.svelte. */
export function mark(ink: Ink, c: Palette, worst: number, x: number, y: number, size: number, hollow = false): void {
  const half = size / 2
  const fill = [c.maintenance, c.p1, c.p2, c.p3, c.maintenance][worst] ?? c.maintenance
  const text = [c.halo, c.p1Ink, c.p2Ink, c.p3Ink, c.halo][worst] ?? c.halo
  ink.beginPath()
  if (worst === 1) ink.roundRect(x - half, y - half, size, size, size / 8)
  else if (worst === 2) {
    ink.moveTo(x, y - half * 1.1)
    ink.lineTo(x + half * 1.12, y + half * 0.9)
    ink.lineTo(x - half * 1.12, y + half * 0.9)
    ink.closePath()
  } else if (worst === 3) ink.arc(x, y, half, 0, Math.PI * 2)
  else {
    ink.moveTo(x, y - half)
    ink.lineTo(x + half, y)
    ink.lineTo(x, y + half)
    ink.lineTo(x - half, y)
    ink.closePath()
  }
  ink.lineJoin = 'round'
  ink.lineWidth = 4
  ink.strokeStyle = c.halo
  ink.stroke()
  if (worst === 4 || hollow) {
    ink.fillStyle = c.halo
    ink.fill()
    ink.lineWidth = 1.8
    ink.strokeStyle = fill
    ink.stroke()
    if (worst === 4) return
  } else {
    ink.fillStyle = fill
    ink.fill()
  }
  ink.fillStyle = hollow ? fill : text
  ink.font = `700 ${Math.round(size * 0.66)}px Inter`
  ink.textAlign = 'center'
  ink.textBaseline = 'middle'
  ink.fillText(String(worst), x, y + (worst === 2 ? size * 0.13 : size * 0.04))
}

export interface SignState {
  old: boolean
  known: boolean
  ordered: boolean
  consigned: boolean
}

/** A small sign with an icon: what the asset is. Dashed and hatched when old, empty when nothing is known. */
export function sign(ink: Ink, c: Palette, icon: string, x: number, y: number, size: number, state: SignState): void {
  const half = size / 2
  ink.save()
  rounded(ink, x - half, y - half, size, size, 4)
  ink.fillStyle = c.asset
  ink.globalAlpha = state.known ? 0.94 : 0.6
  ink.fill()
  if (state.old) {
    ink.save()
    ink.clip()
    hatch(ink, c.assetLine, x, y, size)
    ink.restore()
  }
  rounded(ink, x - half, y - half, size, size, 4)
  ink.globalAlpha = 1
  ink.lineWidth = state.ordered ? 2 : 1
  ink.strokeStyle = state.ordered ? c.order : c.assetLine
  if (state.old || !state.known) ink.setLineDash([3, 2])
  ink.stroke()
  ink.setLineDash([])
  const scale = (size - 4) / 20
  ink.translate(x - half + 2, y - half + 2)
  ink.scale(scale, scale)
  ink.strokeStyle = state.known ? c.assetInk : c.assetLine
  ink.lineWidth = 1.5 / scale
  ink.lineCap = ink.lineJoin = 'round'
  ink.stroke(iconPath(icon))
  ink.restore()
  if (state.consigned) padlock(ink, c, x + half, y - half)
}

/** A point for an asset that is too far for its sign. */
export function dot(ink: Ink, colour: string, x: number, y: number, r: number, hollow: boolean): void {
  ink.beginPath()
  ink.arc(x, y, r, 0, Math.PI * 2)
  if (hollow) {
    ink.lineWidth = 1
    ink.strokeStyle = colour
    ink.stroke()
  } else {
    ink.fillStyle = colour
    ink.fill()
  }
}

export function padlock(ink: Ink, c: Palette, x: number, y: number): void {
  ink.beginPath()
  ink.arc(x, y, 6, 0, Math.PI * 2)
  ink.fillStyle = c.labelStrong
  ink.fill()
  ink.strokeStyle = c.halo
  ink.lineWidth = 1.3
  ink.strokeRect(x - 2.5, y - 0.5, 5, 3.6)
  ink.beginPath()
  ink.arc(x, y - 0.8, 1.7, Math.PI, 0)
  ink.stroke()
}

export function hatch(ink: Ink, colour: string, x: number, y: number, size: number): void {
  ink.beginPath()
  for (let d = -size; d <= size; d += 3.5) {
    ink.moveTo(x + d - size / 2, y + size / 2)
    ink.lineTo(x + d + size / 2, y - size / 2)
  }
  ink.strokeStyle = colour
  ink.lineWidth = 1
  ink.globalAlpha = 0.7
  ink.stroke()
  ink.globalAlpha = 1
}

/** Text with a halo, as the map's own labels have; wide where lamps glow behind it. */
export function label(ink: Ink, c: Palette, text: string, x: number, y: number, font: string, colour: string, halo = 3): void {
  ink.font = font
  ink.textAlign = 'center'
  ink.textBaseline = 'middle'
  ink.lineJoin = 'round'
  ink.lineWidth = halo
  ink.strokeStyle = c.halo
  ink.strokeText(text, x, y)
  ink.fillStyle = colour
  ink.fillText(text, x, y)
}
