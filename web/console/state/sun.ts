// Where the sun is, to a minute or two: enough to draw the bar of a night. What lamps do is the post's own reckoning.

const DEG = Math.PI / 180
const DAY_MS = 86_400_000
/** Noon of the 1st of January 2000, from which the formulas count. */
const J2000_MS = Date.UTC(2000, 0, 1, 12)

/** When the sun's centre passes a height in the evening after a noon, or in the morning before it; null where it does not
    that day. The low-precision formulas of the Astronomical Almanac, section C. */
function crossing(noonMs: number, lon: number, lat: number, heightDeg: number, evening: boolean): number | null {
  const days = (noonMs - J2000_MS) / DAY_MS
  const g = (357.528 + 0.9856003 * days) * DEG
  const mean = 280.46 + 0.9856474 * days
  const ecliptic = (mean + 1.915 * Math.sin(g) + 0.02 * Math.sin(2 * g)) * DEG
  const tilt = 23.439 * DEG
  const right = Math.atan2(Math.cos(tilt) * Math.sin(ecliptic), Math.cos(ecliptic)) / DEG
  const declination = Math.asin(Math.sin(tilt) * Math.sin(ecliptic))
  const equation = ((((mean - right + 180) % 360) + 360) % 360) - 180
  const cosine =
    (Math.sin(heightDeg * DEG) - Math.sin(lat * DEG) * Math.sin(declination)) / (Math.cos(lat * DEG) * Math.cos(declination))
  if (Math.abs(cosine) > 1) return null
  const hour = (evening ? 1 : -1) * (Math.acos(cosine) / DEG)
  const midnight = Math.floor(noonMs / DAY_MS) * DAY_MS
  return midnight + ((180 - lon - equation + hour) / 360) * DAY_MS
}

/** From when to when the sun stands below a height in the night that follows a noon. */
export function nightOf(noonMs: number, lon: number, lat: number, heightDeg: number): { dusk: number; dawn: number } | null {
  const dusk = crossing(noonMs, lon, lat, heightDeg, true)
  const dawn = crossing(noonMs + DAY_MS, lon, lat, heightDeg, false)
  return dusk === null || dawn === null ? null : { dusk, dawn }
}
