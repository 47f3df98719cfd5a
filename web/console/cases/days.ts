// Days of the calendar as a date field says them (2026-11-27), so that no zone moves them.
const DAY_MS = 86_400_000

function atNoon(day: string): number {
  return Date.parse(`${day}T12:00:00Z`)
}

export function plus(day: string, days: number): string {
  return new Date(atNoon(day) + days * DAY_MS).toISOString().slice(0, 10)
}

/** 0 for a Monday. */
export function weekdayOf(day: string): number {
  return (new Date(atNoon(day)).getUTCDay() + 6) % 7
}

/** The days that a calendar shows: a week from Monday, or the weeks of a month. */
export function daysOf(span: 'week' | 'month', day: string): string[] {
  const first = span === 'week' ? day : `${day.slice(0, 7)}-01`
  const monday = plus(first, -weekdayOf(first))
  if (span === 'week') return Array.from({ length: 7 }, (_, n) => plus(monday, n))
  const days: string[] = []
  for (let at = monday; at.slice(0, 7) <= day.slice(0, 7); at = plus(at, 7)) {
    for (let n = 0; n < 7; n++) days.push(plus(at, n))
  }
  return days
}

/** The same place in the week or month after, or before. */
export function turn(span: 'week' | 'month', day: string, by: number): string {
  if (span === 'week') return plus(day, 7 * by)
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + by
  return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, '0')}-01`
}
