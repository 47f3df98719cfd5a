// How kinds look on the map, by the icon they declare. A kind with an icon that is not listed gets a plain sign of its
// service: a new service needs no line here to be seen.
import type { AssetKind } from '@lib/types'
import { moves } from '../state/city.svelte'

export interface Look {
  /** light: a lamp; sign: a small sign; signal: a signal head; mover: drawn where it says it is. */
  form: 'light' | 'sign' | 'signal' | 'mover' | 'none'
  /** From which zoom it is drawn at all, and from which with its icon. */
  dotZoom: number
  signZoom: number
  /** Whether it has a cone of view. */
  cone?: boolean
  /** For movers: length and width in px at the desk. */
  length?: number
  width?: number
}

const LOOKS: Record<string, Look> = {
  luminaire: { form: 'light', dotZoom: 13, signZoom: 13 },
  cabinet: { form: 'sign', dotZoom: 14.5, signZoom: 16 },
  motion_sensor: { form: 'sign', dotZoom: 15.5, signZoom: 16.5 },
  junction: { form: 'signal', dotZoom: 12.5, signZoom: 14.5 },
  detector: { form: 'sign', dotZoom: 16, signZoom: 17.5 },
  camera: { form: 'sign', dotZoom: 14, signZoom: 15, cone: true },
  stop: { form: 'sign', dotZoom: 15.5, signZoom: 16.5 },
  crossing: { form: 'sign', dotZoom: 17, signZoom: 18 },
  bollard: { form: 'sign', dotZoom: 14, signZoom: 15.5 },
  bus: { form: 'mover', dotZoom: 11, signZoom: 14, length: 15, width: 6 },
  tram: { form: 'mover', dotZoom: 11, signZoom: 14, length: 24, width: 6 },
  vehicle: { form: 'mover', dotZoom: 11.5, signZoom: 14, length: 10, width: 6 },
}

const PLAIN: Look = { form: 'sign', dotZoom: 12.5, signZoom: 14.5 }
const NONE: Look = { form: 'none', dotZoom: 99, signZoom: 99 }
const MOVER: Look = { form: 'mover', dotZoom: 11.5, signZoom: 14, length: 10, width: 6 }

export function lookOf(kind: AssetKind): Look {
  if (kind.area || kind.shape !== 'point') return NONE
  const look = LOOKS[kind.icon]
  if (moves(kind)) return look?.form === 'mover' ? look : MOVER
  return look && look.form !== 'mover' ? look : PLAIN
}
