// Corners as they are typed: a line each, longitude and latitude in degrees.
import type { Corner } from '@lib/settings'

/** A decimal comma is read as well as a point. */
const CORNER = /^\s*(-?\d+(?:[.,]\d+)?)\s*[,;\s]\s*(-?\d+(?:[.,]\d+)?)\s*$/
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
    if (line.trim() === '') continue
    const [lon, lat] = (CORNER.exec(line)?.slice(1) ?? []).map((each) => Number(each.replace(',', '.')))
    if (lon === undefined || lat === undefined || Math.abs(lon) > 180 || Math.abs(lat) > 90) return n + 1
    corners.push([lon, lat])
  }
  return corners
}
