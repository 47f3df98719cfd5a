// The bodies of lamps, near: circles of the asset tiles, coloured by what each lamp last said. States go to the map in
// one pass a frame, only for what is in view and only where they differ from what the map was told last.
import type { ExpressionSpecification, LayerSpecification, Map as Chart } from 'maplibre-gl'
import { CONSIGNED, OLD, ORDER, picture } from '../state/picture'
import { shown, UNSAID } from '../state/shown'
import type { Palette } from './palette'
import { mercatorX, mercatorY, places } from './places'

export const LAMPS = 'lamps'
export const LAMPS_ZOOM = 13
/** So many states are handed to the map in one frame; the rest follow in the next ones. */
const STATES_PER_FRAME = 20_000

const UNKNOWN = 0
const TRUE = 1
const AGED = 2

const SAID: ExpressionSpecification = ['coalesce', ['feature-state', 's'], UNKNOWN]

/** A colour (#rrggbb) with an opacity. */
function seen(colour: string, opacity: number): string {
  return colour + Math.round(opacity * 255).toString(16).padStart(2, '0')
}

function byState<T>(unknown: T, aged: T, otherwise: T): ExpressionSpecification {
  return ['match', SAID, UNKNOWN, unknown, AGED, aged, otherwise] as unknown as ExpressionSpecification
}

function stroke(scale: number): ExpressionSpecification {
  return [
    'case',
    ['boolean', ['feature-state', 'o'], false],
    2.2 * scale,
    ['boolean', ['feature-state', 'c'], false],
    2 * scale,
    byState(scale, 1.2 * scale, 0),
  ] as unknown as ExpressionSpecification
}

/** The layer of lamps, for the kinds with these codes. */
export function lampLayer(codes: number[], c: Palette): LayerSpecification {
  const level: ExpressionSpecification = ['coalesce', ['feature-state', 'l'], 0]
  // Opacity is a part of each colour: what is told lamp by lamp is reckoned for each of them, and a property more is as
  // much again.
  const light = (share: number): ExpressionSpecification =>
    [
      'interpolate',
      ['linear'],
      level,
      0.04,
      seen(c.lampOff, share),
      0.05,
      seen(c.lampOff, share * 0.48),
      0.1,
      seen(c.lampLit, share * 0.5),
      1,
      seen(c.lampLit, share),
    ] as unknown as ExpressionSpecification
  return {
    id: LAMPS,
    type: 'circle',
    source: 'assets',
    'source-layer': 'assets',
    minzoom: LAMPS_ZOOM,
    filter: ['in', ['get', 'k'], ['literal', codes]],
    paint: {
      'circle-radius': ['interpolate', ['exponential', 1.4], ['zoom'], 13, 1.1, 15, 2.2, 17, 4.2, 20, 11],
      'circle-color': byState<unknown>(seen(c.lampOff, 0), light(0.3), light(1)),
      'circle-stroke-width': ['interpolate', ['linear'], ['zoom'], 13, stroke(0.6), 17, stroke(1.2)],
      'circle-stroke-color': [
        'case',
        ['boolean', ['feature-state', 'o'], false],
        c.order,
        ['boolean', ['feature-state', 'c'], false],
        c.labelStrong,
        byState(seen(c.unknown, 0.9), seen(c.lampLit, 0.75), seen(c.lampOff, 1)),
      ] as unknown as ExpressionSpecification,
    },
  }
}

export class LampStates {
  codes = new Set<number>()
  /** How many states the map was given in all; for whoever measures. */
  given = 0
  #told = new Uint16Array(0)
  #index = new Uint32Array(0)
  #placesVersion = -1

  /** One pass. True when there was more than one frame may take. */
  pass(map: Chart): boolean {
    if (map.getZoom() < LAMPS_ZOOM - 0.1 || !map.getLayer(LAMPS)) return false
    if (this.#placesVersion !== places.version) this.#reindex()
    const { west, east, north, south } = box(map)
    let given = 0
    for (const no of this.#index) {
      const x = places.x[no]!
      const y = places.y[no]!
      if (x < west || x > east || y < north || y > south) continue
      const state = this.#stateOf(no)
      if (this.#told[no] === state) continue
      if (given === STATES_PER_FRAME) {
        this.given += given
        return true
      }
      this.#told[no] = state
      given += 1
      map.setFeatureState({ source: 'assets', sourceLayer: 'assets', id: no }, spelled(state))
    }
    this.given += given
    return false
  }

  /** The map was built anew and knows nothing. */
  forget(): void {
    this.#told.fill(0)
  }

  #reindex(): void {
    const index: number[] = []
    for (let no = 1; no < places.end; no++) {
      const kind = places.kind[no]!
      if (kind > 0 && this.codes.has(kind - 1)) index.push(no)
    }
    this.#index = Uint32Array.from(index)
    if (this.#told.length < places.kind.length) {
      const told = new Uint16Array(places.kind.length)
      told.set(this.#told)
      this.#told = told
    }
    this.#placesVersion = places.version
  }

  /** A lamp's state in sixteen bits: level in percent, what is known, order in progress, consigned. 0: never told. */
  #stateOf(no: number): number {
    if (shown.levels) {
      const level = shown.levels[no] ?? UNSAID
      return level === UNSAID ? 1 << 15 : level | (TRUE << 7) | (1 << 15)
    }
    if (!picture.known(no)) return 1 << 15
    const flags = picture.flags[no]!
    const level = Math.max(0, Math.min(100, Math.round(picture.value[no]!)))
    const said = flags & OLD ? AGED : TRUE
    return level | (said << 7) | (flags & ORDER ? 1 << 9 : 0) | (flags & CONSIGNED ? 1 << 10 : 0) | (1 << 15)
  }
}

function spelled(state: number): { l: number; s: number; o: boolean; c: boolean } {
  return {
    l: (state & 0x7f) / 100,
    s: (state >> 7) & 3,
    o: (state & (1 << 9)) > 0,
    c: (state & (1 << 10)) > 0,
  }
}

/** What is in view, with a margin of a quarter, in the unit square. */
function box(map: Chart): { west: number; east: number; north: number; south: number } {
  const bounds = map.getBounds()
  const west = mercatorX(bounds.getWest())
  const east = mercatorX(bounds.getEast())
  const north = mercatorY(bounds.getNorth())
  const south = mercatorY(bounds.getSouth())
  const dx = (east - west) / 4
  const dy = (south - north) / 4
  return { west: west - dx, east: east + dx, north: north - dy, south: south + dy }
}
