// The map's style: drawn only from what the post itself serves. It has no `glyphs`, so labels are drawn from the page's
// own font. Lamps are two things: their light (lights.ts) and, near, their body (lamps.ts).
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Bounds } from '@lib/types'
import type { Palette } from './palette'

export const FONT = ['Inter']

/** The layers of what is selected; they draw nothing until something is. */
export const CHOSEN_STREET = 'chosen-street'
export const CHOSEN_AREA = 'chosen-area'
export const NOTHING: FilterSpecification = ['==', ['literal', 1], 0]

/** Streets of a name within a box: other communes have streets of the same name. */
export function streetWithin(name: string, [west, south, east, north]: Bounds): FilterSpecification {
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
  return ['all', ['==', ['get', 'name'], name], ['within', { type: 'Polygon', coordinates: [ring] }]]
}

export function areaNamed(name: string): FilterSpecification {
  return ['==', ['get', 'name'], name]
}

/** The classes of streets by how much they carry; a class that is not listed counts as a small street. */
const MAIN = ['motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link']
const MIDDLE = ['secondary', 'tertiary', 'secondary_link', 'tertiary_link']
const PATHS = ['path', 'footway', 'cycleway', 'steps', 'track', 'pedestrian', 'service']

function byClass<T>(main: T, middle: T, path: T, other: T): ExpressionSpecification {
  return ['match', ['get', 'class'], MAIN, main, MIDDLE, middle, PATHS, path, other] as unknown as ExpressionSpecification
}

function width(scale: number): ExpressionSpecification {
  return [
    'interpolate',
    ['exponential', 1.6],
    ['zoom'],
    10,
    byClass(0.9 * scale, 0.5 * scale, 0, 0.2 * scale),
    13,
    byClass(2.4 * scale, 1.5 * scale, 0.3 * scale, 0.8 * scale),
    16,
    byClass(9 * scale, 7 * scale, 1.5 * scale, 5 * scale),
    19,
    byClass(44 * scale, 36 * scale, 8 * scale, 28 * scale),
  ] as unknown as ExpressionSpecification
}

function layers(c: Palette, light: boolean): LayerSpecification[] {
  const base = { source: 'base' }
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': c.ground } },
    { ...base, id: 'areas', 'source-layer': 'areas', type: 'fill', paint: { 'fill-color': c.land } },
    { ...base, id: 'green', 'source-layer': 'green', type: 'fill', paint: { 'fill-color': c.green } },
    { ...base, id: 'water', 'source-layer': 'water', type: 'fill', paint: { 'fill-color': c.water } },
    {
      ...base,
      id: 'buildings',
      'source-layer': 'buildings',
      type: 'fill',
      minzoom: 14,
      paint: {
        'fill-color': c.building,
        'fill-outline-color': c.buildingLine,
        'fill-opacity': ['interpolate', ['linear'], ['zoom'], 14, 0, 15, 1],
      },
    },
    {
      ...base,
      id: 'street-edges',
      'source-layer': 'streets',
      type: 'line',
      minzoom: 13,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': light ? c.buildingLine : c.ground, 'line-width': width(1.25) },
    },
    {
      ...base,
      id: 'streets',
      'source-layer': 'streets',
      type: 'line',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': byClass(c.streetMain, c.streetMain, c.streetSmall, c.street),
        'line-width': width(1),
      },
    },
    {
      ...base,
      id: 'transit',
      'source-layer': 'transit',
      type: 'line',
      paint: {
        'line-color': c.transit,
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 1.2, 18, 3],
        'line-dasharray': [3, 2],
        'line-opacity': 0.8,
      },
    },
    {
      ...base,
      id: 'borders',
      'source-layer': 'areas',
      type: 'line',
      paint: {
        'line-color': c.border,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.8, 14, 1.4],
        'line-dasharray': [4, 3],
        'line-opacity': ['interpolate', ['linear'], ['zoom'], 13, 0.9, 16, 0.35],
      },
    },
    {
      ...base,
      id: CHOSEN_AREA,
      'source-layer': 'areas',
      type: 'line',
      filter: NOTHING,
      paint: { 'line-color': c.select, 'line-width': 2, 'line-opacity': 0.9 },
    },
    {
      ...base,
      id: CHOSEN_STREET,
      'source-layer': 'streets',
      type: 'line',
      filter: NOTHING,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': c.select,
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 2, 14, 5, 17, 22, 19, 60],
        'line-opacity': 0.34,
        'line-blur': ['interpolate', ['linear'], ['zoom'], 12, 0, 17, 6],
      },
    },
    {
      ...base,
      id: 'street-names',
      'source-layer': 'streets',
      type: 'symbol',
      minzoom: 13,
      filter: ['step', ['zoom'], ['in', ['get', 'class'], ['literal', MAIN]], 14, ['in', ['get', 'class'], ['literal', [...MAIN, ...MIDDLE]]], 15, true],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 320,
        'text-field': ['get', 'name'],
        'text-font': FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], 13, 10.5, 16, 12, 19, 14],
        'text-max-angle': 28,
        'text-padding': 6,
        'text-letter-spacing': 0.01,
      },
      paint: { 'text-color': c.label, 'text-halo-color': c.halo, 'text-halo-width': 1.8 },
    },
  ]
}

/** Fetched by the console itself, which keeps the places of what is in them. */
export const ASSET_TILES = 'vigie-assets://{z}/{x}/{y}'

export function styleOf(c: Palette, light: boolean, origin: string): StyleSpecification {
  return {
    version: 8,
    sources: {
      base: { type: 'vector', tiles: [`${origin}/api/v1/tiles/base/{z}/{x}/{y}.mvt`], minzoom: 8, maxzoom: 15 },
      assets: { type: 'vector', tiles: [ASSET_TILES], minzoom: 8, maxzoom: 16 },
    },
    layers: layers(c, light),
  }
}
