// Works in words.
import { day, dayBegins, weekdayName } from '@lib/format'
import { t } from '@lib/i18n.svelte'
import type { Clash, Street } from '@lib/works'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** 7 déc. 2026 08:00, of what the town's clock shows: 2026-12-07T08:00. */
export function momentWord(moment: string): string {
  return `${dayWord(moment.slice(0, 10))} ${moment.slice(11)}`
}

export function dayWord(date: string): string {
  return day(dayBegins(date, 12 * 60))
}

export function spanWord(begins: string, ends: string): string {
  return t('console.works.span', { from: momentWord(begins), to: momentWord(ends) })
}

/** The hours of a text that the post reads, with the days as the reader calls them. */
export function hoursWord(hours: string): string {
  if (!hours) return t('console.works.hours.always')
  return hours.replace(/[a-z]{3}/g, (name) => (DAYS.includes(name) ? weekdayName(DAYS.indexOf(name), 'short') : name)).replaceAll('-', '–')
}

/** What it clashes with, in a sentence. */
export function clashWord({ rule, detail }: Clash): string {
  const said: Record<string, string> = {}
  for (const [name, value] of Object.entries(detail)) {
    const text = String(value)
    said[name] = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? momentWord(text) : /^\d{4}-\d\d-\d\d$/.test(text) ? dayWord(text) : text
  }
  return t(`finding.${rule}`, said)
}

/** From which street to which: what tells stretches of one street apart. */
export function betweenWord(street: Street): string {
  const { begins_at: from, ends_at: to } = street
  if (from && to) return t('console.works.between', { from, to })
  return from || to ? t('console.works.at', { at: from || to }) : ''
}
