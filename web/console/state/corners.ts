// Corners as they are typed: a line each, longitude and latitude in degrees.
import type { Corner } from '@lib/settings'

/** Apart by a space, whatever else is there; a decimal comma is read as well as a point. */
const SPACED = /^(-?\d+(?:[.,]\d+)?)(?:\s*[,;])?\s+(-?\d+(?:[.,]\d+)?)$/
/** Apart by a comma alone: then neither has one of its own. */
const CLOSE = /^(-?\d+\.\d+)[,;](-?\d+\.\d+)$/
/** So many decimals are a tenth of a metre. */
const DECIMALS = 6

export function rounded(lon: number, lat: number): Corner {
  return [Number(lon.toFixed(DECIMALS)), Number(lat.toFixed(DECIMALS))]
}

export function cornerText([lon, lat]: Corner): string {
  return `${lon}, ${lat}`
}

/** What is typed, or the first line (from 1) that is no place. */
export function cornersTyped(text: string): Corner[] | number {
  const corners: Corner[] = []
  for (const [n, line] of text.split('\n').entries()) {
    const said = line.trim()
    if (said === '') continue
    const [lon, lat] = ((SPACED.exec(said) ?? CLOSE.exec(said))?.slice(1) ?? []).map((each) => Number(each.replace(',', '.')))
    if (lon === undefined || lat === undefined || Math.abs(lon) > 180 || Math.abs(lat) > 90) return n + 1
    corners.push([lon, lat])
  }
  return corners
}
