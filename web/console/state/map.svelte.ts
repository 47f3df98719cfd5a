// What the rest of the console asks of the map, without holding the map itself.
import { tick } from 'svelte'
import type { CityChart } from '../map/chart'
import type { Bounds } from '@lib/types'

export interface Covered {
  left: number
  right: number
  bottom: number
}

class MapState {
  chart = $state.raw<CityChart | null>(null)
  /** What is looked at, in degrees: follows the map, but for where an opened asset has brought it. */
  bounds = $state.raw<Bounds | null>(null)
  zoom = $state(0)
  /** So much of the map's sides and of its bottom is covered, in px: places are shown in what is free. */
  covered = $state.raw<Covered>({ left: 0, right: 0, bottom: 0 })

  #bringing = false

  /** The map has come to rest. */
  moved(bounds: Bounds, zoom: number): void {
    if (!this.#bringing) this.bounds = bounds
    this.#bringing = false
    this.zoom = zoom
  }

  // These wait for what else the same act opens: a panel beside the map changes what of it is free.

  /** Shows an asset that was opened elsewhere: a list of what is in view keeps its rows under the hand that chose one. */
  bring(lon: number, lat: number, zoom: number): void {
    void tick().then(() => (this.#bringing = this.chart !== null))
    this.go(lon, lat, zoom)
  }

  go(lon: number, lat: number, zoom?: number): void {
    void tick().then(() => {
      const chart = this.chart
      if (!chart) return
      const nearer = zoom === undefined ? undefined : Math.max(zoom, chart.map.getZoom())
      chart.go(lon, lat, nearer, [(this.covered.left - this.covered.right) / 2, -this.covered.bottom / 2])
    })
  }

  /** What of the map is covered by no panel. */
  free(): Bounds | null {
    const screen = this.chart?.screen
    if (!screen) return null
    const { left, right, bottom } = this.covered
    return [screen.lon(left), screen.lat(screen.height - bottom), screen.lon(screen.width - right), screen.lat(0)]
  }

  /** The middle of it. */
  middle(): { lon: number; lat: number } | null {
    const screen = this.chart?.screen
    if (!screen) return null
    const { left, right, bottom } = this.covered
    return { lon: screen.lon((screen.width + left - right) / 2), lat: screen.lat((screen.height - bottom) / 2) }
  }

  fit(bounds: Bounds): void {
    void tick().then(() => this.chart?.fit(bounds, this.covered))
  }
}

export const mapState = new MapState()
