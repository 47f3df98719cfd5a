// From the unit square to the screen and back. The map has no tilt and no turn, so this is a scale and an offset.
import type { Map as Chart } from 'maplibre-gl'
import { latOf, lonOf, mercatorX, mercatorY } from './places'

export class Screen {
  zoom = 0
  width = 0
  height = 0
  #world = 1
  #left = 0
  #top = 0

  update(map: Chart): void {
    const canvas = map.getCanvas()
    const { lng, lat } = map.getCenter()
    this.zoom = map.getZoom()
    this.width = canvas.clientWidth
    this.height = canvas.clientHeight
    this.#world = 512 * 2 ** this.zoom
    this.#left = mercatorX(lng) * this.#world - this.width / 2
    this.#top = mercatorY(lat) * this.#world - this.height / 2
  }

  x(unit: number): number {
    return unit * this.#world - this.#left
  }

  y(unit: number): number {
    return unit * this.#world - this.#top
  }

  /** px in units of the square. */
  span(px: number): number {
    return px / this.#world
  }

  unitX(px: number): number {
    return (px + this.#left) / this.#world
  }

  unitY(px: number): number {
    return (px + this.#top) / this.#world
  }

  lon(px: number): number {
    return lonOf(this.unitX(px))
  }

  lat(px: number): number {
    return latOf(this.unitY(px))
  }

  shows(x: number, y: number, margin = 0): boolean {
    return x >= -margin && y >= -margin && x <= this.width + margin && y <= this.height + margin
  }
}
