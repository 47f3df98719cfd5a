// Numbers, ages and instants as the reader's language writes them. Instants are shown in the city's zone.
import { has, language, t } from './i18n.svelte'

let zone = 'Europe/Paris'

/** Sets the city's zone, in which every instant is shown. */
export function setZone(name: string): void {
  zone = name
  stamps.clear()
}

const numbers = new Map<string, Intl.NumberFormat>()
const stamps = new Map<string, Intl.DateTimeFormat>()

function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase()
}

/** Whether all words that are looked for stand in a text, whatever their accents. */
export function matches(words: string, text: string): boolean {
  const said = folded(text)
  return folded(words)
    .split(/\s+/)
    .every((word) => said.includes(word))
}

/** A number with at most `digits` decimals; `minimum` of them always. */
export function number(value: number, digits = 3, minimum = 0): string {
  const key = `${language()}/${digits}/${minimum}`
  let format = numbers.get(key)
  if (!format) {
    format = new Intl.NumberFormat(language() === 'fr' ? 'fr-FR' : 'en-GB', {
      maximumFractionDigits: digits,
      minimumFractionDigits: minimum,
    })
    numbers.set(key, format)
  }
  return format.format(value)
}

/** A number with the decimals that its size deserves: three significant figures, never more than two decimals. */
export function measure(value: number): string {
  const size = Math.abs(value)
  return number(value, size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2)
}

/** How a unit is written: "Cel" is °C. A unit without a word of its own is written as it is. */
export function unit(code: string): string {
  return has(`unit.${code}`) ? t(`unit.${code}`) : code
}

/** A number with its unit, joined by a space that does not break. */
export function quantity(value: number, code: string): string {
  return code ? `${measure(value)}\u00a0${unit(code)}` : measure(value)
}

function stamp(at: Date, style: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${language()}/${style}`
  let format = stamps.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(language() === 'fr' ? 'fr-FR' : 'en-GB', { timeZone: zone, ...options })
    stamps.set(key, format)
  }
  return format.format(at)
}

type Instant = string | number | Date

function date(at: Instant): Date {
  return at instanceof Date ? at : new Date(at)
}

/** 03:14 */
export function clock(at: Instant): string {
  return stamp(date(at), 'clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
}

/** 03:14:59 */
export function clockSeconds(at: Instant): string {
  return stamp(date(at), 'seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
}

/** When the city's clocks show a minute of a day, as a date field says it (2026-11-24); midnight where none is said. */
export function dayBegins(date: string, minute = 0): Date {
  const shown = Date.parse(`${date}T00:00:00Z`) + minute * 60_000
  const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const ahead = (at: number): number => Date.parse(`${wall.format(at).replace(' ', 'T')}Z`) - at
  // The zone's distance is first that of another instant, which may lie beyond a change of the clocks.
  return new Date(shown - ahead(shown - ahead(shown)))
}

/** The day that the city's calendar shows, as a date field says it. */
export function dayOf(at: Instant): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(date(at))
}

/** A weekday's name, 0 being Monday. */
export function weekdayName(n: number, width: 'short' | 'long' = 'long'): string {
  return calendarName(Date.UTC(2024, 0, 1 + n), { weekday: width })
}

/** A month's name, 1 being January; short where there is little room. */
export function monthName(n: number, month: 'long' | 'short' = 'long'): string {
  return calendarName(Date.UTC(2024, n - 1, 1), { month })
}

function calendarName(at: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language() === 'fr' ? 'fr-FR' : 'en-GB', { timeZone: 'UTC', ...options }).format(at)
}

/** 24 nov. 2026 */
export function day(at: Instant): string {
  return stamp(date(at), 'day', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** 24 novembre 2026 */
export function longDay(at: Instant): string {
  return stamp(date(at), 'long', { day: 'numeric', month: 'long', year: 'numeric' })
}

/** mar. 24 nov. */
export function weekday(at: Instant): string {
  return stamp(date(at), 'weekday', { weekday: 'short', day: 'numeric', month: 'short' })
}

/** The time alone today, the day before it otherwise. */
export function moment(at: Instant, now: number): string {
  const then = date(at)
  return day(then) === day(now) ? clockSeconds(then) : `${shortDay(then)} ${clock(then)}`
}

/** A time to come, to the minute: 05:30, with its day where that is not today. */
export function ahead(at: Instant, now: number): string {
  const then = date(at)
  return day(then) === day(now) ? clock(then) : `${shortDay(then)} ${clock(then)}`
}

function shortDay(at: Date): string {
  return stamp(at, 'short', { day: '2-digit', month: '2-digit' })
}

/** An age in its largest fitting unit: 12 s, 3 min, 5 h, 2 d. */
export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return t('console.age.s', { n: s })
  if (s < 3_600) return t('console.age.min', { n: Math.floor(s / 60) })
  if (s < 86_400) return t('console.age.h', { n: Math.floor(s / 3_600) })
  return t('console.age.d', { n: Math.floor(s / 86_400) })
}
