// What energy is reckoned with, as it is written: what a new one begins with, when it is whole, and the bounds of each
// figure, which are those of the post (services/lighting/programmes/year.py, services/lighting/energy/model.py).
import { numberOf } from '@lib/numbers'
import type { Baseline, Tariff } from '@lib/plans'
import { SWITCHING } from './programme'

/** A figure that somebody states. scale: by how much it is written larger than the post has it, as a share in per cent;
 *  whole: it counts something; optional: it may be left unsaid. */
export interface Figure<B> {
  name: string
  unit: string
  low: number
  high: number
  scale?: number
  whole?: boolean
  optional?: boolean
  get: (body: B) => number | null
  put: (body: B, value: number | null) => Partial<B>
}

type Numbers<B> = { [K in keyof B]: B[K] extends number | null ? K : never }[keyof B] & string

function figure<B>(name: Numbers<B>, unit: string, low: number, high: number, more: Partial<Figure<B>> = {}): Figure<B> {
  return {
    name, unit, low, high,
    get: (body) => body[name] as number | null,
    put: (_, value) => ({ [name]: value }) as Partial<B>,
    ...more,
  }
}

function switching(name: 'sun_deg' | 'evening_min' | 'morning_min', unit: string, low: number, high: number): Figure<Baseline> {
  return {
    name, unit, low, high,
    whole: unit === 'min',
    get: (body) => body.switching[name],
    put: (body, value) => ({ switching: { ...body.switching, [name]: value ?? SWITCHING[name] } }),
  }
}

const LEAST = 0.01
const SHARE = { scale: 100 }
const COUNT = { whole: true }
const UNSAID = { optional: true }

export const PRICES: Figure<Tariff>[] = [
  figure<Tariff>('peak_eur_per_kwh', '€/kWh', 0, 10),
  figure<Tariff>('off_peak_eur_per_kwh', '€/kWh', 0, 10),
]
export const CARBON: Figure<Tariff> = figure<Tariff>('kg_co2_per_kwh', 'g/kWh', 0, 5, { scale: 1_000 })

/** Of the old inventory, by what they are about. */
export const FORMER: Record<'lamps' | 'gear' | 'out' | 'switching' | 'meters' | 'promise', Figure<Baseline>[]> = {
  lamps: [
    figure<Baseline>('lamp_w', 'W', LEAST, 5_000, UNSAID),
    figure<Baseline>('lamp_w_sd', 'W', 0, 5_000),
    figure<Baseline>('surveyed', '', 0, 1_000_000, COUNT),
  ],
  gear: [
    figure<Baseline>('gear', '', 1, 2),
    figure<Baseline>('gear_sd', '', 0, 0.5),
    figure<Baseline>('measured', '', 0, 1_000_000, COUNT),
  ],
  out: [figure<Baseline>('out', '%', 0, 1, SHARE), figure<Baseline>('out_sd', '%', 0, 1, SHARE)],
  switching: [
    switching('sun_deg', 'deg', -18, 5),
    switching('evening_min', 'min', -180, 180),
    switching('morning_min', 'min', -180, 180),
    figure<Baseline>('switching_sd_min', 'min', 0, 120),
  ],
  meters: [figure<Baseline>('meter_class', '%', LEAST, 10)],
  promise: [figure<Baseline>('target', '%', 0, 1, { ...SHARE, ...UNSAID })],
}
export type FormerPart = keyof typeof FORMER
export const FORMER_PARTS = Object.keys(FORMER) as FormerPart[]

/** Its prices are for its author to say; the off-peak hours are the commonest. */
export function freshTariff(): Tariff {
  return { peak_eur_per_kwh: null, off_peak_eur_per_kwh: null, off_peak_from: 22 * 60, off_peak_to: 6 * 60, kg_co2_per_kwh: 0, source: '' }
}

/** As `Baseline()` on the post. */
export function freshFormer(): Baseline {
  return {
    lamp_w: null, lamp_w_sd: 0, surveyed: 0, gear: 1.12, gear_sd: 0.03, measured: 0, out: 0, out_sd: 0,
    switching: SWITCHING, switching_sd_min: 5, meter_class: 2, target: null, source: '',
  }
}

export function isWholeTariff(body: Tariff): boolean {
  return body.peak_eur_per_kwh !== null && body.off_peak_eur_per_kwh !== null && body.source.trim() !== ''
}

export function isWholeFormer(body: Baseline): boolean {
  return body.source.trim() !== ''
}

/** As it is written: scaled, without the noise of the last binary digit. */
export function written<B>({ scale = 1 }: Figure<B>, value: number): number {
  return Number((value * scale).toPrecision(12))
}

/** What somebody typed, as the post has it; or the key of what is wrong with it. thousands: whether their language parts
 *  thousands by commas. */
export function typed<B>(
  { scale = 1, low, high, whole, optional }: Figure<B>, text: string, thousands: boolean,
): number | null | 'needed' | 'number' | 'range' {
  if (text.trim() === '') return optional ? null : 'needed'
  const number = numberOf(text, thousands)
  if (!Number.isFinite(number) || (whole && !Number.isInteger(number))) return 'number'
  const own = Number((number / scale).toPrecision(12))
  return own >= low && own <= high ? own : 'range'
}
